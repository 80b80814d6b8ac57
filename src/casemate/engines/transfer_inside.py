"""The objects inside a bundle that was read and accepted: each file opened where it lies, frame by frame.

Where a blob lies follows from what stands before it, since a bundle has one spelling. Every file is compared with its
digest again as it is read: what was judged is what is adopted, whoever writes to the disk in between.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

from casemate.crypto import Keeper
from casemate.errors import Damaged, TooLarge
from casemate.transfer.bundle import AREA, FRAME, SEALED, Frames, Inside, Outside, unwrapped
from casemate.transfer.bundle.layout import LAYOUT, File, index_of
from casemate.transfer.bundle.members import Member, filling, header_of, placed
from casemate.transfer.region import Arrived, Content
from casemate.transfer.verify import Facts

__all__ = ["SMALL", "Lying", "Whole"]

SMALL = 64 << 20
"""Bytes of a file that is read at once."""


class Whole:
    """A bundle as it was read once."""

    def __init__(self, path: Path, facts: Facts, outside: Outside | None, keepers: Sequence[Keeper]) -> None:
        self.facts = facts
        self._path = path
        self._outside = outside
        self._keepers = keepers

    @property
    def bundle(self) -> str:
        return self._outside.face.id.hex() if self._outside is not None else ""

    @property
    def sequence(self) -> int:
        return self._outside.face.sequence if self._outside is not None else 0

    @property
    def recipients(self) -> Sequence[str]:
        return [hint.hex() for hint, _ in self._outside.face.recipients] if self._outside is not None else []

    @property
    def signers(self) -> Sequence[str]:
        return [each.key for each in self._outside.signatures] if self._outside is not None else []

    def objects(self) -> Sequence[tuple[str, Arrived]]:
        """Type and files of each object, in the order of the index. Raises Damaged."""
        inside, outside = self.facts.inside, self._outside
        if inside is None or outside is None:
            raise Damaged(what="bundle")
        face = outside.face
        found = [(each, face.wrapped_for(each.recipient)) for each in self._keepers]
        keys = [unwrapped(keeper, wrapped, face.id) for keeper, wrapped in found if wrapped is not None]
        if not keys:
            raise Damaged(what="bundle key")
        blobs = Blobs(self._path, Frames(keys[0], face.id, face.size), _places(inside))
        return [
            (manifest.kind, _Object(each.name, each.digest, manifest.files, blobs))
            for each, manifest in ((one, inside.manifests[one.digest]) for one in inside.index)
        ]


class Blobs:
    """Reads blobs by their digests."""

    def __init__(self, path: Path, frames: Frames, places: Mapping[str, tuple[int, int]]) -> None:
        self._path = path
        self._frames = frames
        self._places = places

    def pieces(self, digest: str) -> Iterator[bytes]:
        """A blob, its digest compared before the last piece is given. Raises Damaged."""
        at, size = self._places[digest]
        running, left = hashlib.sha512(), size
        plain, sealed = memoryview(bytearray(FRAME)), memoryview(bytearray(SEALED))
        with self._path.open("rb", buffering=0) as file:
            while left:
                number, skip = divmod(at, FRAME)
                width = self._frames.width(number)
                some = sealed[: width + SEALED - FRAME]
                if os.preadv(file.fileno(), [some], AREA + number * SEALED) != len(some):
                    raise Damaged(what="bundle")
                self._frames.open_into(number, some, plain[:width])
                piece = bytes(plain[skip : min(width, skip + left)])
                running.update(piece)
                at, left = at + len(piece), left - len(piece)
                if not left and f"sha512:{running.hexdigest()}" != digest:
                    raise Damaged(what="bundle")
                yield piece


class _Object:
    """One object."""

    def __init__(self, name: str, digest: str, files: Sequence[File], blobs: Blobs) -> None:
        self.name = name
        self.digest = digest
        self.files = {file.path: file.size for file in files}
        self.formats: Mapping[str, str] = {}
        self._digests = {file.path: file.digest for file in files}
        self._blobs = blobs

    async def read(self, path: str) -> bytes:
        """All of a file. Raises TooLarge, Damaged."""
        if self.files[path] > SMALL:
            raise TooLarge(what=path[:200], limit=SMALL)
        return await asyncio.to_thread(lambda: b"".join(self._blobs.pieces(self._digests[path])))

    async def head(self, path: str, most: int) -> bytes:
        """Its first bytes, each frame proven as it is opened. Raises Damaged."""
        return await asyncio.to_thread(self._head, path, most)

    async def pieces(self, path: str) -> AsyncIterator[bytes]:
        """A file of any size, piece by piece. Raises Damaged before the last one."""
        pieces = self._blobs.pieces(self._digests[path])
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    async def copy(self, path: str, into: Path) -> None:
        """A file of any size, onto the disk, where nothing may be yet. Raises Damaged."""
        await asyncio.to_thread(self._copied, path, into)

    def _head(self, path: str, most: int) -> bytes:
        found = b""
        for piece in self._blobs.pieces(self._digests[path]):
            found += piece[: most - len(found)]
            if len(found) >= min(most, self.files[path]):
                break
        return found

    def _copied(self, path: str, into: Path) -> None:
        into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            for piece in self._blobs.pieces(self._digests[path]):
                view = memoryview(piece)
                while view:
                    view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Lying:
    """An object that is to go: what of it is in memory, and what lies in files."""

    def __init__(self, name: str, contents: Sequence[Content]) -> None:
        self.name = name
        self._contents = {each.path: each for each in contents}
        self.files = {each.path: len(each.data) if each.file is None else each.file.stat().st_size for each in contents}

    async def read(self, path: str) -> bytes:
        """All of a file. Raises TooLarge, OSError."""
        if self.files[path] > SMALL:
            raise TooLarge(what=path[:200], limit=SMALL)
        return await self.head(path, self.files[path])

    async def head(self, path: str, most: int) -> bytes:
        content = self._contents[path]
        if content.file is None:
            return content.data[:most]
        return await asyncio.to_thread(_first, content.file, most)


def _first(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _places(inside: Inside) -> dict[str, tuple[int, int]]:
    """Where each blob's bytes begin in the content, and how many they are."""
    sizes = {
        "oci-layout": len(LAYOUT),
        "index.json": len(index_of(inside.index)),
        "release.dsse.json": len(inside.sealed),
    }
    sizes |= {f"metadata/{name}": len(raw) for name, raw in inside.metadata.items()}
    sizes |= {f"blobs/sha512/{digest.partition(':')[2]}": blob.size for digest, blob in inside.blobs.items()}
    found: dict[str, tuple[int, int]] = {}
    at = 0
    for path in sorted(sizes, key=placed):
        at += len(header_of(Member(path, sizes[path])))
        if path.startswith("blobs/"):
            found[f"sha512:{path.rpartition('/')[2]}"] = (at, sizes[path])
        at += sizes[path] + filling(sizes[path])
    return found
