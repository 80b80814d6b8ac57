"""Proofs, for the security officer: when everybody's world was compared with a copy, and whether anything differed.

An officer reads no content, and there is none in a tally: no question, no answer, no document.
"""

from __future__ import annotations

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["routes"]


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        data, facts = await face.ask("GET /api/proofs", call)
        return Shown("proofs.html", data, facts=facts)

    return page("GET", "/proofs", Action("list", "proof"), show)
