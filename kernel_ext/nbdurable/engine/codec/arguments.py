"""Classes whose instances don't say what they were made with.

Pickling goes by default to ``__new__`` with the class alone. Where a class has one of its
own that takes more, and neither a reduce nor ``__getnewargs__`` that say what, the pickle
is written and can never be loaded: such an object is better refused when it is kept.
"""

from __future__ import annotations

import copyreg
import inspect
import types
from typing import Final

_WAYS: Final = ("__reduce__", "__reduce_ex__")
_SAY: Final = ("__getnewargs__", "__getnewargs_ex__")


def unsaid(kind: type) -> bool:
    """Whether an instance is made by arguments that a pickle of it doesn't hold.

    Example:
        >>> class Page:
        ...     def __new__(cls, text):
        ...         return super().__new__(cls)
        >>> unsaid(Page), unsaid(list)
        (True, False)
    """
    own = type(kind.__new__) is types.FunctionType and not issubclass(kind, type)
    if not own or kind in copyreg.dispatch_table:
        return False
    defined = {name for cls in kind.__mro__[:-1] for name in vars(cls)}
    if not defined.isdisjoint((*_WAYS, *_SAY)):
        return False
    try:
        inspect.signature(kind.__new__, follow_wrapped=False).bind(kind)
    except TypeError:
        return True
    except ValueError:
        return False  # it has no signature that could be read
    return False
