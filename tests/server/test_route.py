"""The server's route: who may ask, what is answered, and what stays outside."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

import nbdurable_store
from nbdurable.server.route import BODY_BYTES_MAX
from tests.stories import Story, doubtful, research
from tests.ui.desk import Desk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

OPEN = {"type": "open", "version": 1}


def left(desk: Desk, name: str, story: Story) -> str:
    """A notebook with the store that a kernel left; gives its path."""
    path = desk.notebook(f"{name}/research.ipynb")
    place = str(desk.folder / path)
    for n, entry in enumerate(story.entries):
        if "notebook" in entry.record.fields:
            fields = {**entry.record.fields, "notebook": place}
            story.entries[n] = entry._replace(
                record=entry.record._replace(fields=fields)
            )
    store = nbdurable_store.open(desk.folder / name / ".nbdurable")
    story.into(store)
    store.close()
    return path


def post(
    desk: Desk,
    body: object,
    headers: dict[str, str] | None = None,
    opener: urllib.request.OpenerDirector | None = None,
) -> tuple[int, Any]:
    """The status with which the route answers a body, and what it says."""
    request = urllib.request.Request(
        desk.url("nbdurable/timeline"),
        data=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers=headers or {"Authorization": f"token {desk.token}"},
    )
    try:
        opened = opener or urllib.request.build_opener()
        with opened.open(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())["messages"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def ask(desk: Desk, notebook: str, said: object, view: str = "v") -> Any:
    """The messages that are answered."""
    status, messages = post(desk, {"notebook": notebook, "view": view, "said": said})
    assert status == 200
    return messages


def test_history_without_a_kernel(desk: Desk) -> None:
    """The run of a notebook is told, and nothing once nothing changed."""
    path = left(desk, "history", research())
    (snapshot,) = ask(desk, path, OPEN)
    assert [cell["name"] for cell in snapshot["cells"]][:1] == ["findings"]
    assert ask(desk, path, None) == []


def test_a_renamed_notebook_without_a_kernel(desk: Desk) -> None:
    """Its run is found by its cells: nobody told the store of the new name."""
    path = left(desk, "renamed", research())
    old = desk.folder / path
    made = json.loads(old.read_text())
    made["cells"] = [{"id": "cell-findings", "cell_type": "code", "outputs": []}]
    new = old.with_name("later.ipynb")
    new.write_text(json.dumps(made))
    copied = ask(desk, "renamed/later.ipynb", OPEN)[0]
    assert copied["line"].startswith("This notebook is a copy of research.ipynb. In a")
    assert copied["remedies"] == ["%durable fork --of run-1"]
    assert copied["actions"] == []
    old.unlink()
    (snapshot,) = ask(desk, "renamed/later.ipynb", OPEN, "other")
    assert [cell["name"] for cell in snapshot["cells"]][:1] == ["findings"]


def test_a_colleagues_notebook_without_a_kernel(desk: Desk) -> None:
    """Where no store is, too, the outputs of a run that nobody has here are warned of."""
    path = desk.notebook("strange/research.ipynb", "%%durable a\n1")
    place = desk.folder / path
    made = json.loads(place.read_text())
    about = {"metadata": {"nbdurable": {"kind": "status", "run": "somebody"}}}
    made["cells"][0]["outputs"] = [about]
    place.write_text(json.dumps(made))
    (said,) = ask(desk, path, OPEN)
    assert "outputs of a run that is not in this store" in said["line"]
    assert "would be made again" in said["line"]


def test_an_answer_without_a_kernel(desk: Desk) -> None:
    """What may have happened is settled through the server; another view hears of it."""
    path = left(desk, "answer", doubtful())
    (snapshot,) = ask(desk, path, OPEN)
    ask(desk, path, OPEN, "other")
    (need,) = snapshot["needs"]
    said = {"type": "resolve", "call": need["reference"], "said": "did-not"}
    told, changed = ask(desk, path, said)
    assert (told["type"], changed["needs"]) == ("told", [])
    (other,) = ask(desk, path, None, "other")
    assert other["needs"] == []


def test_without_a_token_nothing_is_told(desk: Desk) -> None:
    """A request that doesn't know the token is refused, whatever it asks."""
    path = left(desk, "token", research())
    body = {"notebook": path, "view": "v", "said": OPEN}
    assert post(desk, body, {"Content-Type": "application/json"}) == (403, None)
    assert post(desk, body, {"Authorization": "token wrong"}) == (403, None)


def test_another_site_is_refused(desk: Desk) -> None:
    """A login by cookie alone, as a form of another site has it, is not enough."""
    cookies = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with browser.open(desk.url(f"lab?token={desk.token}"), timeout=60) as page:
        page.read()
    body = {"notebook": left(desk, "site", research()), "view": "v", "said": OPEN}
    form = {"Content-Type": "text/plain"}
    assert post(desk, body, form, browser) == (403, None)
    xsrf = next(str(c.value) for c in cookies if c.name == "_xsrf")
    status, messages = post(desk, body, {"X-XSRFToken": xsrf}, browser)
    assert (status, messages[0]["type"]) == (200, "snapshot")


@pytest.mark.parametrize(
    "path", ["../outside/research.ipynb", "link/research.ipynb", "store/research.ipynb"]
)
def test_nothing_outside_is_read(desk: Desk, tmp_path: Path, path: str) -> None:
    """Neither two dots nor a link lead to a run outside the server's folder."""
    outside = desk.folder.parent / "outside"
    if not outside.exists():
        left(Desk(outside.parent, 0, "", desk.process), "outside", research())
        (desk.folder / "link").symlink_to(outside)
        (desk.folder / "store").mkdir()
        (desk.folder / "store" / ".nbdurable").symlink_to(outside / ".nbdurable")
    body = {"notebook": path, "view": "v", "said": OPEN}
    assert post(desk, body) == (404, None)


def test_a_notebook_without_a_run_says_how_to_begin(desk: Desk) -> None:
    """Where nothing durable happened the server says so, and makes no store."""
    path = desk.notebook("empty/research.ipynb")
    (said,) = ask(desk, path, OPEN)
    assert said["type"] == "refused"
    assert "%%durable" in said["line"]
    assert [p.name for p in (desk.folder / "empty").iterdir()] == ["research.ipynb"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"notebook": 1, "view": "v"}, 400),
        ({"notebook": "a\0b", "view": "v"}, 400),
        ({"notebook": "a.ipynb", "view": "v" * 5_000}, 400),
        (b"{", 400),
        (b" " * (BODY_BYTES_MAX + 1), 413),
    ],
)
def test_what_is_no_message_is_refused(desk: Desk, body: object, status: int) -> None:
    """A body that is no message, or a huge one, is an error of whoever sent it."""
    assert post(desk, body) == (status, None)


def test_a_message_that_makes_no_sense_is_answered(desk: Desk) -> None:
    """A message of another version, or an unknown one, is answered with a sentence."""
    path = left(desk, "sense", research())
    (said,) = ask(desk, path, {"type": "open", "version": 99})
    assert "reload the page" in said["line"]
    (said,) = ask(desk, path, {"type": "dance"})
    assert said["type"] == "refused"
