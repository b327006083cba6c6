"""What the store raises, and the one form in which every error is told.

An error states a fact about the user's own call, says what was not done, offers
remedies that can be pasted, and ends in a stable slug that names its page under
``docs/errors/``.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, NamedTuple

SLUG_COLUMN = 80
"""The slug is set flush right at this column, in characters, as in a man page."""


class Remedy(NamedTuple):
    """One way out: when it fits, and the command to paste."""

    when: str
    command: str


def tell(
    name: str, fact: str, detail: str, remedies: tuple[Remedy, ...], slug: str
) -> str:
    """Lay an error out in our form, without a trailing newline.

    Args:
        name: The class name the user sees.
        fact: One line about the user's own call.
        detail: Lines that say what happened and what was not done.
        remedies: The ways out, in the order in which they should be tried.
        slug: The stable name of the page under ``docs/errors/``.

    Example:
        >>> print(tell("Oops", "it broke.", "", (Remedy("again", "%durable"),), "oops"))
        Oops: it broke.
            again  %durable                                                         oops
    """
    width = max((len(r.when) for r in remedies), default=0)
    lines = [f"{name}: {fact}" if name else fact]
    lines += [f"  {line}" for line in detail.splitlines() if line]
    lines += [f"    {r.when.ljust(width)}  {r.command}" for r in remedies]
    last = lines.pop()
    gap = max(2, SLUG_COLUMN - len(last) - len(slug))
    return "\n".join([*lines, f"{last}{' ' * gap}{slug}"])


class Told:
    """The shared form: subclasses are dataclasses with keyword-only fields."""

    slug: ClassVar[str]

    def fact(self) -> str:
        """One line about the user's own call."""
        raise AssertionError(f"{type(self).__name__} tells no fact")

    def detail(self) -> str:
        """What happened and what was not done; may be several lines."""
        return ""

    def remedies(self) -> tuple[Remedy, ...]:
        """The ways out, each with a command to paste."""
        return ()

    def told(self) -> str:
        """The whole message, class name included."""
        name = type(self).__name__
        return tell(name, self.fact(), self.detail(), self.remedies(), self.slug)

    def __str__(self) -> str:
        return tell("", self.fact(), self.detail(), self.remedies(), self.slug)

    def __reduce__(self) -> tuple[object, ...]:
        fields = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        }
        return _rebuild, (type(self), fields)

    def _render_traceback_(self) -> list[str]:
        return self.told().splitlines()


def _rebuild(cls: type[Told], fields: dict[str, object]) -> Told:
    return cls(**fields)


@dataclasses.dataclass(kw_only=True, eq=False)
class DurableError(Told, Exception):
    """What a program may catch: the call was refused, and nothing was lost."""


@dataclasses.dataclass(kw_only=True, eq=False)
class DurablePause(Told, BaseException):
    """What ``except Exception`` must not swallow: somebody has to decide first."""
