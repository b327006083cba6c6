"""A process that has imported what is slow to import, and forks a child per program.

python -m tests.frameworks.warm MODULE …

Each line of its input is a JSON object: ``folder``, ``program``, ``edited``,
``variables``, ``out``. It answers with the child's pid, and once that ended with its exit
status.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

from tests.frameworks import cells


def main() -> None:
    """Import, then serve until the input ends."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _child(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _child(asked: dict[str, Any]) -> None:
    status = 1
    try:
        out = os.open(asked["out"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.update(asked["variables"])
        os.chdir(asked["folder"])
        cells.run_all(asked["folder"], asked["program"], edited=asked["edited"])
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
