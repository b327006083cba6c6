"""A cell that isn't durable: IPython with the extension beside IPython without.

python cells.py COUNT
"""

from __future__ import annotations

import json
import os
import sys

from measuring import folder, paired, percentile


def measure(count: int) -> dict[str, float]:
    """Run `x = 1` in two shells of one process, turn by turn."""
    with folder() as place:
        os.environ["IPYTHONDIR"] = str(place)
        os.chdir(place)
        from IPython.core.interactiveshell import InteractiveShell

        bare = InteractiveShell()
        ours = InteractiveShell()
        ours.extension_manager.load_extension("nbdurable")
        pairs = paired(
            lambda _: ours.run_cell("x = 1"), lambda _: bare.run_cell("x = 1"), count
        )
        bare.history_manager.end_session()
        ours.history_manager.end_session()
    with_it, without = (percentile(t, 50) for t in (pairs.ours_us, pairs.bare_us))
    return {"more_us": with_it - without, "us": with_it, "bare_us": without}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
