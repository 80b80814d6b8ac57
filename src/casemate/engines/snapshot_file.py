"""The snapshot on the disk: one name, always whole, and the one before it beside.

    data/snapshot              the newest; it appears by being renamed
    data/snapshot.previous     the one before, for a start after a power cut or a damaged sector

Whoever dies while writing leaves the old one and a draft that the next writer removes. A reader takes what the name
gives at that moment and waits for nobody. Whether the bytes are a snapshot is not judged here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from casemate.errors import StorageFull, Unavailable
from casemate.store.snapshot import BOUND

__all__ = ["SnapshotFile"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class SnapshotFile:
    """One writer (control), any number of readers. `durable=False` is for laws alone."""

    def __init__(self, path: Path, durable: bool = True) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.draft")
        self._before = path.with_name(f"{path.name}.previous")
        self._durable = durable
        self._seen: tuple[int, int, int] | None = None

    def write(self, raw: bytes) -> None:
        """Make this the newest. Raises StorageFull or Unavailable, and then the old one stands."""
        try:
            self._draft.unlink(missing_ok=True)
            descriptor = os.open(self._draft, _NEW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
                file.flush()
                if self._durable:
                    os.fdatasync(descriptor)
            self._keep_last()
            self._draft.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._draft.unlink(missing_ok=True)
            if error.errno in _FULL:
                raise StorageFull from None
            raise Unavailable(what="snapshot") from error

    def newer(self) -> bytes | None:
        """The newest, where it is another file than at the last call; None where it is the same, or there is none."""
        try:
            found = self._path.lstat()
        except OSError:
            return None
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen == self._seen:
            return None
        raw = _read(self._path)
        self._seen = seen if raw is not None else None
        return raw

    def newest(self) -> bytes:
        """The newest, seen before or not; b"" where there is none."""
        return _read(self._path) or b""

    def previous(self) -> bytes | None:
        """The one before the newest."""
        return _read(self._before)

    def _keep_last(self) -> None:
        """The newest so far gets a second name, so that there is no moment without one under the first."""
        if not self._path.exists():
            return
        spare = self._path.with_name(f".{self._path.name}.spare")
        spare.unlink(missing_ok=True)
        os.link(self._path, spare, follow_symlinks=False)
        spare.replace(self._before)
        spare.unlink(missing_ok=True)  # where both are one file already, renaming leaves both names


def _read(path: Path) -> bytes | None:
    """At most a byte more than a snapshot may have, from a plain file; None where that cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(BOUND + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
