"""Principals: list, add, change, and the second officer's yes."""

from __future__ import annotations

from casemate.accounts import Person, PersonRequest, add_person, change_person, confirm, people, proposals, withdraw
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Principal routes."""
    del rooms
    listing, grant = Action("list", "principal"), Action("grant", "principal")
    return [
        Route("GET", "/api/principals", "native", listing, _list, gives=list[Person]),
        Route("POST", "/api/principals", "native", Action("add", "principal"), _add, takes=PersonRequest, gives=Person),
        Route("PUT", "/api/principals/{id}", "native", grant, _change, takes=PersonRequest, gives=Person),
        Route("POST", "/api/principals/{id}/confirm", "native", grant, _confirm, gives=Person),
        Route("DELETE", "/api/principals/{id}/confirm", "native", grant, _withdraw, gives=dict[str, str]),
    ]


async def _list(call: Call) -> Reply:
    data = {
        "principals": [found.value for found in await people(call.flow)],
        "proposals": [{"id": f.id, "proposal": f.value} for f in await proposals(call.flow)],
    }
    return reply(call.flow, data)


async def _add(call: Call) -> Reply:
    person = await add_person(call.flow, call.body)
    return reply(call.flow, person, status=202 if person is None else 201)


async def _change(call: Call) -> Reply:
    person = await change_person(call.flow, call.path["id"], call.body)
    return reply(call.flow, person, status=202 if person is None else 200)


async def _confirm(call: Call) -> Reply:
    return reply(call.flow, await confirm(call.flow, call.path["id"]))


async def _withdraw(call: Call) -> Reply:
    """A proposal that waits is taken back."""
    await withdraw(call.flow, call.path["id"])
    return reply(call.flow, {"withdrawn": call.path["id"]})
