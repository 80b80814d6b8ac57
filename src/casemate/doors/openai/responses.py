"""POST /v1/responses after the Open Responses specification, whole or as events, and the count of an input.

No response is kept here, so none can be read, listed, cancelled or built upon: those operations find nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.openai.asked import SEARCHED, choice_of, refuse, shape_of
from casemate.doors.openai.brought import Body, extras, given, needed, read
from casemate.doors.openai.desk import Desk
from casemate.doors.openai.file_search import FileSearch, search_of
from casemate.doors.openai.responses_input import KNOWN, RESULTS, Request, messages_of, refuse_unoffered, tools_of
from casemate.doors.openai.responses_output import annotation, resource
from casemate.doors.openai.responses_stream import Events
from casemate.errors import Absent, CasemateError
from casemate.models import MOST_TOKENS, Chat, Course, Image, Message, Shape, ToolCall, ToolResult, within
from casemate.models import Part as Piece
from casemate.policy import Action

__all__ = ["count", "create", "kept"]

PICTURE = 800  # tokens that a picture is taken for
TURN = 4  # tokens that a turn costs besides its words
_SEARCHES = ("required", {"type": SEARCHED})  # choices that files be searched, as they are anyway


async def create(desk: Desk, call: Call) -> Reply | Stream:
    """Answer. A stream begins when the first delta is there: what fails before it is told as a plain response."""
    request = read(Request, call.body, call.flow.session.language)
    more = _more(request, call.body)
    search = _search(desk, call, request)
    chat, facts = _chat(desk, call, request, more, search)
    if search is not None:
        await search.made(chat.question)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    course.facts |= facts
    begun = resource(desk.named(call, "resp_"), desk.second(), request, chat, more)
    events = Events(begun, lambda prefix: desk.named(call, prefix), search.annotation if search else annotation)
    if request.stream:
        await course.first()
        return Stream(_pieces(desk, events, course, search), facts=course.facts)
    try:
        async for _ in _items(events, course, search):
            pass
    finally:
        await course.close()
    whole = events.whole(course.finish, course.usage, desk.second())
    return Reply(msgspec.json.encode(whole), facts=course.facts)


async def count(desk: Desk, call: Call) -> Reply:
    """How many tokens an input has: an estimate, for a model's tokenizer is not here."""
    language = call.flow.session.language
    request = read(Request, {"model": ""} | call.body, language)
    if request.model:
        desk.cards(call, request.model)
    tools = tools_of(request, [], language)
    schemas = sum(len(tool.schema) + len(tool.name) + len(tool.description.encode()) for tool in tools)
    tokens = sum(_tokens(message) for message in messages_of(request, [], language)) + -(-schemas // 4)
    return Reply(msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens, "estimated": True}))


def kept(plane: str) -> list[Route]:
    """The operations on responses that were kept, of which there are none."""
    path, see = "/v1/responses/{id}", Action("read", "response")
    return [
        Route("GET", path, plane, see, _absent),
        Route("DELETE", path, plane, see, _absent),
        Route("POST", f"{path}/cancel", plane, see, _absent),
        Route("GET", f"{path}/input_items", plane, see, _absent),
    ]


async def _absent(call: Call) -> Reply:
    raise Absent(kind="response", id=call.path["id"][:200])


def _more(request: Request, body: Body) -> Body:
    """The fields beside those that we know, as a chat completion names them."""
    more = given(body, KNOWN)
    if request.reasoning is not None and request.reasoning.effort is not None:
        more["reasoning_effort"] = request.reasoning.effort
    if request.text is not None and request.text.verbosity is not None:
        more["verbosity"] = request.text.verbosity
    return more


def _search(desk: Desk, call: Call, request: Request) -> FileSearch | None:
    """The search of files that the request offers, where there is one. Raises BadInput."""
    language = call.flow.session.language
    search = search_of(request.tools, request.tool_choice, request.metadata, language)
    if search is None:
        return None
    if desk.shelf is None:
        raise refuse(SEARCHED, language)
    return FileSearch(desk.shelf, call, search, RESULTS in (request.include or ()))


def _chat(
    desk: Desk, call: Call, request: Request, more: Body, search: FileSearch | None
) -> tuple[Chat, dict[str, str]]:
    """The request as the house speaks of it, and what the ledger says of its unknown fields."""
    language = call.flow.session.language
    cards = desk.cards(call, request.model)
    refuse_unoffered(request, language)
    within("max_output_tokens", request.max_output_tokens, 1, MOST_TOKENS, language)
    within("temperature", request.temperature, 0, 2, language)
    within("top_p", request.top_p, 0, 1, language)
    needs = needed(more)
    messages = messages_of(request, needs, language)
    offered = tools_of(request, needs, language)
    chosen = None if search is not None and request.tool_choice in _SEARCHES else request.tool_choice
    choice, tools = choice_of(chosen, request.parallel_tool_calls, offered, language)
    raw, facts = extras(more)
    chat = Chat(
        model=request.model,
        messages=tuple(messages),
        max_tokens=1024 if request.max_output_tokens is None else request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        tools=tools,
        choice=choice if tools else None,
        shape=_shape(request, language),
        dialect="openai",
        extra=raw,
        needs=tuple(dict.fromkeys(needs)),
        narrowed=search.narrowed if search is not None else None,
        language=language,
    )
    named = {"knowledge": ",".join(search.search.bases)} if search is not None else {}
    return desk.settle(cards, chat, (request.metadata or {}) | named), facts


def _shape(request: Request, language: str) -> Shape | None:
    format = request.text.format if request.text is not None else None
    return None if format is None else shape_of(format.type, msgspec.structs.asdict(format), language)


async def _items(events: Events, course: Course, search: FileSearch | None) -> AsyncIterator[bytes]:
    """What the items of an answer tell, a search of files first."""
    if search is not None:
        yield events.searched(search.item)
    async for delta in course.deltas():
        if search is not None:
            await search.learn(delta)
        told = events.told(delta)
        if told:
            yield told


async def _pieces(desk: Desk, events: Events, course: Course, search: FileSearch | None) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    try:
        yield events.opening()
        async for told in _items(events, course, search):
            yield told
        yield events.closing(course.finish, course.usage, desk.second())
    except CasemateError as error:
        yield events.failed(error.slug)
        raise
    finally:
        await course.close()


def _tokens(message: Message) -> int:
    """Four bytes are taken for a token."""
    pictures, size = 0, 0
    for part in message.parts:
        inner: tuple[Piece, ...] = part.parts if isinstance(part, ToolResult) else (part,)
        pictures += sum(isinstance(one, Image) for one in inner)
        size += sum(len(_said(one).encode()) for one in inner)
    return TURN + PICTURE * pictures + -(-size // 4)


def _said(part: Piece) -> str:
    if isinstance(part, ToolCall):
        return part.name + part.arguments
    return "" if isinstance(part, Image | ToolResult) else part.text
