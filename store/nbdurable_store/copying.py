"""A store once more, to be written to while the first one stays as it is.

What is copied is what everything is read from: ``FORMAT``, the segments and the blobs.
Blobs never change once they have their name, so a hard link is as good as a copy; of
segments, to which living processes append, the bytes are copied as far as they are
written: what is cut off in the middle of a record is a torn tail like any other.
``store.duckdb`` is made anew from them where somebody asks.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from nbdurable_store import files
from nbdurable_store.errors import NotAStore
from nbdurable_store.folder.format import LOCK_NAME, NAME, read, signer_of

BLOBS = "blobs"
"""The folder of the blobs."""


def copy(path: str | os.PathLike[str], to: Path) -> Path:
    """Copy a store of one's own; nothing is written to where it is.

    Args:
        path: The store's folder.
        to: The new folder; it is made.

    Returns:
        The new folder.

    Raises:
        NotAStore: No store is there.
        StoreForeign: It is not signed with a key of this user.
        StoreNewer: A later version wrote it.
        StoreFull: No room for the copy.
        StoreUnwritable: A file can't be read or written.
    """
    root = Path(path).absolute()
    said = read(root)
    if said is None:
        raise NotAStore(place=str(root), why="nothing is there")
    signer_of(root, said)
    with files.telling(to):
        to.mkdir(mode=files.FOLDER_MODE)
        _copy_folder(root / BLOBS, to / BLOBS, link=True)
        _copy_folder(root / said.journal, to / said.journal, link=False)
        os.close(files.create(to / LOCK_NAME))
        shutil.copyfile(root / NAME, to / NAME)
    return to


def _copy_folder(path: Path, to: Path, *, link: bool) -> None:
    """Every file below a folder; one that is gone meanwhile isn't missed."""
    if not path.is_dir() or path.is_symlink():
        return
    to.mkdir(mode=files.FOLDER_MODE)
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            _copy_folder(entry, to / entry.name, link=link)
        elif entry.is_file() and not entry.is_symlink():
            _copy_file(entry, to / entry.name, link=link)


def _copy_file(path: Path, to: Path, *, link: bool) -> None:
    try:
        if link:
            _link(path, to)
        else:
            shutil.copyfile(path, to)
    except FileNotFoundError:
        return


def _link(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, to)
