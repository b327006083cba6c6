"""Keeping secrets out of everything that is stored.

Theory of operation
-------------------
A text is searched in two ways. *By value*: the values of environment variables that
are named like a credential, and further values the caller knows (keys of clients, auth
headers), each in the forms in which text carries it: as it is, JSON-escaped,
percent-encoded, and in base64 at its three alignments. *By pattern*: about a dozen
anchored shapes of well-known keys. There are no entropy rules: ids, digests and prose
must pass untouched.

A secret found by value can be put back from the environment, so a text that holds one
is stored as parts and names (`Secrets.parts`). One found by pattern only can't: a value
that holds it is not stored at all. `scrub` is for what people read and for digests.

Most texts hold nothing, and finding that out is what has to be quick. Needles and
patterns stand in groups by their two rarest characters, and a group is looked at only if
the text has both: such a test is a `memchr`, ten times cheaper than a search. The groups
stand behind gates, as few characters as all of them have between them: half of the texts
that a call makes are short, and those have none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from blake3 import blake3

from nbdurable.engine.values.forms import forms_of, utf8, wide_forms_of
from nbdurable.engine.values.occurs import occurs, spells_wide
from nbdurable.engine.values.patterns import PATTERNS, Pattern, matches
from nbdurable.engine.values.windows import windows
from nbdurable.errors import DurableError, Remedy

LENGTH_MIN = 12
"""Shorter values, in characters, would be found in ordinary prose."""

_CREDENTIAL = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|DSN", re.IGNORECASE)
_MARK = re.compile(r"‹secret:([^›‹]+)›")
_RARE = "QZXJKVWYUGBFHPOLDMNRCTSIAE~^`|}{@#$%&*+=/_qzxjkvwybgfp9876543210.-"
"""Characters by how seldom they stand in prose and JSON, rarest first."""
_GATES = frozenset(c for c in _RARE if not c.islower() and not c.isdigit() and c != ".")
"""Those that may be gates: a text without secrets has few of them."""


@dataclass(kw_only=True, eq=False)
class SecretAbsent(DurableError):
    """A stored text needs a secret that this process doesn't have.

    Attributes:
        name: Name of the environment variable the secret was known by.
    """

    slug = "secret-absent"
    name: str

    def fact(self) -> str:
        """One line about the value."""
        return f"a stored value needs {self.name}, and it is not set here."

    def detail(self) -> str:
        """Why it is not in the store."""
        return "It was stored without the secret. It was not loaded."

    def remedies(self) -> tuple[Remedy, ...]:
        """Set the variable, or make the value again."""
        return (
            Remedy("set it before Jupyter starts", f"export {self.name}=…"),
            Remedy("make the value again", "%durable rerun"),
        )


class _Needle(NamedTuple):
    literal: str
    name: str
    needs: str


_Group = tuple[str, str, tuple[_Needle | Pattern, ...]]
"""What is sought only where a text has two characters."""


class Secrets:
    """What must not be stored, and how to find it.

    Immutable; build a new one when the environment changes.
    """

    __slots__ = (
        "_byte_gates",
        "_bytes",
        "_environment",
        "_gates",
        "_needles",
        "_values",
        "_wide",
    )

    def __init__(
        self, environment: Mapping[str, str], extra: Mapping[str, str] | None = None
    ) -> None:
        """Collect the secrets of an environment.

        Args:
            environment: Variables by name, usually ``os.environ``.
            extra: Further secrets by the name they are told by, such as the key of a
                client or the auth header of a request.
        """
        self._environment = dict(environment)
        named = {k: v for k, v in sorted(environment.items()) if _CREDENTIAL.search(k)}
        values = {**named, **(extra or {})}
        self._values = {
            k: v.strip() for k, v in values.items() if len(v.strip()) >= LENGTH_MIN
        }
        forms = {
            form: (_label(name, kind), name)
            for name, value in reversed(self._values.items())
            for kind, form in forms_of(value)
        }
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._needles = tuple(
            _Needle(form, forms[form][0], form) for form in longest_first
        )
        self._gates = (*_gated(self._needles), *_PATTERN_GATES)
        self._byte_gates = tuple(
            (
                utf8(gate),
                [(utf8(one), utf8(two), group) for one, two, group in groups],
            )
            for gate, groups in self._gates
        )
        self._bytes = tuple((utf8(form), forms[form][0]) for form in longest_first)
        self._wide = tuple(
            (form, name)
            for name, value in self._values.items()
            for form in wide_forms_of(value)
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables this was made from."""
        return self._environment

    def also(self, extra: Mapping[str, str]) -> Self:
        """The same with further secrets, such as the auth header of one request."""
        known = {k: v for k, v in self._values.items() if k not in self._environment}
        return type(self)(self._environment, {**known, **extra})

    def variable(self, value: str) -> str | None:
        """Name of the environment variable that holds exactly this value, if any."""
        names = sorted(k for k, v in self._environment.items() if v == value and v)
        named = [name for name in names if _CREDENTIAL.search(name)]
        return next(iter([*named, *names]), None)

    def value(self, name: str) -> str:
        """The secret of that name.

        Args:
            name: A name that `parts` or `scrub` gave.

        Raises:
            SecretAbsent: This process doesn't know it.
        """
        variable, _, kind = name.partition("/")
        value = self._values.get(variable)
        if value is None:
            raise SecretAbsent(name=variable)
        return dict(forms_of(value)).get(kind, value) if kind else value

    def lookup(self, variable: str) -> str:
        """The exact value of an environment variable.

        Raises:
            SecretAbsent: It is not set here.
        """
        if variable not in self._environment:
            raise SecretAbsent(name=variable)
        return self._environment[variable]

    def found(self, text: str) -> str | None:
        """Name of a secret or of a pattern that occurs in the text, if any does."""
        for gate, groups in self._gates:
            if gate in text and (name := _among(groups, text)):
                return name
        return None

    def find(
        self, data: bytes | bytearray | memoryview, *, wide: bool = True
    ) -> str | None:
        """Name of a secret or of a pattern that occurs in the bytes, if any does.

        Args:
            data: The bytes.
            wide: Look for texts of two and four bytes a character too.
        """
        for blob in windows(data):
            narrow = blob.replace(b"\0", b"") if wide and spells_wide(blob) else b""
            if name := self._find(blob) or self._find(narrow):
                return name
        return None

    def _find(self, blob: bytes) -> str | None:
        for gate, groups in self._byte_gates:
            if gate in blob:
                for rare, seldom, group in groups:
                    if rare in blob and seldom in blob:
                        for sought in group:
                            if _in_bytes(sought, blob):
                                return sought.name.partition("/")[0]
        wide = (name for form, name in self._wide if occurs(form, blob))
        return next((name.partition("/")[0] for name in wide), None)

    def holds(self, data: bytes) -> bool:
        """Whether a secret or a known key pattern occurs in the bytes."""
        return self.find(data) is not None

    def parts(self, text: str) -> list[str] | None:
        """The text cut at its secrets: text, name, text, …; ``None`` if it has none.

        Only secrets known by value are cut out, because only they can be put back.
        """
        names = {form: name for form, name, _ in self._needles if form in text}
        if not names:
            return None
        pieces = re.split("(" + "|".join(map(re.escape, names)) + ")", text)
        return [names[p] if i % 2 else p for i, p in enumerate(pieces)]

    def join(self, parts: list[str]) -> str:
        """The text that `parts` cut.

        Raises:
            SecretAbsent: A secret is not known here.
        """
        return "".join(self.value(p) if i % 2 else p for i, p in enumerate(parts))

    def cut(self, data: bytes) -> list[Any] | None:
        """Bytes cut like `parts`: bytes, name, bytes, …; ``None`` if they hold none."""
        names = {form: name for form, name in self._bytes if form in data}
        if not names:
            return None
        pieces = re.split(b"(" + b"|".join(map(re.escape, names)) + b")", data)
        return [names[p] if i % 2 else p for i, p in enumerate(pieces)]

    def fill(self, pieces: list[Any]) -> bytes:
        """The bytes that `cut` cut.

        Raises:
            SecretAbsent: A secret is not known here.
        """
        return b"".join(
            utf8(self.value(p)) if i % 2 else p for i, p in enumerate(pieces)
        )

    def scrub(self, text: str, *, apart: bool = False) -> str:
        """The text with ``‹secret:NAME›`` in place of every secret and key pattern.

        Args:
            text: Any text.
            apart: Add a short digest to what only a pattern knows. The key of a variable
                has its name, so that a new key of the same name is no new value.
        """
        if self.found(text) is None:
            return text
        for form, name, _ in self._needles:
            text = text.replace(form, f"‹secret:{name}›")
        for pattern in PATTERNS:
            if pattern.literal in text:
                text = pattern.text.sub(_mark(pattern.name, apart=apart), text)
        return text

    def apart(self, text: str) -> str:
        """The same for digests: two keys that only a pattern knows are two texts."""
        return self.scrub(text, apart=True)

    def restore(self, text: str) -> str:
        """The text that `scrub` was given, if all of its secrets are known by value.

        Raises:
            SecretAbsent: A secret is not known here.
        """
        return _MARK.sub(lambda mark: self.value(mark[1]), text)


def _among(groups: Iterable[_Group], text: str) -> str | None:
    """Name of the first of these that occurs in the text, if any does."""
    for rare, seldom, group in groups:
        if rare in text and seldom in text:
            for sought in group:
                if sought[0] in text and _occurs(sought, text):
                    return sought[1]
    return None


def _occurs(sought: _Needle | Pattern, text: str) -> bool:
    if isinstance(sought, _Needle):
        return True
    return matches(sought.text, sought.literal, text)


def _in_bytes(sought: _Needle | Pattern, blob: bytes) -> bool:
    literal = utf8(sought.literal)
    if isinstance(sought, _Needle):
        return occurs(literal, blob)
    return occurs(literal, blob) and matches(sought.data, literal, blob)


def _mark(name: str, *, apart: bool) -> Callable[[re.Match[str]], str]:
    def mark(match: re.Match[str]) -> str:
        which = f" {blake3(utf8(match[0])).hexdigest(8)}" if apart else ""
        return f"{match[1] if match.re.groups else ''}‹secret:{name}{which}›"

    return mark


def _gated(
    all_sought: Iterable[_Needle | Pattern],
) -> tuple[tuple[str, tuple[_Group, ...]], ...]:
    """What is sought, each behind a character that it shares with as many as possible."""
    gates = {sought: _gates_of(sought.needs) for sought in all_sought}
    counts = Counter(char for chars in gates.values() for char in chars)
    behind: dict[str, list[_Needle | Pattern]] = {}
    for sought, chars in gates.items():
        gate = max(chars, key=lambda char: (counts[char], -_RARE.find(char)))
        behind.setdefault(gate, []).append(sought)
    return tuple((gate, _grouped(group)) for gate, group in behind.items())


def _gates_of(needs: str) -> Collection[str]:
    rarest = next((c for c in _RARE if c in needs), needs[0])
    return _GATES.intersection(needs) or {rarest}


def _grouped(all_sought: Iterable[_Needle | Pattern]) -> tuple[_Group, ...]:
    groups: dict[tuple[str, str], list[_Needle | Pattern]] = {}
    for sought in all_sought:
        rare = [c for c in _RARE if c in sought.needs]
        first, second = [*rare, sought.literal[0], sought.literal[0]][:2]
        groups.setdefault((first, second), []).append(sought)
    return tuple((*gates, tuple(group)) for gates, group in groups.items())


_PATTERN_GATES = _gated(PATTERNS)


def _label(name: str, kind: str) -> str:
    return f"{name}/{kind}" if kind else name
