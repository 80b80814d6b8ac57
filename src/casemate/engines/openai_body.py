"""A prompt as an OpenAI-shaped server reads it (POST /chat/completions).

Nothing of a request is dropped to make it fit. What the client sent and the house does not know stands beside our own
fields and never in the place of one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from casemate.models import Choice, Image, Message, Part, Prompt, Shape, Text, Thought, Tool, ToolCall, ToolResult

__all__ = ["OWN", "body", "raw"]

Fields = dict[str, Any]

OWN = frozenset({
    "model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options", "temperature", "top_p",
    "top_k", "stop", "seed", "tools", "tool_choice", "parallel_tool_calls", "response_format", "n", "cache_salt",
})  # fmt: skip
"""Fields that are the house's own: whatever a client's `extra` says under these names is not passed on."""

_CHOICES = {"auto": "auto", "none": "none", "any": "required"}
_RAW = msgspec.json.Decoder(msgspec.Raw)
_encode = msgspec.json.Encoder().encode


def body(prompt: Prompt, stream: bool, limit: str = "max_tokens") -> bytes:
    """The JSON of a request. `limit` is what this server calls the bound on tokens."""
    found: Fields = {"model": prompt.model, "messages": _messages(prompt.messages), limit: prompt.max_tokens}
    found["stream"] = stream
    if stream:
        found["stream_options"] = {"include_usage": True}
    for name in ("temperature", "top_p", "top_k", "seed"):
        value = getattr(prompt, name)
        if value is not None:
            found[name] = value
    if prompt.stop:
        found["stop"] = prompt.stop
    if prompt.tools:
        found["tools"] = [_tool(tool) for tool in prompt.tools]
    if prompt.choice is not None:
        found |= _choice(prompt.choice)
    if prompt.shape is not None:
        found["response_format"] = _shape(prompt.shape)
    if prompt.salt:
        found["cache_salt"] = prompt.salt
    if prompt.extra:
        found |= {name: value for name, value in prompt.extra.items() if name not in OWN}
    return _encode(found)


def raw(text: bytes | str) -> msgspec.Raw:
    """JSON that stands as it is in a body. Raises msgspec.DecodeError where it is not one JSON value and no more."""
    return _RAW.decode(text)


def _messages(messages: tuple[Message, ...]) -> list[Fields]:
    found: list[Fields] = []
    for message in messages:
        if isinstance(message.content, str):
            found.append({"role": message.role, "content": message.content})
        elif message.role == "assistant":
            found.append(_assistant(message.content))
        else:
            found += _user(message.role, message.content)
    return found


def _assistant(parts: tuple[Part, ...]) -> Fields:
    """One turn; its calls and thoughts stand beside its words."""
    words = [part.text for part in parts if isinstance(part, Text)]
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    thoughts = "".join(part.text for part in parts if isinstance(part, Thought))
    found: Fields = {"role": "assistant", "content": "\n\n".join(words) if words or not calls else None}
    if calls:
        found["tool_calls"] = calls
    if thoughts:
        found["reasoning_content"] = thoughts
    return found


def _user(role: str, parts: tuple[Part, ...]) -> Iterator[Fields]:
    """Results of tools are messages of their own here, and come first; a picture in one comes with the user's turn."""
    rest: list[Text | Image] = []
    for part in parts:
        if isinstance(part, ToolResult):
            words = "\n\n".join(inner.text for inner in part.parts if isinstance(inner, Text))
            yield {"role": "tool", "tool_call_id": part.id, "content": words}
            rest += [inner for inner in part.parts if isinstance(inner, Image)]
        elif isinstance(part, Text | Image):
            rest.append(part)
    if rest:
        yield {"role": role, "content": [_piece(part) for part in rest]}


def _piece(part: Text | Image) -> Fields:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    data = base64.b64encode(part.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{part.media};base64,{data}"}}


def _call(call: ToolCall) -> Fields:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _tool(tool: Tool) -> Fields:
    function: Fields = {"name": tool.name, "description": tool.description, "parameters": raw(tool.schema)}
    return {"type": "function", "function": function | {"strict": True} if tool.strict else function}


def _choice(choice: Choice) -> Fields:
    named: Any = _CHOICES.get(choice.kind) or {"type": "function", "function": {"name": choice.name}}
    return {"tool_choice": named} if choice.parallel else {"tool_choice": named, "parallel_tool_calls": False}


def _shape(shape: Shape) -> Fields:
    if not shape.schema:
        return {"type": "json_object"}
    named = {"name": shape.name or "answer", "schema": raw(shape.schema), "strict": shape.strict}
    return {"type": "json_schema", "json_schema": named}
