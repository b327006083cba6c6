"""What a cell reads, with digests."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.code import Sources, call_code_digest
from nbdurable.engine.identity.forms import Undigestible


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a cell reads and may write.

    Attributes:
        digests: Digest of each name it reads, None without one.
        codes: Code digests of classes whose instances it reads.
        writes: Names it may bind.
        undigestible: Names without a digest, and why.
        dynamic: Reads that static analysis can't know.
    """

    digests: Mapping[str, bytes | None]
    codes: Mapping[str, bytes] = field(default_factory=dict)
    writes: frozenset[str] = frozenset()
    undigestible: Mapping[str, str] = field(default_factory=dict)
    dynamic: bool = False

    def mutated(
        self, namespace: Mapping[str, object], skip: Collection[str] = ()
    ) -> set[str]:
        """Names read whose value has another digest now."""
        found = set()
        for name, before in self.digests.items():
            if before is None or name in skip or name not in namespace:
                continue
            value = namespace[name]
            if not callable(value) and _digest(value) != before:
                found.add(name)
        return found


def read_inputs(
    source: str,
    namespace: Mapping[str, object],
    sources: Sources,
    *,
    hidden: Collection[str] = (),
    redact: Callable[[str], str] | None = None,
) -> Inputs:
    """What a cell reads, with digests of the values now."""
    del redact
    names = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)]
    reads = {n.id for n in names if isinstance(n.ctx, ast.Load)}
    writes = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
    digests: dict[str, bytes | None] = {}
    undigestible: dict[str, str] = {}
    for name in sorted(reads & namespace.keys() - set(hidden) - writes):
        value = namespace[name]
        if hasattr(value, "__code__"):
            digests[name] = call_code_digest(value, sources)  # type: ignore[arg-type]  # it has code
            continue
        digests[name] = _digest(value)
        if digests[name] is None:
            undigestible[name] = type(value).__qualname__
    return Inputs(digests=digests, writes=frozenset(writes), undigestible=undigestible)


def _digest(value: object) -> bytes | None:
    try:
        return digest(value)
    except Undigestible:
        return None
