"""Long work that is no job: batches of the wires, files that were brought together, bases that get other vectors.

What is told is the caller's own alone, whichever wire he came by, in the words of jobs; each room keeps the truth.
"""

from __future__ import annotations

from typing import Any

from casemate.access import Flow
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs import number
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.jobs.work import ENDED, Work
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

PAGE, MOST = 100, 1000


def routes(rooms: Rooms) -> list[Route]:
    """Routes of long work."""
    at, base, one, data = _Works(rooms), "/api/work", "/api/work/{id}", dict[str, Any]
    looks = Action("list", "work")
    return [
        Route("GET", base, "native", looks, at.every, gives=data),
        Route("GET", one, "native", looks, at.one, gives=data),
        Route("POST", f"{one}/cancel", "native", Action("cancel", "work"), at.cancel, gives=data),
    ]


class _Works:
    def __init__(self, rooms: Rooms) -> None:
        self._works = rooms.works

    async def every(self, call: Call) -> Reply:
        """A page of the caller's long work, newest first; `after` goes on. `open` is yes for what has not ended."""
        query, flow = call.query, call.flow
        if query.get("open", "") not in ("", "yes"):
            raise BadInput(what=say("jobs.work.open", flow.session.language))
        limit, live = number(call, "limit", PAGE, 1, MOST), bool(query.get("open"))
        page = await self._works.page(flow, limit, query.get("after", ""), query.get("kind", ""), live)
        return reply(flow, {"work": [_told(flow, each) for each in page.items], "after": page.after})

    async def one(self, call: Call) -> Reply:
        """One piece of work, as it stands."""
        return reply(call.flow, _told(call.flow, await self._works.one(call.flow, call.path["id"])))

    async def cancel(self, call: Call) -> Reply:
        """It is asked to end: what is done by then is kept."""
        work = await self._works.cancel(call.flow, call.path["id"])
        return reply(call.flow, _told(call.flow, work), status=202, work=work.id)


def _told(flow: Flow, work: Work) -> dict[str, Any]:
    told = {name: getattr(work, name) for name in Work.__slots__ if name != "label"}
    return {**told, "open": work.state not in ENDED, **marked(flow, work.label)}
