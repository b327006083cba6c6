"""The canonical digest of a value: equal values, equal digests, in every process.

Theory of operation. A value is a tree whose nodes are hashed bottom up: tag, bytes,
digests of children. Plain trees are taken whole by the fast path (`plain`); any other
node asks its kind (`registry`) for a `Form`. Nothing recurses: the walk keeps a stack
of its own, so nesting is bounded by memory alone.

Sharing doesn't count: ``[a, a]`` equals ``[a, copy(a)]``, since storage and JSON
change sharing but not meaning. Every object is hashed once all the same (a memo by
id, which holds what it names: a freed temporary would give its id away).

Cycles. The walk is Tarjan's: a node that reaches itself belongs to a component, and
inside a component identity *is* structure. Its members are numbered by first visit
from where the walk came in, and hashed together.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from nbdurable.engine.identity import plain
from nbdurable.engine.identity.forms import (
    Content,
    Form,
    Stretch,
    Undigestible,
    qualified,
)
from nbdurable.engine.identity.keys import Tag, content_digest, tagged
from nbdurable.engine.identity.kinds.code import bound
from nbdurable.engine.identity.registry import CODE, kind_of

Redact = Callable[[str], str]
Contents = Callable[[Content], bytes]
"""Gives the digest of a big buffer; it may know that the buffer is unchanged."""


class Codes(Protocol):
    """What functions, classes and modules are, to the one who asks for a digest."""

    def form(self, value: object) -> Form:
        """The form of a function, class or module."""
        ...


def hashed(content: Content) -> bytes:
    """The digest of a big buffer, by reading all of it."""
    return content_digest(content.read())


def digest(
    value: object,
    *,
    call_arguments: bool = False,
    redact: Redact | None = None,
    codes: Codes | None = None,
    contents: Contents = hashed,
) -> bytes:
    """The canonical digest of a value.

    Args:
        value: Anything.
        call_arguments: The order of string-keyed dicts doesn't count. In a value it
            does (a stale step is the worse error), in the arguments of a call it must
            not (a repeated payment is worse).
        redact: Replaces the secrets in a string, before anything is hashed.
        codes: Gives code its form; without it only importable code has a digest.
        contents: Gives big buffers their digest.

    Raises:
        Undigestible: The value, or something in it, has no digest.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        False
        >>> digest([1, 2]) == digest([1, 2.0])
        False
    """
    stream = _stream(value, redact, call_arguments=call_arguments)
    if stream is not None:
        return tagged(Tag.PLAIN, stream)
    walk = Hasher(
        call_arguments=call_arguments, redact=redact, codes=codes, contents=contents
    )
    return walk.digest(value)


def _stream(
    value: object, redact: Redact | None, *, call_arguments: bool
) -> bytes | None:
    """The fast path: the bytes of a finite plain tree; None for anything else."""
    texts: list[str] | None = [] if redact else None
    types = plain.census(value, texts)
    if types is None:
        return None
    if redact and texts:
        joined = "\0".join(texts)
        if redact(joined) != joined:
            value = plain.redacted(value, redact)
    if call_arguments and dict in types:
        value = plain.in_key_order(value)
    return plain.stream(value)


class _Frame:
    """A node whose children are being hashed."""

    __slots__ = ("form", "index", "key", "lowest", "parts", "reached")

    def __init__(self, key: int, index: int, form: Form) -> None:
        self.key = key
        self.index = index
        self.lowest = index
        self.form = form
        self.reached = 0
        self.parts: list[bytes | int] = []
        """Per child its digest, or the id of an object of the same component."""


class Hasher:
    """Digests of several values under one set of options, sharing what they share.

    Attributes:
        types: The exact types met, except those of plain trees.
        named: Functions, classes and modules met that nobody gave a form, so that only
            their name is in the digest.
    """

    def __init__(
        self,
        *,
        call_arguments: bool = False,
        redact: Redact | None = None,
        codes: Codes | None = None,
        contents: Contents = hashed,
    ) -> None:
        self._contents = contents
        self._call_arguments = call_arguments
        self._redact = redact
        self._codes = codes
        self.types: set[type] = set()
        self.named: list[object] = []
        self._forget()

    def digest(self, value: object) -> bytes:
        """The canonical digest of a value; see `digest`."""
        known = self._memo.get(id(value))  # as a part of an earlier one
        if known is not None:
            return known
        found = self._plain(value)
        return self._walk(value) if found is None else found

    def _forget(self) -> None:
        self._memo: dict[int, bytes] = {}
        self._alive: list[object] = []
        self._open: dict[int, _Frame] = {}
        self._pending: list[_Frame] = []
        self._cyclic = False

    def _plain(self, value: object) -> bytes | None:
        cls = type(value)
        if cls not in plain.PLAIN:
            return None
        if cls in plain.ATOMS and (self._redact is None or cls not in plain.TEXTS):
            return tagged(Tag.PLAIN, plain.stream(value))
        data = self._streamed(value)
        return None if data is None else tagged(Tag.PLAIN, data)

    def _streamed(self, value: object) -> bytes | None:
        return _stream(value, self._redact, call_arguments=self._call_arguments)

    def _walk(self, root: object) -> bytes:
        stack: list[_Frame] = []
        try:
            part = self._part(root)
            if isinstance(part, _Frame):
                stack.append(part)
                self._visit(stack)
                part = self._memo[part.key]
        except Undigestible as refusal:
            self._forget()
            # A key on the way may be a secret, and the path is told and kept.
            path = _path(stack) if self._redact is None else self._redact(_path(stack))
            raise refusal.below(path) from refusal.__cause__
        if self._cyclic:
            # The digest of a cycle's member depends on where the walk came in.
            self._forget()
        assert isinstance(part, bytes)
        return part

    def _visit(self, stack: list[_Frame]) -> None:
        while stack:
            frame = stack[-1]
            if frame.reached == len(frame.form.children):
                self._leave(stack.pop(), stack[-1] if stack else None)
                continue
            frame.reached += 1
            part = self._part(_child(frame))
            if isinstance(part, _Frame):
                stack.append(part)
                continue
            if type(part) is int:
                frame.lowest = min(frame.lowest, self._open[part].index)
            frame.parts.append(part)

    def _part(self, value: object) -> bytes | int | _Frame:
        """The digest of a value, the id of an open one, or what must be visited."""
        key = id(value)
        known = self._memo.get(key)
        if known is not None:
            return known
        if key in self._open:
            return key
        found = self._plain(value)
        if found is None:
            form = self._form(value)
            data = self._streamed(tuple(form.children)) if form.flat else None
            if data is None:
                return self._enter(value, form)
            found = tagged(form.tag, *form.fields, b"plain", data)
        if type(value) not in _NOT_SHARED:
            self._remember(value, found)
        return found

    def _remember(self, value: object, found: bytes) -> None:
        self._alive.append(value)
        self._memo[id(value)] = found

    def _enter(self, value: object, form: Form) -> _Frame:
        frame = _Frame(id(value), len(self._pending), form)
        self._alive.append(value)
        self._open[frame.key] = frame
        self._pending.append(frame)
        return frame

    def _form(self, value: object) -> Form:
        cls = type(value)
        self.types.add(cls)
        kind = kind_of(cls)
        if kind is CODE:
            if self._codes is not None:
                return bound(value) or self._codes.form(value)
            self.named.append(value)
        if self._call_arguments and cls is dict:
            value = dict(plain.by_key(value))  # type: ignore[arg-type]  # a dict
        try:
            form = kind(value)
            if self._call_arguments and isinstance(value, OrderedDict):
                form = _with_order(form, value)
            return self._with_contents(form) if form.big else form
        except Undigestible:
            raise
        except Exception as problem:  # the user's own code runs here: any may come
            raise Undigestible(qualified(cls), reason=_reason(problem)) from problem

    def _with_contents(self, form: Form) -> Form:
        digests = map(self._contents, form.big)
        return form._replace(fields=(*form.fields, *digests), big=())

    def _leave(self, frame: _Frame, parent: _Frame | None) -> None:
        if frame.lowest == frame.index:
            self._close(frame)
        if parent is None:
            return
        known = self._memo.get(frame.key)
        if known is None:
            parent.lowest = min(parent.lowest, frame.lowest)
            parent.parts.append(frame.key)
        else:
            parent.parts.append(known)

    def _close(self, first: _Frame) -> None:
        """Hash the component whose first visited node is complete."""
        component = self._pending[first.index :]
        del self._pending[first.index :]
        for frame in component:
            del self._open[frame.key]
        if len(component) == 1 and first.key not in first.parts:
            self._memo[first.key] = _node(first)
            return
        self._cyclic = True
        whole = tagged(Tag.CYCLE, *_cycle(component))
        for number, frame in enumerate(component):
            self._memo[frame.key] = tagged(Tag.CYCLE_MEMBER, whole, _number(number))


_NOT_SHARED = plain.ATOMS | {Stretch}
"""Types that the memo leaves out: nobody meets the same one twice, or it costs less
to hash it again."""


def _with_order(form: Form, value: OrderedDict[object, object]) -> Form:
    """Two of these are equal only in one order, unlike the dicts that they are."""
    if form.tag is Tag.STAND_IN:
        return form
    return form._replace(children=(*form.children, [*value]))


def _child(frame: _Frame) -> object:
    try:
        return frame.form.children[frame.reached - 1]
    except (
        Exception
    ) as problem:  # changed while it was read, by its own code or a thread
        label = frame.form.label(frame.reached - 1)
        raise Undigestible("a container", label, _reason(problem)) from problem


def _reason(problem: Exception) -> str:
    return f"reading it raised {type(problem).__name__}"


def _node(frame: _Frame) -> bytes:
    form, parts = frame.form, frame.parts
    body = b"".join(sorted(parts) if form.unordered else parts)  # type: ignore[arg-type]  # all are digests
    return tagged(form.tag, *form.fields, b"parts", body)


def _cycle(component: list[_Frame]) -> list[bytes]:
    """The nodes of a component, in the order of their first visit.

    The component is in that order already: Tarjan's stack is filled on entering.
    """
    numbers = {frame.key: number for number, frame in enumerate(component)}
    return [_cycle_node(frame, numbers) for frame in component]


def _cycle_node(frame: _Frame, numbers: dict[int, int]) -> bytes:
    inner = [_number(numbers[part]) for part in frame.parts if type(part) is int]
    parts = [
        b"#" + _number(numbers[part]) if isinstance(part, int) else b"=" + part
        for part in frame.parts
    ]
    if frame.form.unordered:
        if len(inner) > 1:
            # Numbers follow the order of visits, which a set doesn't have.
            raise Undigestible("a set with several members of its own cycle")
        parts.sort()
    return tagged(frame.form.tag, *frame.form.fields, b"cycle", b"".join(parts))


def _number(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _path(stack: list[_Frame]) -> str:
    return "".join(f.form.label(f.reached - 1) for f in stack if f.reached)
