"""Backups: an increment, a drill, and how far the chain has come; all at the region's ceiling."""

from __future__ import annotations

import msgspec

from casemate.custody.backup import Head
from casemate.custody.backups import Drilled, State
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Backup routes."""
    at = _Backups(rooms)
    return [
        Route("GET", "/api/backup", "native", Action("read", "backup"), at.state, gives=State),
        Route("POST", "/api/backup", "native", Action("run", "backup"), at.run, gives=Head),
        Route("POST", "/api/backup/drill", "native", Action("drill", "backup"), at.drill, gives=Drilled),
    ]


class _Backups:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def state(self, call: Call) -> Reply:
        """The last link, the last drill, and what went wrong."""
        return reply(call.flow, await self._rooms.backups.state(call.flow))

    async def run(self, call: Call) -> Reply:
        """An increment, now. What it gives is to be kept elsewhere: a chain that ends before it is not whole."""
        head = await self._rooms.backups.run(call.flow)
        return reply(call.flow, head, link=head.number, digest=head.digest)

    async def drill(self, call: Call) -> Reply:
        """An increment, brought back beside the region and compared with it."""
        drilled = await self._rooms.backups.drill(call.flow)
        told = {**msgspec.structs.asdict(drilled), "equal": drilled.equal}
        return reply(call.flow, told, drilled="equal" if drilled.equal else "differs")
