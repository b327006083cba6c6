"""The kinds in groups: each is saved in one kernel and restored in another."""

from __future__ import annotations

from tests.kept.agents import CLIENTS, DOCUMENTS, ITERATORS, LIVE, PLOTS
from tests.kept.code import CODE
from tests.kept.held import HELD
from tests.kept.plain import PLAIN
from tests.kept.science import ARRAYS, FRAMES, MODELS

__all__ = ["GROUPS", "HELD"]

GROUPS = {
    "plain data": PLAIN,
    "code": CODE,
    "arrays": ARRAYS,
    "frames": FRAMES,
    "models": MODELS,
    "documents": DOCUMENTS,
    "clients": CLIENTS,
    "plots": PLOTS,
    "iterators": ITERATORS,
    "live things": LIVE,
}
