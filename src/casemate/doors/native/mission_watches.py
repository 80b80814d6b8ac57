"""Watches of missions, and the notices that their runs made. Each lies at a label, and is told from there up."""

from __future__ import annotations

from typing import Any

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.missions import texts_of_run
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.missions.host import Missions, Notice, Watch, Watches, WatchRequest
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Routes of watches and notices."""
    at, base, one, data = _Watches(rooms), "/api/mission-watches", "/api/mission-watches/{id}", dict[str, Any]
    looks, adds, drops = (
        Action("list", "mission-watch"),
        Action("add", "mission-watch"),
        Action("remove", "mission-watch"),
    )
    told = Action("list", "mission-notice")
    return [
        Route("GET", base, "native", looks, at.every, gives=list[Any]),
        Route("POST", base, "native", adds, at.add, takes=WatchRequest, gives=data, texts=_said),
        Route("GET", one, "native", looks, at.one, gives=data),
        Route("DELETE", one, "native", drops, at.remove, gives=data),
        Route("GET", "/api/mission-notices", "native", told, at.notices, gives=list[Any]),
    ]


def _said(request: WatchRequest) -> tuple[str, ...]:
    """What a person wrote."""
    return (
        request.name,
        request.mission,
        request.source,
        request.role,
        *request.when,
        *request.sinks,
        request.run.queue,
        request.run.engine,
        request.run.key,
        *texts_of_run(request.run),
    )


class _Watches:
    def __init__(self, rooms: Rooms) -> None:
        self._watches = Watches(Missions(rooms.jobs), frozenset(rooms.settings.missions.sinks))

    async def every(self, call: Call) -> Reply:
        """The watches that the acting label sees, by name."""
        return reply(call.flow, [_told(call, found) for found in await self._watches.every(call.flow)])

    async def add(self, call: Call) -> Reply:
        """A watch at the acting label: a mission that runs by itself in the caller's name."""
        found = await self._watches.add(call.flow, call.body)
        return reply(call.flow, _told(call, found), status=201, watch=found.id)

    async def one(self, call: Call) -> Reply:
        """A watch: its source, its run, and what prevented the last."""
        return reply(call.flow, _told(call, await self._watches.named(call.flow, call.path["id"])))

    async def remove(self, call: Call) -> Reply:
        """No run of it begins any more."""
        return reply(call.flow, {"id": await self._watches.remove(call.flow, call.path["id"])})

    async def notices(self, call: Call) -> Reply:
        """The notices that the acting label sees, newest first, at most 100."""
        return reply(call.flow, [_noticed(call, found) for found in await self._watches.notices(call.flow)])


def _told(call: Call, found: Found[Watch]) -> dict[str, Any]:
    value = found.value
    return {
        "id": found.id,
        "name": value.name,
        "mission": value.mission,
        "owner": value.owner,
        "person": value.person,
        "source": value.source,
        "role": value.role,
        "every_s": value.every_s,
        "most": value.most,
        "when": value.when,
        "sinks": value.sinks,
        "parameters": value.run.parameters,
        "inputs": value.run.inputs,
        "seed": value.run.seed,
        "model": value.run.model,
        "at": value.at,
        "due": value.due,
        "job": value.job,
        "runs": value.runs,
        "last": value.last,
        "why": value.why,
        **marked(call.flow, found.label),
    }


def _noticed(call: Call, found: Found[Notice]) -> dict[str, Any]:
    value = found.value
    return {
        "id": found.id,
        "watch": value.watch,
        "name": value.name,
        "mission": value.mission,
        "run": value.job,
        "at": value.at,
        "figures": value.figures,
        "sinks": value.sinks,
        **marked(call.flow, found.label),
    }
