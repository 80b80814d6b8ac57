"""The events of a message, written from deltas: one open block at a time, as clients of this protocol read them.

    message_start ping (content_block_start content_block_delta* content_block_stop)* message_delta message_stop

What every delta of a block repeats is encoded once; for each delta only what was said is encoded. A paragraph's
citations close its block, so that a block bears its own, and the texts of all blocks, one after the other, are the
answer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.errors import EngineFailed
from casemate.models import Citation, Delta, Thought, ToolPiece, Usage
from casemate.words import say

__all__ = ["STOP", "Writer", "citation", "usage_of"]

STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "abstain": "end_turn",
    "tool": "tool_use",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "guardrail": "refusal",
}
_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":'
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_END = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_encode = msgspec.json.Encoder().encode

_TEXT = b'{"type":"text","text":""}'
_THOUGHT = b'{"type":"thinking","thinking":"","signature":""}'


class Writer:
    """Keeps which block is open. `id` and `model` name the message; `language` is for what can go wrong here."""

    __slots__ = ("_block", "_id", "_index", "_language", "_model", "_text", "_used")

    def __init__(self, id: str, model: str, language: str) -> None:
        self._id, self._model, self._language = id, model, language
        self._index = -1
        self._block: str | int | None = None
        self._text = b""
        self._used: set[int] = set()

    def opening(self) -> bytes:
        """The first events. What the prompt holds is known at the end, and told there."""
        message: dict[str, Any] = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_of(Usage()),
        }
        return b'event: message_start\ndata: {"type":"message_start","message":' + _encode(message) + b"}\n\n" + _PING

    def delta(self, delta: Delta) -> bytes:
        """The events of one delta; b"" where it says nothing that this protocol tells."""
        if delta.thought is None and delta.call is None and not delta.citations:
            if self._block == "text" and delta.text:
                return self._text + _encode(delta.text) + b"}}\n\n"
            return self._words(delta.text) if delta.text else b""
        out = self._thought(delta.thought) if delta.thought is not None else b""
        if delta.text:
            out += self._words(delta.text)
        if delta.citations:
            out += self._cited(delta.citations)
        return out + (self._call(delta.call) if delta.call is not None else b"")

    def closing(self, finish: str, usage: Usage, called: bool = False) -> bytes:
        """The last events. `called`: a tool was called, whatever the engine says of why it ended."""
        reason = STOP.get(finish, "end_turn")
        if called and reason == "end_turn":
            reason = "tool_use"
        told = {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}}
        last = b"event: message_delta\ndata: " + _encode({**told, "usage": usage_of(usage)}) + b"\n\n"
        return self._close() + last + _END

    @property
    def called(self) -> bool:
        """Whether a tool was called."""
        return bool(self._used)

    def _words(self, text: str) -> bytes:
        opened = self._open("text", _TEXT) if self._block != "text" else b""
        self._text = _DELTA % self._index + b'"text_delta","text":'
        return opened + self._text + _encode(text) + b"}}\n\n"

    def _cited(self, citations: tuple[Citation, ...]) -> bytes:
        out = self._open("text", _TEXT)
        for cited in citations:
            out += _DELTA % self._index + b'"citations_delta","citation":' + _encode(citation(cited)) + b"}}\n\n"
        return out + self._close()

    def _thought(self, thought: Thought) -> bytes:
        if thought.sealed:
            sealed = _encode({"type": "redacted_thinking", "data": thought.sealed})
            return self._close() + self._open("sealed", sealed) + self._close()
        out = self._open("thought", _THOUGHT)
        if thought.text:
            out += _DELTA % self._index + b'"thinking_delta","thinking":' + _encode(thought.text) + b"}}\n\n"
        if thought.signature:
            out += _DELTA % self._index + b'"signature_delta","signature":' + _encode(thought.signature) + b"}}\n\n"
            out += self._close()
        return out

    def _call(self, piece: ToolPiece) -> bytes:
        out = b""
        if self._block != piece.index:
            if not piece.name or piece.index in self._used:  # a call whose block is closed cannot go on
                raise EngineFailed(engine=self._model, why=say("models.broke_off", self._language))
            self._used.add(piece.index)
            id = piece.id or f"toolu_{self._id.removeprefix('msg_')}_{piece.index}"
            out = self._open(piece.index, _encode({"type": "tool_use", "id": id, "name": piece.name, "input": {}}))
        if piece.arguments:
            said = b'"input_json_delta","partial_json":' + _encode(piece.arguments)
            out += _DELTA % self._index + said + b"}}\n\n"
        return out

    def _open(self, block: str | int, start: bytes) -> bytes:
        if self._block == block:
            return b""
        closed = self._close()
        self._block = block
        self._index += 1
        return closed + _START % (self._index, start)

    def _close(self) -> bytes:
        if self._block is None:
            return b""
        self._block = None
        return _STOP % self._index


def citation(cited: Citation) -> dict[str, Any]:
    """A place in a search result, with fields of our own. The title bears its portion mark, as in a marked document."""
    return {
        "type": "search_result_location",
        "cited_text": cited.quote,
        "source": cited.link,
        "title": f"{cited.mark} {cited.title}".strip(),
        "search_result_index": max(0, cited.number - 1),
        "start_block_index": 0,
        "end_block_index": 1,
        "number": cited.number,
        "mark": cited.mark,
        "label": cited.label,
        "passage": cited.passage,
        "document": cited.document,
    }


def usage_of(usage: Usage) -> dict[str, int]:
    """Tokens. In this protocol `input_tokens` counts only what came from no cache."""
    return {
        "input_tokens": max(0, usage.prompt - usage.cached),
        "output_tokens": usage.completion,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
    }
