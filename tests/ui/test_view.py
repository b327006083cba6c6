"""The view alone in a browser: what it says, and what it does with what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from nbdurable.engine.where.moments import Now
from nbdurable.timeline.bundle import VIEW
from nbdurable.timeline.model import run_view
from nbdurable.timeline.protocol import (
    Changed,
    Message,
    Need,
    Refused,
    Reply,
    Snapshot,
    Told,
    plain,
)
from nbdurable.timeline.snapshots import changed, snapshot
from nbdurable.timeline.told import Action, Details, Runs
from tests.stories import Story, research

pytestmark = pytest.mark.needs("chromium")

HOST = """async ([text, shadow]) => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const view = (await import(address)).default;
  window.sent = [];
  window.answer = () => null;
  const model = {
    get: () => undefined,
    on: (_, hear) => (window.hear = hear),
    off: () => undefined,
    send: (said) => {
      window.sent.push(said);
      const told = window.answer(said);
      if (told) Promise.resolve().then(() => window.hear(told));
    },
  };
  const el = shadow ? document.body.attachShadow({ mode: 'open' }) : document.body;
  view.render({ model, el });
}"""
"""A front end that keeps what the view says, and answers when a test wants it."""

FOCUSED = "document.activeElement.ariaLabel ?? document.activeElement.textContent"

STOP = Action(
    what="cancel", about="findings", means="stop it", asks="It is interrupted."
)
PIN = Action(what="pin", about="", means="pin")
BRANCH = Action(what="branch", about="run-7", means="go on from its run 1")


@dataclass
class Host:
    """The view, and who it talks to."""

    page: Page

    def hear(self, *messages: Message) -> None:
        """Tell the view something."""
        for message in messages:
            self.page.evaluate("message => window.hear(message)", plain(message))

    def said(self, kind: str) -> list[dict[str, Any]]:
        """What the view said of a kind."""
        sent: list[dict[str, Any]] = self.page.evaluate("window.sent")
        return [said for said in sent if said["type"] == kind]

    def button(self, name: str) -> Locator:
        """A button."""
        return self.page.get_by_role("button", name=name)

    @property
    def focused(self) -> str:
        """What has the focus."""
        return str(self.page.evaluate(FOCUSED))


Opens = Callable[..., Host]


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens a view that was told something."""
    pages: list[Page] = []

    def open_it(*messages: Message, shadow: bool = False) -> Host:
        pages.append(browser.new_page())
        pages[-1].goto("about:blank")
        pages[-1].evaluate(HOST, [VIEW.read_text(encoding="utf-8"), shadow])
        host = Host(pages[-1])
        host.hear(*messages)
        return host

    yield open_it
    for page in pages:
        page.close()


def need(reference: str) -> Need:
    """A write that may have happened."""
    happened = Reply(means="it happened", said="happened", typed=True, command="")
    did_not = Reply(means="it did not", said="did-not", typed=False, command="")
    return Need(
        reference=reference, message="resolve", fate="in doubt", call=reference,
        says="may have happened", shown="", replies=(happened, did_not),
    )  # fmt: skip


def run(*needs: Need, can: tuple[Action, ...] = ()) -> Snapshot:
    """A run that needs this, and with which that can be done."""
    story = research()
    told = snapshot(run_view(story.history(), Now(story.us), get=story.get))
    return replace(told, needs=needs, head=replace(told.head, actions=can))


def next_of(told: Snapshot, *needs: Need) -> Changed:
    """A moment later: the same run, of which one attempt took longer."""
    story = Story()
    story.opens()
    view = run_view(story.history(), Now(story.us), get=story.get)
    made = changed(view, view, seq=told.seq + 1)
    took = tuple(replace(a, end_ms=a.end_ms + 9) for a in told.attempts)
    return replace(
        made, head=told.head, needs=needs, cells=told.cells, attempts=took,
        kernels=told.kernels, kept=told.kept,
    )  # fmt: skip


def details(told: Snapshot, *lines: str) -> Details:
    """What there is to say of the attempt that a click on the first cell opens."""
    attempt = max((a for a in told.attempts if a.cell == 0), key=lambda a: a.number)
    return Details(
        attempt=attempt.id, call="", title="findings", lines=lines, error="",
        parts=(), key="", actions=(STOP,),
    )  # fmt: skip


def test_refused_details_are_asked_for_once(opens: Opens) -> None:
    """A call that is gone is asked for once, and again only when something happened."""
    told = run()
    host = opens(told)
    gone = plain(Refused(about="", line="this call is not in the run any more"))
    answers = (
        "gone => (window.answer = ({ type }) => (type === 'detail' ? gone : null))"
    )
    host.page.evaluate(answers, gone)
    host.page.locator(".cells button").first.click()
    expect(host.page.locator(".nbd")).to_contain_text("not in the run any more")
    host.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert len(host.said("detail")) == 1
    host.hear(next_of(told))
    assert len(host.said("detail")) == 2


def test_details_that_take_long_are_asked_for_after_a_rest(opens: Opens) -> None:
    """Beside a running cell, telling its details takes a tenth of the kernel's time."""
    told = run()
    host = opens(told)
    host.page.evaluate("window.now = 0; performance.now = () => window.now")
    host.page.locator(".cells button").first.click()
    host.page.evaluate("window.now = 500")
    host.hear(details(told, "1 call"), next_of(told))
    assert len(host.said("detail")) == 1
    expect(host.page.locator(".details")).to_contain_text("1 call")
    host.page.evaluate("window.now = 5_000")
    host.hear(replace(next_of(told), seq=told.seq + 2))
    assert len(host.said("detail")) == 2


def test_who_is_not_known_opens_again(opens: Opens) -> None:
    """A source that was started anew is asked for the run that is looked at."""
    host = opens(run())
    host.hear(Refused(about="", line="not known", again=True))
    host.page.wait_for_function("window.sent.length === 2")
    assert [said["type"] for said in host.said("open")] == ["open", "open"]
    expect(host.page.locator(".nbd")).not_to_contain_text("not known")


def test_what_is_clicked_names_the_run(opens: Opens) -> None:
    """Every click says which run was shown."""
    told = run(need("review.1"), can=(PIN,))
    host = opens(told)
    host.button("pin").click()
    host.button("it did not").click()
    assert host.said("act")[0]["run"] == told.head.id
    assert host.said("resolve")[0]["run"] == told.head.id


def test_the_answer_to_an_offer_is_shown(opens: Opens) -> None:
    """What came of «go on from its run» stands under the button."""
    host = opens(Refused(about="", line="This is a copy.", actions=(BRANCH,)))
    host.button("go on from its run 1").click()
    (said,) = host.said("act")
    host.hear(Told(about="run-7", line="asked for", to=said["ask"]))
    expect(host.page.locator(".nbd")).to_contain_text("asked for")
    host.hear(Refused(about="run-7", line="A cell is running."))
    expect(host.page.locator(".nbd")).to_contain_text("A cell is running.")


def test_what_can_be_done_where_there_is_no_run_is_shown(opens: Opens) -> None:
    """A store that can't be used has its sentence and what to type; then they go."""
    ways = ("!nbdurable trust x", "%env NBDURABLE_STORE=y")
    host = opens(Refused(about="", line="x was not signed by you.", remedies=ways))
    expect(host.page.locator(".nbd")).to_contain_text("x was not signed by you.")
    for way in ways:
        expect(host.page.locator(".nbd code", has_text=way)).to_be_visible()
    host.hear(run())
    expect(host.page.locator(".nbd")).not_to_contain_text("trust")


def test_a_question_stays_while_the_run_goes_on(opens: Opens) -> None:
    """«Stop it» can be confirmed while the cell makes calls; then the news is shown."""
    told = run()
    host = opens(told)
    host.page.locator(".cells button").first.click()
    host.hear(details(told, "1 call"))
    host.button("stop it").click()
    expect(host.button("not now")).to_be_focused()
    host.hear(next_of(told), details(told, "2 calls"))
    expect(host.button("not now")).to_be_focused()
    host.button("stop it").click()
    assert [said["what"] for said in host.said("act")] == ["cancel"]
    expect(host.page.locator(".details")).to_contain_text("2 calls")


def test_another_call_closes_a_question(opens: Opens) -> None:
    """A question about one cell doesn't stand under what is opened next."""
    told = run()
    host = opens(told)
    host.page.locator(".cells button").first.click()
    host.hear(details(told, "1 call"))
    host.button("stop it").click()
    host.page.locator(".lanes canvas").focus()
    for key in ("ArrowRight", "Enter"):
        host.page.keyboard.press(key)
    expect(host.page.get_by_role("alertdialog")).to_have_count(0)


def test_a_key_before_the_lanes_are_drawn(opens: Opens) -> None:
    """A key that is pressed in the frame before the lanes are drawn goes to a call."""
    host = opens()
    told_and_pressed = """told => {
      window.hear(told);
      const canvas = document.querySelector('.lanes canvas');
      for (const key of ['ArrowRight', 'Enter'])
        canvas.dispatchEvent(new KeyboardEvent('keydown', { key }));
    }"""
    host.page.evaluate(told_and_pressed, plain(run()))
    assert len(host.said("detail")) == 1


def test_a_zoom_while_the_run_goes_on(opens: Opens) -> None:
    """A key that zooms in the frame before new lanes are drawn leaves in sight what was."""
    told = run()
    host = opens(told)
    zoomed = """async ([told, beside]) => {
      const canvas = document.querySelector('.lanes canvas');
      const frame = () => new Promise(requestAnimationFrame);
      const press = (key) => canvas.dispatchEvent(new KeyboardEvent('keydown', { key }));
      ['0', '+', '+'].forEach(press);
      if (beside) window.hear(told);
      press('+');
      await frame();
      await frame();
      return canvas.toDataURL();
    }"""
    assert len({host.page.evaluate(zoomed, [plain(told), n]) for n in (0, 1)}) == 1


def test_a_click_by_keyboard_keeps_the_focus(opens: Opens) -> None:
    """While it is sent, and when it is answered, the focus stays at the button."""
    host = opens(run(can=(PIN,)))
    host.button("pin").press("Enter")
    expect(host.button("sending…")).to_be_focused()
    host.page.keyboard.press("Enter")
    (said,) = host.said("act")
    host.hear(Told(about="", line="the run is pinned", to=said["ask"]))
    expect(host.button("pin")).to_be_focused()


@pytest.mark.parametrize("shadow", [False, True])
def test_the_list_keeps_the_focus(opens: Opens, shadow: bool) -> None:
    """Who stands in the list stays there when something happens, also in a shadow root."""
    told = run()
    host = opens(told, shadow=shadow)
    host.page.get_by_text("as a list").click()
    host.page.locator(".list .row").nth(2).focus()
    host.hear(next_of(told))
    drawn = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    host.page.evaluate(drawn)
    expect(host.page.locator(".list .row").nth(2)).to_be_focused()


def test_the_focus_goes_on_to_the_next_question(opens: Opens) -> None:
    """Who answered one question stands at the next one, and Enter answers nothing there."""
    told = run(need("review.1"), need("review.2"))
    host = opens(told)
    host.button("it did not: review.1").press("Enter")
    expect(host.page.locator(".need").first.locator("button").last).to_be_focused()
    host.hear(next_of(told, need("review.2")))
    assert host.focused == "review.2 may have happened"
    host.page.keyboard.press("Enter")
    assert len(host.said("resolve")) == 1
    last = next_of(told)
    host.hear(replace(last, seq=last.seq + 1))
    assert host.focused == "timeline of the run"


def test_a_question_leads_to_its_call(opens: Opens) -> None:
    """Beside the answers stands what there is to know of the call that may have happened."""
    told = run()
    attempt, call = told.attempts[0].id, told.calls.id[2]
    host = opens(run(replace(need("review.1"), attempt=attempt, id=call)))
    host.button("details: review.1").click()
    (said,) = host.said("detail")
    assert (said["attempt"], said["call"]) == (attempt, call)
    expect(host.page.locator(".details")).to_be_visible()


def test_an_answer_is_read_whole(opens: Opens) -> None:
    """A long choice has as many lines as it takes: who clicks on it has said all of it."""
    long = "only if nobody has anything against it, " * 5
    reply = Reply(means=long, said=long, typed=False, command="")
    asked = replace(need("plan.1"), message="signal", replies=(reply,))
    host = opens(run(asked))
    host.page.set_viewport_size({"width": 320, "height": 800})
    cut = "one => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight]"
    assert max(host.button(long.strip()).evaluate(cut)) <= 0


def test_a_long_question_leaves_its_buttons_in_sight(opens: Opens) -> None:
    """It stands in its lines, and is scrolled where it has too many of them."""
    reply = Reply(means="yes", said="yes", typed=False, command="")
    asked = replace(
        need("review.1"), message="signal", says="waits for a yes or no: a b",
        question="\n".join(map(str, range(200))), replies=(reply,),
    )  # fmt: skip
    host = opens(run(asked))
    text = host.page.locator(".need .asked")
    assert text.inner_text().startswith("0\n1\n2")
    box = host.button("yes").bounding_box()
    assert box is not None
    assert box["y"] < 600
    text.focus()
    host.page.keyboard.press("End")
    host.page.wait_for_function(
        "document.querySelector('.need .asked').scrollTop > 1_000"
    )


def test_enter_twice_sends_once(opens: Opens) -> None:
    """A value that is being sent isn't sent by the next Enter."""
    host = opens(run(need("review.1")))
    field = host.page.get_by_label("value for it happened")
    field.fill("in_7")
    for _ in range(3):
        field.press("Enter")
    assert [said["text"] for said in host.said("resolve")] == ["in_7"]


def test_the_list_of_runs_follows_an_answer(opens: Opens) -> None:
    """It is asked for anew when something was answered, and not at each event."""
    told = run(need("review.1"))
    host = opens(told)
    host.page.locator(".runs summary").click()
    host.page.wait_for_function("window.sent.some(({ type }) => type === 'find')")
    host.hear(Runs(runs=(), start=0, total=0, note="", unread=0))
    host.hear(next_of(told, need("review.1")))
    later = next_of(told)
    host.hear(replace(later, seq=later.seq + 1))
    finds = "window.sent.filter(({ type }) => type === 'find').length"
    host.page.wait_for_function(f"{finds} === 2")


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize(
    "host",
    [
        "document.body.className = 'vscode-{}'",
        "document.documentElement.setAttribute('theme', '{}')",
    ],
    ids=["VS Code", "Colab"],
)
def test_the_theme_of_the_notebook_decides(opens: Opens, host: str, dark: bool) -> None:
    """Where a notebook is dark on a light desktop, or the other way, the view is as it is."""
    shown = opens(run())
    shown.page.emulate_media(color_scheme="light" if dark else "dark")
    shown.page.evaluate(host.format("dark" if dark else "light"))
    ink = shown.page.evaluate(
        "getComputedStyle(document.querySelector('.nbd')).getPropertyValue('--ink')"
    )
    assert ink == ("#e6edf3" if dark else "#1b2430")
