"""Volumes: each read and proven by itself, and a set of them as the one file that it holds. Nothing is written.

volume -> head (twice) -> pages -> table -> frames          a frame that is not its digest is as good as missing
any K of N -> the file, frame by frame                      what is summed up is held against the set's roots too
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from casemate_verify.crypt import SIZES, key_name, verifies_any
from casemate_verify.faults import Unusable
from casemate_verify.field import coefficient, inverted, summed

__all__ = ["MAGIC", "Head", "Set", "Volume", "read_volume"]

MAGIC = b"CMVOL\x00\x00\x01"
DIGEST, PAGE, LARGEST = 64, 1024, 256 << 10
_FRONT = struct.Struct("<8sI16s16sHHHIQQH")
_SET, _ROOT = b"casemate bundle set v1\n", b"casemate bundle root v1\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What a volume says of itself and its set; sizes in bytes. `signer`: the name of the key that signed, or ""."""

    digest: bytes
    carried: bytes
    banner: str
    number: int
    k: int
    n: int
    frame: int
    frames: int
    roots: tuple[bytes, ...]
    pages: bytes
    signer: str
    size: int

    @property
    def own(self) -> int:
        """What one volume holds."""
        return self.frame * self.frames


def _need(holds: bool) -> None:
    if not holds:
        raise ValueError("no head of a volume")


def _head(raw: bytes) -> Head:
    """ValueError where it is none; every number is held against its bound before it is used."""
    _need(len(raw) > _FRONT.size + DIGEST and hashlib.sha512(raw[:-DIGEST]).digest() == raw[-DIGEST:])
    magic, size, named, carried, number, k, n, frame, frames, total, wide = _FRONT.unpack_from(raw)
    _need(magic == MAGIC and size == len(raw) and 1 <= number <= n and 1 <= k <= n <= 255)
    _need(4096 <= frame <= 1 << 20 and not frame & frame - 1 and n * frame <= 64 << 20)
    _need(1 <= frames <= 1 << 21 and total == k * frames * frame and 1 <= wide <= 200)
    at = _FRONT.size
    said, at = raw[at : at + wide], at + wide
    banner = said.decode("utf-8", "strict")
    _need(banner.isprintable())
    joint, at = raw[at : at + n * DIGEST], at + n * DIGEST
    count = -(-frames // PAGE)
    pages, at = raw[at : at + count * DIGEST], at + count * DIGEST
    wide_key = int.from_bytes(raw[at : at + 2], "little")
    public, signature = raw[at + 2 : at + 2 + wide_key], raw[at + 2 + wide_key : -DIGEST]
    digest = hashlib.sha512(_SET + raw[28:44] + raw[46:72] + said + joint).digest()
    roots = tuple(joint[place * DIGEST : (place + 1) * DIGEST] for place in range(n))
    _need(len(joint) == n * DIGEST and len(pages) == count * DIGEST and digest[:16] == named)
    _need(hashlib.sha512(_ROOT + pages).digest() == roots[number - 1])
    _need((not public and not signature) or (len(public) == wide_key and wide_key in SIZES))
    _need(not public or verifies_any(public, signature, _SET + digest))
    signer = key_name(public) if public else ""
    return Head(digest, carried, banner, number, k, n, frame, frames, roots, pages, signer, size)


@dataclass(slots=True)
class Volume:
    """One volume of a set. `good`: of each frame, whether it is what its digest promises, once it was looked at."""

    path: Path
    head: Head
    table: tuple[bytes, ...]
    good: bytearray

    def frame(self, number: int, file: BinaryIO) -> bytes | None:
        """A frame, proven by the set; None where it is damaged."""
        head = self.head
        if self.good[number] == 2:
            return None
        file.seek(head.size + head.frames * DIGEST + number * head.frame)
        data = file.read(head.frame)
        self.good[number] = 1 if hashlib.sha512(data).digest() == self.table[number] else 2
        return data if self.good[number] == 1 else None


def read_volume(path: Path) -> Volume | None:
    """The head and the table of a volume, the copy where the head is damaged; None where neither can be read."""
    with path.open("rb") as file:
        head = _one_of(file)
        if head is None:
            return None
        file.seek(head.size)
        raw = file.read(head.frames * DIGEST)
    good, table = bytearray(head.frames), []
    for page in range(-(-head.frames // PAGE)):
        part = raw[page * PAGE * DIGEST : (page + 1) * PAGE * DIGEST]
        true = hashlib.sha512(part).digest() == head.pages[page * DIGEST : (page + 1) * DIGEST]
        last = min((page + 1) * PAGE, head.frames)
        for number in range(page * PAGE, last):
            table.append(raw[number * DIGEST : (number + 1) * DIGEST])
            good[number] = 0 if true else 2
    return Volume(path, head, tuple(table), good)


def _one_of(file: BinaryIO) -> Head | None:
    """The head that stands first, else the one that stands last."""
    whole = file.seek(0, 2)
    for first in (True, False):
        if whole < 24:
            return None
        file.seek(8 if first else whole - 12)
        size = int.from_bytes(file.read(4), "little")
        if not _FRONT.size < size <= min(LARGEST, whole):
            continue
        file.seek(0 if first else whole - 12 - size)
        if not first and whole < 12 + size:
            continue
        try:
            return _head(file.read(size))
        except (ValueError, struct.error):
            continue
    return None


class Set(io.RawIOBase):
    """The volumes of one set, and the file that they hold, read like any file. Unusable where they are of several.

    `missing` says how many volumes too few there are for some stripe; while it is not 0, nothing can be read.
    """

    def __init__(self, volumes: Sequence[Volume]) -> None:
        io.RawIOBase.__init__(self)  # plainly: the suite breaks this function line by line
        if len({each.head.digest for each in volumes}) != 1:
            raise Unusable("volumes of several sets: give those of one")
        self.head = volumes[0].head
        self.volumes = {each.head.number: each for each in volumes}
        self._files = {number: each.path.open("rb") for number, each in self.volumes.items()}
        self._at = 0
        self.missing = max(self._proven(stripe) for stripe in range(self.head.frames))
        self.length = 0
        if not self.missing:
            self._whole()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()
        super().close()

    @property
    def damaged(self) -> dict[int, list[int]]:
        """The frames that are not what they should be, by volume."""
        bad = {number: [at for at, said in enumerate(each.good) if said == 2] for number, each in self.volumes.items()}
        return {number: frames for number, frames in bad.items() if frames}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.length)[whence]
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Some bytes, up to the end of a frame."""
        left = min(len(buffer), self.length - self._at)
        if left <= 0:
            return 0
        column, inside = divmod(self._at, self.head.own)
        stripe, skip = divmod(inside, self.head.frame)
        data = self._frame(column, stripe)[skip : skip + left]
        memoryview(buffer)[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _proven(self, stripe: int) -> int:
        """How many frames of a stripe are missing, beyond what the others make up for."""
        there = sum(each.frame(stripe, self._files[number]) is not None for number, each in self.volumes.items())
        return max(self.head.k - there, 0)

    def _whole(self) -> None:
        """What is summed up for a volume that is not here must have that volume's root; the end says the length."""
        head = self.head
        for column in range(head.k):
            volume = self.volumes.get(column + 1)
            if volume is None or 2 in volume.good:
                table = b"".join(hashlib.sha512(self._frame(column, at)).digest() for at in range(head.frames))
                step = PAGE * DIGEST
                pages = b"".join(hashlib.sha512(table[at : at + step]).digest() for at in range(0, len(table), step))
                if hashlib.sha512(_ROOT + pages).digest() != head.roots[column]:
                    raise Unusable(f"volume {column + 1} cannot be made from the others: they do not belong together")
        size = int.from_bytes(self._frame(head.k - 1, head.frames - 1)[-8:], "little")
        if size > head.k * head.own - 8:
            raise Unusable("the volumes say a length that they cannot hold")
        self.length = size

    def _frame(self, column: int, stripe: int) -> bytes:
        """A frame of a data volume, counted from 0: as it lies, or from the others."""
        own = self._read(column + 1, stripe)
        if own is not None:
            return own
        head, known, lost = self.head, {}, []
        for other in range(head.k):
            data = self._read(other + 1, stripe)
            if data is None:
                lost.append(other)
            else:
                known[other] = data
        rows: list[int] = []
        sums: list[bytes] = []
        for row in range(head.n - head.k):
            parity = self._read(head.k + 1 + row, stripe) if len(rows) < len(lost) else None
            if parity is not None:
                rows.append(row)
                parts = [(coefficient(row, other), data) for other, data in known.items()]
                sums.append(summed([(1, parity), *parts], head.frame))
        factors = inverted(tuple(rows), tuple(lost))[lost.index(column)]
        return summed(zip(factors, sums, strict=True), head.frame)

    def _read(self, number: int, stripe: int) -> bytes | None:
        volume = self.volumes.get(number)
        return None if volume is None else volume.frame(stripe, self._files[number])
