"""InvokeModel with the body of an OpenAI-shaped model (`messages` alone): chat completions, whole and in chunks.

Only what this operation needs of that protocol. What the vendor would keep or call is a need that a model's card must
allow; what lies elsewhere is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

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
    Shape,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    within,
)
from casemate.words import say

__all__ = ["OpenAIBody"]

_NEEDS = ("store", "web_search_options")
_REFUSED = ("functions", "function_call", "audio", "logprobs")
_FINISH = {"length": "length", "tool": "tool_calls", "guardrail": "content_filter"}


class Function(msgspec.Struct):
    """A call that an assistant made."""

    name: str
    arguments: str = "{}"


class Called(msgspec.Struct):
    """It, with its id."""

    id: str
    function: Function


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[Called] | None = None
    tool_call_id: str = ""


class Spec(msgspec.Struct):
    """A function that the client offers."""

    name: str
    description: str = ""
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Offered(msgspec.Struct):
    """It, under its type."""

    type: str = "function"
    function: Spec | None = None


class Body(msgspec.Struct, kw_only=True):
    """What we read of it."""

    messages: list[Turn]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    n: int | None = 1
    tools: list[Offered] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    model: str | None = None


class OpenAIBody:
    """One request's body and its answers."""

    def __init__(self, raw: dict[str, Any], language: str) -> None:
        self.raw, self.language = raw, language
        try:
            self.body = msgspec.convert(raw, Body)
        except msgspec.ValidationError as error:
            raise malformed(error, language) from None
        self._opened = Opened("", "", 0)

    def chat(self, model: str) -> Chat:
        """The chat. Raises BadInput."""
        body, language = self.body, self.language
        most = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
        within("max_tokens", most, 1, MOST_TOKENS, language)
        within("temperature", body.temperature, 0, 2, language)
        within("top_p", body.top_p, 0, 1, language)
        within("n", body.n, 1, 1, language)
        for name in _REFUSED:
            if self.raw.get(name):
                raise BadInput(what=say("models.not_offered", language, name=name))
        known = set(Body.__struct_fields__) | set(_REFUSED)
        stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
        return Chat(
            model=model,
            messages=tuple(self._message(place, turn) for place, turn in enumerate(body.messages, start=1)),
            max_tokens=1024 if most is None else most,
            temperature=body.temperature,
            top_p=body.top_p,
            stop=tuple(stop),
            seed=body.seed,
            tools=tuple(self._tool(one) for one in body.tools or ()),
            choice=self._choice(),
            shape=self._shape(),
            dialect="openai",
            extra={k: msgspec.Raw(msgspec.json.encode(v)) for k, v in self.raw.items() if k not in known},
            needs=tuple(name for name in _NEEDS if self.raw.get(name)),
            language=language,
        )

    def whole(self, answer: Answered, opened: Opened, ended: Ended) -> dict[str, Any]:
        """The answer in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
        if answer.whole:
            message["tool_calls"] = [_called(c.id, c.name, c.arguments or "{}") for c in answer.whole]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH.get(answer.stop, "stop")}
        self._opened = opened
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(ended.usage)}

    def opening(self, opened: Opened) -> Iterator[bytes]:
        """The first chunk: who speaks."""
        self._opened = opened
        yield self._chunk({"role": "assistant", "content": ""})

    def delta(self, delta: Delta) -> Iterator[bytes]:
        """The chunks of one delta. Citations and reasoning have no place in this body."""
        if delta.text:
            yield self._chunk({"content": delta.text})
        if delta.call is not None:
            call: dict[str, Any] = {"index": delta.call.index, "function": {"arguments": delta.call.arguments}}
            if delta.call.name:
                call |= {"id": identifier(delta.call.id, delta.call.index), "type": "function"}
                call["function"]["name"] = delta.call.name
            yield self._chunk({"tool_calls": [call]})

    def closing(self, ended: Ended) -> Iterator[bytes]:
        """The last chunks: why it stopped; what it cost, with what AWS adds."""
        yield self._chunk({}, _FINISH.get(ended.finish, "stop"))
        last = {**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(ended.usage)}
        yield told({**last, **ended.metrics()})

    def _head(self, kind: str) -> dict[str, Any]:
        opened = self._opened
        return {"id": f"chatcmpl-{opened.id}", "object": kind, "created": opened.created, "model": opened.model}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return told({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _message(self, place: int, turn: Turn) -> Message:
        parts: list[Part] = []
        if isinstance(turn.content, str):
            parts = [Text(turn.content)]
        elif turn.content:
            parts = [self._part(part, place) for part in turn.content]
        match turn.role:
            case "system" | "developer":
                return Message("system", plain(parts))
            case "user":
                return Message("user", plain(parts))
            case "assistant":
                calls = [ToolCall(c.id, c.function.name, c.function.arguments) for c in turn.tool_calls or ()]
                return Message("assistant", plain([*parts, *calls]))
            case "tool":
                inner = tuple(part for part in parts if isinstance(part, Text | Image))
                return Message("user", (ToolResult(turn.tool_call_id, inner),))
        raise BadInput(what=say("models.role", self.language, place=place, role=turn.role[:40]))

    def _part(self, part: dict[str, Any], place: int) -> Part:
        match part:
            case {"type": "text", "text": str(text)}:
                return Text(text)
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                head, _, data = url.partition(";base64,")
                if not head.startswith("data:image/") or not data:
                    raise BadInput(what=say("bedrock.elsewhere", self.language))
                return bare_image(head.removeprefix("data:image/"), data, self.language)
        raise BadInput(what=say("bedrock.block", self.language, place=place, kind=str(part.get("type"))[:40]))

    def _tool(self, tool: Offered) -> Tool:
        if tool.type != "function" or tool.function is None:
            raise BadInput(what=say("models.not_offered", self.language, name=f"tools.{tool.type[:40]}"))
        spec = tool.function
        return Tool(spec.name, spec.description, msgspec.json.encode(spec.parameters or {}), bool(spec.strict))

    def _choice(self) -> Choice | None:
        given = self.body.tool_choice
        parallel = self.body.parallel_tool_calls is not False
        kinds: dict[str, Literal["auto", "none", "any"]] = {"auto": "auto", "none": "none", "required": "any"}
        match given:
            case None:
                return None if parallel else Choice(parallel=False)
            case str() if given in kinds:
                return Choice(kinds[given], parallel=parallel)
            case {"type": "function", "function": {"name": str(name)}}:
                return Choice("tool", name, parallel)
        raise BadInput(what=say("models.not_offered", self.language, name="tool_choice"))

    def _shape(self) -> Shape | None:
        match self.body.response_format:
            case None | {"type": "text"}:
                return None
            case {"type": "json_object"}:
                return Shape()
            case {"type": "json_schema", "json_schema": {"schema": dict(schema), **more}}:
                strict = more.get("strict") is not False
                return Shape(str(more.get("name", "")), msgspec.json.encode(schema), strict)
        raise BadInput(what=say("models.not_offered", self.language, name="response_format"))


def _called(id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.prompt + usage.completion
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": total}
