"""POST /v1/chat/completions: whole, or as server-sent events.

The first delta is awaited before the head goes out: what fails before it is told as a plain response.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from casemate.doors.frame import Call, Reply, Stream
from casemate.doors.openai.asked import HOSTED, choice_of, refuse, shape_of, stops, tool_of
from casemate.doors.openai.brought import Body, extras, given, needed, read
from casemate.doors.openai.desk import Desk
from casemate.doors.openai.gathered import gather
from casemate.doors.openai.reply import Head, whole
from casemate.doors.openai.request import KNOWN, Request, messages_of, refuse_unoffered
from casemate.models import MOST_TOKENS, Chat, Course, Shape, Tool, within

__all__ = ["complete"]


async def complete(desk: Desk, call: Call) -> Reply | Stream:
    """Answer a chat."""
    request = read(Request, call.body, call.flow.session.language)
    chat, facts = _chat(desk, call, request, given(call.body, KNOWN))
    id, created = desk.named(call, "chatcmpl-"), desk.second()
    if request.stream:
        options = request.stream_options
        counted = options is not None and bool(options.include_usage)
        head = Head(id, created, chat.model, counted)
        course = Course(desk.answerer.answer(call.flow, chat), chat)
        course.facts |= facts
        await course.first()
        return Stream(_pieces(head, course, counted), facts=course.facts)
    course, deltas = await Course.whole(desk.answerer, call.flow, chat)
    course.facts |= facts
    body = whole(id, created, chat.model, gather(deltas), course.finish, course.usage)
    return Reply(body, facts=course.facts)


def _chat(desk: Desk, call: Call, request: Request, more: Body) -> tuple[Chat, dict[str, str]]:
    """The request as the house speaks of it, and what the ledger says of its unknown fields."""
    language = call.flow.session.language
    cards = desk.cards(call, request.model)
    refuse_unoffered(request, language)
    most = request.max_completion_tokens if request.max_completion_tokens is not None else request.max_tokens
    within("max_completion_tokens", most, 1, MOST_TOKENS, language)
    within("temperature", request.temperature, 0, 2, language)
    within("top_p", request.top_p, 0, 1, language)
    within("seed", request.seed, -(1 << 63), (1 << 63) - 1, language)
    needs = needed(more)
    messages = messages_of(request, needs, language)
    offered, needs = _tools(request, needs, language)
    choice, tools = choice_of(request.tool_choice, request.parallel_tool_calls, offered, language)
    raw, facts = extras(more)
    chat = Chat(
        model=request.model,
        messages=tuple(messages),
        max_tokens=1024 if most is None else most,
        temperature=request.temperature,
        top_p=request.top_p,
        stop=stops(request.stop, language),
        seed=request.seed,
        tools=tools,
        choice=choice if tools else None,
        shape=_shape(request, language),
        dialect="openai",
        extra=raw,
        needs=tuple(dict.fromkeys(needs)),
        whole=not request.stream,
        language=language,
    )
    return desk.settle(cards, chat, request.metadata or {}), facts


def _tools(request: Request, needs: list[str], language: str) -> tuple[tuple[Tool, ...], list[str]]:
    tools: list[Tool] = []
    for offer in request.tools or ():
        if offer.type in HOSTED:
            needs.append(offer.type)
        elif offer.type == "function":
            tools.append(tool_of(offer.function, language))
        else:
            raise refuse(f"tool {offer.type}", language)
    return tuple(tools), needs


def _shape(request: Request, language: str) -> Shape | None:
    format = request.response_format
    return None if format is None else shape_of(format.type, format.json_schema, language)


async def _pieces(head: Head, course: Course, counted: bool) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    try:
        yield head.opening
        cited = 0
        async for delta in course.deltas():
            if delta.citations:
                yield head.cited(delta.text, delta.citations, cited)
                cited += len(delta.citations)
            elif delta.text:
                yield head.said(delta.text)
            if delta.thought is not None and delta.thought.text:
                yield head.thought(delta.thought.text)
            if delta.call is not None:
                yield head.called(delta.call)
        yield head.closing(course.finish, course.usage if counted else None)
    finally:
        await course.close()
