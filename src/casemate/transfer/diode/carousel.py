"""What is sent next: urgent objects before the others, each object several times round, eight blocks in turns.

    urgent  o o o          a group: eight blocks, a symbol of each in turn, so that a burst takes an eighth of itself
    bulk    o o o o o      from each; where the turn of an object has ended, it waits and comes round again

An urgent object waits for no more than what is already in the sender's hand: one call's datagrams. Of an object of
which the high side has told the gaps, these blocks alone are sent, and then it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from casemate.clock import SECOND
from casemate.errors import BadInput, CasemateError
from casemate.transfer.diode.datagram import BLOCK, Writer
from casemate.transfer.diode.gapcode import Gaps
from casemate.transfer.diode.link import Whole
from casemate.transfer.diode.message import Manifest
from casemate.transfer.diode.padding import block_of
from casemate.transfer.diode.repair import encoded, repair_of, source_symbols

__all__ = ["INTERLEAVE", "Carousel", "Offer"]

INTERLEAVE = 8
SPACING = 2 * SECOND
"""Between two turns of one object: what silenced the link for a moment does not take both."""
Piece = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Offer:
    """An object to be sent, under the manifest of this session."""

    manifest: Manifest
    whole: Whole

    def block(self, index: int) -> bytes:
        return block_of(self.whole.read, self.whole.length, index, BLOCK)


@dataclass(slots=True)
class _Job:
    """What is still to be sent of an offer: this turn's blocks, then as many turns as are left."""

    offer: Offer
    blocks: Sequence[int]
    turns: int
    at: int = 0
    ready: int = 0


@dataclass(slots=True)
class _Queue:
    jobs: deque[_Job] = field(default_factory=deque)
    pieces: list[Piece] = field(default_factory=list)
    at: int = 0
    ending: list[Offer] = field(default_factory=list)
    going: list[Offer] = field(default_factory=list)


class Carousel:
    """`announce` is told of each turn of an object, at its beginning and at its end."""

    def __init__(self, symbol: int, loss: float, announce: Callable[[Manifest], None]) -> None:
        self._symbol = symbol
        self._loss = loss
        self._announce = announce
        self._queues = (_Queue(), _Queue())  # urgent, bulk
        self.finished: list[Offer] = []
        self.failed: list[tuple[Offer, CasemateError]] = []

    def add(self, offer: Offer, turns: int) -> None:
        """Send it so many times."""
        self._queue(offer).jobs.append(_Job(offer, range(offer.manifest.blocks), turns))

    def fill(self, offer: Offer, gaps: Gaps, turns: int = 2) -> None:
        """The high side has told what it lacks: that first, and nothing else of this object. Raises BadInput."""
        blocks: Sequence[int] = range(offer.manifest.blocks)
        if gaps.missing is not None:
            if any(last >= offer.manifest.blocks for _, last in gaps.missing):
                raise BadInput(what="gap code")
            blocks = [index for first, last in gaps.missing for index in range(first, last + 1)]
        self.drop(offer)
        if blocks:
            self._queue(offer).jobs.appendleft(_Job(offer, blocks, turns))
        else:
            self.finished.append(offer)

    def drop(self, offer: Offer) -> None:
        """Send no further turn of it."""
        queue = self._queue(offer)
        queue.jobs = deque(job for job in queue.jobs if job.offer is not offer)
        queue.ending = [each for each in queue.ending if each is not offer]

    def going(self) -> list[Manifest]:
        """What is being sent right now."""
        return [offer.manifest for queue in self._queues for offer in queue.going]

    def waiting(self, now: int) -> int | None:
        """Microseconds until there is something to send; None where there is nothing at all."""
        if any(queue.pieces for queue in self._queues):
            return 0
        ready = [job.ready for queue in self._queues for job in queue.jobs]
        return max(0, min(ready) - now) if ready else None

    def pieces(self, most: int, now: int) -> list[Piece]:
        """The next ones, urgent first."""
        found: list[Piece] = []
        for queue in self._queues:
            while len(found) < most and (queue.pieces or self._group(queue, now)):
                end = queue.at + most - len(found)
                found += queue.pieces[queue.at : end]
                queue.at = end
                if end >= len(queue.pieces):
                    self._ended(queue)
        return found

    def _queue(self, offer: Offer) -> _Queue:
        return self._queues[0 if offer.manifest.urgent else 1]

    def _ended(self, queue: _Queue) -> None:
        """The group is sent, and with it the last turn of some."""
        self.finished += queue.ending
        queue.pieces, queue.at, queue.ending, queue.going = [], 0, [], []

    def _group(self, queue: _Queue, now: int) -> bool:
        """Take the next blocks in hand; whether there are any."""
        made: list[list[Piece]] = []
        for job in [job for job in queue.jobs if job.ready <= now]:
            if job.at == 0:
                self._announce(job.offer.manifest)
            while job.at < len(job.blocks) and len(made) < INTERLEAVE:
                block = self._encoded(queue, job)
                if block is None:
                    break
                made.append(block)
                job.at += 1
            if job in queue.jobs:
                queue.going.append(job.offer)
                if job.at == len(job.blocks):
                    self._turned(queue, job, now)
            if len(made) == INTERLEAVE:
                break
        queue.pieces = [piece for piece in chain.from_iterable(zip_longest(*made)) if piece is not None]
        return bool(made)

    def _turned(self, queue: _Queue, job: _Job, now: int) -> None:
        """Its turn has ended: it goes to the end of the queue, or leaves it."""
        self._announce(job.offer.manifest)
        queue.jobs.remove(job)
        if job.turns > 1:
            queue.jobs.append(_Job(job.offer, job.blocks, job.turns - 1, 0, now + SPACING))
        else:
            queue.ending.append(job.offer)

    def _encoded(self, queue: _Queue, job: _Job) -> list[Piece] | None:
        manifest, index = job.offer.manifest, job.blocks[job.at]
        try:
            data = job.offer.block(index)
        except CasemateError as error:
            queue.jobs.remove(job)
            self.failed.append((job.offer, error))
            return None
        middle = Writer.middle(manifest.first + index, len(data))
        repair = repair_of(source_symbols(len(data), self._symbol), self._loss)
        return [(middle, packet) for packet in encoded(data, self._symbol, repair)]
