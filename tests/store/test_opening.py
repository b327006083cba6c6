"""What may stand where a store should be, and what happens to it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from jupyter_core.paths import jupyter_data_dir

import nbdurable_store
from nbdurable_store import keys
from nbdurable_store.errors import (
    KeyUnsafe,
    NotAStore,
    StoreForeign,
    StoreNewer,
    StoreUnwritable,
)
from nbdurable_store.folder import places
from nbdurable_store.killpoints import arm
from nbdurable_store.records import Record


def _record(subject: str = "c") -> Record:
    return Record(kind="call.started", run="run", subject=subject, at_us=1)


def _tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _filled(root: Path) -> Path:
    store = nbdurable_store.open(root)
    refs = tuple(store.put("json", b"v" * size) for size in (3, 100_000))
    store.append(
        [
            Record(kind="call.completed", run="run", subject="c", at_us=1, blobs=refs),
            _record("last"),
        ],
        sync=True,
    )
    store.close()
    return root


def _another_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another-user"))


def test_a_new_folder_becomes_a_store(tmp_path: Path) -> None:
    """A folder that doesn't exist is made, with a FORMAT and a .gitignore."""
    root = tmp_path / "a" / "b" / ".nbdurable"
    nbdurable_store.open(root).close()
    assert (root / ".gitignore").read_text() == "*\n"
    assert sorted(p.name for p in root.iterdir()) == [
        ".gitignore",
        "FORMAT",
        "store.lock",
    ]


def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    """A folder that is there and empty is used."""
    nbdurable_store.open(tmp_path / ".nbdurable").close()
    (tmp_path / "empty").mkdir()
    nbdurable_store.open(tmp_path / "empty").close()
    assert (tmp_path / "empty" / "FORMAT").exists()


def test_opening_again_is_the_same_store(tmp_path: Path) -> None:
    """A store keeps its id; each opening is another owner."""
    one = nbdurable_store.open(tmp_path / "s")
    other = nbdurable_store.open(tmp_path / "s")
    assert one.id == other.id
    assert one.owner != other.owner
    one.close()
    other.close()


@pytest.mark.parametrize("point", ["store.created", "format.written"])
def test_a_creation_cut_short_is_done_again(tmp_path: Path, point: str) -> None:
    """A folder that was left half made counts as empty."""
    arm(f"{point}=error:EIO")
    try:
        with pytest.raises(StoreUnwritable):
            nbdurable_store.open(tmp_path / "s")
    finally:
        arm("")
    nbdurable_store.open(tmp_path / "s").close()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    """A file where the store should be is refused and left as it is."""
    path = tmp_path / ".nbdurable"
    path.write_text("mine")
    with pytest.raises(NotAStore, match="a file stands there"):
        nbdurable_store.open(path)
    assert path.read_text() == "mine"


def test_a_folder_with_other_things_is_no_store(tmp_path: Path) -> None:
    """A folder with files of somebody else is refused and left as it is."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.tex").write_text("mine")
    before = _tree(tmp_path)
    with pytest.raises(NotAStore, match="other things"):
        nbdurable_store.open(tmp_path / "data")
    assert _tree(tmp_path) == before


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "{", '{"version":"1"}', '{"version":1,"store":"../x"}']
)
def test_a_damaged_format_is_no_store(tmp_path: Path, text: str) -> None:
    """A FORMAT that isn't one is refused; the folder is left as it is."""
    root = _filled(tmp_path / "s")
    (root / "FORMAT").write_text(text)
    before = _tree(root)
    with pytest.raises(NotAStore):
        nbdurable_store.open(root)
    assert _tree(root) == before


def test_a_newer_store_is_refused_unchanged(tmp_path: Path) -> None:
    """A store of a later version is refused, and not a byte of it is changed."""
    root = _filled(tmp_path / "s")
    later = (root / "FORMAT").read_text().replace('"version":1', '"version":2')
    (root / "FORMAT").write_text(later)
    before = _tree(root)
    with pytest.raises(StoreNewer) as told:
        nbdurable_store.open(root)
    assert (told.value.version, told.value.ours) == (2, 1)
    assert _tree(root) == before


def test_a_foreign_store_is_refused_with_the_way_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that another user signed is named, with the command that trusts it."""
    root = _filled(tmp_path / "s")
    before = _tree(root)
    _another_user(monkeypatch, tmp_path)
    with pytest.raises(StoreForeign) as told:
        nbdurable_store.open(root)
    assert f'nbdurable trust "{root}"' in str(told.value)
    assert _tree(root) == before


def test_a_changed_format_makes_a_store_foreign(tmp_path: Path) -> None:
    """A FORMAT that was changed after it was signed is not believed."""
    root = _filled(tmp_path / "s")
    text = (root / "FORMAT").read_text()
    (root / "FORMAT").write_text(text.replace('"made":1', '"made":2'))
    with pytest.raises(StoreForeign, match="changed"):
        nbdurable_store.open(root)


def test_trusting_makes_it_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `trust` every record and value of a foreign store is read and verified."""
    root = _filled(tmp_path / "s")
    (root / "store.duckdb").write_bytes(b"somebody's code")
    _another_user(monkeypatch, tmp_path)
    trusted = nbdurable_store.trust(root)
    assert (trusted.records, trusted.left_out) == (2, 0)
    store = nbdurable_store.open(root)
    entries = store.read("run")[0]
    assert [e.record.subject for e in entries] == ["c", "last"]
    assert [len(store.get(ref)) for ref in entries[0].record.blobs] == [3, 100_000]
    assert store.check().findings == ()
    assert not (root / "store.duckdb").exists()
    assert nbdurable_store.trust(root).records == 0
    store.close()


@pytest.mark.parametrize("point", ["trust.written", "trust.signed"])
def test_trusting_cut_short_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """A `trust` that dies leaves the foreign store or one's own, and can be repeated."""
    root = _filled(tmp_path / "s")
    _another_user(monkeypatch, tmp_path)
    arm(f"{point}=error:EIO")
    try:
        with pytest.raises(StoreUnwritable):
            nbdurable_store.trust(root)
    finally:
        arm("")
    nbdurable_store.trust(root)
    store = nbdurable_store.open(root)
    assert len(store.read("run")[0]) == 2
    store.close()


def test_trusting_leaves_out_what_is_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads of wrong shape don't get a signature, however well their CRC fits."""
    root = _filled(tmp_path / "s")
    (segment,) = (root / "journal").glob("*.seg")
    _append_frames(segment, [b"[]", b'{"kind":1}', b'{"kind":"segment.closed"}'])
    _another_user(monkeypatch, tmp_path)
    trusted = nbdurable_store.trust(root)
    assert (trusted.records, trusted.left_out) == (2, 3)


def _append_frames(segment: Path, heads: list[bytes]) -> None:
    from nbdurable_store.journal.frames import encode_frame

    for seq, head in enumerate(heads, 4):
        frame = encode_frame(seq, bytes(32), bytes(32), head, b"")
        segment.write_bytes(segment.read_bytes() + frame)


def test_trusting_follows_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of which a part is a link elsewhere isn't trusted."""
    root = _filled(tmp_path / "s")
    (root / "runs").symlink_to(tmp_path)
    _another_user(monkeypatch, tmp_path)
    with pytest.raises(NotAStore, match="link"):
        nbdurable_store.trust(root)


def test_everything_is_private(tmp_path: Path, own_keys: Path) -> None:
    """Folders are 0700 and files 0600 whatever the umask, keys included."""
    umask = os.umask(0)
    try:
        root = _filled(tmp_path / "s")
        store = nbdurable_store.open(root)
        store.append([_record()], sync=False)
        store.claim("run")
        for top in (root, own_keys / "nbdurable"):
            for path in [top, *top.rglob("*")]:
                mode = stat.S_IMODE(path.stat().st_mode)
                assert mode == (0o700 if path.is_dir() else 0o600), path
        store.close()
    finally:
        os.umask(umask)


def test_the_data_folder_is_jupyters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys lie in the folder that Jupyter itself computes, in each of its cases."""
    for name in ("JUPYTER_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert str(keys.data_dir()) == jupyter_data_dir()
    monkeypatch.setenv("XDG_DATA_HOME", "/x")
    assert str(keys.data_dir()) == jupyter_data_dir()
    monkeypatch.setenv("JUPYTER_DATA_DIR", "/y")
    assert str(keys.data_dir()) == jupyter_data_dir()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_a_key_that_others_can_read_is_refused(
    tmp_path: Path, own_keys: Path, mode: int
) -> None:
    """A key with wider rights than 0600 opens no store."""
    root = _filled(tmp_path / "s")
    (key,) = (own_keys / "nbdurable" / "keys").iterdir()
    key.chmod(mode)
    with pytest.raises(KeyUnsafe, match="open to other accounts"):
        nbdurable_store.open(root)


def test_a_key_that_is_a_link_is_refused(tmp_path: Path, own_keys: Path) -> None:
    """A link in the place of a key opens no store."""
    root = _filled(tmp_path / "s")
    (key,) = (own_keys / "nbdurable" / "keys").iterdir()
    shutil.move(key, tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyUnsafe, match="a link"):
        nbdurable_store.open(root)


def test_a_key_folder_open_to_others_is_refused(tmp_path: Path, own_keys: Path) -> None:
    """A folder in which others could lay a key is not used."""
    root = _filled(tmp_path / "s")
    (own_keys / "nbdurable" / "keys").chmod(0o777)
    with pytest.raises(KeyUnsafe, match="folder"):
        nbdurable_store.open(root)


def test_a_key_can_lie_elsewhere(
    tmp_path: Path, own_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NBDURABLE_KEY_FILE names the key; it is made if it isn't there."""
    monkeypatch.setenv("NBDURABLE_KEY_FILE", str(tmp_path / "key"))
    root = _filled(tmp_path / "s")
    assert len((tmp_path / "key").read_bytes()) == 32
    assert not (own_keys / "nbdurable").exists()
    nbdurable_store.open(root).close()


MOUNTS = r"""
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home rw,relatime shared:1 - nfs4 server:/home rw
31 30 0:41 / /home/local\040disk rw - ext4 /dev/vdb rw
32 22 0:42 / /mnt/share rw - cifs //server/share rw
33 32 0:43 / /mnt/share rw - tmpfs tmpfs rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/work/s", "ext4"),
        ("/home", "nfs4"),
        ("/home/anna/.nbdurable", "nfs4"),
        ("/home/local disk/s", "ext4"),
        ("/homework", "ext4"),
        ("/mnt/share/s", "tmpfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    """The longest mount point counts, and of equal ones the later."""
    assert places.type_in(MOUNTS, path) == kind


def test_on_a_network_the_store_lies_at_home(
    tmp_path: Path, own_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network file system the store goes to the data folder and says so."""
    here = places.type_in(Path("/proc/self/mountinfo").read_text(), str(tmp_path))
    monkeypatch.setattr(places, "NETWORK", frozenset({here}))
    store = nbdurable_store.open(tmp_path / ".nbdurable")
    assert Path(store.place).is_relative_to(own_keys / "nbdurable" / "stores")
    (notice,) = store.notices()
    assert store.place in notice
    assert here in notice
    assert store.notices() == ()
    again = nbdurable_store.open(tmp_path / ".nbdurable")
    assert again.place == store.place
    named = nbdurable_store.open(tmp_path / ".nbdurable", named=True)
    assert named.place == str(tmp_path / ".nbdurable")
    for each in (store, again, named):
        each.close()
