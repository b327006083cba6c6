"""Where the store of a kernel is."""

from __future__ import annotations

from pathlib import Path

from nbdurable.engine.where.whereabouts import Facts

STORE_FOLDER = ".nbdurable"
"""The store's folder in the directory that the kernel started in."""


def place_of(facts: Facts) -> str:
    """The store's folder that the facts say."""
    return facts.store or str(Path(facts.start_dir) / STORE_FOLDER)


def is_store(place: str) -> bool:
    """Whether a store is there, without opening it."""
    return (Path(place) / "FORMAT").exists()
