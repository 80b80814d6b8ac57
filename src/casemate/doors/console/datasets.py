"""Datasets in place: what is recorded, how many digests are known, and which files have changed since."""

from __future__ import annotations

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["routes"]


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        data, facts = await face.ask("GET /api/datasets", call)
        return Shown("datasets.html", data, facts=facts)

    return page("GET", "/datasets", Action("list", "dataset"), show)
