"""An engine behind a Bedrock runtime endpoint (POST /model/ID/converse-stream), signed, as a stream of binary events.

It signs with an access key (SigV4) or sends a bearer key, and sends nothing else of its own. What the protocol cannot
say (a seed, a tool choice of none beside tools, a shape without a schema) is a refusal, never left out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import msgspec

from casemate.clock import Clock, SystemClock
from casemate.engines.anthropic_body import Untold
from casemate.engines.bedrock_body import body
from casemate.engines.eventstream import Frames
from casemate.engines.http_exchange import Broken, Cause
from casemate.engines.remote import Remote, Upstream, named_right
from casemate.engines.sigv4_sign import access_key, signed
from casemate.models import Delta, Prompt, Thought, ToolPiece, Usage

__all__ = ["BedrockLike"]

_MEDIA = b"application/vnd.amazon.eventstream"
_FINISH = {"max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool"}
_ERRORS: dict[str, Cause] = {
    "throttlingException": "busy",
    "serviceUnavailableException": "busy",
    "validationException": "rejected",
    "accessDeniedException": "denied",
    "modelTimeoutException": "slow",
}


class BedrockLike:
    """Implements `models.Generator`. `upstream.url` is the endpoint, `region` what its signatures name."""

    dialect = "bedrock"

    def __init__(self, upstream: Upstream, region: str, clock: Clock | None = None) -> None:
        self._remote = Remote(upstream)
        self._region = region
        self._clock = clock or SystemClock()

    def generate(self, prompt: Prompt, deadline: float) -> AsyncGenerator[Delta, None]:
        """Deltas as they come, then one with finish and usage. Raises EngineFailed; closing it hangs up."""
        told = self._remote.upstream
        path = f"/model/{quote(prompt.model, safe='')}/converse-stream"
        reading = Converse(prompt.model, told.answers, bool(prompt.salt) or told.counts_cache)
        try:
            sent = body(prompt)
        except Untold as untold:
            raise self._remote.failed(Broken("rejected", str(untold))) from None
        head = self._remote.head(path, _MEDIA.decode()) + self._credential(path, sent)
        return self._remote.streamed(head, sent, _MEDIA, reading, deadline, prompt.partition)

    async def close(self) -> None:
        """End its connections."""
        self._remote.pool.close()

    def _credential(self, path: str, sent: bytes) -> bytes:
        file, target = self._remote.key, self._remote.target
        if file is None:
            return b""
        key = access_key(file)
        if key is None:
            return b"Authorization: Bearer %b\r\n" % file.line().encode("ascii")
        return signed(key, self._region, target.authority, target.path + path, sent, self._clock.now())


class _ToolStart(msgspec.Struct, gc=False, rename="camel"):
    tool_use_id: str = ""
    name: str = ""


class _Start(msgspec.Struct, gc=False, rename="camel"):
    tool_use: _ToolStart | None = None


class _ToolPiece(msgspec.Struct, gc=False):
    input: str = ""


class _Reason(msgspec.Struct, gc=False, rename="camel"):
    text: str = ""
    signature: str = ""
    redacted_content: str = ""


class _Piece(msgspec.Struct, gc=False, rename="camel"):
    text: str | None = None
    tool_use: _ToolPiece | None = None
    reasoning_content: _Reason | None = None


class _Usage(msgspec.Struct, gc=False, rename="camel"):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None


class _Event(msgspec.Struct, rename="camel"):
    content_block_index: int = 0
    start: _Start | None = None
    delta: _Piece | None = None
    stop_reason: str = ""
    usage: _Usage | None = None
    trace: dict[str, Any] | None = None


_EVENT = msgspec.json.Decoder(_Event)


class Converse:
    """Reads a ConverseStream. Words that came in one packet are one delta."""

    def __init__(self, asked: str, also: tuple[str, ...], cached: bool) -> None:
        self._asked, self._also, self._cached = asked, also, cached
        self._frames = Frames()
        self._calls: dict[int, int] = {}
        self._finish = ""
        self._told = False
        self._usage: Usage | None = None
        self.done = False
        self.failure: Broken | None = None

    def fed(self, piece: bytes) -> list[Delta]:
        """The deltas of a piece; `failure` is set where it cannot be read further."""
        told: list[Delta] = []
        words: list[str] = []
        try:
            for headers, payload in self._frames.fed(piece):
                for delta in self._take(headers, payload):
                    if delta.text:
                        words.append(delta.text)
                        continue
                    if words:  # words come before what follows them
                        told.append(Delta(text="".join(words)))
                        words.clear()
                    told.append(delta)
                if self.done:
                    break
        except Broken as broken:
            self.failure = broken
        if words:
            told.append(Delta(text="".join(words)))
        self._told = self._told or bool(told)
        if self.failure is not None and self._told:
            self.failure = Broken("broken", str(self.failure))  # in mid-stream, whatever it calls itself
        return told

    def last(self) -> Delta:
        """The last delta. A stream ends with messageStop; its metadata follows."""
        if self._frames.inside and not self.done:
            raise Broken("broken", "its answer ended inside a frame")
        if not self._finish:
            raise Broken("broken", "its answer ended too early")
        return Delta(finish=self._finish, usage=self._usage)

    def _take(self, headers: dict[str, str], payload: bytes) -> list[Delta]:
        if headers.get(":message-type") != "event":
            kind = headers.get(":exception-type", "")
            raise Broken(_ERRORS.get(kind, "broken"), "it reported an error")
        kind = headers.get(":event-type", "")
        try:
            event = _EVENT.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Broken("broken", "a frame of its answer cannot be read") from None
        if kind == "contentBlockDelta" and event.delta is not None:
            return self._piece(event.content_block_index, event.delta)
        if kind == "contentBlockStart" and event.start is not None and event.start.tool_use is not None:
            call = self._calls[event.content_block_index] = len(self._calls)
            return [Delta(call=ToolPiece(call, "", event.start.tool_use.tool_use_id, event.start.tool_use.name))]
        if kind == "messageStop":
            self._finish = _FINISH.get(event.stop_reason, "stop")
        elif kind == "metadata":
            self._ended(event)
        return []

    def _piece(self, index: int, piece: _Piece) -> list[Delta]:
        if piece.text is not None:
            return [Delta(text=piece.text)] if piece.text else []
        if piece.tool_use is not None:
            if index not in self._calls:
                raise Broken("broken", "its answer goes on with a tool call that never began")
            return [Delta(call=ToolPiece(self._calls[index], piece.tool_use.input))] if piece.tool_use.input else []
        if (reason := piece.reasoning_content) is not None:
            return [Delta(thought=Thought(reason.text, reason.signature, reason.redacted_content))]
        return []

    def _ended(self, event: _Event) -> None:
        """What it cost, and whether a router sent it to another model."""
        router = (event.trace or {}).get("promptRouter")
        invoked = router.get("invokedModelId") if isinstance(router, dict) else None
        if isinstance(invoked, str) and not named_right(self._asked, invoked, self._also):
            raise Broken("broken", "another model answered than was asked")
        if event.usage is not None:
            read, made = event.usage.cache_read_input_tokens or 0, event.usage.cache_write_input_tokens or 0
            prompt, completion = event.usage.input_tokens + read + made, event.usage.output_tokens
            cached = max(read, 0) if self._cached else 0
            self._usage = Usage(max(prompt, 0), max(completion, 0), estimated=False, cached=cached)
        self.done = bool(self._finish)
