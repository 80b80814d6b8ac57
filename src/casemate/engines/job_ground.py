"""Where attempts' folders stand: spread over the file system before they are made, taken down after.

Nothing here follows a link or trusts a mode: what lies in a folder that is taken down was made by a job.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from casemate.engines.job_folder import DEEP

__all__ = ["removed", "spread"]

_GETFLAGS, _SETFLAGS, _TOPDIR = 0x80086601, 0x40086602, 0x00020000  # linux/fs.h: FS_IOC_*FLAGS, FS_TOPDIR_FL
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def spread(folder: int) -> None:
    """The folders that will be made in this one lie far from each other, where the file system can do so (ext4).

    Else all of them come into one group of inodes, and whoever makes a file there looks first, one by one, at those
    that were removed in the last minutes: after some thousand attempts that costs more than everything else of one.
    """
    with suppress(OSError):  # another file system has no such groups
        flags = bytearray(8)
        fcntl.ioctl(folder, _GETFLAGS, flags)
        told = int.from_bytes(flags[:4], sys.byteorder) | _TOPDIR
        fcntl.ioctl(folder, _SETFLAGS, told.to_bytes(8, sys.byteorder))


def removed(at: int, name: str) -> None:
    """A folder and all beneath it, however deep, and whatever modes a job gave to its folders.

    What is too deep to be walked at once is moved up and comes next: neither descriptors nor paths grow with it.
    """
    top = _entered(at, name)
    try:
        while True:
            _emptied(top, top, DEEP)
            if not os.listdir(top):  # noqa: PTH208 - by its descriptor
                break
    finally:
        os.close(top)
    os.rmdir(os.fsencode(name), dir_fd=at)


def _emptied(folder: int, top: int, deep: int) -> None:
    with os.scandir(folder) as entries:
        found = [(os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries]
    for one, folded in found:
        if not folded:
            os.unlink(one, dir_fd=folder)
        elif _gone(folder, one):
            continue
        elif not deep:
            os.close(_entered(folder, one))  # a folder that nobody may write to cannot be moved
            os.rename(one, b".deep." + secrets.token_hex(8).encode(), src_dir_fd=folder, dst_dir_fd=top)
        else:
            inner = _entered(folder, one)
            try:
                _emptied(inner, top, deep - 1)
            finally:
                os.close(inner)
            os.rmdir(one, dir_fd=folder)


def _gone(at: int, name: bytes) -> bool:
    """Whether it was empty, as most are, and is gone: nothing has to be opened for that."""
    try:
        os.rmdir(name, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _entered(at: int, name: str | bytes) -> int:
    """Opened after it was made ours to open; by its descriptor, so that no link is changed in its place."""
    held = os.open(os.fsencode(name), os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        if os.fstat(held).st_mode & 0o700 != 0o700:
            Path(f"/proc/self/fd/{held}").chmod(0o700)
        return os.open(".", _FOLDER, dir_fd=held)
    finally:
        os.close(held)
