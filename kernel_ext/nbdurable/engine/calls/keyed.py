"""What a call is matched by, and the code that its arguments bring along."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from nbdurable.engine.identity import keys
from nbdurable.engine.identity.canonical import Hasher, Redact, digest
from nbdurable.engine.identity.code import ArgumentCodes
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.values.contents import digest_of

NO_DIGEST = b"\0undigestible"
"""What stands for an argument without a digest in a call key: records that are equal
but for that argument share the key, so they can be asked about."""


class Keyed(NamedTuple):
    """The identity of a call's arguments.

    Attributes:
        key: The call's key, 32 bytes.
        undigestible: Where an argument has no digest, or "".
        met: The classes of the arguments, the code among them that is in the key by its
            name alone, and what was met in code that is in the key. None in plain data.
    """

    key: bytes
    undigestible: str = ""
    met: Collection[object] = ()


def keyed(
    name: str, arguments: Mapping[str, Any], redact: Redact | None, sources: Sources
) -> Keyed:
    """The key of a call, and what was met on the way."""
    hasher = Hasher(call_arguments=True, redact=redact, contents=digest_of)
    try:
        whole = hasher.digest(arguments)
        return Keyed(keys.call_key(name, whole), "", (*hasher.types, *hasher.named))
    except Undigestible:
        pass
    parts = digested(arguments, redact, sources)
    key = keys.call_key(name, digest(dict(parts.each), call_arguments=True))
    return Keyed(key, parts.undigestible, parts.met)


class Parts(NamedTuple):
    """The identity of each argument.

    Attributes:
        each: Its digest by parameter, or `NO_DIGEST`.
        undigestible: Where the first one without a digest is, or "".
        met: The classes met, and what was met in code.
    """

    each: Mapping[str, bytes]
    undigestible: str
    met: Collection[object]


def digested(
    arguments: Mapping[str, Any], redact: Redact | None, sources: Sources
) -> Parts:
    """The digest of each argument, with the code of those that are code."""
    codes = ArgumentCodes(sources, vars(sys.modules["__main__"]))
    hasher = Hasher(call_arguments=True, redact=redact, codes=codes, contents=digest_of)
    each: dict[str, bytes] = {}
    where = ""
    for parameter, value in arguments.items():
        try:
            each[parameter] = hasher.digest(value)
        except Undigestible as undigestible:
            each[parameter] = NO_DIGEST
            kind = undigestible.type.removeprefix("builtins.")
            where = where or f"{parameter}{undigestible.path} ({kind})"
    reads = [codes] if codes.variables.left() else []
    return Parts(each, where, (*hasher.types, *reads))
