"""Long work with a face: the caller's own batches, files and bases under way, one of them, and how it is ended.

As jobs do, a page stands still until somebody asks it to follow; it must never show more than `/api/work` tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

LIST = Action("list", "work")
PAGE = "50"


class EndForm(msgspec.Struct, frozen=True):
    """`sure`: the box was ticked."""

    sure: str = ""


def routes(face: Face) -> list[Route]:
    """The list, one piece of work, and its end."""
    at = _Work(face)
    end = part("POST", "/work/{id}/cancel", Action("cancel", "work"), at.cancel, takes=EndForm)
    return [*page("GET", "/work", LIST, at.show), *page("GET", "/work/{id}", LIST, at.one), end]


class _Work:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """What is under way, or all of it."""
        whole, after = call.query.get("all", "") != "", call.query.get("after", "")
        asked = {"limit": PAGE, "after": after, "open": "" if whole else "yes"}
        data, facts = await self._face.ask("GET /api/work", replace(call, query=asked))
        more: dict[str, Any] = {"whole": whole, "follow": "follow" in call.query, "after": after}
        return Shown("work.html", data, part="work/rows.html", facts=facts, more=more)

    async def one(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/work/{id}", call)
        more = {"follow": "follow" in call.query, "here_label": data["label"] == call.flow.acting.text}
        return Shown("work/one.html", data, part="work/standing.html", facts=facts, more=more)

    async def cancel(self, call: Call) -> Reply:
        """Ended, where the box that says so is ticked."""
        if not call.body.sure:
            raise BadInput(what=say("console.work.not_sure", call.flow.session.language))
        _, facts = await self._face.ask("POST /api/work/{id}/cancel", call)
        return go(f"/work/{call.path['id']}", acting=acting(call), facts=facts)
