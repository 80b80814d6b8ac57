"""The write-ahead log of SQLite, read beside its writer: what is committed in it, where its commits end, its bytes.

Formats: https://www.sqlite.org/fileformat2.html#walformat and https://www.sqlite.org/walformat.html. How far the log is
committed stands in its index (records.db-shm), which SQLite writes after it has synced the frames; the index has two
copies of it, and where they differ it is being written.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from casemate.errors import Damaged, Unavailable

__all__ = ["HEADER", "Tip", "commits", "frames", "header_of", "size_of", "tip"]

HEADER, FRAME = 32, 24
_INDEX = struct.Struct("=III BB H II II 8s 8s")  # up to the index's own checksum, which follows
_COPY = 48
_INFO = 2 * _COPY + 4  # and how much of it is carried into the file
_FRAME = struct.Struct(">II8s8s")
_TRIES = 1000
_PAUSE = 0.001


@dataclass(frozen=True, slots=True)
class Tip:
    """How far the log that has these salts is committed: so many frames with pages of that size.

    `carried` of them are in the records' file already; where all are, the next commit begins the log anew.
    """

    salts: bytes
    frames: int
    page: int
    checksum: bytes
    carried: int


def tip(records: Path) -> Tip:
    """Where the log ends now. Raises Unavailable where no connection is open, or it never stands still."""
    try:
        descriptor = os.open(records.with_name(records.name + "-shm"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Unavailable(what="records") from None
    try:
        for _ in range(_TRIES):
            raw = os.pread(descriptor, _INFO, 0)
            if len(raw) == _INFO and raw[:_COPY] == raw[_COPY : 2 * _COPY]:
                _, _, _, ready, _, page, many, _, *sums, salts, _ = _INDEX.unpack(raw[:_COPY])
                if ready:
                    size = (page & 0xFE00) + ((page & 1) << 16)
                    carried = struct.unpack("=I", raw[2 * _COPY :])[0]
                    return Tip(salts, many, size, struct.pack(">II", *sums), carried)
            time.sleep(_PAUSE)
    finally:
        os.close(descriptor)
    raise Unavailable(what="records")


def header_of(log: int, found: Tip) -> bytes:
    """The log's first bytes. Raises Damaged where they are another log's than the index speaks of."""
    raw = os.pread(log, HEADER, 0)
    if found.frames and (len(raw) != HEADER or raw[16:24] != found.salts):
        raise Damaged(what="write-ahead log")
    return raw


def size_of(frames: int, page: int) -> int:
    """How many bytes so many frames are."""
    return frames * (FRAME + page)


def commits(log: int, first: int, found: Tip) -> list[int]:
    """The frames, from the first on, with which commits end. Raises Damaged."""
    ends: list[int] = []
    checksum = found.checksum
    for number in range(first, found.frames + 1):
        raw = os.pread(log, FRAME, HEADER + size_of(number - 1, found.page))
        if len(raw) != FRAME:
            raise Damaged(what="write-ahead log")
        _, size, salts, checksum = _FRAME.unpack(raw)
        if salts != found.salts:
            raise Damaged(what="write-ahead log")
        if size:
            ends.append(number)
    if (ends and ends[-1] != found.frames) or checksum != found.checksum:
        raise Damaged(what="write-ahead log")
    return ends


def frames(log: int, first: int, last: int, page: int) -> Iterator[bytes]:
    """The bytes of frames, both ends included. Raises Damaged where there are fewer."""
    at, end = HEADER + size_of(first - 1, page), HEADER + size_of(last, page)
    while at < end:
        piece = os.pread(log, min(1 << 20, end - at), at)
        if not piece:
            raise Damaged(what="write-ahead log")
        yield piece
        at += len(piece)
