"""Markings: a text is pasted, and what is wrong with its marks and what they roll up to stands beside it, as one types.

Nothing of it is kept. Without a script the same form gives the whole page.
"""

from __future__ import annotations

from typing import Any

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.doors.native.labels import LONGEST, LintRequest
from casemate.policy import Action

__all__ = ["routes"]

LINT = Action("lint", "label")


def routes(face: Face) -> list[Route]:
    """The empty page, and the page with what was found."""

    async def empty(call: Call) -> Shown:
        del call
        return _shown({"findings": [], "reasons": [], "rolled": None}, "", looked=False)

    async def look(call: Call) -> Shown:
        request: LintRequest = call.body
        found: tuple[dict[str, Any], dict[str, Any]] = await face.ask("POST /api/labels/lint", call)
        data, facts = found
        shown = _shown(data, request.text, looked=bool(request.text.strip()))
        shown.facts, shown.secret = facts, True
        return shown

    return [*page("GET", "/markings", LINT, empty), *page("POST", "/markings", LINT, look, takes=LintRequest)]


def _shown(data: dict[str, Any], text: str, looked: bool) -> Shown:
    return Shown(
        "markings.html", data, part="markings/found.html", more={"text": text, "looked": looked, "most": LONGEST}
    )
