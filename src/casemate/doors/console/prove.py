"""Prove: the same question in a world that holds only what its reader may see, compared byte for byte, and signed."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.console.ask import texts
from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.doors.native.prove import ProveRequest
from casemate.policy import Action

__all__ = ["routes"]


class ProveForm(msgspec.Struct, frozen=True):
    """The question that was asked, and as whom."""

    question: str = ""
    knowledge: str = "all"
    who: str = ""
    reason: str = ""


def routes(face: Face) -> list[Route]:
    """The one page of this deed."""

    async def prove(call: Call) -> Shown:
        form: ProveForm = call.body
        at = "" if form.who else call.flow.acting.text
        body = ProveRequest(form.question, form.who, at, form.reason, knowledge=form.knowledge)
        data: tuple[dict[str, Any], dict[str, Any]] = await face.ask("POST /api/prove", call, body)
        proof, facts = data
        return Shown("proof.html", proof, part="ask/proof.html", facts=facts)

    return page("POST", "/prove", Action("prove", "answer"), prove, takes=ProveForm, texts=texts, asks=True)
