"""The global random generators: what a step drew from them is part of its outcome.

``random.random()`` and ``numpy.random.rand()`` draw from generators that no name of the
notebook holds. After a step was replayed they stand where the step left them, so that
the next cell draws what it would have drawn. A step that stopped and runs again begins
where they stood when it began, so that its calls have the arguments they had.
"""

from __future__ import annotations

import array
import base64
import json
import random  # noqa: TID251  # the generators of the user's code, not ours
import sys
from typing import Any

RANDOM = "random state"
"""Key of it among the names of a step; no variable can have it, it is no identifier."""

State = dict[str, Any]


def state() -> State:
    """Where the generators stand, as plain data; NumPy's only once it was imported."""
    found: State = {"python": random.getstate()}
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is not None:
        name, key, *rest = numpy.get_state()
        found["numpy"] = (name, key.tobytes(), *rest)
    return found


def restore(found: State) -> None:
    """Let the generators stand there, in place."""
    random.setstate(found["python"])
    if "numpy" not in found:
        return
    import numpy as np  # lazy: the step had it imported

    name, key, *rest = found["numpy"]
    np.random.set_state(  # noqa: NPY002  # the one the user draws from
        (name, np.frombuffer(key, "uint32"), *rest)
    )


def packed(found: State) -> bytes:
    """The same as JSON: nothing has to be unpickled to stand there again."""
    version, words, gauss = found["python"]
    plain = {"python": [version, _text(array.array("I", words).tobytes()), gauss]}
    if "numpy" in found:
        name, key, *rest = found["numpy"]
        plain["numpy"] = [name, _text(key), *rest]
    return json.dumps(plain).encode()


def unpacked(data: bytes) -> State:
    """What `packed` packed."""
    plain = json.loads(data)
    version, words, gauss = plain["python"]
    words = tuple(array.array("I", base64.b64decode(words)))
    found: State = {"python": (version, words, gauss)}
    if "numpy" in plain:
        name, key, *rest = plain["numpy"]
        found["numpy"] = (name, base64.b64decode(key), *rest)
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
