"""Blobs as sealed files: data/blobs/CLASS/xx/NAME, where NAME is a keyed digest of the content.

A file appears whole or not at all: it is written under another name, synced, renamed, and its folder is synced. What
a power cut leaves half-written has a name that no reader asks for.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from io import BufferedReader
from pathlib import Path

from casemate.access import Threads
from casemate.crypto import digest
from casemate.engines.files_frames import Opener, seal
from casemate.engines.sqlite_room import free_bytes
from casemate.errors import Absent, BadInput, Damaged, StorageFull, Unavailable
from casemate.store import Sealer

__all__ = ["FileBlobs", "checked", "make_folder", "named", "publish"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLASS = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[0-9a-f]{96}")


def named(sealer: Sealer, class_id: str, data: bytes) -> str:
    """The name of these bytes in a class: a keyed digest, which tells nothing in another."""
    return sealer.blind(class_id, "blob", digest(data).hex()).hex()


def checked(class_id: str, name: str) -> tuple[str, str, str]:
    """The parts of a blob's place, so checked that no name can lead out of it. Raises BadInput."""
    if not _CLASS.fullmatch(class_id) or not _NAME.fullmatch(name):
        raise BadInput(what="blob name")
    return class_id, name[:2], name


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

    async def frames(self, class_id: str, name: str, domain: str = "") -> AsyncIterator[bytes]:
        place = domain or class_id
        file = await self._threads.run(place, self._opened, class_id, name)
        try:
            pieces = Opener(self._sealer, class_id, name, file).pieces()
            while (piece := await self._threads.run(place, next, pieces, None)) is not None:
                yield piece
        finally:
            file.close()

    async def read_into(
        self, class_id: str, name: str, take: Callable[[int], memoryview], domain: str = ""
    ) -> memoryview:
        return await self._threads.run(domain or class_id, self._read_into, class_id, name, take)

    async def exists(self, class_id: str, name: str) -> bool:
        return self._path(class_id, name).exists()

    async def delete(self, class_id: str, name: str) -> None:
        await self._threads.run(class_id, self._delete, class_id, name)

    def _path(self, class_id: str, name: str) -> Path:
        return self._folder.joinpath(*checked(class_id, name))

    def _write(self, class_id: str, data: bytes) -> str:
        name = named(self._sealer, class_id, data)
        path = self._path(class_id, name)
        if self._intact(class_id, name):
            return name
        if self._free() < self._low_water + len(data):
            raise StorageFull
        try:
            make_folder(path.parent, self._folder)
            publish(path, seal(self._sealer, class_id, name, data))
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull from None
            raise Unavailable(what="blobs") from error
        return name

    def _intact(self, class_id: str, name: str) -> bool:
        """Whether it lies there already and still opens; a damaged one is written anew."""
        try:
            with self._opened(class_id, name) as file:
                for _ in Opener(self._sealer, class_id, name, file).pieces():
                    pass
        except (Absent, Damaged):
            return False
        return True

    def _read(self, class_id: str, name: str) -> bytes:
        with self._opened(class_id, name) as file:
            return b"".join(Opener(self._sealer, class_id, name, file).pieces())

    def _read_into(self, class_id: str, name: str, take: Callable[[int], memoryview]) -> memoryview:
        with self._opened(class_id, name) as file:
            lies = os.fstat(file.fileno()).st_size
            return Opener(self._sealer, class_id, name, file).whole(take, lies)

    def _opened(self, class_id: str, name: str) -> BufferedReader:
        try:
            return self._path(class_id, name).open("rb")
        except FileNotFoundError:
            raise Absent(kind="blob", id=name) from None
        except OSError as error:
            raise Damaged(what="blob") from error

    def _delete(self, class_id: str, name: str) -> None:
        path = self._path(class_id, name)
        path.unlink(missing_ok=True)
        if path.parent.exists():
            _sync(path.parent)


def make_folder(folder: Path, top: Path) -> None:
    """Create the folder and those above it, each made durable in the one that holds it."""
    if folder.exists() or folder == top:
        return
    make_folder(folder.parent, top)
    folder.mkdir(exist_ok=True, mode=0o700)
    _sync(folder.parent)


def publish(path: Path, pieces: Iterable[bytes], durable: bool = True) -> None:
    """A file of these bytes under its name, whole or not at all; where `durable`, on the disk before it returns."""
    draft = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            if durable:
                os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if durable:
        _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
