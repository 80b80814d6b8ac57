"""Power loss for SQLite without a device for it: a layer below SQLite that knows what was synced and what was not.

It keeps, for each file, its image at the last sync and the writes since. At a chosen write the machine "loses power":
each unsynced write survives, is lost, or is torn at a 512-byte sector, as a seeded draw says. The wreck is then
written to another folder and opened there in the ordinary way. Files only: a lost directory entry is not played.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
Write = tuple[int, bytes | None]  # where and what; None cuts the file there


def played(image: bytearray, write: Write) -> None:
    offset, data = write
    if data is None:
        del image[offset:]
        return
    image.extend(bytes(max(0, offset - len(image))))
    image[offset : offset + len(data)] = data


class Disk:
    """What is on the platters and what is still in the cache, file by file."""

    def __init__(self, fail_at: int, chance: random.Random, acknowledged: Callable[[], list[str]]) -> None:
        self.synced: dict[str, bytearray] = {}
        self.cached: dict[str, list[Write]] = {}
        self.wreck: dict[str, bytes] | None = None
        self.promised: list[str] = []
        self._writes = 0
        self._fail_at = fail_at
        self._chance = chance
        self._acknowledged = acknowledged

    def write(self, name: str, offset: int, data: bytes | None) -> None:
        self._writes += 1
        self.cached.setdefault(name, []).append((offset, data))
        if self._writes == self._fail_at:
            self.fail()

    def sync(self, name: str) -> None:
        image = self.synced.setdefault(name, bytearray())
        for write in self.cached.pop(name, []):
            played(image, write)

    def remove(self, name: str) -> None:
        self.synced.pop(name, None)
        self.cached.pop(name, None)

    def fail(self) -> None:
        """The power goes: what was promised until now, and what of the files comes through."""
        if self.wreck is None:
            self.promised = list(self._acknowledged())
            self.wreck = {name: self._through(name) for name in sorted({*self.synced, *self.cached})}

    def _through(self, name: str) -> bytes:
        image = bytearray(self.synced.get(name, b""))
        for offset, data in self.cached.get(name, []):
            fate = self._chance.random()
            if fate < 0.4 or data is None:
                played(image, (offset, data))
            elif fate < 0.6:
                for start in range(0, len(data), SECTOR):
                    if self._chance.random() < 0.5:
                        played(image, (offset + start, data[start : start + SECTOR]))
        return bytes(image)


class LossyFile(apsw.VFSFile):
    """A file whose writes are also told to the disk."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.write(self._name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.write(self._name, size, None)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.sync(self._name)


class LossyVfs(apsw.VFS):
    """The layer itself, registered under a name for as long as the object lives."""

    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, "unix")  # below nothing else: what is lost bears no checksums

    def xOpen(self, name: Any, flags: list[int]) -> LossyFile:  # noqa: N802 - SQLite's name
        return LossyFile(self._disk, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802 - SQLite's name
        self._disk.remove(name)
        super().xDelete(name, sync_folder)


def salvage(disk: Disk, folder: Path) -> None:
    """Write the wreck's files to a folder."""
    assert disk.wreck is not None
    folder.mkdir()
    for name, image in disk.wreck.items():
        (folder / Path(name).name).write_bytes(image)
