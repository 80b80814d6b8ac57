"""Where damaged rows lie, by number: what an operator restores, and nobody is served."""

from __future__ import annotations

from typing import Any

from casemate.access import quarantined
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import Damaged
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """The one route."""
    del rooms
    action = Action("quarantine", "store")
    return [Route("GET", "/api/store/quarantine", "native", action, _list, gives=list[Any])]


async def _list(call: Call) -> Reply:
    """Every damaged row that was met at a label which one sees; `whole` where its digest is right again."""
    data = []
    for number, (place, whole) in enumerate(await quarantined(call.flow), 1):
        told = {
            "number": number,
            "kind": place.kind,
            "place": place.number,
            "name": place.name,
            "class": place.class_id,
        }
        data.append({**told, "found": place.found, "whole": whole, **_label(call, place.class_id)})
    return reply(call.flow, data, rows=len(data))


def _label(call: Call, class_id: str) -> dict[str, str]:
    """The label at which it lies; nothing where that is the directory's, or what is damaged is the class itself."""
    try:
        access = call.flow.gate.classes.by_id(class_id)
    except Damaged:
        return {"label": "", "marking": "", "mark": ""}
    return marked(call.flow, access.label)
