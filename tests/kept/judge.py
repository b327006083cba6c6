"""Saves kinds in one kernel, kills it, restores them in another, and compares."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from nbdurable.testing.kernel import Kernel
from tests.kept.kind import Kind

Fate = Literal["back", "refused", "wrong", "lost", "broken"]
"""`back`: equal, or rebuilt and usable. `refused`: named, with a reason. `wrong`: back,
and not what it was. `lost`: not back, and nobody said so. `broken`: the cell failed."""

CELL_S = 120.0

ENVIRONMENT = {
    "MPLBACKEND": "agg",
    "OPENAI_API_KEY": "unused",
    "ANTHROPIC_API_KEY": "unused",
}
"""Keys come back from the environment, never from the store."""

JUDGE = """
import base64, json, warnings
warnings.simplefilter("ignore")
def _judge(kinds, told):
    fates = {}
    for nth, (make, same) in enumerate(kinds):
        name = f"it_{nth}"
        if name not in globals():
            fates[nth] = ["refused", told[name]] if told.get(name) else ["lost", ""]
            continue
        try:
            fresh = {"__name__": "__main__"}
            exec(make, fresh)
            seen = {**globals(), "it": globals()[name], "other": fresh["it"]}
            fates[nth] = ["back", ""] if eval(same, seen) else ["wrong", "not equal"]
        except BaseException as error:
            fates[nth] = ["wrong", f"{type(error).__name__}: {error}"[:300]]
    return fates
"""


class Judged(NamedTuple):
    """What became of a kind, and why it isn't back."""

    kind: Kind
    fate: Fate
    why: str


def judged(folder: Path, kinds: Sequence[Kind]) -> list[Judged]:
    """Each kind's fate after its kernel was killed and another one restored it."""
    broken: dict[int, str] = {}
    with Kernel(folder, env=ENVIRONMENT) as kernel:
        for nth, kind in enumerate(kinds):
            cell = f"%%durable kept{nth}\n{named(kind.make, nth)}"
            ran = kernel.run(cell, timeout_s=CELL_S)
            if not ran.ok:
                broken[nth] = ran.text[-400:]
        kernel.kill()
        kernel.restart()
        kernel.run("import nbdurable as _nd\n_back = _nd.restore()", timeout_s=CELL_S)
        assert kernel.run(JUDGE).ok
        asked = [(k.make, same_of(k, nth)) for nth, k in enumerate(kinds)]
        packed = base64.b64encode(json.dumps(asked).encode()).decode()
        ran = kernel.run(
            f"_kinds = json.loads(base64.b64decode('{packed}'))\n"
            "print('FATES', json.dumps(_judge(_kinds, _back.not_back)))",
            timeout_s=CELL_S,
        )
    found = re.search(r"^FATES (.*)$", ran.text, re.MULTILINE)
    assert found is not None, ran.text
    fates = json.loads(found.group(1))
    return [
        Judged(kind, "broken", broken[nth])
        if nth in broken
        else Judged(kind, *fates[str(nth)])
        for nth, kind in enumerate(kinds)
    ]


def named(code: str, nth: int) -> str:
    """The cell with a name of its own for `it`, since all are in one notebook."""
    return re.sub(r"\bit\b", f"it_{nth}", code)


def same_of(kind: Kind, nth: int) -> str:
    """The comparison, where it speaks of the name of what came back."""
    return kind.same.replace("'it'", f"'it_{nth}'")
