"""What was put aside stays for so many days, and so many bytes of it in each access class; then its file goes.

The record stays and says that the file is gone. Each class counts for itself, so that nobody sees by what goes how much
lies elsewhere. It must never touch what waits for a number: that is nobody's waste.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from casemate.access import Flow, Gate, Idle, Lanes
from casemate.clock import Loop
from casemate.errors import CasemateError, Conflict, Unavailable
from casemate.labels import AccessClass
from casemate.objects import Found, Put
from casemate.policy import Action
from casemate.transfer.region.channel import BUNDLE, BundleRecord
from casemate.transfer.region.yard import Yard

__all__ = ["Quarantine", "Retention"]

DAY: Final = 86_400 * 1_000_000
NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Retention:
    """`days` that a file stays, and `size`: bytes of all of a class."""

    days: int
    size: int

    def until(self, record: BundleRecord) -> int:
        """When its file goes at the latest, in microseconds since 1970; 0 where none is there."""
        return record.at + self.days * DAY if record.verdict == "quarantine" and record.file else 0


class Quarantine:
    """`patience`: as of `Lanes`. `problems` says why a class cannot go on."""

    def __init__(self, gate: Gate, yard: Yard, retention: Retention, patience: float | None = 0.5) -> None:
        self._gate = gate
        self._yard = yard
        self._retention = retention
        self._lanes = Lanes(gate, self._lane, patience)
        self._idle = Idle(BUNDLE)
        self._due: dict[str, int] = {}
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("transfer.quarantine", 60.0, self.step)]

    async def step(self) -> int:
        """Remove what has stayed long enough, class by class; how many files went."""
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way."""
        await self._lanes.stop()

    async def _lane(self, access: AccessClass) -> int:
        try:
            gone = await self._class(access)
        except (CasemateError, OSError) as error:
            self.problems[access.id] = error.slug if isinstance(error, CasemateError) else Unavailable.slug
            return 0
        self.problems.pop(access.id, None)
        return gone

    async def _class(self, access: AccessClass) -> int:
        """A class in which nothing has changed is looked at again once something in it is due."""
        flow = await self._gate.open(self._gate.service("transfer", access), Action("take", "bundle"))
        now, tide = flow.gate.vault.clock.now(), await self._idle.turned(flow)
        if tide is None and now < self._due.get(access.id, NEVER):
            return 0
        kept = sorted(await self._kept(flow), key=lambda found: (found.value.at, found.id))
        gone = self._over(kept, now)
        for each in gone:
            await self._remove(flow, each)
        self._due[access.id] = min((self._retention.until(each.value) for each in kept[len(gone) :]), default=NEVER)
        if not gone and tide is not None:
            self._idle.rest(flow, tide)
        return len(gone)

    async def _kept(self, flow: Flow) -> list[Found[BundleRecord]]:
        own = [each for each in await flow.every(BUNDLE) if each.ref.class_id == flow.access.id]
        return [each for each in own if self._retention.until(each.value)]

    def _over(self, kept: Sequence[Found[BundleRecord]], now: int) -> list[Found[BundleRecord]]:
        """The oldest, as far as their time is over or the others alone fill the room."""
        left, gone = sum(each.value.size for each in kept), list[Found[BundleRecord]]()
        for each in kept:
            if self._retention.until(each.value) > now and left <= self._retention.size:
                break
            gone.append(each)
            left -= each.value.size
        return gone

    async def _remove(self, flow: Flow, found: Found[BundleRecord]) -> None:
        """The file first: whoever is killed here removes nothing the second time, and says so then."""
        value = found.value
        await self._yard.forget(value.file)
        facts = {"channel": value.channel, "bundle": value.bundle, "quarantine": "gone"}
        try:
            await flow.commit(Put(BUNDLE, found.id, replace(value, file=""), expect=found.version), facts=facts)
        except Conflict:
            return  # somebody has just said something of it: the next step sees what
