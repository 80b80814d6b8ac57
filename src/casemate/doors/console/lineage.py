"""What an object came from and what came of it, as a picture and as lines: only what the acting label sees is on it."""

from __future__ import annotations

from casemate.doors.console.face import Face, Shown, page, part
from casemate.doors.console.view import SAFE
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.lineage import READ, SVG

__all__ = ["routes"]


def routes(face: Face) -> list[Route]:
    """The page, and the picture on it."""
    at = _Lineage(face)
    return [
        *page("GET", "/lineage/{object*}", READ, at.show),
        part("GET", "/lineage.svg/{object*}", READ, at.picture),
    ]


class _Lineage:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """The nodes in a list, for whoever sees no picture, and the picture."""
        data, facts = await self._face.ask("GET /api/lineage/{object*}", call)
        titled = [data["nodes"][at] for at in data["roots"]]
        more = {"object": call.path["object"], "titled": titled[0]}
        return Shown("lineage.html", data, facts=facts, more=more)

    async def picture(self, call: Call) -> Reply:
        drawn = await self._face.drawn("GET /api/lineage.svg/{object*}", call)
        return Reply(drawn, SVG, headers=SAFE)
