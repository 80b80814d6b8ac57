"""Where an object came from and what came of it: as data, as lines of text, and as a picture."""

from __future__ import annotations

from typing import cast

from casemate.custody.drawing import draw
from casemate.custody.lineage import Lineage, lineage
from casemate.custody.walk import Direction
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, reply
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["SVG", "routes"]

READ = Action("read", "lineage")
SVG = "image/svg+xml; charset=utf-8"
WAYS = ("down", "up", "both")


def routes(rooms: Rooms) -> list[Route]:
    """The same lineage, told and drawn. An object is KIND/ID, or an ID of whichever kind."""
    at = _Lineage(rooms)
    return [
        Route("GET", "/api/lineage/{object*}", "native", READ, at.told, gives=Lineage),
        Route("GET", "/api/lineage.svg/{object*}", "native", READ, at.drawn),
    ]


class _Lineage:
    def __init__(self, rooms: Rooms) -> None:
        self._kinds = rooms.spill.kinds

    async def _asked(self, call: Call) -> Lineage:
        way = call.query.get("way", "") or "both"
        if way not in WAYS:
            raise BadInput(what=say("custody.way", call.flow.session.language))
        return await lineage(call.flow, self._kinds, call.path["object"], cast("Direction", way))

    async def told(self, call: Call) -> Reply:
        """Nodes and arrows, as far as the acting label sees."""
        found = await self._asked(call)
        return reply(call.flow, found, nodes=len(found.nodes))

    async def drawn(self, call: Call) -> Reply:
        """The picture, marked with the join of what is on it."""
        found = await self._asked(call)
        return Reply(draw(found, found.banner).encode(), SVG, facts={"nodes": len(found.nodes)})
