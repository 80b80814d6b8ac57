"""Missions as tools of a model: their forms as function definitions, and a model's call made into a run.

A call is answered with a turn of the role `tool` that goes into the conversation as it stands: its marking alone on the
first line, then JSON. What the caller may not have, or what does not fit, is told in that turn too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from casemate.access import Flow, Gate
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.frame.spell import spelled
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import Absent, BadInput, CasemateError, Conflict, QuotaExceeded, Refused
from casemate.jobs import Job, Jobs
from casemate.missions.host import CallRequest, Mission, Missions, age, content, said_by, seen, tool_of
from casemate.objects import Found
from casemate.policy import Action
from casemate.words import say

__all__ = ["CALLS", "TOLD", "refused", "routes", "tool", "turn", "waited"]

WAIT, PAUSE = 20, 0.25
LONGEST_ID = 100
CALLS = Action("submit", "job")
TOLD = (BadInput, Absent, Conflict, Refused, QuotaExceeded)
"""What a model did, or its asker may not; whatever else goes wrong is the region's, and a problem as always."""


def routes(rooms: Rooms) -> list[Route]:
    """Routes of tools."""
    at, one, data = _Calls(rooms), "/api/missions/{name}", dict[str, Any]
    looks = Action("list", "mission")
    return [
        Route("GET", "/api/mission-tools", "native", looks, at.every, gives=list[Any]),
        Route("GET", f"{one}/tool", "native", looks, at.one, gives=data),
        Route("POST", f"{one}/calls", "native", CALLS, at.call, takes=CallRequest, gives=data, texts=said_by),
    ]


class _Calls:
    def __init__(self, rooms: Rooms) -> None:
        self._jobs = rooms.jobs
        self._missions = Missions(rooms.jobs)

    async def every(self, call: Call) -> Reply:
        """The missions that the acting label sees, the newest version of each, as `tools` of a chat completion."""
        every = await self._missions.every(call.flow)
        newest = {found.value.name: found for found in sorted(every, key=age)}
        return reply(call.flow, [tool(call.flow, newest[name]) for name in sorted(newest)])

    async def one(self, call: Call) -> Reply:
        """A mission as a tool: its name, what it does, and its form as JSON Schema."""
        found = await self._missions.named(call.flow, call.path["name"])
        told = {"id": found.id, "tool": tool(call.flow, found), **marked(call.flow, found.label)}
        return reply(call.flow, told)

    async def call(self, call: Call) -> Reply:
        """A model's call: held to the form, and run. The answer is its result, or how far it is."""
        asked: CallRequest = call.body
        language = call.flow.session.language
        if not 0 <= asked.wait_s <= WAIT or len(asked.id) > LONGEST_ID or not asked.id.isprintable():
            raise BadInput(what=say("missions.tool.call", language, most=WAIT, longest=LONGEST_ID))
        try:
            found = await self._missions.called(call.flow, call.path["name"], asked)
        except TOLD as error:
            told = await refused(call.gate, call.flow, error)
            return reply(call.flow, turn(call.flow, asked.id, told), error=error.slug)
        told = await seen(self._jobs, call.flow, await waited(self._jobs, call.flow, found, asked.wait_s))
        return reply(call.flow, turn(call.flow, asked.id, told), status=201, job=found.id)


async def waited(jobs: Jobs, flow: Flow, found: Found[Job], seconds: float) -> Found[Job]:
    """The job once it has ended, or as it is after so many seconds."""
    for _ in range(int(seconds / PAUSE)):
        if found.value.open == "no":
            break
        await asyncio.sleep(PAUSE)
        found = await jobs.named(flow, found.id)
    return found


def tool(flow: Flow, found: Found[Mission]) -> dict[str, Any]:
    """The mission as a tool, with its marking."""
    language = flow.session.language
    return tool_of(found.value, language, flow.gate.vault.region.policies.banner(found.label, language))


async def refused(gate: Gate, flow: Flow, error: CasemateError) -> dict[str, Any]:
    """The error as the model is told it; recorded as any other."""
    if not error.entry:
        await gate.record_error(flow.session, flow.acting, CALLS, error, ref=flow.begun)
    said = spelled(error, flow.gate.vault.region.policies, flow.session.language, flow.label.text, error.entry)
    return {"error": said.slug, "detail": said.detail}


def turn(flow: Flow, id: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The turn of a conversation, and the parts of it that a program reads."""
    banner = flow.gate.vault.region.policies.banner(flow.label, flow.session.language)
    message = {"role": "tool", "tool_call_id": id, "content": content(banner, told)}
    return {
        "error": told.get("error", ""),
        "run": told.get("run", ""),
        "open": told.get("open", False),
        "turn": message,
    }
