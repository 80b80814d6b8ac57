"""Today: what was asked, what left this machine, what was stopped; of what the caller may know."""

from __future__ import annotations

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["routes"]


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        data, facts = await face.ask("GET /api/today", call)
        return Shown("today.html", data, facts=facts)

    return page("GET", "/today", Action("read", "ledger"), show)
