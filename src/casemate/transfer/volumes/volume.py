"""A volume: one of N files of which any K give back what was cut. Its head, its digest tree, its sizes. Pure.

docs/bytes/volumes.md describes the bytes. The tree: SHA-512 of each frame; a page is SHA-512 of 1,024 of these; a
root is SHA-512 of a volume's pages; the set is SHA-512 of all roots and of what the carrier reads. A volume names its
set by that digest, so no part of another set is ever taken for one of this. The head bears no name of anything and no
size but the padded one. Nothing here believes a number before it has been held against its bound.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace

from casemate.crypto import Signer, is_public_key, signature_size, verify
from casemate.errors import BadInput, Damaged, TooLarge
from casemate.ids import short
from casemate.transfer.volumes.parity import MOST

__all__ = [
    "BANNER",
    "DIGEST",
    "FRAMES",
    "HEAD",
    "MAGIC",
    "PAGE",
    "Carried",
    "Head",
    "Layout",
    "content_digest",
    "counted",
    "exact_size",
    "padded",
    "parse_head",
    "planned",
    "root_of",
    "said_size",
]

MAGIC = b"CMVOL\x00\x00\x01"
DIGEST, ID = 64, 16
PAGE = 1024
"""Digests in a page."""
LEAST_FRAME, MOST_FRAME = 4 << 10, 1 << 20
STRIPE = 64 << 20
"""One frame of each of the N volumes, together, at most: what is held in memory at a time."""
FRAMES = 1 << 21
BANNER = 200
HEAD = 256 << 10
"""Bytes of a head, at most."""
SIZE = 8  # the exact size, at the end of the padding
_FRONT = struct.Struct("<8sI16s16sHHHIQQH")
_SET, _ROOT = b"casemate bundle set v1\n", b"casemate bundle root v1\n"


@dataclass(frozen=True, slots=True)
class Carried:
    """What is carried, as far as a carrier may know: the id of a bundle (zeros for any other file), and its banner."""

    id: bytes
    banner: str

    def __post_init__(self) -> None:
        said = self.banner.encode()
        if len(self.id) != ID or not 0 < len(said) <= BANNER or not self.banner.isprintable():
            raise BadInput(what=f"A carried thing has an id of {ID} bytes and a banner of one line, to {BANNER} bytes.")


@dataclass(frozen=True, slots=True)
class Layout:
    """How it is cut: k data volumes of n, each of `frames` frames of `frame` bytes. Raises BadInput beyond a bound."""

    k: int
    n: int
    frame: int
    frames: int

    def __post_init__(self) -> None:
        square = self.frame & (self.frame - 1) == 0 and LEAST_FRAME <= self.frame <= MOST_FRAME
        if not (1 <= self.k <= self.n <= MOST and square and 1 <= self.frames <= FRAMES):
            raise BadInput(what="These are no volumes that can be.")
        if self.n * self.frame > STRIPE:
            raise BadInput(what="A stripe of these volumes is too large.")

    @property
    def total(self) -> int:
        """The padded size of what is carried, in bytes."""
        return self.k * self.own

    @property
    def own(self) -> int:
        """What one volume holds, in bytes, without head and table."""
        return self.frames * self.frame

    @property
    def pages(self) -> int:
        return -(-self.frames // PAGE)


def padded(size: int) -> int:
    """The size rounded up by PADMÉ (Nikitin et al., PETS 2019): it tells O(log log) bits, at most 12 % are added."""
    if size < 2:
        return size
    spare = size.bit_length() - 1 - (size.bit_length() - 1).bit_length()
    mask = (1 << max(spare, 0)) - 1
    return size + mask & ~mask


def counted(size: int, n: int, parity: int) -> Layout:
    """How a file of that many bytes is cut into n volumes, of which `parity` may be lost. Raises BadInput, TooLarge."""
    k = n - parity
    if parity < 0 or k < 1 or n > MOST:
        raise BadInput(what=f"{n} volumes, {parity} of them parity: there are 1 to {MOST}, one of data at least.")
    needed = padded(size + SIZE)
    frame, largest = LEAST_FRAME, min(MOST_FRAME, 1 << (STRIPE // n).bit_length() - 1)
    while frame < largest and -(-needed // (k * frame)) > PAGE:
        frame *= 2
    frames = -(-needed // (k * frame))
    if frames > FRAMES:
        raise TooLarge(what=f"What {k} volumes hold", limit=k * FRAMES * frame - SIZE)
    return Layout(k, n, frame, frames)


def planned(size: int, volume: int, parity: int, carried: Carried, public: bytes = b"") -> Layout:
    """The fewest volumes of at most `volume` bytes each. Raises BadInput, and TooLarge where 255 do not hold it."""
    for k in range(1, MOST - parity + 1):
        if padded(size + SIZE) > k * min(volume, FRAMES * MOST_FRAME):
            continue
        layout = counted(size, k + parity, parity)
        if Head(layout, carried, 1, (), b"", public).file_size <= volume:
            return layout
    raise TooLarge(what=f"What {MOST} volumes of {volume} bytes hold", limit=max(MOST - parity, 0) * volume)


def said_size(total: bytes, layout: Layout) -> int:
    """The exact size, from the last bytes of the padding. Raises Damaged."""
    size = int.from_bytes(total, "little")
    if len(total) != SIZE or size > layout.total - SIZE:
        raise Damaged(what="the size that the volumes carry")
    return size


def exact_size(size: int) -> bytes:
    """The last bytes of the padding."""
    return size.to_bytes(SIZE, "little")


def content_digest(data: bytes | bytearray | memoryview) -> bytes:
    """SHA-512 of a frame, or of a page of digests."""
    return hashlib.sha512(data).digest()


def root_of(pages: bytes) -> bytes:
    """A volume's root, over the digests of its pages."""
    return hashlib.sha512(_ROOT + pages).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a volume. `number` counts from 1: those to k are data, the others parity.

    `roots`: of all n volumes; `pages`: of this one. `public` and `signature`: of who signed the set, or empty.
    """

    layout: Layout
    carried: Carried
    number: int
    roots: tuple[bytes, ...]
    pages: bytes
    public: bytes = b""
    signature: bytes = b""

    @property
    def digest(self) -> bytes:
        """Of the set: whatever all its volumes have in common, but for the signature."""
        at, banner = self.layout, self.carried.banner.encode()
        said = struct.pack("<HHIQQH", at.k, at.n, at.frame, at.frames, at.total, len(banner))
        return hashlib.sha512(_SET + self.carried.id + said + banner + b"".join(self.roots)).digest()

    @property
    def set_id(self) -> bytes:
        return self.digest[:ID]

    @property
    def name(self) -> str:
        """The volume's file, named after the set and its number alone."""
        return f"{self.set_name}-{self.number:03}of{self.layout.n:03}.cmv"

    @property
    def set_name(self) -> str:
        """The set as people call it: the beginning of its id."""
        return short(self.set_id[:5])

    @property
    def size(self) -> int:
        """Of the head, in bytes; known before the roots are."""
        signed = len(self.public) + signature_size(self.public)
        digests = self.layout.n + self.layout.pages + 1
        return _FRONT.size + len(self.carried.banner.encode()) + 2 + signed + digests * DIGEST

    @property
    def table(self) -> int:
        """Where the digests of the frames begin in the file."""
        return self.size

    @property
    def body(self) -> int:
        """Where the frames begin in the file."""
        return self.size + self.layout.frames * DIGEST

    @property
    def file_size(self) -> int:
        """Of the whole volume: head, table, frames, the head again, its size and the magic."""
        return self.body + self.layout.own + self.size + len(tail(self.size))

    def signed(self, signer: Signer) -> Head:
        """The same under that key."""
        return replace(self, public=signer.public, signature=signer.sign(_SET + self.digest))

    def packed(self) -> bytes:
        """The bytes of the head."""
        at, banner = self.layout, self.carried.banner.encode()
        front = _FRONT.pack(
            MAGIC, self.size, self.set_id, self.carried.id, self.number, at.k, at.n, at.frame, at.frames, at.total,
            len(banner),
        )  # fmt: skip
        signer = struct.pack("<H", len(self.public)) + self.public + self.signature
        said = front + banner + b"".join(self.roots) + self.pages + signer
        return said + hashlib.sha512(said).digest()


def tail(size: int) -> bytes:
    """The last bytes of a volume: how long the head is that precedes them."""
    return struct.pack("<I", size) + MAGIC


def head_size(front: bytes) -> int:
    """How long a head is, from its first bytes. Raises Damaged."""
    if len(front) < len(MAGIC) + 4 or not front.startswith(MAGIC):
        raise Damaged(what="the head of a volume")
    (size,) = struct.unpack_from("<I", front, len(MAGIC))
    if not _FRONT.size < size <= HEAD:
        raise Damaged(what="the head of a volume")
    return int(size)


def parse_head(data: bytes) -> Head:
    """The head: its numbers are within their bounds, its digests and its signature are right. Raises Damaged."""
    try:
        head = _parsed(data)
    except (struct.error, UnicodeDecodeError, BadInput):
        raise Damaged(what="the head of a volume") from None
    if head is None:
        raise Damaged(what="the head of a volume")
    return head


def _parsed(data: bytes) -> Head | None:
    if len(data) != head_size(data) or hashlib.sha512(data[:-DIGEST]).digest() != data[-DIGEST:]:
        return None
    _, _, named, carried, number, k, n, frame, frames, total, wide = _FRONT.unpack_from(data)
    layout, at = Layout(k, n, frame, frames), _FRONT.size
    banner, at = data[at : at + wide].decode(), at + wide
    roots, at = tuple(data[at + i * DIGEST : at + (i + 1) * DIGEST] for i in range(n)), at + n * DIGEST
    pages, at = data[at : at + layout.pages * DIGEST], at + layout.pages * DIGEST
    (key,) = struct.unpack_from("<H", data, at)
    public, at = data[at + 2 : at + 2 + key], at + 2 + key
    if public and not is_public_key(public):
        return None
    head = Head(layout, Carried(carried, banner), number, roots, pages, public, data[at:-DIGEST])
    if head.size != len(data) or total != layout.total or named != head.set_id:
        return None
    if not 1 <= number <= n or root_of(pages) != roots[number - 1]:
        return None
    return head if not public or verify(public, _SET + head.digest, head.signature) else None
