"""What a call was given: its key, and what the call changed of it in place.

A tool that appends to a list it was given, or counts in its ``self``, has changed an
object that others hold, and the next call is keyed by what that object is now. So the
change is a part of the outcome: the changed arguments are stored beside the result, as
the places where they were, and a replay fills the objects that stand there now.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from nbdurable.engine.calls.far import mark_far
from nbdurable.engine.calls.keyed import Keyed, digested, keyed
from nbdurable.engine.calls.requests import Put
from nbdurable.engine.calls.shared import Holding
from nbdurable.engine.calls.whose import Whose
from nbdurable.engine.codec import (
    JSON,
    Encoded,
    Unreadable,
    Unstorable,
    decode,
    encode,
    keep,
    plain,
)
from nbdurable.engine.codec.grafts import Grafting, Marks, mark
from nbdurable.engine.codec.meeting import reached
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.identity.plain import ATOMS, of_atoms
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.values import named
from nbdurable.engine.values.contents import digest_of
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.protocol import Stored
from nbdurable_store.records import BlobRef


class Changed(NamedTuple):
    """An outcome with the arguments as the call left them.

    Attributes:
        value: What the call returned.
        arguments: By parameter, those that can be changed in place.
    """

    value: object
    arguments: dict[str, object]


Counted = Callable[[dict[str, Any]], dict[str, Any]] | None
"""What stands for the arguments in the key, where they don't stand for themselves."""


class Given:
    """The arguments of one call.

    Attributes:
        key: The call's key, 32 bytes.
        undigestible: Where an argument has no digest, or "".
        met: The classes of the arguments, and code among them.
        within: Those of the calls that this one is made in.
        whose: Says who changed them meanwhile, where others may; or None.
        did_change: Whether the call has ended, and has changed some of them.
    """

    __slots__ = (
        "_arguments", "_changeable", "_counted", "_fixed", "_holding", "_marks",
        "_name", "_secrets", "_sources", "did_change", "key", "met", "undigestible",
        "whose", "within",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        arguments: dict[str, Any],
        counted: Counted,
        secrets: Secrets,
        sources: Sources,
    ) -> None:
        self._name, self._arguments, self._counted = name, arguments, counted
        self._secrets, self._sources = secrets, sources
        self._marks: Marks | None = None
        self._holding: Holding | None = None
        self._fixed: dict[str, bytes] = {}
        atoms = of_atoms(counted(arguments) if counted else arguments, secrets.found)
        self._changeable, self.did_change = atoms is None, False
        self.whose: Whose | None = None
        self.within: Collection[object] = ()
        self.met: Collection[object] = ()
        if atoms is not None:
            self.key, self.undigestible = keys.plain_call_key(name, atoms), ""
        else:
            self.key, self.undigestible, self.met = self._identify(arguments)

    @property
    def counted(self) -> dict[str, Any]:
        """The arguments as they count for the key."""
        return self._counted(self._arguments) if self._counted else self._arguments

    def digested(self, values: dict[str, Any]) -> Mapping[str, bytes]:
        """The digest of each of some values, or `keyed.NO_DIGEST`."""
        return digested(values, self._secrets.apart, self._sources).each

    def under(self, name: str) -> bytes:
        """The key of the call if its tool had another name."""
        atoms = of_atoms(self.counted, self._secrets.found)
        if atoms is not None:
            return keys.plain_call_key(name, atoms)
        return keyed(name, self.counted, self._secrets.apart, self._sources).key

    def shared(self) -> None:
        """Other code may change them while the call is executed."""
        if self._changeable:
            self.whose = Whose(self._look)

    def only_shown(self) -> None:
        """The call itself changes none of them: what changes, others change."""
        self._changeable = False

    def begin(self) -> Encoded | None:
        """The arguments as plain data, if they are that; the call begins after this."""
        if self._changeable:
            self._mark()
        if named.any_kept_out(self._arguments):
            return None
        try:
            return Encoded(JSON, plain.encode(self._arguments, self._secrets))
        except (plain.NotPlain, Unstorable):
            return None

    def release(self) -> None:
        """The call has ended. Idempotent."""
        if self._holding is not None:
            self._holding.end()

    def _mark(self) -> None:
        """Remember what can be changed in place, and how it is now."""
        given = self._arguments
        if not ATOMS.issuperset(map(type, given.values())):
            self._marks = mark(given, given, rest=True)
            self._holding = self._holding or Holding(self, self.within)
            self._holding.begin(self._marks.found)
            lost = [n for n, v in given.items() if self._marks.lost(n, v)]
            self._fixed = {n: self._identify({n: given[n]}).key for n in lost}
            if self.whose is not None:
                self.whose.begins()

    def keep(self, value: object, put: Put) -> BlobRef:
        """Hand over the outcome: the value, and what the call changed.

        Raises:
            Unstorable: The value can't be kept, or what was changed can't be changed
                again.
        """
        if self._marks is None or self._is_unchanged():
            marks = self._marks if self._is_in(value) else None
            return keep(value, put, secrets=self._secrets, marks=marks, outcome=True)
        self.did_change = True
        whole = self._with_changes(value)
        return keep(whole, put, secrets=self._secrets, marks=self._marks, outcome=True)

    def _is_in(self, value: object) -> bool:
        """Whether a result holds something of what the call was given."""
        if self._marks is None or type(value) in ATOMS:
            return False
        return not reached([value]).isdisjoint(self._marks.found)

    def changed(self) -> Encoded | None:
        """What a call that raised changed; None if it changed nothing.

        Raises:
            Unstorable: It can't be changed again.
        """
        if self._is_unchanged():
            return None
        whole = self._with_changes(None)
        return encode(whole, secrets=self._secrets, marks=self._marks, outcome=True)

    def _is_unchanged(self) -> bool:
        """Whether the call changed nothing, whatever others did."""
        if self._marks is None or (self.whose is not None and self.whose.only_others):
            return True
        return self._identify(self._arguments).key == self.key

    def _with_changes(self, value: object) -> Changed:
        assert self._holding is not None
        if self._holding.shared:
            raise Unstorable(why="calls side by side changed what they were given")
        if self.whose is not None:
            self.whose.put_back = True
            if self.whose.mixed:
                raise Unstorable(why="other code changed what it was given meanwhile")
        for name, before in self._fixed.items():
            if self._identify({name: self._arguments[name]}).key != before:
                kind = type(self._arguments[name]).__name__
                raise Unstorable(why=f"{name} ({kind}) was changed in place")
        changed = {n: v for n, v in self._arguments.items() if n not in self._fixed}
        if self._marks is not None:
            mark_far(self._marks, [value, *changed.values()])
        return Changed(value, changed)

    def decode(self, codec: str, data: bytes | Stored) -> object:
        """The value; what the call changed is changed again.

        Raises:
            Unreadable: It changed what is given to no parameter of that name now.
        """
        if codec == JSON and isinstance(data, bytes) and not self._changeable:
            # Places of what was given can be read only with a grafting.
            with contextlib.suppress(Unreadable):
                return plain.decode(data, self._secrets)
        grafting = Grafting(self._arguments)
        value = decode(codec, data, secrets=self._secrets, grafting=grafting)
        if isinstance(value, Changed):
            lost = value.arguments.keys() - self._arguments.keys()
            lost = {n for n in lost if type(value.arguments[n]) not in ATOMS}
            if lost:
                why = f"it changed {min(lost)}, and has no such parameter any more"
                raise Unreadable(codec=codec, why=why)
        elif not all(map(self._is_as_it_was, grafting.there())):
            return decode(codec, data, secrets=self._secrets)
        grafting.apply()
        return value.value if isinstance(value, Changed) else value

    def _is_as_it_was(self, pair: tuple[object, object]) -> bool:
        """Whether an object of a call that is served what another one returned is equal."""
        try:
            old, new = (digest(each, contents=digest_of) for each in pair)
        except Undigestible:
            return False
        return old == new

    def _identify(self, arguments: dict[str, Any]) -> Keyed:
        counted = self._counted(arguments) if self._counted else arguments
        return keyed(self._name, counted, self._secrets.apart, self._sources)

    def _look(self) -> bytes:
        """The arguments as they are now; never stored, so secrets need no search."""
        try:
            return digest(self._arguments, contents=digest_of)
        except Undigestible:
            return keyed(self._name, self._arguments, None, self._sources).key
