"""Blobs as sealed files: data/blobs/CLASS/xx/NAME, where NAME is a keyed digest of the content.

A file appears whole or not at all (`files_publish`): what a power cut leaves half-written has a name that no reader
asks for. Whoever finds that what he would write lies there already syncs its folder before he trusts in it: its writer
may have been killed before he did. Where a sync fails, `lost` is called before anybody is told anything: such a process
must end.

`blob_fence` says how a sweep keeps out of the way of those who write, `blob_share` how each label domain has its own
part of the disk, where the settings say so.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable
from io import BufferedReader
from pathlib import Path

from casemate.access import Threads
from casemate.clock import Clock, SystemClock
from casemate.crypto import digest
from casemate.engines.blob_fence import removed, touched
from casemate.engines.blob_files import lying, tidied, whole
from casemate.engines.blob_share import Share
from casemate.engines.files_frames import Opener, seal_through, sealed_size
from casemate.engines.files_publish import Folders, make_folder, poured, publish, sync_folder
from casemate.engines.sqlite_room import Room
from casemate.errors import Absent, BadInput, Damaged, ShareFull, StorageFull, Unavailable
from casemate.store import Lying, Sealer

__all__ = ["NOTHING", "FileBlobs", "checked", "named"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LOST = frozenset({errno.EIO})
_CLASS = re.compile(r"[a-z0-9_-]{1,64}")
_NAME = re.compile(r"[0-9a-f]{96}")
NOTHING = "0" * 96


def named(sealer: Sealer, class_id: str, data: bytes) -> str:
    """The name of these bytes in a class: a keyed digest, which tells nothing in another."""
    return sealer.blind(class_id, "blob", digest(data).hex()).hex()


def checked(class_id: str, name: str) -> tuple[str, str, str]:
    """The parts of a blob's place, so checked that no name can lead out of it. Raises BadInput."""
    if not _CLASS.fullmatch(class_id) or not _NAME.fullmatch(name):
        raise BadInput(what="blob name")
    return class_id, name[:2], name


class FileBlobs:
    """The Blobs port over a folder. Files and folders are the owner's alone.

    `share` gives the bytes that are set aside for a class, 0 for none; without, all of them fill one disk down to its
    low-water mark. `mirror` is a folder of copies from which what is damaged is repaired.
    """

    def __init__(
        self,
        folder: Path,
        sealer: Sealer,
        low_water: int = 64 << 20,
        free: Callable[[], int] | None = None,
        *,
        ballast: int = 0,
        share: Callable[[str], int] | None = None,
        mirror: Path | None = None,
        clock: Clock | None = None,
        lost: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._folders = Folders(folder)
        self._lost = lost
        self._sealer = sealer
        self._threads = Threads()
        self._share = share or _none
        self._shares: dict[str, Share] = {}
        self._mirror = mirror
        self._clock = clock or SystemClock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._room = Room(folder.parent, low_water, ballast, free, name=f"{folder.name}.ballast")
        self._room.low()

    async def write(self, class_id: str, data: bytes, domain: str = "", *, delivered: bool = False) -> str:
        return await self._threads.run(domain or class_id, self._write, class_id, data, delivered)

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
        await self._threads.run(class_id, self._remove, class_id, name, None)

    async def lying(self, class_id: str, after: str, limit: int) -> list[Lying]:
        checked(class_id, NOTHING)
        return await self._threads.run(class_id, lying, self._folder / class_id, after, limit)

    async def sweep(self, class_id: str, name: str, older: int) -> bool:
        return await self._threads.run(class_id, self._remove, class_id, name, self._clock.now() - older)

    async def whole(self, class_id: str, name: str) -> bool:
        return await self._threads.run(class_id, self._intact, class_id, name)

    async def mend(self, class_id: str, name: str) -> bool:
        return await self._threads.run(class_id, self._mend, class_id, name)

    async def mirrored(self, class_id: str, name: str) -> bool:
        return await self._threads.run(class_id, self._mirrored, class_id, name)

    async def tidy(self, class_id: str, older: int) -> None:
        checked(class_id, NOTHING)
        await self._threads.run(class_id, self._tidy, class_id, self._clock.now() - older)

    async def used(self, class_id: str) -> tuple[int, int]:
        checked(class_id, NOTHING)
        return await self._threads.run(class_id, self._used, class_id)

    def _path(self, class_id: str, name: str) -> Path:
        return self._folder.joinpath(*checked(class_id, name))

    def _write(self, class_id: str, data: bytes, delivered: bool) -> str:
        name = named(self._sealer, class_id, data)
        path = self._path(class_id, name)
        if touched(self._folder / class_id, path, self._clock.now()) and self._intact(class_id, name):
            self._kept(path)
            return name
        share = self._share_of(class_id)
        if share is None and self._room.low(len(data)):
            raise StorageFull
        try:
            self._folders.make(path.parent)
            try:
                self._publish(path, seal_through(self._sealer, class_id, name, data), sealed_size(len(data)), share)
            except ShareFull:
                if not delivered:
                    raise
                # it is counted when the share is next summed up, and only those above find it full
                self._publish(path, seal_through(self._sealer, class_id, name, data), sealed_size(len(data)), None)
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull from None
            raise self._failed(error) from error
        return name

    def _publish(self, path: Path, sealed: Iterable[bytes | memoryview], most: int, share: Share | None) -> None:
        """What is sealed under its name; `most`: the bytes that it is charged with until it lies there."""
        if share is None:
            publish(path, sealed, fence=path.parent.parent)
            return
        with share.charged(most) as draft:
            poured(draft.held, sealed)
            share.land(draft, most, path)

    def _kept(self, path: Path) -> None:
        """What lies there whole is there after a power cut too."""
        try:
            self._folders.make(path.parent)
            sync_folder(path.parent)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> Unavailable:
        """The disk did not do as it was told."""
        if error.errno in LOST and self._lost is not None:
            self._lost("blobs")
        return Unavailable(what="blobs")

    def _share_of(self, class_id: str) -> Share | None:
        most = self._share(class_id)
        if not most:
            return None
        if class_id not in self._shares:
            beside = self._folder.with_name(f"{self._folder.name}.shares")
            self._shares[class_id] = Share(beside, self._folder / class_id, most, sync_folder)
        return self._shares[class_id]

    def _used(self, class_id: str) -> tuple[int, int]:
        share = self._share_of(class_id)
        return (0, 0) if share is None else (share.used(), share.most)

    def _mend(self, class_id: str, name: str) -> bool:
        """The copy in the mirror, where it opens. On a full disk the ballast goes: nothing new is stored by this."""
        copy = self._mirror and self._mirror.joinpath(*checked(class_id, name))
        if copy is None or not whole(self._sealer, class_id, name, copy):
            return False
        sealed, path, share = copy.read_bytes(), self._path(class_id, name), self._share_of(class_id)
        self._folders.make(path.parent)
        for again in (False, True):
            try:
                self._publish(path, [sealed], len(sealed), share)
                break
            except OSError as error:
                if again or error.errno not in FULL or not self._room.drop():
                    raise StorageFull from None
        return True

    def _mirrored(self, class_id: str, name: str) -> bool:
        """Whether the mirror has gained a copy: of what lies here whole, where it has none that opens."""
        if self._mirror is None:
            return False
        copy = self._mirror.joinpath(*checked(class_id, name))
        if copy.exists() or not self._intact(class_id, name):
            return False
        try:
            self._mirror.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_folder(copy.parent, self._mirror)
            publish(copy, [self._path(class_id, name).read_bytes()])
        except OSError:
            raise Unavailable(what="blobs.mirror") from None
        return True

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

    def _tidy(self, class_id: str, before: int) -> None:
        """What a share is charged with it lets go of itself."""
        if self._used(class_id) == (0, 0):
            tidied(self._folder / class_id, before)
        if self._mirror is not None:
            tidied(self._mirror / class_id, before)

    def _remove(self, class_id: str, name: str, before: int | None) -> bool:
        path = self._path(class_id, name)
        share = self._share_of(class_id) if path.parent.exists() else None
        gone = removed(self._folder / class_id, path, before, share.gave if share is not None else _nothing)
        if gone:
            sync_folder(path.parent)
            if self._mirror is not None:
                self._mirror.joinpath(*checked(class_id, name)).unlink(missing_ok=True)
        return gone


def _none(class_id: str) -> int:
    del class_id
    return 0


def _nothing(size: int) -> None:
    del size
