"""CRC-32C (RFC 3720, appendix B.4) and CRC-64/NVME, over numbers of any length and without a table for each byte.

A block is one polynomial over GF(2), first bit first, held as an integer whose bit 0 is its highest power. Its first
half is folded onto the rest: x^k is a sum of few powers modulo the generator, so a fold is a few shifts of long
integers, which run at the speed of memory. Squaring such a sum doubles its powers and adds none, so one good k (found
by trying) serves every length. Held to the definition, bit by bit, in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["CRC32C", "CRC64NVME", "Crc"]

_SMALL = 128  # bits: below that it is bit by bit
_LONGEST = 40  # a fold of 2^40 bits is longer than any block


@dataclass(frozen=True, slots=True)
class Crc:
    """A code: its width in bits, its generator as usually written, and a k at which x^k has few terms."""

    width: int
    generator: int
    sparse: int

    def update(self, state: int, block: bytes | memoryview) -> int:
        """The state after a block; the first is 0, and each is the code of what has been seen."""
        ones = (1 << self.width) - 1
        rest = int.from_bytes(block, "little") ^ state ^ ones
        bits = len(block) * 8 + self.width
        folds = _folds(self)
        for at, terms in folds:
            while bits > at:
                first = min(bits - at, at - terms[-1])
                moved = rest & ((1 << first) - 1)
                rest >>= first
                for term in terms:
                    rest ^= moved << (at - term - first)
                bits -= first
        reverse = _reversed(self.generator, self.width)
        for _ in range(bits - self.width):
            rest = (rest >> 1) ^ (reverse if rest & 1 else 0)
        return rest ^ ones


def _reversed(value: int, width: int) -> int:
    return int(format(value, f"0{width}b")[::-1], 2)


def _terms(crc: Crc, k: int) -> tuple[int, ...]:
    """The powers whose sum is x^k modulo the generator, the highest last."""
    found, top = 1, 1 << crc.width
    for _ in range(k):
        found <<= 1
        if found & top:
            found ^= top | crc.generator
    return tuple(power for power in range(crc.width) if found >> power & 1)


@cache
def _folds(crc: Crc) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """What a block is folded at, from the longest down."""
    sparse = _terms(crc, crc.sparse)
    long = [(crc.sparse << n, tuple(term << n for term in sparse)) for n in range(_LONGEST)]
    short, k = [], _SMALL
    while k < crc.sparse:
        short.append((k, _terms(crc, k)))
        k *= 2
    return tuple(reversed([*short, *long]))


CRC32C = Crc(32, 0x1EDC6F41, 6305)
CRC64NVME = Crc(64, 0xAD93D23594C93659, 7468)
