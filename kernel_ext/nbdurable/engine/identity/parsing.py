"""Parsing a text, whatever else is parsed meanwhile.

Pythons up to 3.11.7 and 3.12.1 count for the whole process how deep the tree is that is being
made. Where the search for garbage, in the middle of that, ends something that is logged with
its traceback (which 3.11 parses), they find their own count wrong (CPython issue 106905).
"""

from __future__ import annotations

import ast
from typing import Final

TRIES: Final = 5
"""What was garbage the first time is gone the next time."""


def parsed(source: str) -> ast.Module:
    """The tree of a text.

    Raises:
        SyntaxError: It is no Python.
        ValueError: It holds null bytes.
        RecursionError: It is nested too deeply.

    Example:
        >>> ast.unparse(parsed("x=1"))
        'x = 1'
    """
    for _ in range(TRIES - 1):
        try:
            return ast.parse(source)
        except SystemError:
            continue
    return ast.parse(source)
