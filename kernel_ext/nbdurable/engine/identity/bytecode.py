"""Code without a source: bytecode, which is all there is of a function from ``exec``.

It differs between versions of Python, so its digest does too.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType

from nbdurable.engine.identity.forms import Form, no_label
from nbdurable.engine.identity.keys import Tag


def form(code: CodeType) -> Form:
    """Bytecode, of one version of Python: all there is without a source."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    children = (python, counts, code.co_flags, names, list(code.co_consts))
    return Form(Tag.BYTECODE, (code.co_code,), children, no_label)


def loaded(code: CodeType) -> Iterator[str]:
    """The globals that bytecode loads, nested functions included."""
    stack = [code]
    while stack:
        inner = stack.pop()
        for step in dis.get_instructions(inner):
            if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
                yield str(step.argval)
        stack += [const for const in inner.co_consts if isinstance(const, CodeType)]
