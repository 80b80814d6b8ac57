"""Frames: how a blob of any size is sealed in pieces, so that no reader need hold it twice (docs/bytes/blobs.md).

Each piece is sealed by itself and bound to the blob's name, its own place and whether it is the last one, and so to
the whole: what was cut off, reordered, doubled or taken from another blob does not open. This is the STREAM
construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) with the place in the associated data; the sealer draws
each nonce. Nothing here touches a disk: `seal` gives sealed pieces, `Opener` takes them from any stream of bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Protocol

from casemate.errors import Damaged
from casemate.store import Sealer

__all__ = ["FRAME", "Opener", "Stream", "seal", "seal_through", "sealed_size"]

FRAME = 1 << 20
SLACK = 1024  # what a sealer may add to a frame: nonce, tag, the numbers of its keys
_MAGIC = b"CMBLOB\x00\x01"
_HEAD = struct.Struct("<8sQ")
_LENGTH = struct.Struct("<I")
_PLACE = struct.Struct("<QB")
_PURPOSE = "blob"


class Stream(Protocol):
    """Sealed bytes, one after the other."""

    def readinto(self, into: memoryview, /) -> int | None:
        """Fill the whole of `into`, less only where the stream ends; how many bytes that were."""
        ...


def seal(sealer: Sealer, class_id: str, name: str, data: bytes) -> Iterator[bytes]:
    """The head and the sealed frames of a blob, in order."""
    head = _HEAD.pack(_MAGIC, len(data))
    yield head
    view, many = memoryview(data), _many(len(data))
    for at in range(many):
        piece = view[at * FRAME : (at + 1) * FRAME]
        sealed = sealer.seal(class_id, _PURPOSE, piece, _aad(head, name, at, many))
        yield _LENGTH.pack(len(sealed))
        yield sealed


def seal_through(sealer: Sealer, class_id: str, name: str, data: bytes) -> Iterator[memoryview]:
    """As `seal`, through one buffer: each piece is good until the next is asked for.

    Memory that is fresh for each frame costs more than to seal it.
    """
    head, view, many = _HEAD.pack(_MAGIC, len(data)), memoryview(data), _many(len(data))
    yield memoryview(head)
    buffer = memoryview(bytearray(_LENGTH.size + min(FRAME, len(data)) + SLACK))
    for at in range(many):
        piece = view[at * FRAME : (at + 1) * FRAME]
        size = sealer.seal_into(class_id, _PURPOSE, piece, _aad(head, name, at, many), buffer[_LENGTH.size :])
        _LENGTH.pack_into(buffer, 0, size)
        yield buffer[: _LENGTH.size + size]


def sealed_size(size: int) -> int:
    """The most that a blob of this size takes where it lies."""
    return _HEAD.size + size + _many(size) * (_LENGTH.size + SLACK)


class Opener:
    """Reads one blob from a stream, through one buffer for a frame.

    The size that the head tells is bound into every frame; until the first one opens it is a claim, and nothing is
    allocated for it beyond what the stream itself can hold.
    """

    __slots__ = ("_buffer", "_class_id", "_head", "_name", "_sealer", "_stream", "size")

    def __init__(self, sealer: Sealer, class_id: str, name: str, stream: Stream) -> None:
        self._sealer, self._class_id, self._name, self._stream = sealer, class_id, name, stream
        self._buffer = memoryview(bytearray(_HEAD.size))
        self._head = bytes(self._next(_HEAD.size))
        if not self._head.startswith(_MAGIC):
            raise Damaged(what="blob")
        self.size = int(_HEAD.unpack(self._head)[1])
        self._buffer = memoryview(bytearray(min(FRAME, self.size) + SLACK))

    def pieces(self) -> Iterator[bytes]:
        """The frames' bytes, in order. Raises Damaged, at the latest behind the last one."""
        for aad, size, sealed in self._sealed():
            piece = self._sealer.open(self._class_id, _PURPOSE, sealed, aad)
            if len(piece) != size:
                raise Damaged(what="blob")
            yield piece

    def whole(self, take: Callable[[int], memoryview], lies: int) -> memoryview:
        """Everything, in the memory that `take` gives for its size. `lies`: how many sealed bytes there are."""
        if self.size > lies:
            raise Damaged(what="blob")
        into = take(self.size)
        at = 0
        for aad, size, sealed in self._sealed():
            self._sealer.open_into(self._class_id, _PURPOSE, sealed, aad, into[at : at + size])
            at += size
        return into

    def _sealed(self) -> Iterator[tuple[bytes, int, memoryview]]:
        """Each frame: what it is bound to, the size of what is in it, and its sealed bytes, until the next is asked."""
        many = _many(self.size)
        for at in range(many):
            size = min(FRAME, self.size - at * FRAME)
            told = _LENGTH.unpack(self._next(_LENGTH.size))[0]
            if not size < told <= size + SLACK:
                raise Damaged(what="blob")
            yield _aad(self._head, self._name, at, many), size, self._next(told)
        if self._stream.readinto(self._buffer[:1]):
            raise Damaged(what="blob")

    def _next(self, size: int) -> memoryview:
        """The next bytes of the stream, in the buffer."""
        into = self._buffer[:size]
        try:
            found = self._stream.readinto(into)
        except OSError:
            raise Damaged(what="blob") from None
        if found != size:
            raise Damaged(what="blob")
        return into


def _many(size: int) -> int:
    """How many frames a size makes; an empty blob is one, so that there is something to check."""
    return max(1, -(-size // FRAME))


def _aad(head: bytes, name: str, at: int, many: int) -> bytes:
    """What a frame is bound to: the head and so the size, its place, whether it is the last, and the blob's name."""
    return head + _PLACE.pack(at, at == many - 1) + name.encode()
