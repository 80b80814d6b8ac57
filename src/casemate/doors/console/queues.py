"""The queues of jobs with a face: who goes first, what each may hold, and what waits and runs in it at this label.

What waits and runs is counted in the acting label's own class alone, as `/api/jobs/top` does: what stands above or
below changes no number here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["routes"]

LIST = Action("list", "job-queue")
WAITS = ("SUBMITTED", "PENDING", "RUNNABLE")


def routes(face: Face) -> list[Route]:
    """The one page."""
    return page("GET", "/queues", LIST, _Queues(face).show)


class _Queues:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """The visible queues; of those whose names two labels bear, each its own line and the same counts."""
        queues, facts = await self._face.ask("GET /api/job-queues", call)
        top = await self._face.data("GET /api/jobs/top", call)
        data = {
            "queues": [_counted(each, top["standing"].get(each["name"], {})) for each in queues],
            "limits": top["limits"],
            "slots": top["slots"],
        }
        return Shown("queues.html", data, part="queues/rows.html", facts=facts, more={"follow": "follow" in call.query})


def _counted(queue: dict[str, Any], standing: Mapping[str, int]) -> dict[str, Any]:
    waits = sum(standing.get(state, 0) for state in WAITS)
    return {**queue, "waits": waits, "runs": sum(standing.values()) - waits}
