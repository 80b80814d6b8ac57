"""Frames of `application/vnd.amazon.eventstream`, encoded.

    total length (4) | headers' length (4) | CRC-32 of those eight bytes (4)
    headers: name's length (1), name, type 7, value's length (2), value
    payload | CRC-32 of everything before it (4)

Numbers are big-endian; the CRC is that of zlib (RFC 1952). Headers are made once for each kind of event, so that a
frame costs two checksums and one copy. A payload is never split: whoever makes it keeps it small.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

__all__ = ["MEDIA", "event", "exception", "frame"]

MEDIA = "application/vnd.amazon.eventstream"
_STRING = 7
_OVERHEAD = 16
_lengths = Struct(">II").pack
_checksum = Struct(">I").pack


def event(name: str) -> bytes:
    """The headers of an event whose payload is JSON."""
    return _headers({":event-type": name, ":content-type": "application/json", ":message-type": "event"})


def exception(name: str) -> bytes:
    """The headers of an exception: the last frame of a stream that has failed."""
    return _headers({":exception-type": name, ":content-type": "application/json", ":message-type": "exception"})


def frame(headers: bytes, payload: bytes) -> bytes:
    """One frame."""
    lengths = _lengths(_OVERHEAD + len(headers) + len(payload), len(headers))
    body = lengths + _checksum(crc32(lengths)) + headers + payload
    return body + _checksum(crc32(body))


def _headers(named: dict[str, str]) -> bytes:
    found = b""
    for name, value in named.items():
        found += bytes([len(name)]) + name.encode("ascii") + bytes([_STRING])
        found += len(value).to_bytes(2, "big") + value.encode("ascii")
    return found
