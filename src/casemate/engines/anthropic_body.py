"""A prompt as the Anthropic messages API reads it."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from casemate.engines.openai_body import raw
from casemate.models import Choice, Image, Message, Part, Prompt, Shape, Text, Thought, Tool, ToolCall, ToolResult

__all__ = ["OWN", "Untold", "betas", "body"]

Fields = dict[str, Any]

OWN = frozenset({
    "model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "tools",
    "tool_choice", "output_config",
})  # fmt: skip
"""Fields that are the house's own: whatever a client's `extra` says under these names is not passed on.

But two are joined: `tools` of `extra` have no form in the house and stand after its own; `output_config`
keeps what says nothing of the shape. `anthropic_beta` goes in a header (`betas`).
"""

BETA = "anthropic_beta"
_BETA = re.compile(r"[a-z0-9-]{1,80}")

_encode = msgspec.json.Encoder().encode


class Untold(Exception):
    """The prompt holds what this protocol cannot say."""


def body(prompt: Prompt) -> bytes:
    """The JSON of a request. Raises Untold."""
    if prompt.seed is not None:
        raise Untold("it takes no seed")
    found: Fields = {"model": prompt.model, "max_tokens": prompt.max_tokens, "stream": True}
    system = "\n\n".join(message.text for message in prompt.messages if message.role == "system")
    if system:
        found["system"] = system
    try:
        found["messages"] = [_turn(message) for message in prompt.messages if message.role != "system"]
        if prompt.tools:
            found["tools"] = [_tool(tool) for tool in prompt.tools]
        if prompt.shape is not None:
            found["output_config"] = _shape(prompt.shape)
    except msgspec.DecodeError:
        raise Untold("a schema or the arguments of a call are not JSON") from None
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(prompt, name)
        if value is not None:
            found[name] = value
    if prompt.stop:
        found["stop_sequences"] = prompt.stop
    if prompt.extra:
        found |= {name: value for name, value in prompt.extra.items() if name not in OWN and name != BETA}
        _join(found, prompt.extra)
    if prompt.choice is not None and "tools" in found:
        found["tool_choice"] = _choice(prompt.choice)
    return _encode(found)


def betas(prompt: Prompt) -> str:
    """The value of the header `anthropic-beta`, "" for none. Raises Untold: nothing else may stand in a header."""
    if BETA not in prompt.extra:
        return ""
    try:
        names = msgspec.json.decode(prompt.extra[BETA], type=list[str])
    except msgspec.DecodeError:
        names = [""]
    if not all(map(_BETA.fullmatch, names)):
        raise Untold(f"{BETA} holds what is no name of a beta")
    return ",".join(names)


def _join(found: Fields, extra: dict[str, msgspec.Raw]) -> None:
    try:
        if "tools" in extra:
            found["tools"] = [*found.get("tools", ()), *msgspec.json.decode(extra["tools"], type=list[msgspec.Raw])]
        if "output_config" in extra:
            beyond = msgspec.json.decode(extra["output_config"], type=dict[str, msgspec.Raw])
            beyond.pop("format", None)
            found["output_config"] = beyond | found.get("output_config", {})
    except msgspec.DecodeError:
        raise Untold("its tools are no list, or its output_config is no object") from None


def _turn(message: Message) -> Fields:
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    return {"role": message.role, "content": [_block(part) for part in message.content]}


def _block(part: Part) -> Fields:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        data = base64.b64encode(part.data).decode("ascii")
        return {"type": "image", "source": {"type": "base64", "media_type": part.media, "data": data}}
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": raw(part.arguments or "{}")}
    if isinstance(part, ToolResult):
        result: Fields = {"type": "tool_result", "tool_use_id": part.id, "content": [_block(p) for p in part.parts]}
        return result | {"is_error": True} if part.failed else result
    assert isinstance(part, Thought)
    if part.sealed:
        return {"type": "redacted_thinking", "data": part.sealed}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _tool(tool: Tool) -> Fields:
    found: Fields = {"name": tool.name, "input_schema": raw(tool.schema)}
    if tool.description:
        found["description"] = tool.description
    return found | {"strict": True} if tool.strict else found


def _choice(choice: Choice) -> Fields:
    found: Fields = {"type": choice.kind}
    if choice.kind == "tool":
        found["name"] = choice.name
    if not choice.parallel and choice.kind != "none":
        found["disable_parallel_tool_use"] = True
    return found


def _shape(shape: Shape) -> Fields:
    if not shape.schema:
        raise Untold("it takes no shape without a schema")
    return {"format": {"type": "json_schema", "schema": raw(shape.schema)}}
