"""InvokeModel with the body of an Anthropic model (`anthropic_version`): in and out, whole and in events.

Only what this operation needs of that protocol; what it does not know goes on under its own name. What the vendor would
keep, fetch or call is a need that a model's card must allow; what lies elsewhere (URLs, files) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from casemate.doors.bedrock.answered import Answered, identifier
from casemate.doors.bedrock.bodies import Ended, Opened, told
from casemate.doors.bedrock.parts import bare_image, malformed
from casemate.doors.bedrock.request import plain
from casemate.errors import BadInput
from casemate.models import (
    MOST_TOKENS,
    Chat,
    Choice,
    Delta,
    Image,
    Message,
    Part,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolPiece,
    ToolResult,
    within,
)
from casemate.words import say

__all__ = ["AnthropicBody"]

_NEEDS = ("mcp_servers", "container")
_STOP = {"length": "max_tokens", "tool": "tool_use", "guardrail": "refusal"}
_CHOICES = {"auto": "auto", "any": "any", "tool": "tool", "none": "none"}


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: str | list[dict[str, Any]]


class Function(msgspec.Struct):
    """A tool of the client's own has no type, or `custom`."""

    name: str
    description: str = ""
    input_schema: dict[str, Any] | None = None
    type: str = "custom"


class ToolChoice(msgspec.Struct):
    """Which tool to call."""

    type: str
    name: str = ""
    disable_parallel_tool_use: bool = False


class Body(msgspec.Struct, kw_only=True):
    """What we read of it."""

    anthropic_version: str
    messages: list[Turn]
    max_tokens: int
    system: str | list[dict[str, Any]] | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[Function] | None = None
    tool_choice: ToolChoice | None = None
    metadata: dict[str, Any] | None = None


class AnthropicBody:
    """One request's body and its answers."""

    def __init__(self, raw: dict[str, Any], language: str) -> None:
        self.raw, self.language = raw, language
        try:
            self.body = msgspec.convert(raw, Body)
        except msgspec.ValidationError as error:
            raise malformed(error, language) from None
        self._block: str | int | None = None
        self._index = -1

    def chat(self, model: str) -> Chat:
        """The chat. Raises BadInput."""
        body, language = self.body, self.language
        within("max_tokens", body.max_tokens, 1, MOST_TOKENS, language)
        within("temperature", body.temperature, 0, 1, language)
        within("top_p", body.top_p, 0, 1, language)
        known = set(Body.__struct_fields__)
        return Chat(
            model=model,
            messages=tuple(self._messages()),
            max_tokens=body.max_tokens,
            temperature=body.temperature,
            top_p=body.top_p,
            top_k=body.top_k,
            stop=tuple(body.stop_sequences or ()),
            tools=tuple(self._tool(one) for one in body.tools or ()),
            choice=self._choice(),
            dialect="anthropic",
            extra={k: msgspec.Raw(msgspec.json.encode(v)) for k, v in self.raw.items() if k not in known},
            needs=tuple(name for name in _NEEDS if self.raw.get(name)),
            language=language,
        )

    def whole(self, answer: Answered, opened: Opened, ended: Ended) -> dict[str, Any]:
        """The answer in one piece."""
        content: list[dict[str, Any]] = [_thought(thought) for thought in answer.thoughts]
        content += [{"type": "text", "text": answer.text}] if answer.text or not answer.calls else []
        content += [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.input} for c in answer.whole]
        usage = {"input_tokens": ended.usage.prompt, "output_tokens": ended.usage.completion}
        stop = {"stop_reason": _STOP.get(answer.stop, "end_turn"), "stop_sequence": None}
        return {**self._message(opened), "content": content, **stop, "usage": usage}

    def opening(self, opened: Opened) -> Iterator[bytes]:
        """The first event."""
        message = {**self._message(opened), "content": [], "stop_reason": None, "stop_sequence": None}
        yield told({"type": "message_start", "message": {**message, "usage": {"input_tokens": 0, "output_tokens": 0}}})

    def delta(self, delta: Delta) -> Iterator[bytes]:
        """The events of one delta. Citations have no place in this body."""
        if delta.thought is not None:
            yield from self._thinking(delta.thought)
        if delta.text:
            yield from self._open("text", {"type": "text", "text": ""})
            yield self._delta({"type": "text_delta", "text": delta.text})
        if delta.call is not None:
            yield from self._calling(delta.call)

    def closing(self, ended: Ended) -> Iterator[bytes]:
        """The last events, with what AWS adds to them."""
        yield from self._close()
        usage = {"output_tokens": ended.usage.completion, "input_tokens": ended.usage.prompt}
        stop = {"stop_reason": _STOP.get(ended.finish, "end_turn"), "stop_sequence": None}
        yield told({"type": "message_delta", "delta": stop, "usage": usage})
        yield told({"type": "message_stop", **ended.metrics()})

    def _message(self, opened: Opened) -> dict[str, Any]:
        return {"id": f"msg_bdrk_{opened.id}", "type": "message", "role": "assistant", "model": opened.model}

    def _messages(self) -> Iterator[Message]:
        system = self.body.system
        if system:
            yield Message("system", self._content(system, 0))
        for place, turn in enumerate(self.body.messages, start=1):
            if turn.role not in ("user", "assistant"):
                raise BadInput(what=say("models.role", self.language, place=place, role=turn.role[:40]))
            yield Message(turn.role, self._content(turn.content, place))

    def _content(self, content: str | list[dict[str, Any]], place: int) -> str | tuple[Part, ...]:
        if isinstance(content, str):
            return content
        return plain([self._part(block, place) for block in content])

    def _part(self, block: dict[str, Any], place: int) -> Part:
        match block:
            case {"type": "text", "text": str(text)}:
                return Text(text)
            case {"type": "image", "source": dict(source)}:
                return self._image(source)
            case {"type": "tool_use", "id": str(id), "name": str(name), "input": dict(given)}:
                return ToolCall(id, name, msgspec.json.encode(given).decode())
            case {"type": "tool_result", "tool_use_id": str(id)}:
                return ToolResult(id, tuple(self._inner(block.get("content"), place)), block.get("is_error") is True)
            case {"type": "thinking", "thinking": str(text)}:
                return Thought(text, str(block.get("signature") or ""))
            case {"type": "redacted_thinking", "data": str(sealed)}:
                return Thought(sealed=sealed)
        raise BadInput(what=say("bedrock.block", self.language, place=place, kind=str(block.get("type"))[:40]))

    def _inner(self, content: Any, place: int) -> Iterator[Text | Image]:
        if isinstance(content, str):
            yield Text(content)
        for block in content if isinstance(content, list) else ():
            part = self._part(block, place) if isinstance(block, dict) else None
            if not isinstance(part, Text | Image):
                raise BadInput(what=say("bedrock.block", self.language, place=place, kind="tool_result"))
            yield part

    def _image(self, source: dict[str, Any]) -> Image:
        if source.get("type") != "base64":
            raise BadInput(what=say("bedrock.elsewhere", self.language))
        return bare_image(str(source.get("media_type")).removeprefix("image/"), source.get("data"), self.language)

    def _tool(self, tool: Function) -> Tool:
        if tool.type != "custom" or tool.input_schema is None:
            raise BadInput(what=say("models.not_offered", self.language, name=f"tools.{tool.type[:40]}"))
        return Tool(tool.name, tool.description, msgspec.json.encode(tool.input_schema))

    def _choice(self) -> Choice | None:
        chosen = self.body.tool_choice
        if chosen is None:
            return None
        if chosen.type not in _CHOICES:
            raise BadInput(what=say("models.not_offered", self.language, name=f"tool_choice.{chosen.type[:40]}"))
        kind: Any = _CHOICES[chosen.type]
        return Choice(kind, chosen.name, not chosen.disable_parallel_tool_use)

    def _thinking(self, thought: Thought) -> Iterator[bytes]:
        if thought.sealed:
            yield from self._open("sealed", {"type": "redacted_thinking", "data": thought.sealed})
            yield from self._close()
            return
        yield from self._open("thought", {"type": "thinking", "thinking": "", "signature": ""})
        if thought.text:
            yield self._delta({"type": "thinking_delta", "thinking": thought.text})
        if thought.signature:
            yield self._delta({"type": "signature_delta", "signature": thought.signature})
            yield from self._close()

    def _calling(self, piece: ToolPiece) -> Iterator[bytes]:
        start = {"type": "tool_use", "id": identifier(piece.id, piece.index), "name": piece.name, "input": {}}
        yield from self._open(piece.index, start)
        if piece.arguments:
            yield self._delta({"type": "input_json_delta", "partial_json": piece.arguments})

    def _open(self, block: str | int, start: dict[str, Any]) -> Iterator[bytes]:
        if self._block != block:
            yield from self._close()
            self._block = block
            self._index += 1
            yield told({"type": "content_block_start", "index": self._index, "content_block": start})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return told({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> Iterator[bytes]:
        if self._block is not None:
            self._block = None
            yield told({"type": "content_block_stop", "index": self._index})


def _thought(thought: Thought) -> dict[str, Any]:
    if thought.sealed:
        return {"type": "redacted_thinking", "data": thought.sealed}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}
