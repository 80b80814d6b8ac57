"""Job definitions: what jobs are made from, by name and revision; the Batch wire knows the same ones."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs_told import written
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.jobs import Spec
from casemate.jobs.queues import JOB_DEFINITION, Definition, Queues
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["DefinitionRequest", "routes"]


class DefinitionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next revision of `name`. `Ref::WORD` in the command stands for the parameter of that name."""

    name: str
    spec: Spec
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}


class Retired(msgspec.Struct, frozen=True):
    """What makes no more jobs: NAME:REVISION."""

    name: str


def routes(rooms: Rooms) -> list[Route]:
    """Routes of definitions."""
    at, base, told = _Definitions(rooms), "/api/job-definitions", dict[str, Any]
    lists, adds = Action("list", "job-definition"), Action("add", "job-definition")
    retires, one = Action("retire", "job-definition"), f"{base}/{{name}}"
    return [
        Route("GET", base, "native", lists, at.every, gives=list[Any]),
        Route("POST", base, "native", adds, at.add, takes=DefinitionRequest, gives=told, texts=_said),
        Route("GET", one, "native", lists, at.one, gives=told),
        Route("DELETE", one, "native", retires, at.retire, gives=Retired),
    ]


def _said(request: DefinitionRequest) -> tuple[str, ...]:
    pairs = (*request.parameters.items(), *request.tags.items())
    return (request.name, *written(request.spec), *(word for pair in pairs for word in pair))


class _Definitions:
    def __init__(self, rooms: Rooms) -> None:
        self._queues = Queues(rooms.gate)

    async def every(self, call: Call) -> Reply:
        """The visible revisions by name, the newest first; `name` alone where it is said."""
        found = await self._queues.definitions(call.flow, call.query.get("name", "")[:128])
        return reply(call.flow, [_told(call.flow, one) for one in found])

    async def add(self, call: Call) -> Reply:
        """Its next revision, at the acting label."""
        asked: DefinitionRequest = call.body
        made = Definition(asked.name, 0, asked.spec, b"", asked.parameters, asked.tags)
        found = await self._queues.register(call.flow, made)
        return reply(call.flow, _told(call.flow, found), status=201, definition=found.id)

    async def one(self, call: Call) -> Reply:
        """NAME:REVISION, or the newest active one of NAME."""
        return reply(call.flow, _told(call.flow, await self._queues.definition(call.flow, call.path["name"])))

    async def retire(self, call: Call) -> Reply:
        """NAME:REVISION makes no more jobs, where it lies at the acting label; its number is not given again."""
        name = call.path["name"]
        if ":" not in name:
            await call.flow.absent(JOB_DEFINITION, name[:140])
        await self._queues.deregister(call.flow, name)
        return reply(call.flow, Retired(name), definition=name[:140])


def _told(flow: Flow, found: Found[Definition]) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.structs.asdict(found.value).items() if name != "said"}
    return {**told, "id": found.id, **marked(flow, found.label)}
