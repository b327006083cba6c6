"""Every error a user may see has a page, survives a pickle, and renders in our form."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import nbdurable
import nbdurable_store.errors

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "errors"


def _classes() -> list[type[nbdurable_store.errors.Told]]:
    for package in (nbdurable, nbdurable_store):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, queue = [], [nbdurable_store.errors.Told]
    while queue:
        cls = queue.pop()
        queue.extend(cls.__subclasses__())
        if "slug" in vars(cls) and cls.__module__.startswith("nbdurable"):
            found.append(cls)
    return sorted(set(found), key=lambda cls: cls.slug)


CLASSES = _classes()


def test_slugs_are_unique() -> None:
    """No two error classes share a slug."""
    slugs = [cls.slug for cls in CLASSES]
    assert sorted(set(slugs)) == slugs


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.slug)
def test_each_error_has_a_page(cls: type[nbdurable_store.errors.Told]) -> None:
    """An error class has a page under docs/errors that is named by its slug."""
    page = PAGES / f"{cls.slug}.md"
    assert page.is_file(), f"{cls.__module__}.{cls.__name__}: write {page}"
    assert cls.__name__ in page.read_text(), f"{page} doesn't name {cls.__name__}"
    assert 4 <= len(page.read_text().splitlines()) <= 30


def test_each_page_has_an_error() -> None:
    """No page under docs/errors outlives its class."""
    known = {cls.slug for cls in CLASSES}
    assert {page.stem for page in PAGES.glob("*.md")} <= known
