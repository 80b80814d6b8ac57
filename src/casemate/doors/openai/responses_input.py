"""The body of a response (Open Responses, 2026-04-24): its items as the messages of the house."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.openai.asked import FETCHED, HOSTED, SEARCHED, picture, refuse, tool_of
from casemate.doors.openai.request import text_or_parts
from casemate.errors import BadInput
from casemate.models import Image, Message, Part, Text, Thought, Tool, ToolCall, ToolResult
from casemate.words import say

__all__ = ["KNOWN", "RESULTS", "Format", "Request", "TextOptions", "messages_of", "refuse_unoffered", "tools_of"]

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_TEXTS = frozenset({"input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text"})
_INCLUDED = frozenset({"reasoning.encrypted_content"})
RESULTS = "file_search_call.results"


class ItemPart(msgspec.Struct):
    """A content part: text, a refusal, or a picture."""

    type: str = "input_text"
    text: str = ""
    refusal: str = ""
    image_url: str | None = None
    file_id: str | None = None


class Found(msgspec.Struct):
    """What a search of files once found."""

    text: str | None = None


class Item(msgspec.Struct):
    """An item of the input, whatever its type; one without a type is a message."""

    type: str | None = None
    role: str | None = None
    content: str | list[ItemPart] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[ItemPart] | None = None
    summary: list[ItemPart] | None = None
    encrypted_content: str | None = None
    results: list[Found] | None = None


class Format(msgspec.Struct):
    """`text.format`: text, json_object, or json_schema with name and schema beside its type."""

    type: str = "text"
    name: str | None = None
    schema: Any = None
    strict: bool | None = None
    description: str | None = None


class TextOptions(msgspec.Struct):
    """`text`."""

    format: Format | None = None
    verbosity: str | None = None


class Reasoning(msgspec.Struct):
    """`reasoning`: how much of it; a summary of it is the model's to give."""

    effort: str | None = None
    summary: str | None = None


class Request(msgspec.Struct, kw_only=True):
    """What we read of a response's request."""

    model: str
    input: str | list[Item] | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    stream: bool | None = False
    stream_options: Any = None
    temperature: float | None = None
    text: TextOptions | None = None
    tool_choice: Any = None
    tools: list[dict[str, Any]] | None = None
    top_p: float | None = None
    include: list[str] | None = None
    truncation: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    max_tool_calls: int | None = None
    top_logprobs: int | None = None


KNOWN = frozenset(Request.__struct_fields__)


def refuse_unoffered(request: Request, language: str) -> None:
    """What would change the answer and is not offered is refused, never ignored."""
    searches = any(offer.get("type") == SEARCHED for offer in request.tools or ())
    for name in request.include or ():
        if name not in _INCLUDED and not (searches and name == RESULTS):
            raise BadInput(what=say("openai.include", language, name=name[:100]))
    if request.truncation not in (None, "disabled"):
        raise BadInput(what=say("openai.truncation", language))
    if request.max_tool_calls is not None:
        raise refuse("max_tool_calls", language)
    if request.top_logprobs:
        raise refuse("top_logprobs", language)


def tools_of(request: Request, needs: list[str], language: str) -> tuple[Tool, ...]:
    """The functions that the client offers; `needs` gains the tools that somebody else would run. Raises BadInput."""
    tools: list[Tool] = []
    for offer in request.tools or ():
        kind = str(offer.get("type", ""))
        if kind == "function":
            tools.append(tool_of(offer, language))
        elif kind == SEARCHED:  # see `file_search`
            continue
        elif kind in HOSTED:
            needs.append(kind)
        else:
            raise refuse(f"tool {kind}", language)
    return tuple(tools)


def messages_of(request: Request, needs: list[str], language: str) -> list[Message]:
    """Instructions first; then the items. What one side does in several items that follow one another is one turn."""
    found = [Message("system", request.instructions)] if request.instructions else []
    if isinstance(request.input, str):
        return [*found, Message("user", request.input)]
    open_turn: list[Part] = []
    speaker = ""
    for place, item in enumerate(request.input or (), start=1):
        role, parts, joins = _item(place, item, needs, language)
        if not joins or role != speaker:
            _close(found, speaker, open_turn)
            open_turn = []
        open_turn, speaker = [*open_turn, *parts], role if joins else ""
        if not joins:
            _close(found, role, open_turn)
            open_turn = []
    _close(found, speaker, open_turn)
    return found


def _close(found: list[Message], role: str, parts: list[Part]) -> None:
    if role and parts:
        found.append(Message(role, text_or_parts(parts)))


def _item(place: int, item: Item, needs: list[str], language: str) -> tuple[str, list[Part], bool]:
    """Its speaker, its parts, and whether it is one with what the same speaker does next."""
    kind = item.type or "message"
    if kind == "message" and item.role in _ROLES:
        return _ROLES[item.role], _parts(place, item.content, needs, language), item.role == "assistant"
    if kind == "function_call" and item.call_id and item.name:
        return "assistant", [ToolCall(item.call_id, item.name, item.arguments or "")], True
    if kind == "function_call_output" and item.call_id:
        shown = _parts(place, item.output, needs, language)
        result = ToolResult(item.call_id, tuple(part for part in shown if isinstance(part, Text | Image)))
        return "user", [result], True
    if kind == "reasoning":
        said = _parts(place, item.content or item.summary, needs, language)
        text = "\n\n".join(part.text for part in said if isinstance(part, Text))
        return "assistant", [Thought(text, sealed=item.encrypted_content or "")], True
    if kind == "file_search_call":
        return "assistant", [Text(found.text) for found in item.results or () if found.text], True
    if kind == "item_reference":
        needs.append(kind)
        return "user", [], False
    raise BadInput(what=say("openai.item", language, place=place, kind=kind[:40]))


def _parts(place: int, content: str | list[ItemPart] | None, needs: list[str], language: str) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    found: list[Part] = []
    for part in content or ():
        if part.type in _TEXTS:
            found.append(Text(part.text or part.refusal))
        elif part.type != "input_image" or not (part.image_url or part.file_id):
            raise BadInput(what=say("openai.part", language, place=place, kind=part.type[:40]))
        elif part.file_id:
            needs.append("file_id")
        else:
            image = picture(part.image_url or "", place, language)
            needs += [] if image is not None else [FETCHED]
            found += [] if image is None else [image]
    return found
