"""Sources: a place outside is watched into a base, or no longer. They are shown on the page of knowledge."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, go, part
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.sources import SourceRequest
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]


class SourceForm(msgspec.Struct, frozen=True):
    """A source as the page asks for it. `every`: seconds."""

    base: str
    place: str
    under: str = ""
    label: str = ""
    every: str = "60"


def routes(face: Face) -> list[Route]:
    """Two deeds."""
    at = _Sources(face)
    return [
        part("POST", "/sources", Action("add", "source"), at.add, takes=SourceForm, texts=_words),
        part("POST", "/sources/{id}/remove", Action("remove", "source"), at.remove),
    ]


def _words(form: SourceForm) -> Iterable[str]:
    return form.base, form.under


class _Sources:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def add(self, call: Call) -> Reply:
        form: SourceForm = call.body
        if not form.every.isascii() or not form.every.isdigit() or len(form.every) > 6:
            raise BadInput(what=say("console.knowledge.no_seconds", call.flow.session.language))
        body = SourceRequest(form.base.strip(), form.place, form.under.strip(), form.label, every=int(form.every))
        _, facts = await self._face.ask("POST /api/sources", call, body)
        return go("/knowledge", acting=acting(call), facts=facts)

    async def remove(self, call: Call) -> Reply:
        _, facts = await self._face.ask("DELETE /api/sources/{id}", call)
        return go("/knowledge", acting=acting(call), facts=facts)
