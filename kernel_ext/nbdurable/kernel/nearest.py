"""The word somebody probably meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like this one, or "" when none is alike."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")
