"""Spills with a face, for security officers: what came of an object, containing it with a word of confirmation, cases.

An officer acts at the true label: the page stands at it. Nothing on it is content; titles are of what that label sees.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from casemate.custody.case import How
from casemate.doors.console import shades
from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.console.view import SAFE
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.lineage import SVG
from casemate.doors.native.spill import ContainRequest, ReportRequest
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

LIST = Action("list", "spill")
WORDS = {"freeze": "", "relabel": "relabel", "shred": "shred"}


class ContainForm(msgspec.Struct, frozen=True):
    """What is to be done; `sure`: the object's name once more, where it cannot be undone."""

    object: str
    how: str = "freeze"
    sure: str = ""


def routes(face: Face) -> list[Route]:
    """The page with a report, containing, one case and its picture, and lifting it."""
    at = _Spills(face)
    return [
        *page("GET", "/spill", LIST, at.show),
        *page("POST", "/spill/report", Action("report", "spill"), at.report, takes=ReportRequest),
        part("POST", "/spill", Action("contain", "spill"), at.contain, takes=ContainForm),
        part("GET", "/spill/{id}/picture", LIST, at.picture),
        *page("GET", "/spill/{id}", LIST, at.one),
        part("POST", "/spill/{id}/lift", Action("lift", "spill"), at.lift),
    ]


class _Spills:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """Past cases, and the way to a new one."""
        data, facts = await self._face.ask("GET /api/spills", call)
        return Shown("spills.html", data, facts=facts, more=_more(call))

    async def report(self, call: Call) -> Shown:
        """What a containment here would find."""
        body = ReportRequest(call.body.object.strip())
        data, facts = await self._face.ask("POST /api/spills/report", call, body)
        return Shown("spill.html", {"report": data}, facts=facts, more={**_more(call), "id": ""})

    async def one(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/spills/{id}", call)
        return Shown("spill.html", data, facts=facts, more={**_more(call), "id": call.path["id"]})

    async def contain(self, call: Call) -> Reply:
        """What cannot be undone is done where its object is named once more."""
        form: ContainForm = call.body
        named, language = form.object.strip(), call.flow.session.language
        if form.how not in WORDS or (form.how != "freeze" and form.sure.strip() != named):
            raise BadInput(what=say("console.spill.not_sure", language))
        body = ContainRequest(named, cast("How", WORDS[form.how]))
        data, facts = await self._face.ask("POST /api/spills", call, body)
        return go(f"/spill/{data['id']}", acting=acting(call), facts=facts)

    async def picture(self, call: Call) -> Reply:
        return Reply(await self._face.drawn("GET /api/spills/{id}/picture", call), SVG, headers=SAFE)

    async def lift(self, call: Call) -> Reply:
        _, facts = await self._face.ask("POST /api/spills/{id}/lift", call)
        return go(f"/spill/{call.path['id']}", acting=acting(call), facts=facts)


def _more(call: Call) -> dict[str, Any]:
    """The labels at which one may act, and the one at which the page stands."""
    language = call.flow.session.language
    return {"choices": shades.acting(call.flow, language), "at": call.flow.acting.text}
