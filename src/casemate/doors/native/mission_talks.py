"""A model that calls missions inside the region: it is asked, what it calls is run, it is told, until it answers.

    turns -> model -> calls -> runs at the acting label -> turns that bear their marking -> model -> ... -> answer

All of it is in the name of whoever asks and at his acting label: the model is lent what that label may lend it, and its
calls reach what he sees there. What must never happen: that what a run found is told to a model at a label that does
not dominate it, or that a model's words reach more than its asker's would.
"""

from __future__ import annotations

import asyncio
from typing import Any

from casemate.access import Flow
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.mission_calls import CALLS, TOLD, refused, tool, turn, waited
from casemate.doors.native.rooms import Rooms, reply
from casemate.errors import BadInput
from casemate.missions.host import (
    Called,
    Missions,
    Talked,
    TalkRequest,
    Turn,
    added,
    age,
    call_of,
    chat_of,
    checked,
    said_by,
    said_in,
    seen,
    unanswered,
)
from casemate.models import Delta
from casemate.policy import Action

__all__ = ["routes"]

ROUNDS = 8
"""How often a model is asked in one request."""
ASK = Action("ask", "answer")


def routes(rooms: Rooms) -> list[Route]:
    """The one route of it."""
    at = _Talks(rooms)
    return [Route("POST", "/api/mission-talks", "native", ASK, at.go, TalkRequest, Talked, texts=said_in, asks=True)]


class _Talks:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms, self._missions = rooms, Missions(rooms.jobs)

    async def go(self, call: Call) -> Reply:
        """The conversation with what the model said and found out; sent again while runs of it go on."""
        asked: TalkRequest = call.body
        checked(asked)
        turns, flow = list(asked.turns), call.flow
        flow.bear(flow.acting)  # else an engine is lent what a run found as if it came from the floor
        tools = await self._tools(await self._runs(call), asked)
        names = [each["function"]["name"] for each in tools]
        ends = asyncio.get_running_loop().time() + asked.wait_s
        for _ in range(ROUNDS):
            going = list[str]()
            for each in unanswered(turns):
                run, said = await self._called(call, turns, each, names, ends)
                if said is None:
                    going.append(run)
                else:
                    turns.append(said)
            if going:
                return self._told(call, Talked(tuple(turns), "open", tuple(going)))
            if turns[-1].role == "assistant":
                return self._told(call, Talked(tuple(turns), "stop"))
            deltas = list[Delta]()
            await self._rooms.answerer.whole(flow, chat_of(asked, turns, tools, flow.session.language), deltas)
            turns.append(added(deltas))
        finish = "rounds" if turns[-1].calls else "stop"
        return self._told(call, Talked(tuple(turns), finish))  # type: ignore[arg-type]

    async def _runs(self, call: Call) -> Flow:
        """A flow for what is begun: a flow has one action. Raises Refused."""
        return await call.gate.open(call.flow.session, CALLS, call.flow.acting)

    async def _tools(self, flow: Flow, asked: TalkRequest) -> list[dict[str, Any]]:
        """The missions that are offered, the newest version of each. Raises Absent for one that is not seen."""
        if asked.missions:
            return [tool(flow, await self._missions.named(flow, name)) for name in dict.fromkeys(asked.missions)]
        newest = {found.value.name: found for found in sorted(await self._missions.every(flow), key=age)}
        return [tool(flow, newest[name]) for name in sorted(newest)]

    async def _called(
        self, call: Call, turns: list[Turn], each: Called, names: list[str], ends: float
    ) -> tuple[str, Turn | None]:
        """The run of a call, and its turn once that has ended. What the model may not have is told it in its turn."""
        flow, request = await self._runs(call), call_of(turns, each)
        try:
            if each.name not in names:
                raise BadInput(what=f"{each.name[:80]} is none of the tools.")
            await flow.inspect(said_by(request))
            found = await self._missions.called(flow, each.name, request)
        except TOLD as error:
            told = await refused(call.gate, flow, error)
            return "", Turn("tool", turn(flow, each.id, told)["turn"]["content"], call=each.id)
        left = max(ends - asyncio.get_running_loop().time(), 0.0)
        found = await waited(self._rooms.jobs, flow, found, left)
        if found.value.open == "yes":
            return found.id, None
        told = await seen(self._rooms.jobs, flow, found)
        return found.id, Turn("tool", turn(flow, each.id, told)["turn"]["content"], call=each.id)

    def _told(self, call: Call, told: Talked) -> Reply:
        return reply(call.flow, told, finish=told.finish, turns=len(told.turns), model=call.body.model)
