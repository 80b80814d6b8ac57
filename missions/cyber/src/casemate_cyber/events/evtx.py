"""EVTX in pieces of whole chunks: a file of any size is read piece by piece, and what is broken costs its piece alone.

A file is a header of 4,096 bytes and chunks of 65,536 (source: libyal, Windows XML Event Log (EVTX) format). A chunk
stands for itself, so each piece gets a header of its own and the file's own header is not needed: a log with a broken
header, or one that was carved out of a disk, is read all the same.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from evtx import PyEvtxParser

HEAD, CHUNK = 4096, 65536
FILE, MAGIC = b"ElfFile\x00", b"ElfChnk\x00"


def header(chunks: int) -> bytes:
    """A header for so many chunks."""
    fields = struct.pack("<8sQQQIHHHH", FILE, 0, max(chunks - 1, 0), 1, 128, 1, 3, HEAD, chunks)
    head = fields.ljust(120, b"\x00")
    return (head + struct.pack("<II", 0, zlib.crc32(head))).ljust(HEAD, b"\x00")


def first_chunk(raw: bytes) -> int:
    """Where chunks begin: behind the header, or at once in a file that was carved."""
    return 0 if raw.startswith(MAGIC) else HEAD


def sound(chunk: bytes) -> bool:
    """Whether a chunk's two CRC32 hold: of its records up to the free space, and of its header."""
    free, records = struct.unpack_from("<II", chunk, 48)
    head = struct.unpack_from("<I", chunk, 124)[0]
    if not 512 <= free <= CHUNK or zlib.crc32(chunk[512:free]) != records:
        return False
    return bool(zlib.crc32(chunk[128:512], zlib.crc32(chunk[:120])) == head)


def records(path: Path, start: int, end: int) -> Iterator[tuple[int, str | None, str]]:
    """(offset of the chunk, record as JSON, trouble) of the chunks from `start` to `end`.

    A record is None where there is trouble instead: a chunk without its mark, one that is cut short, records that
    the parser does not read. Chunks of zeros are room that Windows has not used yet.
    """
    whole: list[tuple[int, bytes]] = []
    with path.open("rb") as file:
        file.seek(start)
        at = start
        while at < end and (chunk := file.read(CHUNK)):
            if chunk.startswith(MAGIC):
                if len(chunk) < CHUNK:
                    yield at, None, f"the chunk is cut short: {len(chunk)} of {CHUNK} bytes"
                elif not sound(chunk):
                    yield at, None, "the chunk's checksums do not hold: what is read of it may be altered"
                whole.append((at, chunk.ljust(CHUNK, b"\x00")))
            elif chunk.strip(b"\x00"):
                yield at, None, "no chunk of an event log stands here"
            at += len(chunk)
    for at, chunk in whole:
        yield from _chunk(at, chunk)


def _chunk(at: int, chunk: bytes) -> Iterator[tuple[int, str | None, str]]:
    try:
        parsed = iter(PyEvtxParser(io.BytesIO(header(1) + chunk), number_of_threads=1).records_json())
    except BaseException as fault:  # noqa: BLE001 - a panic of the parser is no Exception; see _fatal
        _fatal(fault)
        yield at, None, f"the chunk is not read: {_words(fault)}"
        return
    while True:
        try:
            found = next(parsed)
        except StopIteration:
            return
        except BaseException as fault:  # noqa: BLE001
            _fatal(fault)
            yield at, None, f"a record is not read: {_words(fault)}"
            if not isinstance(fault, Exception):
                return
            continue
        yield at, found["data"] if found else "", ""


def _fatal(fault: BaseException) -> None:
    """What ends a process still ends it; a panic in the parser ends its chunk."""
    if isinstance(fault, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        raise fault


def _words(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0][:200]
