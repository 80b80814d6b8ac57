"""Shapes of a chat completion, whole and in chunks. Citations are `annotations`, with fields of our own.

A chunk is spliced from parts that are encoded once for each reply: only what was said is encoded for each delta.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.doors.openai.gathered import Gathered
from casemate.models import Citation, ToolPiece, Usage

__all__ = ["DONE", "Head", "annotated", "whole"]

DONE = b"data: [DONE]\n\n"
_FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls", "abstain": "stop"}
_encode = msgspec.json.Encoder().encode


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _Call(msgspec.Struct):
    id: str
    function: _Function
    type: str = "function"


class _Message(msgspec.Struct):
    content: str | None
    annotations: list[dict[str, Any]]
    role: str = "assistant"
    refusal: None = None
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: list[_Call] | msgspec.UnsetType = msgspec.UNSET


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str
    index: int = 0
    logprobs: None = None


class _Cached(msgspec.Struct):
    cached_tokens: int


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Cached | msgspec.UnsetType = msgspec.UNSET


class _Completion(msgspec.Struct):
    id: str
    created: int
    model: str
    choices: list[_Choice]
    usage: _Usage
    object: str = "chat.completion"


class Head:
    """What every piece of one reply in pieces repeats. `counted`: the caller asked for the usage in the stream."""

    __slots__ = ("_close", "_open", "_text", "created", "id", "model", "opening")

    def __init__(self, id: str, created: int, model: str, counted: bool = False) -> None:
        self.id, self.created, self.model = id, created, model
        named = b'","object":"chat.completion.chunk","created":%d,"model":' % created
        self._open = b'data: {"id":"' + id.encode() + named + _encode(model) + b',"choices":['
        self._text = self._open + b'{"index":0,"delta":{"content":'
        self._close = b'},"logprobs":null,"finish_reason":null}]' + (b',"usage":null' if counted else b"") + b"}\n\n"
        first = b'{"index":0,"delta":{"role":"assistant","content":"","refusal":null'
        self.opening = self._open + first + self._close

    def said(self, text: str) -> bytes:
        """A chunk of text."""
        return self._text + _encode(text) + self._close

    def cited(self, text: str, citations: Iterable[Citation], first: int) -> bytes:
        """The last chunk of a rung bears its citations, counted on from `first`."""
        return self._text + _encode(text) + b',"annotations":' + _encode(annotated(citations, first)) + self._close

    def thought(self, text: str) -> bytes:
        """A chunk of reasoning."""
        return self._open + b'{"index":0,"delta":{"reasoning_content":' + _encode(text) + self._close

    def called(self, piece: ToolPiece) -> bytes:
        """A piece of a tool call; its id, type and name stand in the first one."""
        named = b""
        function = b'"function":{"arguments":' + _encode(piece.arguments) + b"}}]"
        if piece.id or piece.name:
            named = b',"id":' + _encode(piece.id) + b',"type":"function"'
            function = b'"function":{"name":' + _encode(piece.name) + b"," + function[12:]
        index = b'{"index":0,"delta":{"tool_calls":[{"index":%d' % piece.index
        return self._open + index + named + b"," + function + self._close

    def closing(self, finish: str, usage: Usage | None) -> bytes:
        """The end of the stream; with `usage`, one more chunk that has no choice."""
        reason = b'"finish_reason":"' + _FINISH.get(finish, "stop").encode() + b'"'
        last = self._open + b'{"index":0,"delta":{' + self._close.replace(b'"finish_reason":null', reason)
        if usage is not None:
            last += self._open + b'],"usage":' + _encode(_usage(usage)) + b"}\n\n"
        return last + DONE


def whole(id: str, created: int, model: str, found: Gathered, finish: str, usage: Usage) -> bytes:
    """The reply in one piece. Where a tool is called and nothing is said, there is no content."""
    calls = [_Call(c.id, _Function(c.name, "".join(c.arguments))) for _, c in sorted(found.calls.items())]
    text = found.text
    message = _Message(text if text or not calls else None, annotated(found.cited))
    if calls:
        message.tool_calls = calls
    if found.thoughts:
        message.reasoning_content = found.thought
    choice = _Choice(message, _FINISH.get(finish, "stop"))
    return _encode(_Completion(id, created, model, [choice], _usage(usage)))


def annotated(citations: Iterable[Citation], first: int = 0) -> list[dict[str, Any]]:
    """`start_index` and `end_index` count Unicode code points of the whole text; the end is exclusive.

    Clients that put a stream together merge lists by `index`: without one the official client raises.
    """
    return [
        {
            "index": index,
            "type": "url_citation",
            "url_citation": {"start_index": c.start, "end_index": c.end, "title": c.title, "url": c.link},
            "number": c.number,
            "mark": c.mark,
            "label": c.label,
            "passage": c.passage,
            "document": c.document,
            "quote": c.quote,
        }
        for index, c in enumerate(citations, start=first)
    ]


def _usage(usage: Usage) -> _Usage:
    cached = _Cached(usage.cached) if usage.cached else msgspec.UNSET
    return _Usage(usage.prompt, usage.completion, usage.prompt + usage.completion, cached)
