"""Which pages of this process's memory were written: Linux can tell, others can't.

A range is registered with userfaultfd for asynchronous write protection, protected, and
later scanned through /proc/self/pagemap. The first write to a protected page is let
through by the kernel, which takes the protection off: a page without it was written.
No other process, no handler and no privilege is needed.

Three things look clean and aren't, so they count as written:
a page that is gone (freed, given back, swapped out) holds nothing to be written;
a range that was registered once and isn't any more is refused by the scan;
a page of a file or of shared memory can be written through another mapping.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import struct
import sys

_SYSCALLS = {"x86_64": 323, "aarch64": 282}
"""The number of userfaultfd by machine."""

_USER_MODE_ONLY = 1
_API = 0xAA
_WP_UNPOPULATED, _WP_ASYNC = 1 << 13, 1 << 15
_REGISTER_WP = 1 << 1
_PROTECT = 1 << 0
_CHECK_WP_ASYNC = 1 << 1
_WRITTEN, _FILE, _PRESENT = 1 << 1, 1 << 2, 1 << 3


def _ioctl(kind: int, number: int, size: int, *, write_only: bool = False) -> int:
    return ((2 if write_only else 3) << 30) | (size << 16) | (kind << 8) | number


_UFFD_API = _ioctl(_API, 0x3F, 24)
_UFFD_REGISTER = _ioctl(_API, 0x00, 32)
_UFFD_UNREGISTER = _ioctl(_API, 0x01, 16, write_only=True)
_UFFD_WRITEPROTECT = _ioctl(_API, 0x06, 24)
_PAGEMAP_SCAN = _ioctl(ord("f"), 16, 96)

PAGE = mmap.PAGESIZE


class Pages:
    """The pages of this process. Every method may raise OSError."""

    def __init__(self) -> None:
        """Open what the kernel needs; an OSError says that it doesn't offer it."""
        number = _SYSCALLS.get(platform.machine())
        if sys.platform != "linux" or number is None or PAGE != 4096:
            raise OSError("pages can't be watched on this platform")
        call = ctypes.CDLL(None, use_errno=True).syscall
        self._uffd: int = call(number, os.O_CLOEXEC | os.O_NONBLOCK | _USER_MODE_ONLY)
        if self._uffd < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        self._pagemap = -1
        try:
            asked = struct.pack("QQQ", _API, _WP_ASYNC | _WP_UNPOPULATED, 0)
            self._call(self._uffd, _UFFD_API, asked)
            self._pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go; nothing is protected from now on."""
        for number in (self._uffd, self._pagemap):
            if number >= 0:
                os.close(number)
        self._uffd = self._pagemap = -1

    def watch(self, start: int, stop: int) -> None:
        """Register whole pages; what was registered already stays so."""
        arguments = struct.pack("QQQQ", start, stop - start, _REGISTER_WP, 0)
        self._call(self._uffd, _UFFD_REGISTER, arguments)

    def release(self, start: int, stop: int) -> None:
        """Undo `watch`."""
        arguments = struct.pack("QQ", start, stop - start)
        self._call(self._uffd, _UFFD_UNREGISTER, arguments)

    def protect(self, start: int, stop: int) -> None:
        """From now on a write to these pages can be seen."""
        arguments = struct.pack("QQQ", start, stop - start, _PROTECT)
        self._call(self._uffd, _UFFD_WRITEPROTECT, arguments)

    def written(self, start: int, stop: int) -> bool:
        """Whether a page was written since `protect`, or can't be vouched for."""
        found = (ctypes.c_uint64 * 3)()
        any_of = _WRITTEN | _FILE | _PRESENT
        arguments = struct.pack(
            "12Q", 96, _CHECK_WP_ASYNC, start, stop, 0, ctypes.addressof(found), 1, 1,
            _PRESENT, 0, any_of, any_of,  # the first turns round: *not* present
        )  # fmt: skip
        return self._call(self._pagemap, _PAGEMAP_SCAN, arguments) > 0

    @staticmethod
    def _call(number: int, request: int, arguments: bytes) -> int:
        import fcntl

        answer: int = fcntl.ioctl(number, request, bytearray(arguments))
        return answer


def working() -> Pages | None:
    """The pages of this process, if a real write is seen as it should be."""
    try:
        pages = Pages()
    except OSError:
        return None
    try:
        if _sees_a_write(pages):
            return pages
    except OSError:
        pass
    pages.close()
    return None


def _sees_a_write(pages: Pages) -> bool:
    with mmap.mmap(-1, 4 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = b"\1" * len(memory)
        view = ctypes.c_char.from_buffer(memory)
        start = ctypes.addressof(view)
        stop = start + len(memory)
        del view
        pages.watch(start, stop)
        pages.protect(start, stop)
        clean = not pages.written(start, stop)
        memory[2 * PAGE] = 2
        seen = pages.written(start, stop) and not pages.written(start, start + PAGE)
        pages.protect(start, stop)
        return clean and seen and not pages.written(start, stop)
