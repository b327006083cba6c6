"""Values to bytes and back, in the first layer that keeps them exactly.

| layer     | what it keeps                                        | needs trust |
|-----------|------------------------------------------------------|-------------|
| `json`    | plain data, tagged where JSON can't say it           | no          |
| `npy`     | arrays of numbers and texts                          | no          |
| `arrow`   | long lists of texts, tables, frames with texts       | no          |
| `pickle5` | any other object, functions and classes of the notebook | yes      |
| `dill`    | what is left                                         | yes         |
"""

from __future__ import annotations

from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.codec.layers import (
    ARROW,
    DILL,
    JSON,
    NPY,
    PICKLE,
    PLAIN,
    Encoded,
    decode,
    encode,
    keep,
)
from nbdurable.engine.codec.raised import Raised, decode_exception, encode_exception
from nbdurable.engine.codec.rebuild import STEP_OPTION
from nbdurable.engine.codec.reducers import TOOL_MARK
from nbdurable.engine.codec.reducers import register as register_reducer
from nbdurable.engine.codec.shipping import shipped

__all__ = [
    "ARROW",
    "DILL",
    "JSON",
    "NPY",
    "PICKLE",
    "PLAIN",
    "STEP_OPTION",
    "TOOL_MARK",
    "Encoded",
    "Raised",
    "Unreadable",
    "Unstorable",
    "decode",
    "decode_exception",
    "encode",
    "encode_exception",
    "keep",
    "register_reducer",
    "shipped",
]
