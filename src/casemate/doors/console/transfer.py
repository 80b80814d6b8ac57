"""Transfer: the channels, what is missing and what waits, and what became of each bundle."""

from __future__ import annotations

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["routes"]


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        channels, facts = await face.ask("GET /api/transfer/channels", call)
        bundles, _ = await face.ask("GET /api/transfer/bundles", call)
        return Shown("transfer.html", {"channels": channels, "bundles": bundles}, facts=facts)

    return page("GET", "/transfer", Action("list", "channel"), show)
