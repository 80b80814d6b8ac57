"""Ask, keep an answer, and list what was kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Literal

import msgspec

from casemate.access import Flow
from casemate.assistants import KEPT, Kept, Told, gathered, keep
from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.models import READER, Chat, Delta, Message
from casemate.policy import Action

__all__ = ["AskRequest", "routes"]

ASK = Action("ask", "answer")


class AskRequest(msgspec.Struct, frozen=True):
    """A question. `knowledge`: comma-separated names, all or none."""

    question: str
    model: str = READER
    knowledge: str = "all"
    mode: Literal["rungs", "single"] = "rungs"
    language: str = ""


class KeepRequest(msgspec.Struct, frozen=True):
    """An answer to store: `label` says where ("" = the acting label), `asked` is the ledger entry of the question."""

    text: str
    question: str = ""
    label: str = ""
    asked: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """Answer routes."""
    asks = _Asks(rooms)
    return [
        Route("POST", "/api/ask", "native", ASK, asks.whole, AskRequest, Told, texts=_question, asks=True),
        Route("POST", "/api/ask/stream", "native", ASK, asks.stream, AskRequest, Delta, texts=_question, asks=True),
        Route("POST", "/api/answers", "native", Action("keep", "answer"), _keep, KeepRequest, Kept, texts=_kept),
        Route("GET", "/api/answers", "native", Action("list", "answer"), _list, gives=list[Kept]),
    ]


def _question(request: AskRequest) -> Iterable[str]:
    return (request.question,)


def _kept(request: KeepRequest) -> Iterable[str]:
    return (request.question,)


def chat_of(request: AskRequest, flow: Flow) -> Chat:
    """The question as the answerer takes it."""
    names = tuple(n.strip() for n in request.knowledge.split(",") if n.strip())
    return Chat(
        model=request.model,
        messages=(Message("user", request.question),),
        knowledge=() if names == ("none",) else names or ("all",),
        mode=request.mode,
        language=request.language or flow.session.language,
    )


class _Asks:
    """Handlers that need the answerer."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def whole(self, call: Call) -> Reply:
        """The answer as one object: rungs with marks and citations."""
        chat = chat_of(call.body, call.flow)
        told = await gathered(self._rooms.answerer.answer(call.flow, chat))
        facts: dict[str, Any] = {"finish": told.finish, "model": chat.model, "rungs": len(told.rungs)}
        return reply(call.flow, told, **facts)

    async def stream(self, call: Call) -> Stream:
        """The answer as server-sent events: one `delta` per piece."""
        chat = chat_of(call.body, call.flow)
        first = self._rooms.answerer.answer(call.flow, chat)
        head = await anext(first, None)
        return Stream(_events(head, first), facts={"model": chat.model})


async def _events(head: Delta | None, rest: AsyncIterator[Delta]) -> AsyncIterator[bytes]:
    """Waiting for the first delta before the head goes out lets an early refusal still be a refusal."""
    if head is not None:
        yield _event(head)
    async for delta in rest:
        yield _event(delta)


def _event(delta: Delta) -> bytes:
    return b"event: delta\ndata: " + msgspec.json.encode(delta) + b"\n\n"


async def _keep(call: Call) -> Reply:
    """Store an answer exactly at the acting label. Another label is refused: information only flows up."""
    request: KeepRequest = call.body
    at = call.gate.vault.region.label(request.label) if request.label else None
    kept = await keep(call.flow, request.text, request.question, request.asked, at)
    return reply(call.flow, kept, status=201)


async def _list(call: Call) -> Reply:
    """Answers kept at labels that the acting label dominates."""
    found = await call.flow.every(KEPT)
    call.flow.use(*(f.ref for f in found))
    return reply(call.flow, [{"id": f.id, "answer": f.value, **marked(call.flow, f.label)} for f in found])
