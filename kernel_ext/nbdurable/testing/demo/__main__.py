"""``python -m nbdurable.testing.demo [--seed N]`` prints what it does and a verdict."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from nbdurable.testing.demo import acts
from nbdurable.testing.demo.journals import draw_page
from nbdurable.testing.demo.stage import NOTEBOOK, stage

PAGE = "run.html"
"""The page lies beside the stores and the logs."""
SEEDS = 10_000
"""A drawn seed is short enough to be typed."""


def main() -> int:
    """Run the demo; 0 if nothing acknowledged was repeated or lost."""
    args = _parser().parse_args()
    seed = secrets.randbelow(SEEDS) if args.seed is None else args.seed
    folder = args.folder or Path(tempfile.mkdtemp(prefix="nbdurable-demo-"))
    try:
        with stage(folder, args.notebook) as world:
            say(f"two servers count what arrives outside, in {folder}")
            say(f"running {args.notebook.name} undisturbed, for the expected answer")
            base = acts.undisturbed(world)
            verdict = acts.perform(world, base, seed, say, journal=not args.off)
            page = draw_page(acts.store_of(world, seed), world.key_file, folder / PAGE)
    except acts.DemoFailed as failed:
        say(f"{failed}\nmake demo SEED={seed} repeats this")
        return 1
    lines = ["", *verdict.table(), "", *verdict.facts()]
    lines += [f"page: {page}"] if page else []
    lines += [f"FAILED: {told}" for told in verdict.failures()]
    say("\n".join([*lines, f"make demo SEED={seed} repeats this", ""]))
    say(verdict.last_line())
    return int(bool(verdict.failures()))


def say(line: str) -> None:
    """Tell at once."""
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    about = "Kill a kernel in the middle of an agent, run it again, and count."
    parser = argparse.ArgumentParser(
        prog="python -m nbdurable.testing.demo", description=about
    )
    parser.add_argument("--seed", type=int, help="when the kernel dies; else drawn")
    parser.add_argument("--folder", type=Path, help="a new folder for stores and logs")
    parser.add_argument("--notebook", type=Path, default=NOTEBOOK)
    parser.add_argument(
        "--off", action="store_true", help="switch nbdurable off, to see this fail"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
