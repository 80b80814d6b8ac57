"""A prompt as ConverseStream reads it (service model bedrock-runtime 2023-09-30)."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from casemate.engines.anthropic_body import Untold
from casemate.engines.openai_body import raw
from casemate.models import Choice, Image, Message, Part, Prompt, Shape, Text, Thought, Tool, ToolCall, ToolResult

__all__ = ["OWN", "body"]

Fields = dict[str, Any]

OWN = frozenset({"messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "modelId"})
"""Fields that are the house's own: whatever a client's `extra` says under these names is not passed on."""

_MORE = "additionalModelRequestFields"
_CONFIG = (("temperature", "temperature"), ("top_p", "topP"))
_encode = msgspec.json.Encoder().encode


def body(prompt: Prompt) -> bytes:
    """The JSON of a request. Raises Untold."""
    if prompt.seed is not None:
        raise Untold("it takes no seed")
    config: Fields = {"maxTokens": prompt.max_tokens}
    config |= {told: getattr(prompt, name) for name, told in _CONFIG if getattr(prompt, name) is not None}
    if prompt.stop:
        config["stopSequences"] = prompt.stop
    found: Fields = {"inferenceConfig": config}
    system = [{"text": message.text} for message in prompt.messages if message.role == "system"]
    if system:
        found["system"] = system
    try:
        found["messages"] = [_turn(message) for message in prompt.messages if message.role != "system"]
        if prompt.tools:
            found["toolConfig"] = _tools(prompt.tools, prompt.choice)
        if prompt.shape is not None:
            found["outputConfig"] = _shape(prompt.shape)
        if prompt.extra:
            found |= {name: value for name, value in prompt.extra.items() if name not in OWN}
        if prompt.top_k is not None:
            more = msgspec.json.decode(prompt.extra.get(_MORE, msgspec.Raw(b"{}")), type=dict[str, msgspec.Raw])
            found[_MORE] = more | {"top_k": prompt.top_k}
    except msgspec.DecodeError:
        raise Untold("a schema or the arguments of a call are not JSON") from None
    return _encode(found)


def _turn(message: Message) -> Fields:
    return {"role": message.role, "content": [_block(part) for part in message.parts]}


def _block(part: Part) -> Fields:
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, Image):
        data = base64.b64encode(part.data).decode("ascii")
        return {"image": {"format": part.media.partition("/")[2], "source": {"bytes": data}}}
    if isinstance(part, ToolCall):
        return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": raw(part.arguments or "{}")}}
    if isinstance(part, ToolResult):
        result: Fields = {"toolUseId": part.id, "content": [_block(inner) for inner in part.parts]}
        return {"toolResult": result | {"status": "error"} if part.failed else result}
    assert isinstance(part, Thought)
    if part.sealed:
        return {"reasoningContent": {"redactedContent": part.sealed}}
    words = {"text": part.text} | ({"signature": part.signature} if part.signature else {})
    return {"reasoningContent": {"reasoningText": words}}


def _tools(tools: tuple[Tool, ...], choice: Choice | None) -> Fields:
    found: Fields = {"tools": [{"toolSpec": _tool(tool)} for tool in tools]}
    if choice is None:
        return found
    if choice.kind == "none" or not choice.parallel:
        raise Untold("it takes no tool choice of none, and no calls one at a time")
    return found | {"toolChoice": {choice.kind: {"name": choice.name} if choice.kind == "tool" else {}}}


def _tool(tool: Tool) -> Fields:
    found: Fields = {"name": tool.name, "inputSchema": {"json": raw(tool.schema)}}
    if tool.description:
        found["description"] = tool.description
    return found | {"strict": True} if tool.strict else found


def _shape(shape: Shape) -> Fields:
    if not shape.schema:
        raise Untold("it takes no shape without a schema")
    schema = bytes(raw(shape.schema)).decode()
    named = {"name": shape.name or "answer", "schema": schema}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": named}}}
