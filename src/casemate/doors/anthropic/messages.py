"""POST /v1/messages: whole, or as server-sent events; and POST /v1/messages/count_tokens.

The first delta is awaited before the head goes out: what fails before it is told as a plain response.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from casemate.doors.anthropic.desk import Desk
from casemate.doors.anthropic.request import chat_of, metadata_of, read
from casemate.doors.anthropic.streamed import Writer
from casemate.doors.anthropic.whole import gather
from casemate.doors.frame import Call, Reply, Stream
from casemate.errors import BadInput
from casemate.models import Chat, Course
from casemate.words import say

__all__ = ["count", "create"]

BETA = "anthropic-beta"


async def create(desk: Desk, call: Call) -> Reply | Stream:
    """Answer."""
    language = call.flow.session.language
    chat, facts = _chat(desk, call, counts=False)
    id = desk.named(call, "msg_")
    if chat.whole:
        course, deltas = await Course.whole(desk.answerer, call.flow, chat)
        course.facts |= facts
        return Reply(gather(deltas).message(id, course, chat.model, language), facts=course.facts)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    course.facts |= facts
    await course.first()
    return Stream(_pieces(Writer(id, chat.model, language), course), facts=course.facts)


async def count(desk: Desk, call: Call) -> Reply:
    """How many tokens such a message has. `Casemate-Estimated` says so where no engine has counted."""
    chat, facts = _chat(desk, call, counts=True)
    usage = await desk.answerer.count(call.flow, chat)
    headers = (("Casemate-Estimated", "true"),) if usage.estimated else ()
    return Reply(msgspec.json.encode({"input_tokens": usage.prompt}), headers=headers, facts=facts)


def _chat(desk: Desk, call: Call, *, counts: bool) -> tuple[Chat, dict[str, str]]:
    """The request as the house speaks of it, and what the ledger says of its fields."""
    language = call.flow.session.language
    request = read(call.body, language)
    cards = desk.cards(call, request.model)
    if request.max_tokens is None and not counts:
        raise BadInput(what=say("anthropic.max_tokens", language))
    chat, facts = chat_of(request, call.body, call.headers.get(BETA, ""), cards, language)
    return desk.settle(cards, chat, metadata_of(request)), facts


async def _pieces(writer: Writer, course: Course) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    try:
        yield writer.opening()
        async for delta in course.deltas():
            told = writer.delta(delta)
            if told:
                yield told
        yield writer.closing(course.finish, course.usage, writer.called)
    finally:
        await course.close()
