"""Quotas: what projects and keys may use, at each label for itself."""

from __future__ import annotations

from casemate.accounts import Quota, QuotaRequest, quotas, set_quota
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Quota routes."""
    del rooms
    return [
        Route("GET", "/api/quotas", "native", Action("read", "quota"), _list, gives=list[Quota]),
        Route("PUT", "/api/quotas", "native", Action("set", "quota"), _set, takes=QuotaRequest, gives=Quota),
    ]


async def _list(call: Call) -> Reply:
    """The quotas that the acting label sees; each holds from its own label up, until a nearer one is set."""
    data = [
        {
            "subject": found.id,
            "bounds": found.value.bounds,
            "set_by": found.value.set_by,
            "at": found.value.at,
            **marked(call.flow, found.label),
        }
        for found in await quotas(call.flow)
    ]
    return reply(call.flow, data)


async def _set(call: Call) -> Reply:
    """Set a quota at the acting label; without bounds it is taken away."""
    return reply(call.flow, await set_quota(call.flow, call.body))
