"""A canonical PNG, read again by its places alone: no decompressor, no filter, nothing that it may leave out.

Every length follows from the width, the height and the colour type; what stands elsewhere, or is otherwise, is refused.
"""

from __future__ import annotations

import binascii
from typing import Final

from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.verdict import held

__all__ = ["picture"]

_SIGNATURE: Final = bytes((137, 80, 78, 71, 13, 10, 26, 10))
_SAMPLES: Final = {0: 1, 2: 3, 4: 2, 6: 4}
_MOST: Final = 0xFFFF


def picture(canonical: bytes, profile: Profile) -> bytes:
    """The same picture, written from what was read. Raises Refused."""
    if canonical[:8] != _SIGNATURE or canonical[8:16] != b"\0\0\0\rIHDR" or len(canonical) < 57:
        raise held("guard-structure", "header")
    width, height = _number(canonical, 16), _number(canonical, 20)
    many = _SAMPLES.get(canonical[25])
    if canonical[24] != 8 or many is None or any(canonical[26:29]):
        raise held("guard-structure", "header")
    if not 1 <= width <= profile.side or not 1 <= height <= profile.side or width * height > profile.pixels:
        raise held("guard-count", f"{profile.pixels:,} pixels")
    if profile.strict and many not in (1, 3):
        raise held("guard-structure", "transparency")
    row = width * many + 1
    total = row * height
    blocks = -(-total // _MOST)
    packed = 2 + 5 * blocks + total + 4
    if _number(canonical, 33) != packed or canonical[37:41] != b"IDAT":
        raise held("guard-structure", "pixels")
    if len(canonical) != 41 + packed + 4 + 12:
        raise held("guard-trailing" if len(canonical) > 57 + packed else "guard-structure", "length")
    plain = _stored(canonical, 43, total)
    lines = [plain[at + 1 : at + row] for at in range(0, total, row)]
    if any(plain[0::row]):
        raise held("guard-structure", "filter")
    if profile.strict and any(value & 3 for value in set().union(*map(set, lines))):
        raise held("guard-structure", "low bits")
    return _again(canonical[16:29], lines)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _stored(data: bytes, at: int, total: int) -> bytes:
    """The bytes of so many stored blocks, all but the last of them full (RFC 1951, 3.2.4)."""
    found: list[bytes] = []
    left = total
    while left:
        size = min(left, _MOST)
        left -= size
        said = int.from_bytes(data[at + 1 : at + 3], "little"), int.from_bytes(data[at + 3 : at + 5], "little")
        if data[at] != (left == 0) or said != (size, size ^ _MOST):
            raise held("guard-structure", "block")
        found.append(data[at + 5 : at + 5 + size])
        at += 5 + size
    return b"".join(found)


def _again(head: bytes, lines: list[bytes]) -> bytes:
    plain = b"".join(b"\0" + line for line in lines)
    data = bytearray(b"\x78\x01")
    for at in range(0, len(plain), _MOST):
        piece = plain[at : at + _MOST]
        size = len(piece)
        data += bytes((at + size == len(plain),)) + size.to_bytes(2, "little") + (size ^ _MOST).to_bytes(2, "little")
        data += piece
    data += _adler(plain).to_bytes(4, "big")
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", bytes(data)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = binascii.crc32(data, binascii.crc32(kind))
    return len(data).to_bytes(4, "big") + kind + data + checksum.to_bytes(4, "big")


def _adler(plain: bytes) -> int:
    """RFC 1950, 8.2: the sum of the bytes, and the sum of the sums."""
    low, high = 1, 0
    for at in range(0, len(plain), 4096):
        piece = plain[at : at + 4096]
        size = len(piece)
        high += size * low + sum(map(int.__mul__, piece, range(size, 0, -1)))
        low += sum(piece)
        low, high = low % 65521, high % 65521
    return high << 16 | low
