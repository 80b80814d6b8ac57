"""What is in a bundle, read as it comes: small files are kept, blobs are handed on piece by piece and digested.

    feed(content) -> pieces of blobs, to be digested (and written, where somebody wants them)
    finish()      -> Inside

Who digests, and in which thread, is the caller's: each piece comes with the running digest that it belongs to, and is
a view into what was fed. Memory is bounded by what the bounds allow of small files; blobs are never held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from casemate.errors import Damaged
from casemate.transfer.bundle.frames import padded
from casemate.transfer.bundle.layout import (
    EMPTY_DIGEST,
    LAYOUT,
    MOST_INDEX,
    MOST_MANIFEST,
    Manifest,
    Pointed,
    read_index,
    read_manifest,
)
from casemate.transfer.bundle.members import BLOCK, Headers, Member, filling, header_of, wanted
from casemate.transfer.bundle.release import MOST_RELEASE, Envelope, read_envelope
from casemate.transfer.bundle.roles import MOST_METADATA, MOST_ROOTS

__all__ = ["Blob", "Inside", "Piece", "Reading"]

MOST_MANIFESTS = 16 << 20
_BOUNDS = {"oci-layout": 4096, "index.json": MOST_INDEX, "release.dsse.json": MOST_RELEASE}


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that was there: its size, and whether its bytes are those that its name promises."""

    size: int
    true: bool


@dataclass(frozen=True, slots=True)
class Inside:
    """What was sealed. `index`, `envelope` and `manifests` are read but not judged; `metadata` by name, in bytes."""

    index: tuple[Pointed, ...]
    envelope: Envelope
    index_raw: bytes = field(repr=False)
    sealed: bytes = field(repr=False)  # the envelope's own bytes
    metadata: Mapping[str, bytes] = field(repr=False)
    manifests: Mapping[str, Manifest] = field(repr=False)
    blobs: Mapping[str, Blob] = field(repr=False)
    inner: bytes = b""  # SHA-512 over all members before the first blob


class Piece(NamedTuple):
    """A piece of a blob: its digest as named, where its bytes are, and the digest to be updated with them."""

    digest: str
    data: memoryview
    running: Any


class Reading:
    """One pass over a bundle's content. Raises Damaged from `feed` and `finish`; after that it is of no more use."""

    def __init__(self) -> None:
        self._headers = Headers()
        self._held = bytearray()  # a header, or a small file
        self._member: Member | None = None
        self._left = 0  # bytes of the member's content that are still to come
        self._fill = 0  # zeros behind it
        self._ended = False
        self._fed, self._tar = 0, 0  # bytes of content that came, and how many of them were the tar file
        self._small: dict[str, bytes] = {}
        self._index: tuple[Pointed, ...] = ()
        self._kept: dict[str, int] = {}  # manifests: their digests and sizes
        self._running: dict[str, tuple[int, Any]] = {}
        self._inner = hashlib.sha512()

    def feed(self, content: memoryview) -> list[Piece]:
        """The next bytes. The pieces are views of them: digest them before the buffer is used again."""
        pieces: list[Piece] = []
        at, end = 0, len(content)
        before = self._fed
        self._fed += end
        while at < end:
            if self._ended:
                _zeros(content[at:])
                return pieces
            if self._left:
                take = content[at : at + min(self._left, end - at)]
                at += len(take)
                self._left -= len(take)
                self._content(take, pieces)
            elif self._fill:
                take = content[at : at + min(self._fill, end - at)]
                at += len(take)
                self._fill -= len(take)
                _zeros(take)
            else:
                at += self._header(content[at:])
                self._tar = before + at
        return pieces

    def finish(self) -> Inside:
        """What was read, once all of it came and every piece was digested."""
        if not self._ended or self._fed != padded(self._tar):
            raise Damaged(what="bundle tar")
        metadata = {path.partition("/")[2]: raw for path, raw in self._small.items() if path.startswith("metadata/")}
        if sum(name.endswith(".root.json") for name in metadata) > MOST_ROOTS:
            raise Damaged(what="bundle metadata")
        manifests = {digest: read_manifest(raw) for digest, raw in self._small.items() if digest in self._kept}
        blobs = {
            digest: Blob(size, f"sha512:{running.hexdigest()}" == digest)
            for digest, (size, running) in self._running.items()
        }
        sealed = self._small["release.dsse.json"]
        inner, index = self._inner.digest(), self._small["index.json"]
        return Inside(self._index, read_envelope(sealed), index, sealed, metadata, manifests, blobs, inner)

    def _header(self, content: memoryview) -> int:
        """Takes of the content what is missing of a header; how much that is."""
        need = BLOCK if len(self._held) < BLOCK else wanted(bytes(self._held[:BLOCK]))
        take = content[: need - len(self._held)]
        self._held += take
        if len(self._held) == need and need == BLOCK:
            need = wanted(bytes(self._held))
        if len(self._held) == need:
            self._begin(self._headers.read(bytes(self._held)))
        return len(take)

    def _begin(self, member: Member | None) -> None:
        self._held.clear()
        if member is None:
            self._ended = True
            return
        self._member, self._left, self._fill = member, member.size, filling(member.size)
        digest = _digest(member.path)
        most = _BOUNDS.get(member.path, MOST_METADATA)
        if digest:
            self._running[digest] = (member.size, hashlib.sha512())
            most = member.size
            if self._kept.get(digest, most) != most:
                del self._kept[digest]  # not the manifest that the index means: it is not read as one
        if member.size > most:
            raise Damaged(what="bundle member")
        if not member.size:
            self._end(member)

    def _content(self, take: memoryview, pieces: list[Piece]) -> None:
        member = self._member
        assert member is not None
        digest = _digest(member.path)
        if digest:
            pieces.append(Piece(digest, take, self._running[digest][1]))
        if not digest or digest in self._kept:
            self._held += take
        if not self._left:
            self._end(member)

    def _end(self, member: Member) -> None:
        """A member is whole: what is small is kept, and the index says which blobs are manifests."""
        digest, raw = _digest(member.path), bytes(self._held)
        self._held.clear()
        if not digest:
            self._small[member.path] = raw
            self._inner.update(header_of(member) + raw + bytes(filling(member.size)))
        elif digest in self._kept:
            self._small[digest] = raw
        if member.path == "oci-layout" and raw != LAYOUT:
            raise Damaged(what="bundle layout")
        if member.path == "index.json":
            self._index = read_index(raw)
            self._kept = {each.digest: min(each.size, MOST_MANIFEST) for each in self._index}
            if sum(self._kept.values()) > MOST_MANIFESTS or EMPTY_DIGEST in self._kept:
                raise Damaged(what="bundle index")


def _zeros(content: memoryview) -> None:
    if bytes(content) != bytes(len(content)):
        raise Damaged(what="bundle padding")


def _digest(path: str) -> str:
    """The digest that a blob's path promises; "" for what is no blob."""
    return f"sha512:{path.rpartition('/')[2]}" if path.startswith("blobs/") else ""
