"""The body of a chat completion, and the messages in it as the house speaks of them."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.openai.asked import FETCHED, picture, refuse
from casemate.errors import BadInput
from casemate.models import Image, Message, Text, Thought, ToolCall, ToolResult
from casemate.models import Part as Piece
from casemate.words import say

__all__ = ["KNOWN", "Part", "Request", "StreamOptions", "Turn", "messages_of", "refuse_unoffered", "text_or_parts"]

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "user"}


class Address(msgspec.Struct):
    """Where a picture is: a `data:` URL, or an address that is not fetched."""

    url: str


class Part(msgspec.Struct):
    """A content part. A refusal is text that an assistant once said."""

    type: str = "text"
    text: str = ""
    refusal: str = ""
    image_url: Address | None = None


class Called(msgspec.Struct):
    """The function of a call."""

    name: str
    arguments: str = ""


class Call(msgspec.Struct):
    """A tool call that an assistant made."""

    id: str = ""
    type: str = "function"
    function: Called | None = None


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    function_call: Any = None


class StreamOptions(msgspec.Struct):
    """`include_usage`: one more chunk before the end, with the usage of the whole."""

    include_usage: bool | None = False


class ToolOffer(msgspec.Struct):
    """A tool: a function of the client's, or something that its type names."""

    type: str = "function"
    function: Any = None


class Format(msgspec.Struct):
    """`response_format`."""

    type: str
    json_schema: Any = None


class Request(msgspec.Struct, kw_only=True):
    """What we read of a chat completion. `user` and `safety_identifier` stay here: they tell a vendor who asks."""

    model: str
    messages: list[Turn]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    metadata: dict[str, str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = 1
    seed: int | None = None
    stop: str | list[str] | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None
    user: str | None = None
    safety_identifier: str | None = None
    functions: Any = None
    function_call: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    audio: Any = None
    modalities: list[str] | None = None


KNOWN = frozenset(Request.__struct_fields__)


def refuse_unoffered(request: Request, language: str) -> None:
    """What would change the answer and is not offered is refused, never ignored."""
    asked = {
        "n": request.n not in (None, 1),
        "functions": bool(request.functions or request.function_call),
        "logprobs": bool(request.logprobs or request.top_logprobs),
        "audio": bool(request.audio) or "audio" in (request.modalities or ()),
    }
    for name, found in asked.items():
        if found:
            raise refuse(name, language)


def messages_of(request: Request, needs: list[str], language: str) -> list[Message]:
    """The messages as the house speaks of them; `needs` gains what would have to be fetched. Raises BadInput.

    Results of tools that follow one another stand in one turn of the user, as every other protocol has them.
    """
    found: list[Message] = []
    after_tool = False
    for place, turn in enumerate(request.messages, start=1):
        message = _message(place, turn, needs, language)
        if turn.role == "tool" and after_tool:
            message = Message("user", (*found.pop().parts, *message.parts))
        found.append(message)
        after_tool = turn.role == "tool"
    return found


def text_or_parts(parts: list[Piece]) -> str | tuple[Piece, ...]:
    """Words alone as one text, paragraph by paragraph; anything else as it is."""
    texts = [part.text for part in parts if isinstance(part, Text)]
    return "\n\n".join(texts) if len(texts) == len(parts) else tuple(parts)


def _message(place: int, turn: Turn, needs: list[str], language: str) -> Message:
    role = _ROLES.get(turn.role)
    if role is None:
        raise BadInput(what=say("openai.role", language, place=place, role=turn.role[:40]))
    if turn.function_call:
        raise refuse("function_call", language)
    content = turn.content
    if type(content) is str and not turn.tool_calls and turn.role != "tool" and not turn.reasoning_content:
        return Message(role, content)
    parts = _parts(place, turn, needs, language)
    if turn.role == "tool":
        if not turn.tool_call_id:
            raise BadInput(what=say("openai.tool_result", language, place=place))
        shown = tuple(part for part in parts if isinstance(part, Text | Image))
        return Message(role, (ToolResult(turn.tool_call_id, shown),))
    calls = [_call(place, call, language) for call in turn.tool_calls or ()]
    if calls and turn.role != "assistant":
        raise refuse(f"tool_calls in a message of {turn.role}", language)
    thought = [Thought(turn.reasoning_content)] if turn.reasoning_content else []
    return Message(role, text_or_parts([*thought, *parts, *calls]))


def _parts(place: int, turn: Turn, needs: list[str], language: str) -> list[Piece]:
    if isinstance(turn.content, str):
        return [Text(turn.content)] if turn.content else []
    found = [_part(place, part, needs, language) for part in turn.content or ()]
    parts = [part for part in found if part is not None]
    return [*parts, Text(turn.refusal)] if turn.refusal else parts


def _part(place: int, part: Part, needs: list[str], language: str) -> Piece | None:
    if part.type in ("text", "refusal"):
        return Text(part.text or part.refusal)
    if part.type != "image_url" or part.image_url is None:
        raise BadInput(what=say("openai.part", language, place=place, kind=part.type[:40]))
    image = picture(part.image_url.url, place, language)
    if image is None:
        needs.append(FETCHED)
    return image


def _call(place: int, call: Call, language: str) -> ToolCall:
    if call.type != "function" or call.function is None or not call.id:
        raise BadInput(what=say("openai.tool_call", language, place=place))
    return ToolCall(call.id, call.function.name, call.function.arguments)
