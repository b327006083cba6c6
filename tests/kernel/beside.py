"""How late a machine is, as a thread beside the cells of a kernel sees it."""

from __future__ import annotations

from nbdurable.testing.kernel import Kernel

RELEASED_S = 0.5
"""How long a cell may wait for an answer that is there."""

TWO_OF_THEM = 2
"""Who sends an answer and who takes it are late, each by itself."""

WATCH = """
import os, tempfile, threading, time
late_s = [0.0]

def watch():
    with tempfile.TemporaryFile() as file:
        while True:
            began_s = time.monotonic()
            time.sleep(0.05)
            os.write(file.fileno(), b".")
            os.fsync(file.fileno())
            late_s[0] = max(late_s[0], time.monotonic() - began_s - 0.05)

threading.Thread(target=watch, daemon=True).start()
"""
"""A cell that starts a thread: it sleeps and syncs, and remembers how late it was at most."""


def allowed_s(kernel: Kernel) -> float:
    """Half a second, and what the machine made a mere sleep and a sync late meanwhile."""
    late = kernel.run("print(late_s[0])")
    return RELEASED_S + TWO_OF_THEM * float(late.text)
