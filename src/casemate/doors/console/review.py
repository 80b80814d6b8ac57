"""Under review: what was put aside, why, and what whoever brought it decides of it.

The marks of what lies there disagree with its banner, or with what was stated; none of it is found by any search until
somebody has decided. A decision is one request at the label at which it lies.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.console import shades
from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.upkeep import ReviewRequest
from casemate.knowledge.documents.review import Decision
from casemate.policy import Action

__all__ = ["routes"]

REVIEW = Action("review", "document")
DECIDED = ("restate", "text", "remove")
FIRST = 60  # rows of each kind that are shown before somebody asks for all


class DecisionForm(msgspec.Struct, frozen=True):
    """What is decided; `label` where it is read again."""

    decision: Decision
    label: str = ""


def routes(face: Face) -> list[Route]:
    """The page, and a decision."""
    at = _Review(face)
    return [
        *page("GET", "/review", REVIEW, at.show),
        part("POST", "/review/{id}", REVIEW, at.decide, takes=DecisionForm),
    ]


class _Review:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """The caller's own first, then by time."""
        data, facts = await self._face.ask("GET /api/review", call)
        for rows in data.values():
            rows.sort(key=lambda row: (not row["mine"], -row["at"]))
        decided = call.query.get("decided", "")
        more = {
            "stating": shades.stating(call.flow, call.flow.session.language),
            "decided": decided if decided in DECIDED else "",
            "first": 10**6 if "all" in call.query else FIRST,
            "reach": _reach(call, {row["label"] for rows in data.values() for row in rows}),
        }
        return Shown("review.html", data, facts=facts, more=more)

    async def decide(self, call: Call) -> Reply:
        form: DecisionForm = call.body
        asked: Any = ReviewRequest(form.decision, form.label)
        _, facts = await self._face.ask("POST /api/documents/{id}/review", call, asked)
        return go("/review", acting=acting(call), decided=form.decision, facts=facts)


def _reach(call: Call, labels: set[str]) -> set[str]:
    """Those of them at which the caller may act: the page leads to no other."""
    session, policies = call.flow.session, call.gate.vault.region.policies
    return {text for text in labels if session.floor <= policies.parse(text) <= session.ceiling}
