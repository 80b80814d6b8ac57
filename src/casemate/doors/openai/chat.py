"""POST /v1/chat/completions: whole, or as server-sent events.

The first delta is awaited before the head goes out: what fails before it is told as a plain response.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from casemate.access import Gate
from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Stream
from casemate.doors.openai.reply import Head
from casemate.doors.openai.request import Request, messages_of, refuse_unoffered, texts
from casemate.ids import short
from casemate.models import MOST_TOKENS, Answerer, Catalogue, Chat, Course, chosen, within

__all__ = ["Desk", "Request", "complete", "texts"]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the operation stands on."""

    gate: Gate
    catalogue: Catalogue
    answerer: Answerer


async def complete(desk: Desk, call: Call) -> Reply | Stream:
    """Answer a chat."""
    request: Request = call.body
    chat = _chat(desk, call, request)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    head = _head(desk, call, chat, request)
    if request.stream:
        await course.first()
        return Stream(_pieces(head, course), facts=course.facts)
    text, cited = await course.rest()
    body = head.whole(text, cited, course.finish, course.usage)
    return Reply(body, facts=course.facts)


def _chat(desk: Desk, call: Call, request: Request) -> Chat:
    language = call.flow.session.language
    card = desk.catalogue.named(call.flow, request.model)
    refuse_unoffered(request, language)
    most = request.max_completion_tokens if request.max_completion_tokens is not None else request.max_tokens
    within("max_completion_tokens", most, 1, MOST_TOKENS, language)
    within("temperature", request.temperature, 0, 2, language)
    messages = messages_of(request, language)
    return chosen(card, messages, request.metadata or {}, language, most, request.temperature)


def _head(desk: Desk, call: Call, chat: Chat, request: Request) -> Head:
    """The id is drawn from the entropy of class and session, so that nobody else's request shifts it."""
    vault = desk.gate.vault
    drawn = vault.entropy.draw(f"chat/{call.flow.access.id}/{call.flow.session.id}")
    counted = request.stream_options is not None and bool(request.stream_options.include_usage)
    return Head(f"chatcmpl-{short(drawn)}", vault.clock.now() // SECOND, chat.model, counted)


async def _pieces(head: Head, course: Course) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    try:
        yield head.opening()
        cited = 0
        async for delta in course.deltas():
            if delta.text or delta.citations:
                yield head.piece(delta.text, delta.citations, cited)
            cited += len(delta.citations)
        yield head.closing(course.finish, course.usage)
    finally:
        await course.close()
