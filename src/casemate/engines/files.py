"""Blobs as sealed files: data/blobs/CLASS/xx/NAME, where NAME is a keyed digest of the content.

A file appears whole or not at all: it is written under another name, synced, renamed, and its folder is synced. What
a power cut leaves half-written has a name that no reader asks for.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from casemate.access import Threads
from casemate.crypto import digest
from casemate.engines.sqlite_room import free_bytes
from casemate.errors import Absent, BadInput, Damaged, StorageFull, Unavailable
from casemate.store import Sealer

__all__ = ["FileBlobs"]

_CLASS = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[0-9a-f]{96}")
_PURPOSE = "blob"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class FileBlobs:
    """The Blobs port over a folder. Files and folders are the owner's alone."""

    def __init__(
        self, folder: Path, sealer: Sealer, low_water: int = 64 << 20, free: Callable[[], int] | None = None
    ) -> None:
        self._folder = folder
        self._sealer = sealer
        self._low_water = low_water
        self._threads = Threads()
        self._free = free or (lambda: free_bytes(folder))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def write(self, class_id: str, data: bytes, domain: str = "") -> str:
        return await self._threads.run(domain or class_id, self._write, class_id, data)

    async def read(self, class_id: str, name: str, domain: str = "") -> bytes:
        return await self._threads.run(domain or class_id, self._read, class_id, name)

    async def exists(self, class_id: str, name: str) -> bool:
        return self._path(class_id, name).exists()

    async def delete(self, class_id: str, name: str) -> None:
        await self._threads.run(class_id, self._delete, class_id, name)

    def _path(self, class_id: str, name: str) -> Path:
        """Where a blob lies. Both parts are checked, so that no name can lead out of the folder."""
        if not _CLASS.fullmatch(class_id) or not _NAME.fullmatch(name):
            raise BadInput(what="blob name")
        return self._folder / class_id / name[:2] / name

    def _write(self, class_id: str, data: bytes) -> str:
        name = self._sealer.blind(class_id, _PURPOSE, digest(data).hex()).hex()
        path = self._path(class_id, name)
        if self._intact(class_id, name):
            return name
        if self._free() < self._low_water + len(data):
            raise StorageFull
        sealed = self._sealer.seal(class_id, _PURPOSE, data, name.encode())
        try:
            _make_folder(path.parent, self._folder)
            _publish(path, sealed)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull from None
            raise Unavailable(what="blobs") from error
        return name

    def _intact(self, class_id: str, name: str) -> bool:
        """Whether it lies there already and still opens; a damaged one is written anew."""
        try:
            self._read(class_id, name)
        except (Absent, Damaged):
            return False
        return True

    def _read(self, class_id: str, name: str) -> bytes:
        try:
            sealed = self._path(class_id, name).read_bytes()
        except FileNotFoundError:
            raise Absent(kind="blob", id=name) from None
        except OSError as error:
            raise Damaged(what="blob") from error
        return self._sealer.open(class_id, _PURPOSE, sealed, name.encode())

    def _delete(self, class_id: str, name: str) -> None:
        path = self._path(class_id, name)
        path.unlink(missing_ok=True)
        if path.parent.exists():
            _sync(path.parent)


def _make_folder(folder: Path, top: Path) -> None:
    """Create the folder and those above it, each made durable in the one that holds it."""
    if folder.exists() or folder == top:
        return
    _make_folder(folder.parent, top)
    folder.mkdir(exist_ok=True, mode=0o700)
    _sync(folder.parent)


def _publish(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
