"""PNG (W3C PNG, 3rd edition) to pixels to PNG: of a picture nothing crosses but what is seen.

Taken: not interlaced, every depth and colour type, PLTE and tRNS; whatever else is told beside the pixels is dropped.
Written: eight bits, no filter, deflate's stored blocks, one IDAT. So the bytes are a function of the pixels alone, and
whoever reads them needs no decompressor. Outward the picture lies on white and the two lowest bits of each sample are
nothing: a hidden message has less room there, and some is left.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.verdict import held

__all__ = ["picture"]

_MAGIC = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHUNKS = 20_000
_BLOCK = 65_535


@dataclass(frozen=True, slots=True)
class _Head:
    width: int
    height: int
    depth: int
    colour: int

    @property
    def row(self) -> int:
        return (self.width * _CHANNELS[self.colour] * self.depth + 7) // 8

    @property
    def step(self) -> int:
        return max(1, _CHANNELS[self.colour] * self.depth // 8)


def picture(raw: bytes, profile: Profile) -> bytes:
    """The picture written anew. Raises Refused."""
    if len(raw) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    if not raw.startswith(_MAGIC):
        raise held("guard-structure", "it is no png")
    head, palette, alpha, packed = _parts(raw, profile)
    rows = _unfiltered(_inflated(packed, head), head)
    colour, pixels = _eight(rows, head, palette, alpha)
    if profile.strict:
        colour, pixels = _plain(colour, pixels)
    return _written(head.width, head.height, colour, pixels)


def _chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_MAGIC)
    for _ in range(_CHUNKS):
        if at + 12 > len(raw):
            raise held("guard-structure", "cut short")
        size, kind = struct.unpack_from(">I4s", raw, at)
        data = raw[at + 8 : at + 8 + size]
        if size > len(raw) - at - 12 or not kind.isalpha():
            raise held("guard-structure", "chunk")
        if zlib.crc32(kind + data) != int.from_bytes(raw[at + 8 + size : at + 12 + size], "big"):
            raise held("guard-structure", "checksum")
        at += 12 + size
        yield kind, data
        if kind == b"IEND":
            if at != len(raw) or data:
                raise held("guard-trailing")
            return
    raise held("guard-count", f"{_CHUNKS:,} chunks")


def _parts(raw: bytes, profile: Profile) -> tuple[_Head, bytes, bytes, bytes]:
    head: _Head | None = None
    palette = alpha = b""
    packed: list[bytes] = []
    before = b""
    for kind, data in _chunks(raw):
        if (head is None) != (kind == b"IHDR"):
            raise held("guard-structure", "order of chunks")
        if kind == b"IHDR":
            head = _head(data, profile)
        elif kind == b"PLTE":
            if palette or packed or not data or len(data) % 3 or len(data) > 768:
                raise held("guard-structure", "palette")
            palette = data
        elif kind == b"tRNS":
            if alpha or packed or len(data) > 256:
                raise held("guard-structure", "transparency")
            alpha = data
        elif kind == b"IDAT":
            if packed and before != b"IDAT":
                raise held("guard-structure", "order of chunks")
            packed.append(data)
        elif not kind[0] & 0x20 and kind != b"IEND":
            raise held("guard-structure", "critical chunk")
        before = kind
    if head is None or not packed or (head.colour == 3) > bool(palette):
        raise held("guard-structure", "chunk is missing")
    return head, palette, alpha, b"".join(packed)


def _head(data: bytes, profile: Profile) -> _Head:
    if len(data) != 13:
        raise held("guard-structure", "header")
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", data)
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or interlace:
        raise held("guard-structure", "header")
    if not 0 < width <= profile.side or not 0 < height <= profile.side or width * height > profile.pixels:
        raise held("guard-count", f"{profile.pixels:,} pixels")
    return _Head(width, height, depth, colour)


def _inflated(packed: bytes, head: _Head) -> bytes:
    """Exactly as much as the header says, never more in memory."""
    wanted = (head.row + 1) * head.height
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, wanted + 1)
    except zlib.error:
        raise held("guard-structure", "deflate") from None
    if len(found) > wanted:
        raise held("guard-bomb", "more pixels than its header says")
    if len(found) < wanted:
        raise held("guard-structure", "cut short")
    if not stream.eof or stream.unused_data:
        raise held("guard-trailing", "in its pixels")
    return found


def _unfiltered(data: bytes, head: _Head) -> list[bytearray]:
    rows: list[bytearray] = []
    above = bytearray(head.row)
    for at in range(0, len(data), head.row + 1):
        row = bytearray(data[at + 1 : at + 1 + head.row])
        _undo(data[at], row, above, head.step)
        rows.append(row)
        above = row
    return rows


def _undo(way: int, row: bytearray, above: bytearray, step: int) -> None:
    """One row's filter, in place (PNG 9.2)."""
    if way == 0:
        return
    if way == 1:
        for at in range(step, len(row)):
            row[at] = (row[at] + row[at - step]) & 255
    elif way == 2:
        for at, over in enumerate(above):
            row[at] = (row[at] + over) & 255
    elif way == 3:
        for at, over in enumerate(above):
            left = row[at - step] if at >= step else 0
            row[at] = (row[at] + ((left + over) >> 1)) & 255
    elif way == 4:
        for at, over in enumerate(above):
            left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
            a, b, c = abs(over - corner), abs(left - corner), abs(left + over - 2 * corner)
            row[at] = (row[at] + (left if a <= b and a <= c else over if b <= c else corner)) & 255
    else:
        raise held("guard-structure", "filter")


def _eight(rows: list[bytearray], head: _Head, palette: bytes, alpha: bytes) -> tuple[int, bytes]:
    """Colour type and samples of eight bits; a palette becomes colours."""
    samples = b"".join(_samples(row, head) for row in rows)
    if head.colour == 3:
        colours = [palette[at : at + 3] for at in range(0, len(palette), 3)]
        if max(samples) >= len(colours) or len(alpha) > len(colours):
            raise held("guard-structure", "palette")
        if alpha:
            seen = alpha + b"\xff" * (len(colours) - len(alpha))
            return 6, b"".join(colours[at] + seen[at : at + 1] for at in samples)
        return 2, b"".join(colours[at] for at in samples)
    if alpha:
        raise held("guard-structure", "transparency of one colour")
    return head.colour, samples


def _samples(row: bytearray, head: _Head) -> bytes:
    if head.depth == 8:
        return bytes(row)
    if head.depth == 16:
        return bytes(row[::2])
    per, mask = 8 // head.depth, (1 << head.depth) - 1
    wide = bytes((byte >> (8 - head.depth * (at + 1))) & mask for byte in row for at in range(per))[: head.width]
    return wide if head.colour == 3 else bytes(value * 255 // mask for value in wide)


def _plain(colour: int, pixels: bytes) -> tuple[int, bytes]:
    """On white, and without the lowest two bits."""
    if colour in (4, 6):
        many = _CHANNELS[colour]
        seen = pixels[many - 1 :: many]
        planes = [
            bytes((value * a + 255 * (255 - a)) // 255 for value, a in zip(pixels[plane::many], seen, strict=True))
            for plane in range(many - 1)
        ]
        flat = bytearray(len(seen) * (many - 1))
        for plane, values in enumerate(planes):
            flat[plane :: many - 1] = values
        colour, pixels = colour - 4, bytes(flat)
    return colour, pixels.translate(bytes(value & 0xFC for value in range(256)))


def _written(width: int, height: int, colour: int, pixels: bytes) -> bytes:
    row = width * _CHANNELS[colour]
    plain = b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row))
    stored = b"".join(
        struct.pack("<BHH", at + _BLOCK >= len(plain), len(piece), len(piece) ^ 0xFFFF) + piece
        for at in range(0, len(plain), _BLOCK)
        for piece in [plain[at : at + _BLOCK]]
    )
    packed = b"\x78\x01" + stored + zlib.adler32(plain).to_bytes(4, "big")
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return _MAGIC + b"".join(
        struct.pack(">I", len(data)) + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    )
