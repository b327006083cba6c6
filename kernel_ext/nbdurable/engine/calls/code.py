"""The code behind a call: of its tool, and of what the tool is given.

The class of an argument, or of ``self``, is no part of its value: two orders with equal
attributes are equal, whatever their class does. But the tool runs what the class says,
so an edit of it is an edit of the tool. It is recorded in the call's code digest, not in
its key: of a `write` that has happened a person is asked, as after an edit of its body.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from types import FunctionType
from typing import NamedTuple

from nbdurable.engine.calls.requests import NO_CODES
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.canonical import Hasher
from nbdurable.engine.identity.code import CallCodes, Sources, call_code_digest
from nbdurable.engine.identity.codes import NOTEBOOK
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.identity.states import class_name


class Code(NamedTuple):
    """What is called, as of now.

    Attributes:
        digest: Its digest, hex.
        undigestible: What has no digest in it, or "".
    """

    digest: str
    undigestible: str = ""


class CallCode:
    """Code as an attempt first meets it; each function and class is hashed once."""

    __slots__ = ("_given", "_sources", "_tools")

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._tools: dict[Callable[..., object], Code] = {}
        self._given: dict[int, tuple[object, tuple[str, bytes] | None]] = {}

    def of(self, fn: Callable[..., object]) -> Code:
        """The digest of a tool's code."""
        code = self._tools.get(fn)
        if code is None:
            digest = call_code_digest(fn, self._sources)
            code = self._tools[fn] = Code(digest.hex())
        return code

    def with_given(
        self, code: str, fn: Callable[..., object], met: Collection[object]
    ) -> tuple[str, Mapping[str, str]]:
        """A call's code digest, and the digest of each piece of code it is given.

        Args:
            code: Digest of the tool's code, hex.
            fn: The tool, or the function that it wraps.
            met: The classes of its arguments, and the code among them; installed code
                doesn't count.
        """
        known = self._given
        for value in met:
            if id(value) not in known:
                known[id(value)] = value, self._digested(value, fn)
        found = {pair for value in met if (pair := known[id(value)][1])}
        if not found or not code:
            return code, NO_CODES
        whole = keys.given_code(bytes.fromhex(code), found)
        return whole.hex(), {name: digest.hex() for name, digest in sorted(found)}

    def _digested(
        self, value: object, fn: Callable[..., object]
    ) -> tuple[str, bytes] | None:
        """The name and the digest of local code, as it is recorded; None of other."""
        globals_ = getattr(fn, "__globals__", {})
        if globals_.get("__name__") != NOTEBOOK:
            globals_ = vars(sys.modules[NOTEBOOK])
        codes = CallCodes(self._sources, globals_)
        if not isinstance(value, (type, FunctionType)) or not codes.counts(value):
            return None
        try:
            digest = Hasher(codes=codes).digest(value)
        except Undigestible:
            digest = keys.UNKNOWN
        return class_name(value), digest
