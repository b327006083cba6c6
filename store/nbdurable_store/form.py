"""The one form in which every error is told: fact, what was not done, remedies, slug."""

from __future__ import annotations

from typing import NamedTuple

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
