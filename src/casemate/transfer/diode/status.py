"""What a receiver tells of itself: does the link live, what arrives, what is missing and under which gap code.

It is written down each second, so that whoever asks sees how old it is even where the receiver itself has ended.
"""

from __future__ import annotations

import msgspec

from casemate.transfer.diode.gapcode import RANGES, Gaps, ranges, write_gaps
from casemate.transfer.diode.heartbeat import DEAD
from casemate.transfer.diode.receiver import Alarm, Receiver

__all__ = ["Gap", "Object", "Status", "status_of"]

_UNSEEN = 16
"""Objects that were announced and of which nothing is known: so many codes are told, the others are counted."""


class Object(msgspec.Struct, frozen=True):
    """An object on its way: its blocks, how many are missing, what stopped it, and the code that fetches the rest."""

    id: str
    sequence: int
    sender: str
    size: int
    blocks: int
    missing: int
    stopped: str
    urgent: bool
    banner: str
    code: str


class Gap(msgspec.Struct, frozen=True):
    """Objects of a sender that were announced and never seen: first and last sequence, and the code of the first."""

    sender: str
    first: int
    last: int
    code: str


class Status(msgspec.Struct, frozen=True):
    """Times are microseconds; `heartbeat` is 0 where none was ever heard. `lost`: datagrams of a thousand."""

    at: int
    heartbeat: int
    skew: int
    sequence: int
    lost: int
    overflow: int
    buffer: int
    objects: tuple[Object, ...]
    unseen: tuple[Gap, ...]
    counts: dict[str, int]
    dropped: dict[str, int]
    alarms: tuple[Alarm, ...]

    def dead(self, now: int) -> bool:
        """Whether the link is to be told dead at that time."""
        return now - self.heartbeat > DEAD


def status_of(receiver: Receiver, link: bytes, now: int, overflow: int = 0, buffer: int = 0) -> Status:
    """As of now. `overflow` and `buffer` are the socket's: datagrams without room, and bytes of room."""
    last = receiver.pulse.last
    return Status(
        at=now,
        heartbeat=receiver.pulse.at,
        skew=receiver.pulse.skew,
        sequence=last.sequence if last else 0,
        lost=receiver.lost(),
        overflow=overflow,
        buffer=buffer,
        objects=_objects(receiver, link),
        unseen=_unseen(receiver, link),
        counts=dict(receiver.counts),
        dropped=dict(receiver.reader.dropped),
        alarms=tuple(receiver.alarms),
    )


def _objects(receiver: Receiver, link: bytes) -> tuple[Object, ...]:
    found = []
    for arriving in receiver.objects.values():
        manifest = arriving.manifest
        gaps = Gaps(manifest.sequence, ranges(arriving.gaps(), RANGES))
        found.append(
            Object(
                id=manifest.id.hex(),
                sequence=manifest.sequence,
                sender=arriving.sender.hex(),
                size=manifest.size,
                blocks=manifest.blocks,
                missing=arriving.missing,
                stopped=arriving.stopped,
                urgent=manifest.urgent,
                banner=manifest.banner,
                code=write_gaps(link, arriving.sender, gaps),
            )
        )
    return tuple(found)


def _unseen(receiver: Receiver, link: bytes) -> tuple[Gap, ...]:
    """Sequences up to the last announced one of which neither manifest nor object is known."""
    found = []
    coming = {(each.sender, each.manifest.sequence) for each in receiver.objects.values()}
    for sender, last in receiver.announced.items():
        known = receiver.known.get(sender, set()) | {number for one, number in coming if one == sender}
        for first, end in _between(sorted(known), last):
            found.append(Gap(sender.hex(), first, end, write_gaps(link, sender, Gaps(first, None))))
    return tuple(found[:_UNSEEN])


def _between(known: list[int], last: int) -> list[tuple[int, int]]:
    """The numbers from 1 to `last` that are not known, as ranges: a number of any size costs nothing."""
    found, at = [], 1
    for number in known:
        if number > at:
            found.append((at, min(number - 1, last)))
        at = max(at, number + 1)
        if at > last:
            break
    if at <= last:
        found.append((at, last))
    return found
