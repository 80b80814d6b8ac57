"""Where objects arrive: blocks of those that are not whole yet, and a folder in which whole ones appear.

    arrived/ID              whole and verified; ID is 32 hexadecimal digits, and nothing on the wire chooses a name
    .spool/ID/manifest      of which object the blocks are
    .spool/ID/data          the blocks, each in its place
    .spool/ID/blocks        an entry of eight bytes for each block that lies there: its number, and that again inverted
    .spool/done/ID          published: sender, sequence, true length; written before the object appears
    .spool/sessions         the latest sessions

A process that was killed finds all blocks of which the entry was written. After a power cut an entry may stand without
its block: the digest over the whole says so, and the object is received anew. An object is renamed into `arrived` after
it and its `done` were synced; where the process is killed between the two, the next one ends what it began.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from casemate.engines.files_publish import publish, sync_folder
from casemate.errors import StorageFull, Unavailable
from casemate.transfer.diode import BLOCK, Manifest

__all__ = ["FolderSpool"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
RESERVE = 64 << 20
"""Bytes of the disk that no transfer takes."""
_ENTRY = struct.Struct(">II")
_MANY = 32
_RECENT = 16
"""Blocks that are kept in memory too: eight are sent in turns and seldom end in their order, and are read once more."""


class _Done(msgspec.Struct, frozen=True):
    sender: str
    sequence: int
    length: int


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from None
        raise Unavailable(what="diode spool") from None


class FolderSpool:
    """The Spool of the link in a folder. `reserve`: bytes that stay free."""

    def __init__(self, folder: Path, reserve: int = RESERVE) -> None:
        self._arrived = folder / "arrived"
        self._spool = folder / ".spool"
        self._known = self._spool / "done"
        self._reserve = reserve
        self._open: dict[bytes, tuple[int, int]] = {}
        self._recent: dict[tuple[bytes, int], bytes] = {}
        with _disk():
            for each in (self._arrived, self._spool, self._known):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
            for place in self._known.iterdir():
                if not place.name.startswith(".") and (self._spool / place.name).is_dir():
                    self._appear(place.name, msgspec.json.decode(place.read_bytes(), type=_Done).length)

    # ---- blocks --------------------------------------------------------------------------------------------------

    def begin(self, manifest: Manifest) -> bytearray:
        place = self._spool / manifest.id.hex()
        with _disk():
            told = place / "manifest"
            stands = told.read_bytes() if told.exists() else b""
            if stands != _told(manifest):
                self.forget(manifest)
                place.mkdir(mode=0o700)
                publish(told, [_told(manifest)])
            have = self._have(manifest)
            free = os.statvfs(self._spool)
            if have.count(0) * BLOCK + self._reserve > free.f_bavail * free.f_frsize:
                raise StorageFull
        return have

    def write(self, manifest: Manifest, index: int, data: bytes) -> None:
        with _disk():
            blocks, entries = self._files(manifest)
            left, at = memoryview(data), index * BLOCK
            while left:
                done = os.pwrite(blocks, left, at)
                left, at = left[done:], at + done
            os.write(entries, _ENTRY.pack(index, index ^ 0xFFFFFFFF))
        self._recent[manifest.id, index] = data
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def read(self, manifest: Manifest, index: int) -> bytes:
        recent = self._recent.pop((manifest.id, index), None)
        if recent is not None:
            return recent
        with _disk():
            return os.pread(self._files(manifest)[0], manifest.block_size(index), index * BLOCK)

    def forget(self, manifest: Manifest) -> None:
        self._recent = {key: data for key, data in self._recent.items() if key[0] != manifest.id}
        self._close(manifest.id)
        with _disk():
            place = self._spool / manifest.id.hex()
            if place.exists():
                shutil.rmtree(place)

    def publish(self, manifest: Manifest, sender: bytes, length: int) -> None:
        name = manifest.id.hex()
        with _disk():
            os.fsync(self._files(manifest)[0])
            self._close(manifest.id)
            record = _Done(sender.hex(), manifest.sequence, length)
            publish(self._known / name, [msgspec.json.encode(record)])
            self._appear(name, length)

    # ---- what is known -------------------------------------------------------------------------------------------

    def known(self) -> Iterable[tuple[bytes, bytes, int]]:
        found = []
        with _disk():
            for place in self._known.iterdir():
                if not place.name.startswith("."):
                    record = msgspec.json.decode(place.read_bytes(), type=_Done)
                    found.append((bytes.fromhex(place.name), bytes.fromhex(record.sender), record.sequence))
        return found

    def remember(self, sessions: Iterable[bytes]) -> None:
        with _disk():
            publish(self._spool / "sessions", [msgspec.json.encode([session.hex() for session in sessions])])

    def sessions(self) -> Iterable[bytes]:
        place = self._spool / "sessions"
        with _disk():
            text = place.read_bytes() if place.exists() else b"[]"
        return [bytes.fromhex(each) for each in msgspec.json.decode(text, type=list[str])]

    def close(self) -> None:
        for id in list(self._open):
            self._close(id)

    # ---- files ---------------------------------------------------------------------------------------------------

    def _appear(self, name: str, length: int) -> None:
        """What is whole and known comes to its place, whether now or after a restart."""
        place = self._spool / name
        data = place / "data"
        if data.exists():
            descriptor = os.open(data, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.ftruncate(descriptor, length)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            data.rename(self._arrived / name)
            sync_folder(self._arrived)
        shutil.rmtree(place)

    def _files(self, manifest: Manifest) -> tuple[int, int]:
        """The blocks and their entries, open; few at a time, since a process may open a thousand files or so."""
        found = self._open.pop(manifest.id, None)
        if found is None:
            while len(self._open) >= _MANY:
                self._close(next(iter(self._open)))
            place = self._spool / manifest.id.hex()
            flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            blocks = os.open(place / "data", os.O_RDWR | flags, 0o600)
            try:
                found = blocks, os.open(place / "blocks", os.O_WRONLY | os.O_APPEND | flags, 0o600)
            except OSError:
                os.close(blocks)
                raise
        self._open[manifest.id] = found
        return found

    def _close(self, id: bytes) -> None:
        for descriptor in self._open.pop(id, ()):
            os.close(descriptor)

    def _have(self, manifest: Manifest) -> bytearray:
        have = bytearray(manifest.blocks)
        entries = self._spool / manifest.id.hex() / "blocks"
        data = entries.read_bytes() if entries.exists() else b""
        whole = len(data) - len(data) % _ENTRY.size
        for index, inverted in _ENTRY.iter_unpack(data[:whole]):
            if index ^ inverted == 0xFFFFFFFF and index < len(have):
                have[index] = 1
        if whole != len(data):  # a process was killed within an entry: what follows must not begin there
            os.truncate(entries, whole)
        return have


def _told(manifest: Manifest) -> bytes:
    """What makes blocks those of this object, in whichever session they come."""
    return b"".join((manifest.id, manifest.size.to_bytes(8, "big"), manifest.sha512))
