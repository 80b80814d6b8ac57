"""One datagram: a repair symbol with its place, and a proof over both that is checked before anything looks inside.

     0  magic     4   "CMD1"
     4  session  16   session.py
    20  number    8   of the datagram in its session, from 0: the nonce of the proof
    28  block     8   of the session; the highest bit says that it holds a message of the link and no part of an object
    36  size      4   bytes of the block
    40  place     4   RaptorQ's payload id (RFC 6330 section 3.2): 0, and the symbol's id in 24 bits
    44  symbol    T   the link's symbol size
  44+T  proof    16   AES-256-GMAC over everything before it

Numbers are big-endian. All datagrams of a link have the same length. `Reader.read` never raises, whatever it is given.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

from casemate.crypto import TAG_SIZE, Prover
from casemate.transfer.diode.repair import most_symbols
from casemate.transfer.diode.session import Sessions, key_of

__all__ = ["BLOCK", "MESSAGE", "MESSAGES", "OVERHEAD", "Piece", "Reader", "Writer"]

MAGIC = b"CMD1"
HEADER, PACKET = 44, 40
OVERHEAD = HEADER + TAG_SIZE
BLOCK = 1 << 20
"""Bytes of a block of an object; its last one may be shorter."""
MESSAGE = 16 << 10
"""The longest message of the link itself."""
MESSAGES = 1 << 63
"""From this number on a block holds a message."""
_HEAD = struct.Struct(">4s16sQQII")
_MIDDLE = struct.Struct(">QI")
_ZERO = bytes(4)
_WAITING = 8
"""Sessions whose key is kept ready before anything of theirs was proven: strangers get no more of our time."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """What a proven datagram holds. `packet` is the place and the symbol, as the decoder wants it."""

    session: bytes
    number: int
    block: int
    size: int
    packet: bytes


class Writer:
    """Proves the datagrams of one session, and numbers them."""

    __slots__ = ("_before", "_number", "_prove")

    def __init__(self, link: bytes, session: bytes) -> None:
        self._before = MAGIC + session
        self._prove = Prover(key_of(link, session)).prove
        self._number = 0

    @staticmethod
    def middle(block: int, size: int) -> bytes:
        """What the datagrams of one block share."""
        return _MIDDLE.pack(block, size)

    def write(self, pieces: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """The datagrams of (middle, packet), in their order."""
        number, before, prove, join = self._number, self._before, self._prove, b"".join
        made = []
        for middle, packet in pieces:
            counted = number.to_bytes(8, "big")
            body = join((before, counted, middle, packet))
            made.append(body + prove(_ZERO + counted, b"", body))
            number += 1
        self._number = number
        return made


class Reader:
    """Proves what arrives; counts what it drops by why: length, foreign, forged, replayed, senders, bounds."""

    __slots__ = ("_keys", "_length", "_link", "_ready", "_symbol", "dropped", "sessions")

    def __init__(self, link: bytes, symbol: int, sessions: Sessions) -> None:
        self._link = link
        self._symbol = symbol
        self._length = symbol + OVERHEAD
        self._keys: dict[bytes, Prover] = {}
        self._ready: dict[bytes, Prover] = {}
        self.sessions = sessions
        self.dropped = dict.fromkeys(("length", "foreign", "forged", "replayed", "senders", "bounds"), 0)

    def read(self, datagram: bytes | memoryview) -> Piece | None:
        """What it holds, or None where it does not count."""
        if len(datagram) != self._length:
            return self._dropped("length")
        magic, session, number, block, size, place = _HEAD.unpack_from(datagram)
        if magic != MAGIC:
            return self._dropped("foreign")
        prover = self._keys.get(session)
        if prover is None:
            verdict = self.sessions.judge(session)
            if verdict in ("replayed", "senders"):
                return self._dropped(verdict)
            prover = self._prover(session)
        nonce = _ZERO + number.to_bytes(8, "big")
        if not prover.holds(nonce, datagram[:-TAG_SIZE], bytes(datagram[-TAG_SIZE:])):
            return self._dropped("forged")
        if session not in self._keys:
            self.sessions.admit(session)
            self._keys = {each: self._keys.get(each, prover) for each in self.sessions.known() if each in self._keys}
            self._keys[session] = prover
            self._ready.pop(session, None)
        if not 0 < size <= (MESSAGE if block >= MESSAGES else BLOCK) or place >= most_symbols(size, self._symbol):
            return self._dropped("bounds")  # only whoever holds the key can have written it, and yet
        return Piece(session, number, block, size, bytes(datagram[PACKET:-TAG_SIZE]))

    def _prover(self, session: bytes) -> Prover:
        prover = self._ready.get(session)
        if prover is None:
            while len(self._ready) >= _WAITING:
                del self._ready[next(iter(self._ready))]
            prover = self._ready[session] = Prover(key_of(self._link, session))
        return prover

    def _dropped(self, why: str) -> Piece | None:
        self.dropped[why] += 1
        return None
