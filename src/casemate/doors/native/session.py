"""Who am I here, and between which labels do I work?"""

from __future__ import annotations

from typing import Any

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Session routes."""
    del rooms
    return [Route("GET", "/api/session", "native", Action("read", "session"), _me, gives=dict[str, Any])]


async def _me(call: Call) -> Reply:
    session, flow = call.flow.session, call.flow
    data = {
        "principal": session.principal.name,
        "roles": sorted(session.principal.roles),
        "language": session.language,
        "floor": marked(flow, session.floor),
        "ceiling": marked(flow, session.ceiling),
        "acting": marked(flow, flow.acting),
        "needs": sorted(session.ceiling.needs),
        "acting_needs": sorted(flow.acting.needs),
    }
    return reply(flow, data)
