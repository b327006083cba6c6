"""Threads of LangGraph in the notebook's store: ``compile(checkpointer=DurableSaver())``.

| file      | its one idea                                                  |
|-----------|---------------------------------------------------------------|
| `facts`   | what is journaled of a thread, and under which run             |
| `threads` | the fold of a thread's records                                 |
| `packing` | a value in a record: each long text stands in the store once   |
| `values`  | what is new in a checkpoint                                    |
| `stores`  | which store it is, and what is known of its threads            |
| `pinned`  | a durable cell reads a thread as it stood when it began        |
| `doors`   | the doors that wait, each to the one that blocks               |
| `saver`   | what LangGraph sees                                            |

LangGraph is imported with this package, and by nothing else of nbdurable.
"""

from __future__ import annotations

from nbdurable.integrations.langgraph.saver import DurableSaver

__all__ = ["DurableSaver"]
