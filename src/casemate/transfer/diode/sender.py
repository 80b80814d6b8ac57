"""The low side: objects in, datagrams out, never faster than the cap, a heartbeat each second.

It reads no clock and no socket: whoever drives it says what time it is and sends what `step` gives.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from casemate.clock import SECOND
from casemate.crypto import Signer
from casemate.errors import Absent
from casemate.transfer.diode.carousel import Carousel, Offer
from casemate.transfer.diode.datagram import MESSAGES, OVERHEAD, Writer
from casemate.transfer.diode.gapcode import Gaps
from casemate.transfer.diode.heartbeat import INTERVAL
from casemate.transfer.diode.link import Whole
from casemate.transfer.diode.message import Heartbeat, Manifest
from casemate.transfer.diode.pace import Bucket
from casemate.transfer.diode.repair import encoded, repair_of, source_symbols

__all__ = ["AROUND", "Pace", "Sender"]

AROUND = 48
"""What IPv6 and UDP put around a datagram; IPv4 needs twenty less."""
_MANIFEST_LOSS = 0.1
"""Messages are few and small: they get the repair of a worse link than the others."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What the link bears: bytes of a symbol, the part of datagrams that it loses, bytes per second on the wire."""

    symbol: int
    loss: float
    cap: int
    most: int
    turns: int = 3

    @property
    def datagram(self) -> int:
        return self.symbol + OVERHEAD

    @property
    def wire(self) -> int:
        return self.datagram + AROUND


class Sender:
    """One session. `offer` and `fill` feed it; `finished` and `failed` say what came of it.

    `last`: the last number that an earlier run has announced; the high side is to miss what it did not hear.
    """

    def __init__(self, link: bytes, signer: Signer, session: bytes, pace: Pace, now: int, last: int = 0) -> None:
        self.session = session
        self.sequence = last
        self._signer = signer
        self._pace = pace
        self._writer = Writer(link, session)
        self._bucket = Bucket(pace.cap, max(2 * pace.most * pace.wire, pace.cap // 200), now)
        self._carousel = Carousel(pace.symbol, pace.loss, self._announce)
        self._offers: dict[int, Offer] = {}
        self._messages: deque[tuple[bytes, bytes]] = deque()
        self._block = self._message = self._beats = 0
        self._beat = now
        self.sent = 0

    # ---- what is to be sent --------------------------------------------------------------------------------------

    def offer(self, manifest: Manifest, whole: Whole) -> Offer:
        """Take an object on the carousel; the numbers of its blocks are given here."""
        placed = Manifest(
            manifest.id,
            manifest.sequence,
            self._block,
            manifest.size,
            manifest.sha512,
            manifest.urgent,
            manifest.banner,
        )
        self._block += placed.blocks
        offer = Offer(placed, whole)
        self._offers[placed.sequence] = offer
        self.sequence = max(self.sequence, placed.sequence)
        self._carousel.add(offer, self._pace.turns)
        return offer

    def fill(self, gaps: Gaps) -> Offer:
        """Send what the high side lacks of an object that was offered. Raises Absent, BadInput."""
        offer = self._offers.get(gaps.sequence)
        if offer is None:
            raise Absent(kind="object of the link", id=str(gaps.sequence))
        self._carousel.fill(offer, gaps)
        return offer

    def withdraw(self, sequence: int) -> None:
        """Send no more of it, and forget it."""
        offer = self._offers.pop(sequence, None)
        if offer is not None:
            self._carousel.drop(offer)

    def finished(self) -> list[Offer]:
        """Whose last turn has been sent since this was asked."""
        found, self._carousel.finished = self._carousel.finished, []
        return found

    def failed(self) -> list[tuple[Offer, Exception]]:
        """What could not be read any more, and why."""
        found, self._carousel.failed = self._carousel.failed, []
        for offer, _ in found:
            self._offers.pop(offer.manifest.sequence, None)
        return list(found)

    @property
    def idle(self) -> bool:
        """Whether nothing but heartbeats is to be sent."""
        return not self._messages and self._carousel.waiting(0) is None

    # ---- what leaves ---------------------------------------------------------------------------------------------

    def step(self, now: int) -> list[bytes]:
        """The datagrams of one call, or none while there is nothing to send or the cap allows none."""
        if now >= self._beat:
            self._pulse(now)
        most, wire = self._pace.most, self._pace.wire
        if self._bucket.room(now) < most * wire:
            return []
        pieces = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        if len(pieces) < most:
            pieces += self._carousel.pieces(most - len(pieces), now)
        self._bucket.take(len(pieces) * wire)
        self.sent += len(pieces)
        return self._writer.write(pieces)

    def wait(self, now: int) -> int:
        """Microseconds until `step` may give something."""
        beat = max(0, self._beat - now)
        turn = 0 if self._messages else self._carousel.waiting(now)
        if turn is None:
            return beat
        return min(beat, max(turn, self._bucket.wait(self._pace.most * self._pace.wire)))

    def _pulse(self, now: int) -> None:
        """A heartbeat, and again the manifests of what is under way; one that was missed is not made up for."""
        self._beat = now + INTERVAL
        self._beats += 1
        self._say(Heartbeat(self.session, self._beats, self.sequence, now).encode(self._signer))
        for manifest in self._carousel.going():
            self._announce(manifest)

    def _announce(self, manifest: Manifest) -> None:
        self._say(manifest.encode())

    def _say(self, message: bytes) -> None:
        middle = Writer.middle(MESSAGES + self._message, len(message))
        self._message += 1
        repair = repair_of(source_symbols(len(message), self._pace.symbol), max(_MANIFEST_LOSS, self._pace.loss))
        self._messages += [(middle, packet) for packet in encoded(message, self._pace.symbol, repair)]


assert INTERVAL == SECOND
