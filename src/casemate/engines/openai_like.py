"""A generator behind any OpenAI-shaped server: llama-server, Ollama, vLLM. It streams `{url}/chat/completions`.

It sends the messages that it was lent and its key, nothing else, and believes nothing that comes back: lines, frames
and the whole text are bounded, and what is not a proper end is a failure. It never asks twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from casemate.engines.http_stream import Broken, Exchange, target
from casemate.errors import EngineFailed, Misconfigured
from casemate.models import Message, Usage

__all__ = ["OpenAILike"]

LINE_LIMIT = 1 << 20
TEXT_LIMIT = 8 << 20


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class OpenAILike:
    """Implements `models.Generator`. `url` is the base, with its version (`http://127.0.0.1:8080/v1`)."""

    def __init__(self, url: str, api_key_file: Path | None = None, name: str = "upstream") -> None:
        self._name = name
        self._key_file = api_key_file
        try:
            self._target = target(url, "/chat/completions")
        except ValueError as error:
            raise Misconfigured(setting=f"upstreams.{name}.url", why=str(error)) from None

    async def generate(
        self, model: str, messages: tuple[Message, ...], max_tokens: int, temperature: float | None, deadline: float
    ) -> AsyncIterator[str | Usage]:
        """Pieces of text, and the usage where the server counts. Raises EngineFailed; closing it hangs up."""
        exchange = Exchange(self._target, deadline)
        try:
            await exchange.open(_body(model, messages, max_tokens, temperature), self._headers())
            self._judge(exchange)
            async for piece in self._read(exchange):
                yield piece
        except Broken as broken:
            raise self._failed(str(broken)) from None
        finally:
            exchange.close()

    def _judge(self, exchange: Exchange) -> None:
        media = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
        if exchange.status != 200:
            raise self._failed(f"it answered with status {exchange.status}")
        if media != "text/event-stream" or exchange.headers.get("content-encoding", "identity") != "identity":
            raise self._failed("it did not answer with a plain event stream")

    async def _read(self, exchange: Exchange) -> AsyncIterator[str | Usage]:
        finished, length = False, 0
        async for line in self._lines(exchange):
            if not line.startswith(b"data:"):
                continue  # comments, event names and blank lines
            data = line[5:].strip()
            if data == b"[DONE]":
                return
            chunk = self._chunk(data)
            for choice in chunk.choices[:1]:
                finished = finished or bool(choice.finish_reason)
                text = choice.delta.content if choice.delta is not None else None
                length += len(text or "")
                if length > TEXT_LIMIT:
                    raise self._failed("its answer has no end")
                if text:
                    yield text
            if chunk.usage is not None:
                yield Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens, estimated=False)
        if not finished:
            raise self._failed("its answer ended too early")

    async def _lines(self, exchange: Exchange) -> AsyncIterator[bytes]:
        """Lines of the event stream; what stands after the last line end is not a line."""
        rest = b""
        async for piece in exchange.pieces():
            *lines, rest = (rest + piece).replace(b"\r", b"").split(b"\n")
            if len(rest) > LINE_LIMIT or any(len(line) > LINE_LIMIT for line in lines):
                raise self._failed("a line of its answer is too long")
            for line in lines:
                yield line
        if rest.strip():
            raise self._failed("its answer ended inside a frame")

    def _chunk(self, data: bytes) -> _Chunk:
        try:
            chunk = _CHUNK.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._failed("a frame of its answer cannot be read") from None
        if chunk.error is not None:
            raise self._failed("it reported an error in its answer")
        return chunk

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._key_file is not None:
            headers["Authorization"] = f"Bearer {self._key()}"
        return headers

    def _key(self) -> str:
        """Read at each request, so that a new key needs no restart."""
        assert self._key_file is not None
        setting = f"upstreams.{self._name}.key_file"
        try:
            key = self._key_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Misconfigured(setting=setting, why="the file cannot be read") from None
        if not key or not key.isprintable():
            raise Misconfigured(setting=setting, why="the file holds no key on one line")
        return key

    def _failed(self, why: str) -> EngineFailed:
        return EngineFailed(engine=self._name, why=why)


def _body(model: str, messages: tuple[Message, ...], max_tokens: int, temperature: float | None) -> bytes:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return msgspec.json.encode(body if temperature is None else body | {"temperature": temperature})
