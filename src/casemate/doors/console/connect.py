"""What this region is, what it can name as a model, and the two lines that connect one."""

from __future__ import annotations

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["routes"]


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        data, facts = await face.ask("GET /api/region", call)
        data["checks"] = await face.data("GET /api/doctor", call)
        return Shown("connect.html", data, facts=facts)

    return page("GET", "/connect", Action("read", "region"), show)
