"""Bundles in a region: the folder in which their files lie, what travels, and the loops that look after both ends."""

from __future__ import annotations

from casemate.doors.native.rooms import Transfer
from casemate.engines.transfer_yard import FolderYard
from casemate.jobs.packages import Mirror
from casemate.models.registry import Registry
from casemate.transfer.region import Arrivals, Departures
from casemate.wiring.cargo import cargo_of
from casemate.wiring.cargo_clearances import Clearances
from casemate.wiring.cargo_heads import Heads
from casemate.wiring.cargo_packages import Packages
from casemate.wiring.cargo_requests import Requests
from casemate.wiring.house import House

__all__ = ["transfer_of"]


def transfer_of(house: House, registry: Registry, mirror: Mirror) -> Transfer:
    """The room, with its loops in the house."""
    yard = FolderYard(house.folder.path / "transfer")
    yard.swept()
    travels = *cargo_of(house.folder.path, registry), Packages(mirror), Clearances(), Heads(), Requests()
    departures = Departures(house.gate, yard, {each.kind: each for each in travels})
    patience = None if house.extractor else 0.5
    arrivals = Arrivals(house.gate, yard, {each.type: each for each in travels}, patience)
    house.closers.append(arrivals.stop)
    house.loops += [*departures.loops(), *arrivals.loops()]
    return Transfer(yard, departures, arrivals, frozenset(each.kind for each in travels if each.asks))
