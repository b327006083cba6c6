"""Which calls have which key, for very many calls: nearly every key has one."""

from __future__ import annotations

from collections.abc import Sequence


class Keyed:
    """Ids of calls by key, in the order in which they were added.

    Example:
        >>> keyed = Keyed()
        >>> keyed.add(b"k", "first"), keyed.add(b"k", "second")
        (None, None)
        >>> keyed.get(b"k"), b"other" in keyed
        (['first', 'second'], False)
    """

    def __init__(self) -> None:
        self._ids: dict[bytes, str | list[str]] = {}

    def add(self, key: bytes, call: str) -> None:
        """A call has this key; it may have others too.

        Args:
            key: The key.
            call: Its id.
        """
        known = self._ids.get(key)
        if known is None:
            self._ids[key] = call
        elif isinstance(known, str):
            self._ids[key] = [known, call]
        else:
            known.append(call)

    def get(self, key: bytes, default: Sequence[str] = ()) -> Sequence[str]:
        """The calls with a key; not to be changed.

        Args:
            key: The key.
            default: What is returned where there is none.
        """
        known = self._ids.get(key)
        if known is None:
            return default
        return (known,) if isinstance(known, str) else known

    def __contains__(self, key: bytes) -> bool:
        return key in self._ids
