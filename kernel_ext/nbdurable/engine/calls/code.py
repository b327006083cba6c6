"""The code behind a call: of its tool, of what the tool is given, and what it reads.

The class of an argument, or of ``self``, is no part of its value: two orders with equal
attributes are equal, whatever their class does. But the tool runs what the class says,
so an edit of it is an edit of the tool. It is recorded in the call's code digest, not in
its key: of a `write` that has happened a person is asked, as after an edit of its body.

The same holds for the values of the variables that the tool reads beside its arguments.

Threads meet the same tool at once, in any order. So what is known of a piece of code
follows from that code and the values alone, whatever was met before; it is worked out
aside and published complete, the first for all. A lock would do that as well, but the
user's own code runs in between, and it may wait for a thread that makes a call.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from types import FunctionType
from typing import Final, NamedTuple

from nbdurable.engine.calls.requests import NO_CODES
from nbdurable.engine.calls.variables import Looking
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.canonical import Hasher, Redact
from nbdurable.engine.identity.code import (
    CallCodes,
    Sources,
    call_code,
)
from nbdurable.engine.identity.codes import NOTEBOOK
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.identity.states import class_name
from nbdurable.engine.identity.variables import Variable, Variables, tools_of
from nbdurable.engine.past.pasts import CallPast


class Code(NamedTuple):
    """What is called, as of now.

    Attributes:
        digest: Its digest, hex.
        undigestible: What has no digest in it, or "".
        reads: It reads variables whose values count.
    """

    digest: str
    undigestible: str = ""
    reads: bool = False


_Tool = tuple[Callable[..., object], frozenset[str]]
"""The function of a tool, and the variables that it leaves out: one may be of two tools."""

_NOTHING: Final = frozenset[str]()


class _Met(NamedTuple):
    """A tool, or a piece of code that it is given, as an attempt first met it.

    Attributes:
        code: Its code.
        codes: What was met in that.
        variables: The variables that it reads and whose values count.
        name: How it is recorded; "" of a tool.
    """

    code: Code
    codes: CallCodes
    variables: Sequence[Variable]
    name: str = ""


class CallCode:
    """Code as an attempt first meets it; each function and class is hashed once."""

    __slots__ = (
        "_beside", "_codes", "_given", "_looking", "_named", "_sources", "_tools",
    )  # fmt: skip

    def __init__(self, sources: Sources, redact: Redact) -> None:
        self._sources = sources
        self._looking = Looking(redact)
        self._codes: dict[_Tool, tuple[bytes, CallCodes]] = {}
        self._named: dict[tuple[_Tool, str], bytes] = {}
        self._beside: dict[int, Sequence[Variables]] = {}
        self._tools: dict[_Tool, _Met] = {}
        self._given: dict[int, tuple[object, _Met | None]] = {}

    def of(self, fn: Callable[..., object], ignore: frozenset[str] = _NOTHING) -> Code:
        """The digest of a tool's code.

        Args:
            fn: The tool, or the function that it wraps.
            ignore: Variables that don't count.
        """
        tool = fn, ignore
        met = self._tools.get(tool)
        if met is None:
            met = self._tools.setdefault(tool, self._met(*self._code_of(tool)))
        return met.code

    def loads(self, fn: Callable[..., object]) -> frozenset[str]:
        """The names of the notebook that a tool's code loads; none of a module's tool."""
        here = getattr(fn, "__globals__", {}).get("__name__") == NOTEBOOK
        with contextlib.suppress(Undigestible):
            whole = fn, _NOTHING
            return frozenset(self._code_of(whole)[1].touched) if here else frozenset()
        return frozenset()

    def _code_of(self, tool: _Tool) -> tuple[bytes, CallCodes]:
        known = self._codes.get(tool)
        if known is None:
            fn, ignore = tool
            digest, codes = call_code(fn, self._sources, ignore=ignore)
            self._looking.settle(codes)
            known = self._codes.setdefault(tool, (digest, codes))
        return known

    def _met(self, digest: bytes, codes: CallCodes, name: str = "") -> _Met:
        variables = [v for v in codes.variables.left() if not self._is_shared(v)]
        return _Met(Code(digest.hex(), reads=bool(variables)), codes, variables, name)

    def under(
        self, fn: Callable[..., object], call: CallPast, ignore: frozenset[str]
    ) -> tuple[str, str]:
        """Digests (hex) that a recorded call has if its tool's code was this one.

        Args:
            fn: The tool.
            call: The call, with what it was given: that may have been edited since.
            ignore: Variables that don't count.

        Returns:
            What it has if the function was called as it is now, and as its tool was then:
            of a method the part behind the class.
        """
        now = bytes.fromhex(self.of(fn, ignore).digest)
        function = call.name.rpartition(".")[2]
        then = self._code_named((fn, ignore), function)
        given = [(n, bytes.fromhex(str(digest))) for n, digest in call.codes.items()]
        if not given:
            return now.hex(), then.hex()
        return keys.given_code(now, given).hex(), keys.given_code(then, given).hex()

    def _code_named(self, tool: _Tool, name: str) -> bytes:
        """As if the function had this name, which thousands of calls may have had."""
        known = self._named.get((tool, name))
        if known is None:
            digest, _ = call_code(tool[0], self._sources, name, tool[1])
            known = self._named.setdefault((tool, name), digest)
        return known

    def _is_shared(self, variable: Variable) -> bool:
        """Whether a tool changes it, which it doesn't when its call is served."""
        home = id(variable.home)
        beside = self._beside.get(home)
        if beside is None:
            found = self._read_by_tools(variable.home)
            beside = self._beside.setdefault(home, found)
        return any(variables.changes(variable) for variables in beside)

    def _read_by_tools(self, home: Mapping[str, object]) -> Sequence[Variables]:
        found: list[Variables] = []
        for fn in tools_of(home):
            with contextlib.suppress(Undigestible):
                found.append(self._code_of((fn, _NOTHING))[1].variables)
        return found

    def with_given(
        self,
        code: str,
        fn: Callable[..., object],
        met: Collection[object],
        ignore: frozenset[str] = _NOTHING,
    ) -> tuple[str, Mapping[str, str]]:
        """A call's code digest, and the digest of each thing beside the tool's code.

        Args:
            code: Digest of the tool's code, hex.
            fn: The tool, or the function that it wraps.
            met: The classes of its arguments, and the code among them; installed code
                doesn't count. Of code that is in the call's key, what was met in it.
            ignore: Variables that don't count.
        """
        tool = self._tools.get((fn, ignore))
        found: set[tuple[str, bytes]] = set()
        todo = [] if tool is None else [tool]
        todo += filter(None, (self._given_code(value, fn) for value in met))
        while todo:
            one = todo.pop()
            if one.name:
                found.add((one.name, bytes.fromhex(one.code.digest)))
            if one.variables:
                counted = [v for v in one.variables if v.label not in ignore]
                values, types = self._looking.now(counted, one.codes)
                new = types - {*met}
                met = {*met, *new}
                found.update(values.items())
                todo += filter(None, (self._given_code(cls, fn) for cls in new))
        if not found or not code:
            return code, NO_CODES
        whole = keys.given_code(bytes.fromhex(code), found)
        return whole.hex(), {name: digest.hex() for name, digest in sorted(found)}

    def _given_code(self, value: object, fn: Callable[..., object]) -> _Met | None:
        if isinstance(value, CallCodes):  # of this call alone
            self._looking.settle(value)
            return self._met(b"", value)
        known = self._given
        if id(value) not in known:
            known.setdefault(id(value), (value, self._meet(value, fn)))
        return known[id(value)][1]

    def _meet(self, value: object, fn: Callable[..., object]) -> _Met | None:
        """The name and the digest of local code, as it is recorded; None of other."""
        globals_ = getattr(fn, "__globals__", {})
        if globals_.get("__name__") != NOTEBOOK:
            globals_ = vars(sys.modules[NOTEBOOK])
        codes = CallCodes(self._sources, globals_)
        if not isinstance(value, (type, FunctionType)) or not codes.counts(value):
            return None
        name = class_name(value)
        try:
            digest = Hasher(codes=codes).digest(value)
        except Undigestible:
            digest = keys.UNKNOWN
        self._looking.settle(codes)
        return self._met(digest, codes, name)
