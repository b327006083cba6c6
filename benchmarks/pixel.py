"""From a call in the journal to the screen, in a run with a hundred thousand calls.

    python benchmarks/pixel.py          exits 1 with --check if the limit is missed

A kernel's store, what looks for changes in a kernel, and the view in a real browser; only
the way between them is one of this process. On the wall it takes from before the call is
appended until the browser has drawn a frame that counts it; a busy machine counts in that.
What it takes of a machine that isn't is the pause between two looks, at most, the CPU time of
this process and the time of the browser's main thread: that is held against the limit. When
its bar is in the lanes is told beside it: they are laid out anew later, when nothing comes.
"""

from __future__ import annotations

import os
import queue
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from live import BATCH, CALLS, EVENT_MS_MAX, Written
from playwright.sync_api import Page, sync_playwright
from view import thread_ms

import nbdurable_store
from nbdurable.engine.values.redact import Secrets
from nbdurable.kernel.talk import LOOK_S, Talk
from nbdurable.timeline.bundle import VIEW
from nbdurable.timeline.source import Source
from nbdurable_store.protocol import Store

EVENTS = 60
PAUSES_S = (0.03, 0.11, 0.17, 0.23)
"""Between events: they fall on each moment between two looks."""

HOST = """async (text) => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  window.view = (await import(address)).default;
  const model = { get: () => undefined, on: (_, hear) => (window.hear = hear), off: () => 0, send: () => 0 };
  window.view.render({ model, el: document.body });
}"""

LANES = """(calls) => document.querySelector('canvas').dataset.drawn == calls"""

HEAR = """async (message) => {
  window.hear(message);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return document.querySelector('.cells').textContent;
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """What one call took until it was seen, milliseconds: on the wall, of whom, in lanes."""

    wall_ms: float
    ours_ms: float
    browser_ms: float
    lanes_ms: float

    @property
    def needed_ms(self) -> float:
        """Where nothing else runs, at most."""
        return LOOK_S * 1_000 + self.ours_ms + self.browser_ms


def delays(store: Store, page: Page) -> Iterator[Delay]:
    """What each of some calls took until it was seen."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    written = Written(store)
    written.opens("watched", 1)
    for first in range(1, CALLS + 1, BATCH):
        written.calls("watched", first, BATCH)
    told: queue.Queue[Mapping[str, object]] = queue.Queue()
    secrets = Secrets(dict(os.environ))
    source = Source(store=store, run="watched", secrets=lambda: secrets)
    talk = Talk(source, told.put)
    talk.hear({"type": "open", "version": 1})
    page.evaluate(HEAR, told.get())
    for n in range(CALLS + 1, CALLS + 1 + EVENTS):
        time.sleep(PAUSES_S[n % len(PAUSES_S)])  # as a cell works
        browser_ms, ours, wall = (
            thread_ms(session),
            time.process_time(),
            time.perf_counter(),
        )
        written.calls("watched", n, 1)
        seen = ""
        while f"{n:,} calls" not in seen:
            seen = page.evaluate(HEAR, told.get(timeout=60))
        wall_ms = (time.perf_counter() - wall) * 1_000
        ours_ms = (time.process_time() - ours) * 1_000
        browser_ms = thread_ms(session) - browser_ms
        page.wait_for_function(LANES, arg=n)
        yield Delay(
            wall_ms=wall_ms,
            ours_ms=ours_ms,
            browser_ms=browser_ms,
            lanes_ms=(time.perf_counter() - wall) * 1_000,
        )
    talk.close()


def main() -> None:
    """Print what it took."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playing:
        browser = playing.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1_000, "height": 900})
        page.goto("about:blank")
        page.evaluate(HOST, VIEW.read_text(encoding="utf-8"))
        store = nbdurable_store.open(Path(folder) / ".nbdurable")
        took = list(delays(store, page))
        store.close()
        browser.close()
    needed = sorted(delay.needed_ms for delay in took)
    most = needed[int(len(needed) * 0.95)]
    ours, shown, wall, lanes = (
        statistics.median(getattr(delay, name) for delay in took)
        for name in ("ours_ms", "browser_ms", "wall_ms", "lanes_ms")
    )
    print(
        f"a call behind {CALLS:,}, on the screen: {most:.0f} ms   ≤ {EVENT_MS_MAX} ms"
    )
    print(f"  of that {ours:.0f} ms of ours, {shown:.0f} ms of the browser's (medians)")
    print(f"  on the wall {wall:.0f} ms (median), as busy as this machine is")
    print(f"  its bar in the lanes after {lanes:.0f} ms on the wall (median)")
    if most > EVENT_MS_MAX and "--check" in sys.argv:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
