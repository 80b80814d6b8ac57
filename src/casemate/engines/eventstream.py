"""Frames of `application/vnd.amazon.eventstream`, decoded; every length is bounded and both checksums are verified.

    total length (4) | headers' length (4) | CRC-32 of those eight bytes (4)
    headers: name's length (1), name, type (1), value | payload | CRC-32 of everything before it (4)

Numbers are big-endian; the CRC is that of zlib. Only headers of type 7 (text) say something here.
"""

from __future__ import annotations

from struct import Struct, error
from zlib import crc32

from casemate.engines.http_exchange import Broken

__all__ = ["FRAME", "Frames"]

FRAME = 1 << 20  # bytes
_PRELUDE = Struct(">III")
_SHORT = Struct(">H")
_WORD = Struct(">I")
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # bytes of a value by its type; 6 and 7 say their own
_HEADERS = 16 << 10


class Frames:
    """Fed with pieces of a body, gives the frames that ended in them: text headers, and the payload."""

    __slots__ = ("_cache", "_need", "_rest", "_size")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0
        self._need = _PRELUDE.size
        self._cache: dict[bytes, dict[str, str]] = {}

    def fed(self, piece: bytes) -> list[tuple[dict[str, str], bytes]]:
        """Raises Broken for what is not a frame."""
        self._rest.append(piece)
        self._size += len(piece)
        found: list[tuple[dict[str, str], bytes]] = []
        if self._size < self._need:
            return found
        data = b"".join(self._rest)
        at = 0
        while len(data) - at >= _PRELUDE.size:
            total, headers, check = _PRELUDE.unpack_from(data, at)
            if crc32(data[at : at + 8]) != check or headers > _HEADERS or not headers + 16 <= total <= FRAME:
                raise _nonsense()
            if len(data) - at < total:
                self._need = total
                break
            found.append(self._frame(data[at : at + total], headers))
            at += total
            self._need = _PRELUDE.size
        self._rest, self._size = [data[at:]], len(data) - at
        return found

    @property
    def inside(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return self._size > 0

    def _frame(self, frame: bytes, headers: int) -> tuple[dict[str, str], bytes]:
        if crc32(frame[:-4]) != _WORD.unpack_from(frame, len(frame) - 4)[0]:
            raise _nonsense()
        raw = frame[12 : 12 + headers]
        named = self._cache.get(raw)
        if named is None:
            named = _named(raw)
            if len(self._cache) < 32:  # a stream has a handful of kinds
                self._cache[raw] = named
        return named, frame[12 + headers : -4]


def _named(raw: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(raw):
            start = at + 1
            at = start + raw[at]
            name, kind = raw[start:at].decode("ascii"), raw[at]
            at += 1
            size = _SIZES.get(kind)
            if size is None:
                if kind not in (6, 7):
                    raise _nonsense()
                size = _SHORT.unpack_from(raw, at)[0]
                at += 2
            value = raw[at : at + size]
            at += size
            if at > len(raw):
                raise _nonsense()
            if kind == 7:
                found[name] = value.decode("utf-8")
    except (IndexError, ValueError, error):
        raise _nonsense() from None
    return found


def _nonsense() -> Broken:
    return Broken("broken", "a frame of its answer cannot be read")
