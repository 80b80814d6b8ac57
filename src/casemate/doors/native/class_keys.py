"""The keys of access classes: which there are, what one of them opens, and its end."""

from __future__ import annotations

from typing import Any

from casemate.accounts.class_keys import Lost, class_keys, destroy_key, what_is_lost
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Routes of class keys; whatever is said of one is said at its own label."""
    del rooms
    see, end = Action("list", "class-key"), Action("destroy", "class-key")
    return [
        Route("GET", "/api/class-keys", "native", see, _list, gives=list[dict[str, Any]]),
        Route("GET", "/api/class-keys/here", "native", see, _here, gives=Lost),
        Route("POST", "/api/class-keys/destroy", "native", end, _destroy, gives=Lost),
    ]


async def _list(call: Call) -> Reply:
    """The classes that the acting label sees, and whether the key of each is there still."""
    told = [
        {"id": key.id, "entries": key.entries, "destroyed": key.destroyed, **marked(call.flow, label)}
        for label, key in class_keys(call.flow)
    ]
    return reply(call.flow, told)


async def _here(call: Call) -> Reply:
    """What nobody could read any more, were the key of the acting label destroyed."""
    return reply(call.flow, await what_is_lost(call.flow))


async def _destroy(call: Call) -> Reply:
    """Destroy the key of the acting label for good, within seconds; 202 where a second officer has to say the same."""
    lost = await destroy_key(call.flow)
    return reply(call.flow, lost, status=202 if lost.state == "waiting" else 200, state=lost.state)
