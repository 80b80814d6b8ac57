"""What a listener takes becomes objects at its label: syslog has no sign-in, so the settings say label and senders.

    connection -> frames -> looked at -> gathered -> [durable] -> the connection is read on

A connection is read no further than what is kept, so a sender that is faster than the region waits; nothing is held
but what one read of it gave. What must never happen: that a message lies below the listener's label, or that a message
which bears a higher mark lies there at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from casemate.access import Flow, Gate
from casemate.buckets import Gatherer, Place, look
from casemate.clock import Loop
from casemate.errors import CasemateError, Refused
from casemate.labels import Label
from casemate.missions.host.syslog import Frame, Frames, line_of, record, text_of
from casemate.policy import Action

__all__ = ["GATHER", "Door", "Listening", "Taker"]

GATHER = Action("gather", "event")
SHORTEST, LONGEST = 0.5, 30.0
"""Seconds until what could not be kept is tried again; twice as many each time, and at most so many."""


Feed = Callable[[bytes], Awaitable[bool]]
"""Takes what a connection gave, b"" at its end; returns when it is kept, and whether it may be read on."""


class Taker(Protocol):
    """What a door hands bytes to."""

    def connected(self, peer: str) -> Feed:
        """Somebody has connected."""
        ...

    async def datagrams(self, peer: str, data: Sequence[bytes]) -> None:
        """Keep them, a message each."""
        ...

    def dropped(self, datagrams: int) -> None:
        """So many were lost, since there was no room."""
        ...


class Door(Protocol):
    """A socket that listens. Implemented by an engine."""

    async def open(self, taker: Taker) -> None:
        """Raises Occupied where it cannot listen there. Nothing where it does already."""
        ...

    async def close(self) -> None:
        """No more is read; what was read is kept first, for a while."""
        ...


@dataclass(slots=True)
class Listening:
    """One listener. `rate`: messages a second, beyond which senders wait. `wait` is for tests."""

    gate: Gate
    gatherer: Gatherer
    label: Label
    place: Place
    door: Door
    records: bool = True
    rate: int = 20_000
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    lost: int = 0
    refused: int = 0
    fault: CasemateError | None = None
    _due: float = field(default=0.0)

    def loops(self) -> list[Loop]:
        return [Loop("missions.listen", 2.0, self.step)]

    async def step(self) -> int:
        """Listen, and say what prevented the last message from being kept. Raises what that was."""
        await self.door.open(self)
        if self.fault is not None:
            raise self.fault
        return 0

    async def stop(self) -> None:
        await self.door.close()

    def connected(self, peer: str) -> Feed:
        frames = Frames()

        async def feed(data: bytes) -> bool:
            await self.take(peer, frames.feed(data) if data else frames.rest())
            return not frames.broken

        return feed

    async def datagrams(self, peer: str, data: Sequence[bytes]) -> None:
        await self.take(peer, [Frame(each) for each in data])

    def dropped(self, datagrams: int) -> None:
        self.lost += datagrams

    async def take(self, peer: str, frames: Sequence[Frame]) -> None:
        """Keep them, each a line. What bears a mark above the label is refused, recorded, and counted."""
        if not frames:
            return
        await self._slowly(len(frames))
        pause = SHORTEST
        lines: list[bytes] | None = None
        while True:
            try:
                flow = await self._flow()
                lines = lines if lines is not None else await self._looked_at(flow, peer, frames)
                if lines:
                    await self._kept(flow, lines)
                self.fault = None
                return
            except CasemateError as error:  # nothing is lost: its sender waits until there is room again
                self.fault = error
                await self.wait(pause)
                pause = min(pause * 2, LONGEST)

    async def _flow(self) -> Flow:
        access = self.gate.classes.of(self.label)
        return await self.gate.open(self.gate.service("listener", access), GATHER)

    async def _looked_at(self, flow: Flow, peer: str, frames: Sequence[Frame]) -> list[bytes]:
        """The lines of what may lie here."""
        now = self.gate.vault.clock.now()
        lines = [line_of(record(one, peer, now)) if self.records else _plain(one) for one in frames]
        said = [text_of(one).encode() for one in frames]
        if not flow.gate.vault.region.policies.may_hold(b"\n".join(said)):
            return lines
        kept = []
        for line, one in zip(lines, frames, strict=True):
            try:
                for text in (text_of(one), str(record(one, peer, now)["message"])):  # a header hides no mark
                    await look(flow, text.encode())
            except Refused:
                self.refused += 1
                continue
            kept.append(line)
        return kept

    async def _kept(self, flow: Flow, lines: list[bytes]) -> None:
        """Kept with what was lost since the last object: a gap is told where it is."""
        lost, refused = self.lost, self.refused
        gaps = [(f"casemate-{name}", str(n)) for name, n in (("lost", lost), ("refused", refused)) if n]
        place = Place(
            self.place.bucket,
            self.place.prefix,
            self.place.suffix,
            self.place.media,
            (*self.place.metadata, *gaps),
        )
        await self.gatherer.add(flow, place, b"".join(lines))
        self.lost, self.refused = max(self.lost - lost, 0), max(self.refused - refused, 0)

    async def _slowly(self, messages: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._due > now:
            await self.wait(self._due - now)
        self._due = max(self._due, now) + messages / self.rate


def _plain(frame: Frame) -> bytes:
    """The message's own text alone, on one line."""
    message = str(record(frame, "", 0)["message"])
    return " ".join(message.splitlines()).encode() + b"\n"
