"""What may be wrong with the file that NBDURABLE_KEY_FILE names, and what is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable_store.errors import DurableError, KeyUnsafe
from nbdurable_store.keys import KeyUnusable, named_key, own_key

KEY = b"k" * 32


def no_folder(key: Path) -> str:
    """The folder of the key doesn't exist."""
    key.parent.rmdir()
    return f"there is no folder {key.parent}"


def a_file_for_a_folder(key: Path) -> str:
    """A file stands where the folder of the key should be."""
    key.parent.rmdir()
    key.parent.write_text("notes")
    return f"{key.parent} is not a folder"


def a_folder(key: Path) -> str:
    """The key itself is a folder."""
    key.mkdir(mode=0o700)
    return "it is a folder"


def too_short(key: Path) -> str:
    """The key is cut off."""
    key.touch(mode=0o600)
    key.write_bytes(KEY[:-1])
    return "it holds 31 bytes, and a key has 32"


def too_long(key: Path) -> str:
    """The key has a line end, as an editor makes it."""
    key.touch(mode=0o600)
    key.write_bytes(KEY + b"\n")
    return "it holds 33 bytes, and a key has 32"


def a_pipe(key: Path) -> str:
    """The key is a pipe that nobody writes to."""
    os.mkfifo(key, 0o600)
    return "it is not a plain file"


WRONG = [no_folder, a_file_for_a_folder, a_folder, too_short, too_long, a_pipe]


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path that NBDURABLE_KEY_FILE names, in a folder of its own."""
    path = tmp_path / "secrets" / "key"
    path.parent.mkdir(mode=0o700)
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(path))
    return path


def _refused(root: Path) -> DurableError:
    with pytest.raises(DurableError) as caught:
        nbdurable_store.open(root)
    return caught.value


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_a_key_file_that_is_none_is_blamed(
    tmp_path: Path, key: Path, spoil: Callable[[Path], str]
) -> None:
    """Making a store names the key file, not the store, and leaves no store behind."""
    why = spoil(key)
    error = _refused(tmp_path / "s")
    assert isinstance(error, KeyUnusable)
    assert error.fact() == f"the key file {key} can't be used: {why}."
    assert str(key.parent) in error.remedies()[0].command
    assert error.remedies()[-1].command.startswith("%env NBDURABLE_KEY_FILE=")
    assert not (tmp_path / "s" / "FORMAT").exists()


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_a_store_is_not_foreign_because_its_key_is_lost(
    tmp_path: Path, key: Path, spoil: Callable[[Path], str]
) -> None:
    """Opening a store whose key can't be looked at blames the key file, too."""
    nbdurable_store.open(tmp_path / "s").close()
    key.unlink()
    why = spoil(key)
    error = _refused(tmp_path / "s")
    assert isinstance(error, KeyUnusable)
    assert why in error.fact()


def test_what_the_remedy_says_helps(tmp_path: Path, key: Path) -> None:
    """After the missing folder is made as told, the key is made in it."""
    no_folder(key)
    command = _refused(tmp_path / "s").remedies()[0].command
    assert command == f'!mkdir -p -m 700 "{key.parent}"'
    assert os.system(command.removeprefix("!")) == 0
    nbdurable_store.open(tmp_path / "s").close()
    assert named_key() == own_key()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_a_key_file_that_others_can_read_is_refused(
    tmp_path: Path, key: Path, mode: int
) -> None:
    """A key with wider rights than 0600 makes no store, and says how to close it."""
    key.write_bytes(KEY)
    key.chmod(mode)
    error = _refused(tmp_path / "s")
    assert isinstance(error, KeyUnsafe)
    assert str(key) in error.fact()
    assert error.remedies()[0].command == f'!chmod go-rwx "{key}"'


@pytest.mark.parametrize("spoil", ["folder", "file"])
def test_a_key_file_that_may_not_be_read_is_blamed(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    """What the system forbids is told of the key file; root is never forbidden."""
    key.write_bytes(KEY)
    key.chmod(0o600)
    real = os.open

    def forbidden(path: str | Path, *args: int, **kwargs: int) -> int:
        if Path(path) == key:
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    def unreachable(path: Path) -> os.stat_result:
        if path == key:
            raise PermissionError(13, "Permission denied")
        return os.lstat(path)

    if spoil == "file":
        monkeypatch.setattr(os, "open", forbidden)
    else:
        monkeypatch.setattr(Path, "lstat", unreachable)
    error = _refused(tmp_path / "s")
    assert isinstance(error, KeyUnusable)
    assert error.fact() == f"the key file {key} can't be used: permission denied."


def test_no_key_named_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, or with an empty one, no key is named."""
    monkeypatch.setenv("NBDURABLE_KEY_FILE", "")
    assert named_key() is None
