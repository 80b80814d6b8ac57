"""A spill, for security officers: what came of an object, containing it, and the cases that there were.

An officer acts at the true label. Nothing here tells what is in an object: objects are named, and titles are those of
what the acting label sees.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.custody.case import Case, How, Report
from casemate.custody.drawing import draw
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.lineage import SVG
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["ContainRequest", "ReportRequest", "routes"]


class ReportRequest(msgspec.Struct, frozen=True):
    """The object, as KIND/ID or as an ID of whichever kind. The true label is the acting one."""

    object: str


class ContainRequest(msgspec.Struct, frozen=True):
    """`how`: relabel, shred, or "" to freeze alone."""

    object: str
    how: How = ""


def routes(rooms: Rooms) -> list[Route]:
    """Report, contain, lift, and past cases."""
    at, one, told = _Spills(rooms), "/api/spills/{id}", dict[str, Any]
    look = Action("list", "spill")
    return [
        Route("POST", "/api/spills/report", "native", Action("report", "spill"), at.report, ReportRequest, Report),
        Route("POST", "/api/spills", "native", Action("contain", "spill"), at.contain, ContainRequest, told),
        Route("GET", "/api/spills", "native", look, at.listing, gives=list[Any]),
        Route("GET", one, "native", look, at.show, gives=told),
        Route("GET", f"{one}/picture", "native", look, at.picture),
        Route("POST", f"{one}/lift", "native", Action("lift", "spill"), at.lift, gives=told),
    ]


class _Spills:
    def __init__(self, rooms: Rooms) -> None:
        self._spill = rooms.spill

    async def report(self, call: Call) -> Reply:
        """What a containment would find; nothing is changed."""
        found = await self._spill.report(call.flow, call.body.object)
        return reply(call.flow, found, items=len(found.items))

    async def contain(self, call: Call) -> Reply:
        """Frozen at once; raised or destroyed as soon as two agree, or one where one suffices."""
        request: ContainRequest = call.body
        found = await self._spill.contain(call.flow, request.object, request.how)
        waits = bool(request.how) and found.value.state == "frozen"
        return reply(call.flow, {**_told(call, found), "waits": waits}, status=202 if waits else 200, case=found.id)

    async def listing(self, call: Call) -> Reply:
        """The cases that the acting label sees."""
        found = await self._spill.cases(call.flow)
        return reply(call.flow, [{**_head(each), **marked(call.flow, each.label)} for each in found])

    async def show(self, call: Call) -> Reply:
        """One case with its report."""
        return reply(call.flow, _told(call, await self._spill.case(call.flow, call.path["id"])))

    async def picture(self, call: Call) -> Reply:
        """What came of the object, as it was when it was contained."""
        found = await self._spill.case(call.flow, call.path["id"])
        picture = found.value.report.picture
        return Reply(draw(picture, picture.banner).encode(), SVG)

    async def lift(self, call: Call) -> Reply:
        """It was a mistake: what is frozen is served again."""
        found = await self._spill.lift(call.flow, call.path["id"])
        waits = found.value.state != "lifted"
        return reply(call.flow, {**_told(call, found), "waits": waits}, status=202 if waits else 200, case=found.id)


def _head(found: Found[Case]) -> dict[str, Any]:
    case = found.value
    return {
        "id": found.id,
        "object": case.object,
        "state": case.state,
        "how": case.how,
        "by": case.by,
        "second": case.second,
        "solo": case.solo,
        "at": case.at,
        "items": len(case.report.items),
        "times": case.times,
    }


def _told(call: Call, found: Found[Case]) -> dict[str, Any]:
    return {**_head(found), "report": found.value.report, **marked(call.flow, found.label)}
