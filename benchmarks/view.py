"""What the view of a run costs with a hundred thousand calls, in a real browser.

    python benchmarks/view.py          one table; exits 1 if a limit is missed with --check

Each number is the least of several turns: time of the browser's main thread, and beside it
what a clock on the wall said, in which a busy machine counts too.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the run is the one of the UI tests

from nbdurable.timeline.bundle import VIEW
from nbdurable.timeline.protocol import plain
from nbdurable.timeline.snapshots import snapshot
from tests.ui.test_page import many

CALLS = 100_000
EVENTS = 1_000
TURNS = 5
FRAMES = 20

LOAD = """async (text) => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  window.view = (await import(address)).default;
  window.frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}"""

OPEN = """(snapshot) => {
  window.copy = () => structuredClone(snapshot);
}"""

FIRST = """async () => {
  document.body.replaceChildren();
  const send = (said) => said.type === 'open' && window.hear(window.given);
  window.given = window.copy();
  const before = performance.now();
  const model = { get: () => undefined, on: (_, hear) => (window.hear = hear), off: () => 0, send };
  window.end = window.view.render({ model, el: document.body });
  while (!document.querySelector('canvas[data-drawn]')) await window.frame();
  return performance.now() - before;
}"""

PAN = """async (frames) => {
  const canvas = document.querySelector('canvas');
  canvas.focus();
  const before = performance.now();
  for (let n = 0; n < frames; n++) {
    const key = n % 4 === 0 ? '+' : 'ArrowRight';
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey: true }));
    await window.frame();
  }
  return (performance.now() - before) / frames;
}"""

APPEND = """async ([seq, count]) => {
  const { type, version, left_out, note, calls, ...parts } = window.given;
  const column = (make) => Array.from({ length: count }, (_, n) => make(n));
  const names = [parts.attempts[0].id, 'search', 'ran'];
  const more = {
    names, attempt: column(() => 0), id: column((n) => `new ${seq} ${n}`), number: column((n) => String(1_000_000 + seq * count + n)),
    name: column(() => 1), text: column(() => 'search()'), fate: column(() => 2), depth: column(() => 0),
    start_ms: column((n) => 100_000 + seq * count + n), ms: column(() => 7.5), tokens: column(() => 0), tries: column(() => 1),
  };
  const message = { type: 'changed', ...parts, seq, calls: more };
  const { dataset } = document.querySelector('canvas');
  const all = Number(dataset.drawn) + count;
  const before = performance.now();
  window.hear(message);
  while (Number(dataset.drawn) < all) await window.frame();
  return performance.now() - before;
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one thing took, milliseconds.

    Attributes:
        what: The thing.
        thread_ms: Of the browser's main thread.
        wall_ms: On the wall.
        most_ms: It must not take longer.
    """

    what: str
    thread_ms: float
    wall_ms: float
    most_ms: float

    def __str__(self) -> str:
        told = (
            f"{self.thread_ms:8.0f} ms {self.wall_ms:8.0f} ms   ≤ {self.most_ms:.0f} ms"
        )
        return f"{self.what:46}{told}"


def least(
    session: CDPSession, turn: Callable[[int], float], per: int
) -> tuple[float, float]:
    """The least time of a turn, of the main thread and on the wall."""
    took = []
    for nth in range(TURNS):
        before = thread_ms(session)
        wall = turn(nth)
        took.append(((thread_ms(session) - before) / per, wall))
    return min(cpu for cpu, _ in took), min(wall for _, wall in took)


def thread_ms(session: CDPSession) -> float:
    """What the main thread has done so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "TaskDuration") * 1_000


def measured(page: Page) -> list[Took]:
    """All figures."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto("about:blank")
    page.evaluate(LOAD, VIEW.read_text(encoding="utf-8"))
    page.evaluate(OPEN, plain(snapshot(many(CALLS))))
    first = least(session, lambda _: page.evaluate(FIRST), 1)
    append = least(session, lambda n: page.evaluate(APPEND, [n + 1, EVENTS]), 1)
    pan = least(session, lambda _: page.evaluate(PAN, FRAMES), FRAMES)
    return [
        Took(what=what, thread_ms=cpu, wall_ms=wall, most_ms=most)
        for what, (cpu, wall), most in (
            (f"first drawing of {CALLS:,} calls", first, 1_000),
            ("a frame while it is zoomed and moved", pan, 33),
            (f"{EVENTS:,} more calls", append, 50),
        )
    ]


def main() -> None:
    """Print the table."""
    with sync_playwright() as playing:
        browser = playing.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1_000, "height": 900})
        found = measured(page)
        browser.close()
    print(f"{'':46}{'thread':>11}{'wall':>12}")
    print("\n".join(map(str, found)))
    missed = [took for took in found if took.thread_ms > took.most_ms]
    if missed and "--check" in sys.argv:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
