"""POST /model/{modelId}/invoke and /invoke-with-response-stream: the body of the model's vendor, carried by AWS.

The body says what it is: `anthropic_version` Anthropic's, `messages` OpenAI's, `prompt` Llama's, `inputText` Titan's
(an embedding where the model embeds), `texts` Cohere's embeddings. What else a request says is in signed headers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from casemate.doors.bedrock.bodies import Body, Ended, Opened
from casemate.doors.bedrock.body_anthropic import AnthropicBody
from casemate.doors.bedrock.body_openai import OpenAIBody
from casemate.doors.bedrock.body_plain import LlamaBody, TitanBody
from casemate.doors.bedrock.converse import as_deltas
from casemate.doors.bedrock.desk import Desk, answered, facts_of
from casemate.doors.bedrock.embeddings import embeds, vectors
from casemate.doors.bedrock.eventstream import MEDIA
from casemate.doors.bedrock.guarding import Guarding, guarding
from casemate.doors.frame import Call, Reply, Stream
from casemate.errors import BadInput
from casemate.ids import short
from casemate.models import Chat, Course
from casemate.words import say

__all__ = ["body_of", "invoke", "invoke_stream"]

_SECOND = 1_000_000  # microseconds
_HEADER = "x-amzn-bedrock-"
_INNER = (("X-Amzn-Bedrock-Content-Type", "application/json"),)


async def invoke(desk: Desk, call: Call) -> Reply:
    """Answer, or embed, whole."""
    if embeds(desk, call):
        return await vectors(desk, call)
    started = desk.now()
    body, chat, guard = await _asked(desk, call)
    answer, usage, facts = await answered(desk, call, chat, guard)
    ended = Ended(answer.stop, usage, desk.since(started))
    told = body.whole(answer, _opened(desk, call, chat), ended)
    return Reply(msgspec.json.encode({**told, **_guarded(guard)}), facts=facts)


async def invoke_stream(desk: Desk, call: Call) -> Stream:
    """Answer in events. Its first delta is awaited: what fails before it is told as a plain response."""
    started = desk.now()
    body, chat, guard = await _asked(desk, call)
    opened = _opened(desk, call, chat)
    if guard is not None:
        answer, usage, facts = await answered(desk, call, chat, guard)
        frames = [*body.opening(opened), *(f for delta in as_deltas(answer) for f in body.delta(delta))]
        frames += body.closing(Ended(answer.stop, usage, desk.since(started)))
        return Stream(_told(b"".join(frames)), MEDIA, headers=_INNER, facts=facts)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    await course.first()
    course.facts |= facts_of(chat)
    return Stream(_pieces(desk, body, opened, course, started), MEDIA, headers=_INNER, facts=course.facts)


def body_of(raw: dict[str, Any], language: str) -> Body:
    """The body as its vendor's. Raises BadInput where it is nobody's."""
    if "anthropic_version" in raw:
        return AnthropicBody(raw, language)
    if "messages" in raw:
        return OpenAIBody(raw, language)
    if "prompt" in raw:
        return LlamaBody(raw, language)
    if "inputText" in raw:
        return TitanBody(raw, language)
    raise BadInput(what=say("bedrock.body", language))


async def _asked(desk: Desk, call: Call) -> tuple[Body, Chat, Guarding | None]:
    body = body_of(call.body, call.flow.session.language)
    chat = desk.choose(call, body.chat(call.path["model"]), _metadata(call))
    header = call.headers.get
    guard = await guarding(
        call.flow,
        header(f"{_HEADER}guardrailidentifier", ""),
        header(f"{_HEADER}guardrailversion", ""),
        header(f"{_HEADER}trace", "DISABLED"),
    )
    return body, chat, guard


def _metadata(call: Call) -> dict[str, str]:
    """The header that carries a request's metadata: a JSON object of strings."""
    written = call.headers.get(f"{_HEADER}request-metadata", "{}")
    try:
        return msgspec.json.decode(written, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise BadInput(what=say("bedrock.metadata", call.flow.session.language)) from None


def _opened(desk: Desk, call: Call, chat: Chat) -> Opened:
    """The id is drawn from the entropy of class and session, so that nobody else's request shifts it."""
    drawn = desk.gate.vault.entropy.draw(f"invoke/{call.flow.access.id}/{call.flow.session.id}")
    return Opened(short(drawn), chat.model, desk.now() // _SECOND)


def _guarded(guard: Guarding | None) -> dict[str, Any]:
    """What AWS adds to a body that a guardrail has looked at."""
    if guard is None:
        return {}
    acted = bool(guard.facts()["intervened"])
    told: dict[str, Any] = {"amazon-bedrock-guardrailAction": "INTERVENED" if acted else "NONE"}
    trace = guard.traced()
    return told if trace is None else {**told, "amazon-bedrock-trace": trace}


async def _pieces(desk: Desk, body: Body, opened: Opened, course: Course, started: int) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    try:
        for frame in body.opening(opened):
            yield frame
        async for delta in course.deltas():
            piece = b"".join(body.delta(delta))
            if piece:
                yield piece
        yield b"".join(body.closing(Ended(course.finish, course.usage, desk.since(started))))
    finally:
        await course.close()


async def _told(whole: bytes) -> AsyncIterator[bytes]:
    """An answer that is whole already."""
    yield whole
