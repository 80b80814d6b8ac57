"""Ask: the question, what may be chosen with it, and the answer rung by rung.

With a script the answer comes as server-sent events in the response to the POST, so that a question never stands in an
address; without one the same form gives the whole page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Literal

import msgspec

from casemate.access import Flow, audit
from casemate.assistants import gathered
from casemate.doors.console.face import Face, Shown, page
from casemate.doors.console.rungs import Pieces, rungs
from casemate.doors.console.view import SAFE, View, render
from casemate.doors.frame import Call, Route, Stream
from casemate.doors.native.answers import AskRequest, chat_of
from casemate.models import READER, Chat, Course
from casemate.policy import Action

__all__ = ["AskForm", "asked_of", "routes", "texts"]

ASK = Action("ask", "answer")


class AskForm(msgspec.Struct, frozen=True):
    """A question as the page sends it. `who` and `reason`: as seen by somebody else, for auditors."""

    question: str = ""
    model: str = READER
    knowledge: str = "all"
    mode: Literal["rungs", "single"] = "rungs"
    who: str = ""
    reason: str = ""


def routes(face: Face) -> list[Route]:
    """The page, the whole answer as a page, and the answer as a stream."""
    ask = _Ask(face)
    streamed = Route(
        "POST", "/ask/stream", "console", ASK, ask.stream, takes=AskForm, gives=Any, texts=texts, asks=True
    )
    return [
        *page("GET", "/ask", Action("read", "region"), ask.show),
        *page("POST", "/ask", ASK, ask.whole, takes=AskForm, texts=texts, asks=True),
        streamed,
    ]


def texts(form: Any) -> Iterable[str]:
    """What a person wrote."""
    return (form.question, form.reason)


async def asked_of(flow: Flow, form: Any) -> Flow:
    """The flow that the question is asked in: the caller's own, or as somebody else sees the world."""
    return await flow.as_seen_by(form.who, None, form.reason) if form.who else flow


class _Ask:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def _page(self, call: Call) -> dict[str, Any]:
        """What may be chosen: knowledge bases, models, and for an auditor the people whom he may ask as."""
        region = await self._face.data("GET /api/region", call)
        return {"region": region, "people": await _people(call.flow), "asked": AskForm(), "told": None, "entry": ""}

    async def show(self, call: Call) -> Shown:
        """An empty question: none is ever taken from an address."""
        return Shown("ask.html", await self._page(call))

    async def whole(self, call: Call) -> Shown:
        """The answer in one page."""
        form: AskForm = call.body
        flow = await asked_of(call.flow, form)
        chat = _chat(form, flow)
        told = await gathered(self._face.rooms.answerer.answer(flow, chat))
        data = await self._page(call) | {"asked": form, "told": told, "entry": call.flow.begun}
        facts = {"finish": told.finish, "model": chat.model, "rungs": len(told.rungs)}
        return Shown("ask.html", data, facts=facts)

    async def stream(self, call: Call) -> Stream:
        """The first delta is awaited before the head goes out: an early refusal is still a refusal."""
        form: AskForm = call.body
        flow = await asked_of(call.flow, form)
        chat = _chat(form, flow)
        course = Course(self._face.rooms.answerer.answer(flow, chat), chat)
        await course.first()
        return Stream(_events(View.of(call), form, course), headers=SAFE, facts=course.facts)


def _chat(form: AskForm, flow: Flow) -> Chat:
    return chat_of(AskRequest(form.question, form.model, form.knowledge, form.mode), flow)


async def _events(view: View, form: AskForm, course: Course) -> AsyncIterator[bytes]:
    """The head, a fragment for every rung, and at the end what can be done with the whole."""
    said: list[str] = []
    number, extract = 0, False
    assert view.flow is not None
    try:
        yield _event(render("ask/head.html", view, asked=form))
        async for found in rungs(course.deltas()):
            if isinstance(found, Pieces):
                number += found.opens
                said.append(found.text)
                yield _event(render("ask/pieces.html", view, found=found, number=number))
            else:
                number += 1
                extract = extract or found.extract
                said.append(("\n\n" if said else "") + found.text)
                yield _event(render("ask/rung.html", view, rung=found, number=number))
        whole = "".join(said)
        end = {"text": whole, "entry": view.flow.begun, "finish": course.finish, "extract": extract}
        yield _event(render("ask/end.html", view, asked=form, **end))
    finally:
        await course.close()


def _event(html: str) -> bytes:
    """A message without a name: the script puts it where it says."""
    return b"".join(b"data: " + line.encode() + b"\n" for line in html.splitlines()) + b"\n"


async def _people(flow: Flow) -> list[str]:
    """Whom an auditor knows from the ledger that he may read: those who acted, and those who were added."""
    if "auditor" not in flow.session.principal.roles:
        return []
    await flow.settled()
    found: set[str] = set()
    for seen in audit.entries(flow, 500):
        if seen.entry.action in ("principal.add", "principal.grant"):
            found.add(str(seen.entry.facts.get("name", "")))
        found.add(seen.entry.principal)
    strangers = {"", "stranger", "visitor", "casemate init", flow.session.principal.name}
    return sorted(name for name in found - strangers if not name.startswith("service:"))
