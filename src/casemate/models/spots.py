"""Every text of a prompt with the place where it stands, and the prompt with other texts in their places.

Arguments, schemas and unknown fields are JSON: their strings are spots, as they are once decoded. What cannot be
changed without breaking it (names, the names of members, reasoning that its vendor has signed) is `fixed`. Pictures
hold no text that is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from casemate.models.chat import Image, Message, Part, Prompt, Text, Thought, Tool, ToolCall, ToolResult

__all__ = ["Spot", "changed", "spots"]


class Spot(msgspec.Struct, frozen=True, gc=False):
    """`place` names it to whoever wrote it. `fixed`: it cannot be changed in place."""

    place: str
    text: str
    fixed: bool = False


Change = Callable[[str], str]
_NAME = re.compile("[a-z_]{1,32}")  # a place repeats no name that may itself be a secret


def spots(prompt: Prompt) -> Iterator[Spot]:
    """All of them, in order."""
    for number, message in enumerate(prompt.messages, start=1):
        place = f"message {number} ({message.role})"
        if isinstance(message.content, str):
            yield Spot(place, message.content)
        else:
            for part in message.content:
                yield from _of_part(part, place)
    for number, tool in enumerate(prompt.tools, start=1):
        place = f"tool {number}"
        yield Spot(place, tool.name, fixed=True)
        yield Spot(place, tool.description)
        yield from _of_json(_decoded(tool.schema), place)
    for text in prompt.stop:
        yield Spot("stop", text, fixed=True)
    if prompt.shape is not None:
        yield Spot("shape", prompt.shape.name, fixed=True)
        yield from _of_json(_decoded(prompt.shape.schema), "shape")
    for number, (name, raw) in enumerate(prompt.extra.items(), start=1):
        place = f"field {name if _NAME.fullmatch(name) else number}"
        yield Spot(place, name, fixed=True)
        yield from _of_json(_decoded(raw), place)


def changed(prompt: Prompt, change: Change) -> Prompt:
    """The prompt with `change` done to every spot that is not fixed."""
    return replace(
        prompt,
        messages=tuple(_message(message, change) for message in prompt.messages),
        tools=tuple(_tool(tool, change) for tool in prompt.tools),
        shape=None if prompt.shape is None else replace(prompt.shape, schema=_json(prompt.shape.schema, change)),
        extra={name: msgspec.Raw(_json(raw, change)) for name, raw in prompt.extra.items()},
    )


def _of_part(part: Part, place: str) -> Iterator[Spot]:
    match part:
        case Text(text):
            yield Spot(place, text)
        case ToolCall(_, name, arguments):
            yield Spot(place, name, fixed=True)
            yield from _of_json(_decoded(arguments), f"{place}, call of a tool")
        case ToolResult(_, parts):
            for inner in parts:
                yield from _of_part(inner, f"{place}, result of a tool")
        case Thought(text, signature, _):
            yield Spot(f"{place}, reasoning", text, fixed=bool(signature))
        case Image():
            return


def _of_json(value: Any, place: str) -> Iterator[Spot]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield Spot(place, item)
        elif isinstance(item, dict):
            for name in item:
                yield Spot(place, name, fixed=True)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _message(message: Message, change: Change) -> Message:
    if isinstance(message.content, str):
        return Message(message.role, change(message.content))
    return Message(message.role, tuple(_part(part, change) for part in message.content))


def _part(part: Part, change: Change) -> Part:
    match part:
        case Text(text):
            return Text(change(text))
        case ToolCall(id, name, arguments):
            return ToolCall(id, name, _json(arguments, change).decode())
        case ToolResult(id, parts, failed):
            inner = tuple(Text(change(each.text)) if isinstance(each, Text) else each for each in parts)
            return ToolResult(id, inner, failed)
        case Thought(text, "", sealed):
            return Thought(change(text), "", sealed)
    return part


def _tool(tool: Tool, change: Change) -> Tool:
    return replace(tool, description=change(tool.description), schema=_json(tool.schema, change))


def _decoded(raw: bytes | str | msgspec.Raw) -> Any:
    """The JSON's value; what is none is one text."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return bytes(raw).decode("utf-8", "replace") if not isinstance(raw, str) else raw


def _json(raw: bytes | str | msgspec.Raw, change: Change) -> bytes:
    """The JSON with its strings changed; untouched where none is, and what is no JSON is one text."""
    value = _decoded(raw)
    written = raw.encode("utf-8", "replace") if isinstance(raw, str) else bytes(raw)
    other = _with(value, change)
    if other == value:
        return written
    return other.encode("utf-8", "replace") if _is_text(value, written) else msgspec.json.encode(other)


def _is_text(value: Any, written: bytes) -> bool:
    return isinstance(value, str) and value.encode("utf-8", "replace") == written


def _with(value: Any, change: Change) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _with(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with(inner, change) for inner in value]
    return value
