"""Queues of jobs: named places with a priority, a floor, a largest share and shares of owners.

A queue lies at the label of whoever made it and is seen from there up; what stands here is of the visible ones alone,
the number of their jobs is told nowhere.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from casemate.access import Flow
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.jobs.queues import Queue, Queues
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["QueueChange", "QueueRequest", "routes"]


class QueueRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue as it is to be. `max_share`: percent; `shares`: by the name of a principal."""

    name: str
    priority: int = 0
    enabled: bool = True
    floor: Literal["", "L1", "L2", "L3"] = ""
    max_share: int = 100
    shares: dict[str, float] = {}
    tags: dict[str, str] = {}


class QueueChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is not said stays."""

    priority: int | None = None
    enabled: bool | None = None
    floor: Literal["", "L1", "L2", "L3"] | None = None
    max_share: int | None = None
    shares: dict[str, float] | None = None
    tags: dict[str, str] | None = None


class Forgotten(msgspec.Struct, frozen=True):
    """What a removal gives: the name that is no more."""

    name: str


def routes(rooms: Rooms) -> list[Route]:
    """Routes of queues."""
    at, base, told = _Queues(rooms), "/api/job-queues", dict[str, Any]
    lists, makes, drops = Action("list", "job-queue"), Action("make", "job-queue"), Action("drop", "job-queue")
    one = f"{base}/{{name}}"
    return [
        Route("GET", base, "native", lists, at.every, gives=list[Any]),
        Route("POST", base, "native", makes, at.make, takes=QueueRequest, gives=told, texts=_said),
        Route("GET", one, "native", lists, at.one, gives=told),
        Route("PUT", one, "native", makes, at.change, takes=QueueChange, gives=told, texts=_changed),
        Route("DELETE", one, "native", drops, at.drop, gives=Forgotten),
    ]


def _said(request: QueueRequest) -> tuple[str, ...]:
    return (request.name, *request.shares, *request.tags, *request.tags.values())


def _changed(request: QueueChange) -> tuple[str, ...]:
    tags = request.tags or {}
    return (*(request.shares or {}), *tags, *tags.values())


class _Queues:
    def __init__(self, rooms: Rooms) -> None:
        self._queues = Queues(rooms.gate)

    async def every(self, call: Call) -> Reply:
        """The visible queues by name, `default` first."""
        return reply(call.flow, [_told(call.flow, one) for one in await self._queues.queues(call.flow)])

    async def make(self, call: Call) -> Reply:
        """A queue at the acting label; a conflict where one of that name is visible."""
        found = await self._queues.make(call.flow, Queue(**msgspec.structs.asdict(call.body)))
        return reply(call.flow, _told(call.flow, found), status=201, queue=found.id)

    async def one(self, call: Call) -> Reply:
        """The queue that jobs of this label are asked for in under that name."""
        return reply(call.flow, _told(call.flow, await self._queues.queue(call.flow, call.path["name"])))

    async def change(self, call: Call) -> Reply:
        """Another priority, state, floor or share of one that lies at the acting label."""
        told = {name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not None}
        found = await self._queues.change(call.flow, call.path["name"], **told)
        return reply(call.flow, _told(call.flow, found), queue=found.id)

    async def drop(self, call: Call) -> Reply:
        """Forgotten, where it is shut and none of its visible jobs is open."""
        name = call.path["name"]
        await self._queues.drop(call.flow, name)
        return reply(call.flow, Forgotten(name), queue=name[:128])


def _told(flow: Flow, found: Found[Queue]) -> dict[str, Any]:
    return {**msgspec.structs.asdict(found.value), **marked(flow, found.label)}
