"""Where a store may lie: not on a network file system, whose locks and syncs lie.

Measured: with locks that do nothing, two writers both got sixty acknowledgements each,
and one side's sixty records were gone, every time.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path

from blake3 import blake3

NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph-fuse",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.goofys",
        "fuse.juicefs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs",
        "gfs2",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "pvfs2",
        "smb3",
        "smbfs",
    ]
)
"""Types of file systems, as Linux names them, whose files live on another machine."""
MNT_LOCAL = 0x1000
STATFS_FLAGS_OFFSET = 64
STATFS_BYTES = 4096
"""macOS: the bit that says a file system is local, where it stands, and enough room."""


def network_type(path: Path) -> str | None:
    """The type of the network file system that a path lies on, or ``None``.

    Args:
        path: A folder that may not exist yet.
    """
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if sys.platform == "darwin":
        return _network_type_macos(there)
    with contextlib.suppress(OSError):
        mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
        kind = type_in(mounts, os.path.realpath(there))
        return kind if kind in NETWORK else None
    return None


def type_in(mounts: str, path: str) -> str:
    """The type of the file system that a path lies on, by Linux's list of mounts.

    Args:
        mounts: The text of ``/proc/self/mountinfo``; later lines lie over earlier ones.
        path: An absolute path without links.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        mount, _, about = line.partition(" - ")
        words = mount.split(" ")
        if len(words) < 5 or not about:
            continue
        point = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), words[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:
            best, kind = len(point), about.split(" ")[0]
    return kind


def _network_type_macos(path: Path) -> str | None:
    import ctypes

    buffer = ctypes.create_string_buffer(STATFS_BYTES)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(path), buffer) != 0:
        return None
    flags = int.from_bytes(buffer.raw[STATFS_FLAGS_OFFSET:][:4], sys.byteorder)
    return None if flags & MNT_LOCAL else "network"


def local_place(path: Path, data: Path) -> Path:
    """Where the store of a path on a network file system lies instead.

    Args:
        path: Where it would lie.
        data: The user's data folder.
    """
    name = blake3(os.fsencode(path)).hexdigest(length=8)
    return data / "nbdurable" / "stores" / f"{path.parent.name or 'root'}-{name}"


def moved(path: Path, kind: str, place: Path) -> str:
    """What a person is told then."""
    return (
        f"The store is at {place}, because {path.parent} lies on a network file system "
        f"({kind}), where locks can't be relied on. NBDURABLE_STORE={path} insists."
    )
