"""Code identity: digests of cells' sources and of tools' functions."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

from nbdurable.engine.identity.keys import Tag, tagged


class Sources:
    """The sources of cells by the file name they were compiled under."""

    def __init__(self) -> None:
        self._by_file: dict[str, str] = {}

    def add(self, filename: str, source: str) -> None:
        """Keep a cell's source."""
        self._by_file[filename] = source

    def get(self, filename: str) -> str:
        """The source of a file, or ""."""
        return self._by_file.get(filename, "")


def source_digest(source: str) -> bytes:
    """Digest of a cell's source without comments and formatting."""
    return tagged(Tag.SOURCE, ast.dump(ast.parse(source)).encode())


def call_code_digest(fn: Callable[..., Any], sources: Sources) -> bytes:
    """Digest of a function's code."""
    del sources
    code = inspect.unwrap(fn).__code__
    consts = repr([c for c in code.co_consts if not inspect.iscode(c)])
    return tagged(Tag.FUNCTION, code.co_code, consts.encode())
