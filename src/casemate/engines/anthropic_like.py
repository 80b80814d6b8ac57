"""An engine behind the Anthropic messages API (POST {url}/v1/messages), streamed.

It asks for one pinned version of the protocol, sends what it was lent and its key, and believes nothing that comes
back. What the protocol cannot say (a seed, a shape without a schema) is a refusal, never left out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from casemate.engines.anthropic_body import Untold, betas, body
from casemate.engines.http_exchange import Broken, Cause
from casemate.engines.remote import Remote, Upstream, named_right
from casemate.engines.sse import Events
from casemate.models import Delta, Prompt, Thought, ToolPiece, Usage

__all__ = ["VERSION", "AnthropicLike"]

VERSION = "2023-06-01"
_STREAM = b"text/event-stream"
_FINISH = {"max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool"}
_ERRORS: dict[str, Cause] = {
    "overloaded_error": "busy",
    "rate_limit_error": "busy",
    "authentication_error": "denied",
    "permission_error": "denied",
    "invalid_request_error": "rejected",
    "not_found_error": "rejected",
    "request_too_large": "rejected",
    "timeout_error": "slow",
}


class AnthropicLike:
    """Implements `models.Generator`. `upstream.url` is the base, without a version (`https://api.anthropic.com`)."""

    dialect = "anthropic"

    def __init__(self, upstream: Upstream) -> None:
        self._remote = Remote(upstream)
        self._posts = self._remote.head("/v1/messages", _STREAM.decode()) + f"anthropic-version: {VERSION}\r\n".encode()

    def generate(self, prompt: Prompt, deadline: float) -> AsyncGenerator[Delta, None]:
        """Deltas as they come, then one with finish and usage. Raises EngineFailed; closing it hangs up."""
        told = self._remote.upstream
        reading = Messages(prompt.model, told.answers, bool(prompt.salt) or told.counts_cache)
        try:
            sent, beta = body(prompt), betas(prompt)
        except Untold as untold:
            raise self._remote.failed(Broken("rejected", str(untold))) from None
        head = self._posts
        if self._remote.key is not None:
            head = b"%bx-api-key: %b\r\n" % (head, self._remote.key.line().encode("ascii"))
        if beta:
            head = b"%banthropic-beta: %b\r\n" % (head, beta.encode("ascii"))
        return self._remote.streamed(head, sent, _STREAM, reading, deadline, prompt.partition)

    async def close(self) -> None:
        """End its connections."""
        self._remote.pool.close()


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Message(msgspec.Struct):
    model: str = ""
    usage: _Usage | None = None


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    id: str = ""
    name: str = ""
    text: str = ""
    thinking: str = ""
    data: str = ""


class _Piece(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    stop_reason: str | None = None


class _Error(msgspec.Struct, gc=False):
    type: str = ""


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Piece | None = None
    usage: _Usage | None = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class Messages:
    """Reads a stream of messages. Words that came in one packet are one delta."""

    def __init__(self, asked: str, also: tuple[str, ...], cached: bool) -> None:
        self._asked, self._also, self._cached = asked, also, cached
        self._events = Events()
        self._calls: dict[int, int] = {}
        self._finish = ""
        self._started = self._told = False
        self._counts = {"prompt": 0, "cached": 0, "completion": 0}
        self._counted = False
        self.done = False
        self.failure: Broken | None = None

    def fed(self, piece: bytes) -> list[Delta]:
        """The deltas of a piece; `failure` is set where it cannot be read further."""
        told: list[Delta] = []
        words: list[str] = []
        try:
            for data in self._events.fed(piece):
                try:
                    event = _EVENT.decode(data)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    raise Broken("broken", "a frame of its answer cannot be read") from None
                piece_of = event.delta
                if piece_of is not None and piece_of.type == "text_delta" and self._started:
                    words.append(piece_of.text)
                    continue
                before = len(told)
                self._take(event, told)
                if words and len(told) > before:  # words come before what follows them
                    told.insert(before, Delta(text="".join(words)))
                    words.clear()
                if self.done:
                    break
        except Broken as broken:
            self.failure = broken
        if text := "".join(words):
            told.append(Delta(text=text))
        self._told = self._told or bool(told)
        if self.failure is not None and self._told:
            self.failure = Broken("broken", str(self.failure))  # in mid-stream, whatever it calls itself
        return told

    def last(self) -> Delta:
        """The last delta. A stream ends with message_stop, and with a reason before it."""
        if not self.done or not self._finish:
            raise Broken("broken", "its answer ended too early")
        return Delta(finish=self._finish, usage=Usage(**self._counts, estimated=False) if self._counted else None)

    def _take(self, event: _Event, told: list[Delta]) -> None:
        kind = event.type
        if kind == "error":
            raise _reported(event.error)
        if kind == "message_start" and event.message is not None:
            if not named_right(self._asked, event.message.model, self._also):
                raise Broken("broken", "another model answered than was asked")
            self._started = True
            self._count(event.message.usage)
        elif kind == "ping":
            return
        elif not self._started:
            raise Broken("broken", "its answer has no beginning")
        elif kind == "content_block_start" and event.content_block is not None:
            told += self._opened(event.index, event.content_block)
        elif kind == "content_block_delta" and event.delta is not None:
            told += self._piece(event.index, event.delta)
        elif kind == "message_delta":
            if event.delta is not None and event.delta.stop_reason:
                self._finish = _FINISH.get(event.delta.stop_reason, "stop")
            self._count(event.usage)
        elif kind == "message_stop":
            self.done = True

    def _opened(self, index: int, block: _Block) -> list[Delta]:
        if block.type == "tool_use":
            call = self._calls[index] = len(self._calls)
            return [Delta(call=ToolPiece(call, "", block.id, block.name))]
        if block.type == "redacted_thinking":
            return [Delta(thought=Thought(sealed=block.data))]
        if block.type == "text" and block.text:
            return [Delta(text=block.text)]
        return [Delta(thought=Thought(block.thinking))] if block.type == "thinking" and block.thinking else []

    def _piece(self, index: int, piece: _Piece) -> list[Delta]:
        if piece.type == "input_json_delta":
            if index not in self._calls:
                raise Broken("broken", "its answer goes on with a tool call that never began")
            return [Delta(call=ToolPiece(self._calls[index], piece.partial_json))] if piece.partial_json else []
        if piece.type == "thinking_delta":
            return [Delta(thought=Thought(piece.thinking))] if piece.thinking else []
        return [Delta(thought=Thought(signature=piece.signature))] if piece.type == "signature_delta" else []

    def _count(self, usage: _Usage | None) -> None:
        """Counts are running totals; what came from a cache is not in `input_tokens`."""
        if usage is None:
            return
        self._counted = True
        if usage.input_tokens is not None:
            read, made = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
            self._counts["prompt"] = max(usage.input_tokens + read + made, 0)
            self._counts["cached"] = max(read, 0) if self._cached else 0
        if usage.output_tokens is not None:
            self._counts["completion"] = max(usage.output_tokens, 0)


def _reported(error: Any) -> Broken:
    kind = error.get("type") if isinstance(error, dict) else None
    return Broken(_ERRORS.get(kind, "broken") if isinstance(kind, str) else "broken", "it reported an error")
