"""Names outside: bound to principals, and what attribute authorities say of them."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.accounts.bindings import Binding, BindingRequest, bind, bindings, unbind
from casemate.accounts.statements import Carried, Installed, carried, install, installed, keep
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.policy import Action

__all__ = ["routes"]


class File(msgspec.Struct, frozen=True):
    """A signed attribute file, as text."""

    file: str


def routes(rooms: Rooms) -> list[Route]:
    """Binding and attribute routes."""
    del rooms
    listing, grant = Action("list", "principal"), Action("grant", "principal")
    told = dict[str, Any]
    bound = "/api/principals/{id}/bindings"
    return [
        Route("POST", bound, "native", grant, _bind, takes=BindingRequest, gives=Binding),
        Route("GET", "/api/bindings", "native", listing, _list, gives=list[Binding]),
        Route("DELETE", "/api/bindings/{id}", "native", grant, _unbind, gives=dict[str, str]),
        Route("PUT", "/api/attributes/{authority}", "native", grant, _install, takes=File, gives=Installed),
        Route("GET", "/api/attributes", "native", listing, _installed, gives=list[Installed]),
        Route("POST", "/api/statements", "native", Action("keep", "statement"), _keep, takes=File, gives=told),
        Route("GET", "/api/statements", "native", Action("list", "statement"), _carried, gives=list[told]),
    ]


async def _bind(call: Call) -> Reply:
    made = await bind(call.flow, call.path["id"], call.body)
    return reply(call.flow, made, status=202 if made is None else 201)


async def _list(call: Call) -> Reply:
    return reply(call.flow, [found.value for found in await bindings(call.flow)])


async def _unbind(call: Call) -> Reply:
    await unbind(call.flow, call.path["id"])
    return reply(call.flow, {"unbound": call.path["id"]})


async def _install(call: Call) -> Reply:
    """All of it or nothing; who is not in it any more is nobody by it from now on."""
    found = await install(call.flow, call.path["authority"], call.body.file.encode())
    return reply(call.flow, found, status=202 if found is None else 200)


async def _installed(call: Call) -> Reply:
    return reply(call.flow, await installed(call.flow))


async def _keep(call: Call) -> Reply:
    """An attribute file for another region, to be sent to it by a bundle."""
    id, kept = await keep(call.flow, call.body.file.encode())
    return reply(call.flow, _stated(id, kept), status=201)


async def _carried(call: Call) -> Reply:
    """The attribute files for other regions."""
    several = await carried(call.flow)
    return reply(call.flow, [{**_stated(each.id, each.value), **marked(call.flow, each.label)} for each in several])


def _stated(id: str, kept: Carried) -> dict[str, Any]:
    return {"id": id, **{name: getattr(kept, name) for name in ("authority", "region", "number", "by", "at")}}
