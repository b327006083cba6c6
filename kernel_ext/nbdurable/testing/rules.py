"""Trouble on demand: hold, slow down, refuse, cut or break chosen requests.

A rule names the request it is for, by number (``at``), by text in the body (``when``)
or neither (the next one), and how many requests it is for (``times``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, Self, get_args

HOLD_S_MAX = 600.0
"""A request that nobody releases is answered after this, so no test hangs for ever."""

Do = Literal["hold", "slow", "fail", "cut", "break"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to do to which requests.

    Attributes:
        do: ``hold`` until released, ``slow`` by ``ms``, ``fail`` with ``status``,
            ``cut`` the connection after ``chunks`` pieces of the answer, or ``break``
            a stream there with an error event.
        at: First request number it is for; None for the next one.
        when: Text that the body must contain.
        times: How many requests it is for.
        ms: Delay of ``slow``, milliseconds.
        status: HTTP status of ``fail``.
        retry_after_ms: Sent with ``fail`` as ``retry-after-ms``.
        chunks: Pieces of the answer that pass before a ``cut`` or a ``break``.
    """

    do: Do
    at: int | None = None
    when: str | None = None
    times: int = 1
    ms: int = 0
    status: int = 500
    retry_after_ms: int = 1
    chunks: int = 1

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Self:
        """Read a rule as the control endpoint takes it.

        Raises:
            ValueError: A field or an action that doesn't exist.
        """
        known = {f.name for f in fields(cls)}
        unknown = set(plain) - known
        if unknown or plain.get("do") not in get_args(Do):
            raise ValueError(f"no such rule: {dict(plain)!r}; fields: {sorted(known)}")
        return cls(**plain)  # type: ignore[arg-type]  # checked by name, JSON from a test

    def fits(self, n: int, text: str) -> bool:
        """Whether request ``n`` with this body is one of those it is for."""
        return (self.at is None or n >= self.at) and (self.when or "") in text


@dataclass(slots=True)
class _Live:
    rule: Rule
    left: int


@dataclass(slots=True)
class Rules:
    """The rules of one server, and the requests it holds now."""

    _live: list[_Live] = field(default_factory=list)
    _held: set[int] = field(default_factory=set)
    _released: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, rule: Rule) -> None:
        """From now on; earlier rules go first."""
        with self._changed:
            self._live.append(_Live(rule, rule.times))

    def clear(self) -> None:
        """Forget every rule and let held requests go."""
        with self._changed:
            self._live.clear()
        self.release()

    def take(self, n: int, text: str) -> tuple[Rule, ...]:
        """The rules for this request; each is used up once."""
        with self._changed:
            taken = [live for live in self._live if live.rule.fits(n, text)]
            for live in taken:
                live.left -= 1
            self._live[:] = [live for live in self._live if live.left > 0]
            return tuple(live.rule for live in taken)

    def hold(self, n: int) -> None:
        """Block the request's thread until somebody calls `release`."""
        with self._changed:
            seen = self._released
            self._held.add(n)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._released > seen, HOLD_S_MAX)
            self._held.discard(n)
            self._changed.notify_all()

    def release(self) -> None:
        """Let every held request go on."""
        with self._changed:
            self._released += 1
            self._changed.notify_all()

    def wait_held(self, timeout_s: float) -> tuple[int, ...]:
        """Wait until a request is held; the numbers of all that are, maybe none."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._held), timeout_s)
            return tuple(sorted(self._held))
