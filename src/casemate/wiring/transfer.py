"""Bundles in a region: the folder in which their files lie, what travels, and the loops that look after both ends."""

from __future__ import annotations

from casemate.doors.native.rooms import Transfer
from casemate.engines.guard import CellGuard
from casemate.engines.transfer_guard import FencedGuards
from casemate.engines.transfer_yard import FolderYard
from casemate.jobs.packages import Mirror
from casemate.models.registry import Registry
from casemate.transfer.guard import Asked, Format, judge
from casemate.transfer.guard.schema import Anything
from casemate.transfer.region import Arrivals, Departures, Guards, Looking, Quarantine, Retention
from casemate.wiring.cargo import cargo_of
from casemate.wiring.cargo_clearances import Clearances
from casemate.wiring.cargo_heads import Heads
from casemate.wiring.cargo_packages import Packages
from casemate.wiring.cargo_requests import Requests
from casemate.wiring.embedding import sandbox_of
from casemate.wiring.house import House

__all__ = ["transfer_of"]


def transfer_of(house: House, registry: Registry, mirror: Mirror) -> Transfer:
    """The room, with its loops in the house."""
    yard = FolderYard(house.folder.path / "transfer")
    yard.swept()
    travels = *cargo_of(house.folder.path, registry), Packages(mirror), Clearances(), Heads(), Requests()
    guards = _guards(house)
    departures = Departures(house.gate, yard, {each.kind: each for each in travels}, guards)
    patience = None if house.extractor else 0.5
    arrivals = Arrivals(house.gate, yard, {each.type: each for each in travels}, guards, patience)
    told = house.settings.transfer
    retention = Retention(told.quarantine_days, told.quarantine_mb << 20)
    quarantine = Quarantine(house.gate, yard, retention, patience)
    house.closers += [arrivals.stop, quarantine.stop]
    house.loops += [*departures.loops(), *arrivals.loops(), *quarantine.loops()]
    return Transfer(yard, departures, arrivals, retention, frozenset(each.kind for each in travels if each.asks))


class _Lawful:
    """The same two sides in this process, for a law's world: nothing of the machine runs in it, no PDF is read."""

    async def look(self, name: str, format: Format, head: bytes, size: int, domain: str) -> Looking:
        del name, domain
        schema = Anything() if format in ("json", "jsonl") else None
        verdict, made = judge(head, Asked(format, "in", schema), size - len(head))
        return Looking(verdict.format, verdict.rule, verdict.digest, made)


def _guards(house: House) -> Guards:
    if house.extractor is not None:
        return _Lawful()
    cell = CellGuard(sandbox_of(house))
    house.closers.append(cell.close)
    return FencedGuards(cell)
