"""Content: a stream is cut into pieces, each poured while the next one comes in, and read again piece by piece.

Never more than two pieces are held. What was poured and is never named by an object is swept (`custody.scrub`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from casemate.access import Flow
from casemate.buckets.kinds import Piece
from casemate.errors import Absent, Damaged, TooLarge

__all__ = ["LARGEST", "PIECE", "Poured", "given", "joined", "pour"]

PIECE = 8 << 20
LARGEST = 64 << 30
"""Bytes of one object: its row names every piece."""
_GIVEN = 1 << 20


@dataclass(frozen=True, slots=True)
class Poured:
    """What a stream has become. `md5` of all of it: what S3 calls its ETag. It protects nothing."""

    pieces: tuple[Piece, ...]
    size: int
    md5: bytes


async def pour(flow: Flow, body: AsyncIterator[bytes]) -> Poured:
    """Keep a stream in the flow's own class. Raises TooLarge, StorageFull, and what the stream raises."""
    md5 = hashlib.md5(usedforsecurity=False)
    pieces: list[Piece] = []
    waiting: asyncio.Task[str] | None = None
    size = 0

    async def keep(piece: bytes) -> str:
        await flow.beside(md5.update, piece)
        return await flow.pour(piece)

    try:
        async for piece in _cut(body):
            size += len(piece)
            if size > LARGEST:
                raise TooLarge(what="object", limit=LARGEST)
            if waiting is not None:
                pieces.append(Piece(await waiting, PIECE))
            waiting = asyncio.create_task(keep(piece))
        if waiting is not None:
            pieces.append(Piece(await waiting, size - PIECE * len(pieces)))
    finally:
        if waiting is not None and not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    return Poured(tuple(pieces), size, md5.digest())


async def _cut(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream in pieces of just `PIECE` bytes, the last one as it comes."""
    held = bytearray()
    async for some in body:
        view = memoryview(some)
        while len(held) + len(view) >= PIECE:
            taken = PIECE - len(held)
            held += view[:taken]
            view = view[taken:]
            yield bytes(held)
            held.clear()
        held += view
    if held:
        yield bytes(held)


async def given(flow: Flow, class_id: str, pieces: Sequence[Piece], start: int, stop: int) -> AsyncIterator[bytes]:
    """The bytes from `start` to before `stop`. Raises Damaged; nothing has been read until the end is reached."""
    at = 0
    for piece in pieces:
        first, last = max(start - at, 0), min(stop - at, piece.size)
        at += piece.size
        if first >= last:
            continue
        try:
            data = await flow.blob(class_id, piece.blob)
        except Absent:
            raise Damaged(what="object") from None
        if len(data) != piece.size:
            raise Damaged(what="object")
        view = memoryview(data)
        for place in range(first, last, _GIVEN):
            yield bytes(view[place : min(place + _GIVEN, last)])


def joined(etags: Sequence[str]) -> str:
    """The ETag of an object in parts: MD5 over the MD5s of its parts, and their number."""
    md5 = hashlib.md5(b"".join(bytes.fromhex(etag) for etag in etags), usedforsecurity=False)
    return f"{md5.hexdigest()}-{len(etags)}"
