"""One segment of the journal as its only writer holds it: created, appended to and synced, released.

The lock on the file says that more may come. It goes with the process that holds it; so whoever can take it and finds
a whole head reads a segment that is finished. What must never happen: an append to a segment that was released.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from casemate.engines.segment_format import HEAD, enclose, head
from casemate.errors import StorageFull

__all__ = ["NotSynced", "SegmentFile", "finished", "sync_folder"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


class NotSynced(OSError):
    """What was written may be on the disk or not, whatever a later sync says."""


class SegmentFile:
    """The segment that a worker writes now. Raises OSError where the disk does, StorageFull where it is full."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = os.urandom(16)
        self.size = HEAD
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            _write(self._descriptor, head(self.id), 0)
            os.fsync(self._descriptor)
            sync_folder(path.parent)
        except OSError as error:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise _told(error) from error

    def append(self, records: list[bytes]) -> None:
        """One group, on the disk when this returns. After StorageFull the segment is as it was before.

        After OSError nobody knows what is on the disk, and nothing more may be appended here.
        """
        group = enclose(self.id, self.size, records)
        try:
            _write(self._descriptor, group, self.size)
        except OSError as error:
            if error.errno in _FULL:
                os.ftruncate(self._descriptor, self.size)
            raise _told(error) from error
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise NotSynced(error.errno, "not synced") from error
        self.size += len(group)

    def release(self) -> None:
        """No more will come: whoever folds may remove it once he is through."""
        os.close(self._descriptor)


def _told(error: OSError) -> OSError | StorageFull:
    return StorageFull() if error.errno in _FULL else error


def _write(descriptor: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def finished(descriptor: int) -> bool:
    """Whether nobody holds the segment any more. Asked before it is read to its end, never after."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def sync_folder(folder: Path) -> None:
    """A file's name, or its absence, survives a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
