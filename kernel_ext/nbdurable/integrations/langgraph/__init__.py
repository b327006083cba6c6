"""Threads of LangGraph in the notebook's store: ``compile(checkpointer=DurableSaver())``.

| file      | its one idea                                                  |
|-----------|---------------------------------------------------------------|
| `facts`   | what is journaled of a thread, and under which run             |
| `threads` | the fold of a thread's records                                 |
| `packing` | a value in a record: each long text stands in the store once   |
| `values`  | what is new in a checkpoint                                    |
| `stores`  | which store it is, and what is known of its threads            |
| `pinned`  | a durable cell reads a thread as it stood when it began        |
| `lives`   | which threads of a store may be removed                        |
| `refused` | what a saver does not take                                     |
| `doors`   | the doors that wait, each to the one that blocks               |
| `saver`   | what LangGraph sees                                            |

LangGraph is imported with the saver, when that is first asked for: who gives room back
on the command line needs none of it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbdurable.integrations.langgraph.saver import DurableSaver

__all__ = ["DurableSaver"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if find_spec("langgraph") is None:
        from nbdurable.errors import PackageAbsent

        raise PackageAbsent(
            command=name, package="langgraph", undone="Nothing was imported."
        )
    from nbdurable.integrations.langgraph import saver

    return saver.DurableSaver
