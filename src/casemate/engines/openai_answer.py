"""The answers of an OpenAI-shaped server, typed and bounded: a stream of chunks, or a completion at once."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.engines.http_exchange import Broken
from casemate.engines.remote import named_right
from casemate.engines.sse import Events
from casemate.models import Delta, Thought, ToolPiece, Usage

__all__ = ["Chunks", "completion", "embedding"]

FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool", "function_call": "tool"}
CALLS = 256  # tool calls in one answer


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Said(msgspec.Struct):
    """A delta of a chunk, or the message of a completion. Servers name reasoning in two ways."""

    content: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Details(msgspec.Struct, gc=False):
    cached_tokens: int | None = 0


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None


class _Chunk(msgspec.Struct):
    model: str | None = None
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


class _Vector(msgspec.Struct):
    embedding: list[float]


class _Vectors(msgspec.Struct):
    data: list[_Vector]
    model: str | None = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_VECTORS = msgspec.json.Decoder(_Vectors)


class Chunks:
    """Reads a stream. Words that came in one packet are one delta."""

    __slots__ = ("_also", "_asked", "_cached", "_calls", "_events", "_finish", "_model", "_usage", "done", "failure")

    def __init__(self, asked: str, also: tuple[str, ...], cached: bool) -> None:
        self._asked, self._also, self._cached = asked, also, cached
        self._events = Events()
        self._finish = ""
        self._model = asked
        self._usage: Usage | None = None
        self._calls = 0
        self.done = False
        self.failure: Broken | None = None

    def fed(self, piece: bytes) -> list[Delta]:
        """The deltas of a piece; `failure` is set where it cannot be read further."""
        told: list[Delta] = []
        words: list[str] = []
        try:
            for data in self._events.fed(piece):
                self._take(data, words, told)
                if self.done:
                    break
        except Broken as broken:
            self.failure = broken
        if words:
            told.append(Delta(text=words[0] if len(words) == 1 else "".join(words)))
        return told

    def last(self) -> Delta:
        """The last delta. A stream without its [DONE] counts where a choice has finished."""
        if self._events.inside and not self.done:
            raise Broken("broken", "its answer ended inside a frame")
        if not self._finish and not self.done:
            raise Broken("broken", "its answer ended too early")
        return Delta(finish=self._finish or "stop", usage=self._usage)

    def _take(self, data: bytes, words: list[str], told: list[Delta]) -> None:
        try:
            chunk = _CHUNK.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if data.strip() != b"[DONE]":
                raise Broken("broken", "a frame of its answer cannot be read") from None
            self.done = True
            return
        if chunk.error is not None:
            raise Broken("broken", "it reported an error in its answer")
        if chunk.model != self._model and chunk.model is not None:
            self._named(chunk.model)
        for choice in chunk.choices:
            said = choice.delta
            if choice.index:
                continue
            if said is not None:
                if said.content:
                    words.append(said.content)
                if said.tool_calls or said.reasoning_content or said.reasoning or said.refusal:
                    self._more(said, words, told)
            if choice.finish_reason and not self._finish:
                self._finish = FINISH.get(choice.finish_reason, "stop")
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage, self._cached)

    def _more(self, said: _Said, words: list[str], told: list[Delta]) -> None:
        """What is not plain words, in its place between them."""
        if thought := said.reasoning_content or said.reasoning:
            told += _flushed(words)
            told.append(Delta(thought=Thought(thought)))
        if said.refusal:
            words.append(said.refusal)
        for call in said.tool_calls or ():
            if not 0 <= call.index < CALLS:
                raise Broken("broken", "its answer has too many tool calls")
            told += _flushed(words)
            function = call.function or _Function()
            told.append(Delta(call=ToolPiece(call.index, function.arguments or "", call.id or "", function.name or "")))

    def _named(self, model: str) -> None:
        if not named_right(self._asked, model, self._also):
            raise Broken("broken", "another model answered than was asked")
        self._model = model


def completion(data: bytes, asked: str, also: tuple[str, ...], cached: bool) -> list[Delta]:
    """The deltas of a completion that came at once. Raises Broken."""
    found: _Chunk = _decoded(_CHUNK, data)
    choice = next((choice for choice in found.choices if not choice.index), None)
    if found.error is not None:
        raise Broken("broken", "it reported an error in its answer")
    if not named_right(asked, found.model or "", also):
        raise Broken("broken", "another model answered than was asked")
    if choice is None or choice.message is None or not choice.finish_reason:
        raise Broken("broken", "its answer ended too early")
    said = choice.message
    told: list[Delta] = []
    if thought := said.reasoning_content or said.reasoning:
        told.append(Delta(thought=Thought(thought)))
    if text := (said.content or "") + (said.refusal or ""):
        told.append(Delta(text=text))
    for index, call in enumerate((said.tool_calls or ())[:CALLS]):
        function = call.function or _Function()
        told.append(Delta(call=ToolPiece(index, function.arguments or "", call.id or "", function.name or "")))
    usage = _usage(found.usage, cached) if found.usage is not None else None
    told.append(Delta(finish=FINISH.get(choice.finish_reason, "stop"), usage=usage))
    return told


def embedding(data: bytes, asked: str, also: tuple[str, ...]) -> list[float]:
    """The one vector that was asked for. Raises Broken."""
    found: _Vectors = _decoded(_VECTORS, data)
    if not named_right(asked, found.model or "", also):
        raise Broken("broken", "another model answered than was asked")
    if len(found.data) != 1 or not found.data[0].embedding:
        raise Broken("broken", "its answer does not hold one vector")
    return found.data[0].embedding


def _decoded(decoder: msgspec.json.Decoder[Any], data: bytes) -> Any:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Broken("broken", "its answer cannot be read") from None


def _flushed(words: list[str]) -> list[Delta]:
    if not words:
        return []
    text = "".join(words)
    words.clear()
    return [Delta(text=text)]


def _usage(found: _Usage, cached: bool) -> Usage:
    details = found.prompt_tokens_details
    count = (details.cached_tokens or 0) if details is not None and cached else 0
    return Usage(max(found.prompt_tokens, 0), max(found.completion_tokens, 0), estimated=False, cached=max(count, 0))
