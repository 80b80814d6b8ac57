"""Room on the disk: a mark below which nothing new is stored, and ballast to throw out when it is full all the same.

A full disk stops SQLite from deleting too. So a file of ballast lies beside the store; where a write meets a full
disk the ballast goes, which leaves enough to delete, to record and to shut down in order. It comes back once there
is room again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["Room", "free_bytes"]


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there."""
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize


class Room:
    """Says whether there is room, and keeps the ballast. `free` is asked for the bytes left."""

    def __init__(
        self,
        folder: Path,
        low_water: int,
        ballast: int,
        free: Callable[[], int] | None = None,
        name: str = "ballast",
    ) -> None:
        self.low_water = low_water
        self._size = ballast
        self._path = folder / name
        self._free = free or (lambda: free_bytes(folder))

    def low(self, more: int = 0) -> bool:
        """Whether new objects, of so many bytes, must be refused; restores the ballast where there is room for it."""
        left = self._free()
        if left < self.low_water + more:
            return True
        if self._size and not self._path.exists() and left >= self.low_water + self._size:
            self._lay()
        return False

    def drop(self) -> bool:
        """Throw the ballast out. Whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def _lay(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, max(self._size, 1))
        except OSError:  # no room after all, or a file system that cannot reserve: do without
            self._path.unlink()
        finally:
            os.close(descriptor)
