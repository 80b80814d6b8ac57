"""Repair: a block as symbols of which almost any K give it back (RaptorQ, RFC 6330), and how many more than K are sent.

The rule: of n datagrams, each lost with probability p, mu + 6 sigma are lost at most but once in a thousand million
blocks (mu = n p, sigma = sqrt(n p (1 - p))); two more, because RaptorQ wants up to two beyond K. It counts independent
losses: against bursts the symbols of eight blocks are sent in turns (carousel.py).

The decoder believes what it is given: one wrong symbol gives a wrong block, and one of a wrong length ends it with a
panic that is a BaseException. So only proven symbols come here, and a panic is a block that could not be restored.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

import raptorq

__all__ = ["SYMBOLS", "Restoring", "encoded", "most_symbols", "overhead", "repair_of", "source_symbols"]

SYMBOLS = (64, 8192)
"""The smallest and the largest symbol of a link, in bytes; each is a multiple of 8."""
_PLACE = 4


def source_symbols(size: int, symbol: int) -> int:
    """K: symbols that a block of that size has."""
    return -(-size // symbol)


@lru_cache(maxsize=256)
def repair_of(symbols: int, loss: float) -> int:
    """Symbols beyond K for a link that loses that part of its datagrams (below 0.5)."""
    more = 2
    while True:
        sent = symbols + more
        if more >= sent * loss + 6 * sqrt(sent * loss * (1 - loss)) + 2:
            return more
        more += 1


@lru_cache(maxsize=256)
def most_symbols(size: int, symbol: int) -> int:
    """One more than the highest id of a symbol that a receiver takes: what a link that loses half would send."""
    symbols = source_symbols(size, symbol)
    return symbols + repair_of(symbols, 0.5)


def overhead(size: int, symbol: int, loss: float) -> float:
    """Repair symbols for each symbol of a block."""
    symbols = source_symbols(size, symbol)
    return repair_of(symbols, loss) / symbols


def encoded(data: bytes, symbol: int, repair: int) -> list[bytes]:
    """The packets of a block: each its place (4 bytes) and a symbol, the K of the block itself first."""
    packets: list[bytes] = raptorq.Encoder.with_defaults(data, symbol).get_encoded_packets(repair)
    return packets


class Restoring:
    """A block of which symbols arrive, in any order, some of them twice. `size` bytes; at most 2K + 100 are kept."""

    __slots__ = ("_decoder", "_packets", "_source", "_symbols", "size", "symbol")

    def __init__(self, size: int, symbol: int) -> None:
        self.size = size
        self.symbol = symbol
        self._symbols = source_symbols(size, symbol)
        self._source = 0
        self._packets: dict[bytes, bytes] = {}
        self._decoder: raptorq.Decoder | None = None

    def __len__(self) -> int:
        return len(self._packets)

    def take(self, packet: bytes) -> bytes | None:
        """One more proven packet; the block as soon as it can be restored. Raises ArithmeticError where it cannot.

        A packet of a length or block that is not ours raises ValueError: whoever proves them has let one through.
        """
        if len(packet) != _PLACE + self.symbol or packet[0] != 0:
            raise ValueError("not a packet of this block")
        place = packet[:_PLACE]
        if place in self._packets:
            return None
        self._packets[place] = packet
        self._source += int.from_bytes(place, "big") < self._symbols
        if len(self._packets) < self._symbols:
            return None
        if self._source == self._symbols:
            return self._joined()
        return self._decoded(packet)

    def _joined(self) -> bytes:
        """All symbols of the block itself are here: nothing has to be computed."""
        places = (place.to_bytes(_PLACE, "big") for place in range(self._symbols))
        return b"".join([memoryview(self._packets[place])[_PLACE:] for place in places])[: self.size]

    def _decoded(self, packet: bytes) -> bytes | None:
        given = [packet] if self._decoder is not None else list(self._packets.values())
        try:
            if self._decoder is None:
                self._decoder = raptorq.Decoder.with_defaults(self.size, self.symbol)
            for each in given:
                found = self._decoder.decode(each)
                if found is not None:
                    return bytes(found)
        except BaseException as panic:
            if type(panic).__name__ != "PanicException":
                raise
            raise ArithmeticError("the block cannot be restored") from None
        return None
