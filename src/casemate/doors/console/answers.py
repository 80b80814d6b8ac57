"""Answers that were kept, each at the label at which it was asked."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.doors.native.answers import KeepRequest
from casemate.policy import Action

__all__ = ["routes"]


class KeepForm(msgspec.Struct, frozen=True):
    """The answer as it was told; `asked` is the ledger entry of its question."""

    text: str
    question: str = ""
    asked: str = ""
    label: str = ""


def _texts(form: KeepForm) -> Iterable[str]:
    return (form.question,)


def routes(face: Face) -> list[Route]:
    """The list, and the deed."""

    async def show(call: Call) -> Shown:
        data, facts = await face.ask("GET /api/answers", call)
        data.sort(key=lambda kept: -kept["answer"]["at"])
        return Shown("answers.html", data, facts=facts)

    async def keep(call: Call) -> Shown:
        form: KeepForm = call.body
        body = KeepRequest(form.text.replace("\r\n", "\n"), form.question, form.label, form.asked)
        data, facts = await face.ask("POST /api/answers", call, body)
        return Shown("kept.html", data, part="ask/kept.html", status=201, facts=facts)

    return [
        *page("GET", "/answers", Action("list", "answer"), show),
        *page("POST", "/answers", Action("keep", "answer"), keep, takes=KeepForm, texts=_texts),
    ]
