"""POST /model/{modelId}/converse and /converse-stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from typing import Any

import msgspec

from casemate.doors.bedrock.answered import Answered
from casemate.doors.bedrock.desk import Desk, answered, facts_of
from casemate.doors.bedrock.eventstream import MEDIA
from casemate.doors.bedrock.guarding import Guarding, guarding
from casemate.doors.bedrock.request import GuardrailConfig, chat_of, read
from casemate.doors.bedrock.streamed import STOP, Writer, citation, usage_of
from casemate.doors.frame import Call, Reply, Stream
from casemate.models import Chat, Citation, Course, Delta, Thought, ToolPiece

__all__ = ["as_deltas", "content", "converse", "converse_stream"]


async def converse(desk: Desk, call: Call) -> Reply:
    """Answer a chat, whole."""
    started = desk.now()
    chat, guard = await _asked(desk, call)
    answer, usage, facts = await answered(desk, call, chat, guard)
    body: dict[str, Any] = {
        "output": {"message": {"role": "assistant", "content": content(answer)}},
        "stopReason": STOP.get(answer.stop, "end_turn"),
        "usage": usage_of(usage),
        "metrics": {"latencyMs": desk.since(started)},
    }
    trace = guard.traced() if guard is not None else None
    if trace is not None:
        body["trace"] = trace
    return Reply(msgspec.json.encode(body), facts=facts)


async def converse_stream(desk: Desk, call: Call) -> Stream:
    """Answer a chat in events. Its first delta is awaited: what fails before it is told as a plain response."""
    started = desk.now()
    chat, guard = await _asked(desk, call)
    writer = Writer(chat.model, chat.language)
    if guard is not None:
        answer, usage, facts = await answered(desk, call, chat, guard)
        told = writer.opening() + b"".join(writer.delta(delta) for delta in as_deltas(answer))
        told += writer.closing(answer.stop, usage, desk.since(started), guard.traced())
        return Stream(_told(told), MEDIA, facts=facts)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    await course.first()
    course.facts |= facts_of(chat)
    return Stream(_pieces(desk, writer, course, started), MEDIA, facts=course.facts)


async def _asked(desk: Desk, call: Call) -> tuple[Chat, Guarding | None]:
    language = call.flow.session.language
    body = read(call.body, language)
    chat = desk.choose(call, chat_of(body, call.body, call.path["model"], language), body.request_metadata or {})
    config = body.guardrail_config or GuardrailConfig()
    return chat, await guarding(call.flow, config.guardrail_identifier, config.guardrail_version, config.trace)


async def _pieces(desk: Desk, writer: Writer, course: Course, started: int) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    try:
        yield writer.opening()
        async for delta in course.deltas():
            piece = writer.delta(delta)
            if piece:
                yield piece
        yield writer.closing(course.finish, course.usage, desk.since(started))
    finally:
        await course.close()


async def _told(whole: bytes) -> AsyncIterator[bytes]:
    """An answer that is whole already."""
    yield whole


def as_deltas(answer: Answered) -> Iterable[Delta]:
    """A whole answer as the deltas that a stream would have brought."""
    for thought in answer.thoughts:
        yield Delta(thought=thought)
    yield Delta(text=answer.text, citations=tuple(answer.cited))
    for index, call in enumerate(answer.whole):
        yield Delta(call=ToolPiece(index, call.arguments or "{}", call.id, call.name))


def content(answer: Answered) -> list[dict[str, Any]]:
    """Reasoning; the whole text in one block, where every client looks for it; citations, a block a paragraph; calls.

    `citationsContent.content` stays empty, so that a client that joins all blocks has the text once.
    """
    cited = [list(group) for _, group in groupby(answer.cited, key=_label)]
    return [
        *({"reasoningContent": _thought(thought)} for thought in answer.thoughts),
        *([{"text": answer.text}] if answer.text or not answer.calls else []),
        *({"citationsContent": {"content": [], "citations": [citation(c) for c in group]}} for group in cited),
        *({"toolUse": {"toolUseId": c.id, "name": c.name, "input": c.input}} for c in answer.whole),
    ]


def _label(cited: Citation) -> str:
    return cited.label


def _thought(thought: Thought) -> dict[str, Any]:
    if thought.sealed:
        return {"redactedContent": thought.sealed}
    told = {"text": thought.text}
    return {"reasoningText": told | ({"signature": thought.signature} if thought.signature else {})}
