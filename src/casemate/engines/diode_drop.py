"""A drop directory: a folder that somebody else's diode (lidi, a vendor's) empties at one end and fills at the other.

What we lay there appears whole or not at all, since the other program may look at any moment; what we find there may
still be growing, and is left until it is as long as its head says.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from casemate.engines.files_publish import publish
from casemate.errors import BadInput, Misconfigured, StorageFull, Unavailable

__all__ = ["DropFolder"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PIECE = 1 << 20


class DropFolder:
    """The Drop of the link over a folder that is there already."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise Misconfigured(setting="drop", why=f"{folder} is no folder")
        self._folder = folder

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        try:
            publish(self._folder / name, pieces)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull from None
            raise Unavailable(what="drop directory") from None

    def names(self) -> list[str]:
        try:
            with os.scandir(self._folder) as found:
                return sorted(
                    each.name for each in found if each.is_file(follow_symlinks=False) and not each.name.startswith(".")
                )
        except OSError:
            raise Unavailable(what="drop directory") from None

    def size(self, name: str) -> int:
        try:
            return self._path(name).lstat().st_size
        except OSError:
            return 0

    def pieces(self, name: str, at: int = 0) -> Iterator[bytes]:
        """Its bytes from that place on, a MiB at a time."""
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            raise Unavailable(what="drop directory") from None
        try:
            while piece := os.pread(descriptor, _PIECE, at):
                yield piece
                at += len(piece)
        except OSError:
            raise Unavailable(what="drop directory") from None
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise BadInput(what="name in a drop directory")
        return self._folder / name
