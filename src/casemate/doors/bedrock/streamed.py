"""The events of ConverseStream, written from deltas: one open block at a time, as clients of this protocol read them.

    messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata

A block of words opens without an event; a tool call opens with its id and name. Words after words stay in one block.
"""

from __future__ import annotations

import msgspec

from casemate.doors.bedrock.answered import identifier
from casemate.doors.bedrock.eventstream import event, frame
from casemate.errors import EngineFailed
from casemate.models import Citation, Delta, Thought, ToolPiece, Usage
from casemate.words import say

__all__ = ["STOP", "Writer", "citation", "usage_of"]

STOP = {
    "stop": "end_turn",
    "length": "max_tokens",
    "abstain": "end_turn",
    "tool": "tool_use",
    "malformed": "malformed_tool_use",
    "guardrail": "guardrail_intervened",
}
_START, _BLOCK_START, _DELTA = event("messageStart"), event("contentBlockStart"), event("contentBlockDelta")
_BLOCK_STOP, _STOP, _META = event("contentBlockStop"), event("messageStop"), event("metadata")
_encode = msgspec.json.Encoder().encode


class Writer:
    """Keeps which block is open. `model` and `language` are for the one thing that can go wrong here."""

    __slots__ = ("_block", "_head", "_index", "_language", "_model")

    def __init__(self, model: str, language: str) -> None:
        self._model, self._language = model, language
        self._index = -1
        self._block: str | int | None = None
        self._head = b""

    def opening(self) -> bytes:
        """The first frame."""
        return frame(_START, b'{"role":"assistant"}')

    def delta(self, delta: Delta) -> bytes:
        """The frames of one delta; b"" where it says nothing that this protocol tells."""
        if delta.thought is None and delta.call is None and not delta.citations:
            return self._words(delta.text) if delta.text else b""
        out = self._thought(delta.thought) if delta.thought is not None else b""
        if delta.text:
            out += self._words(delta.text)
        for cited in delta.citations:
            out += self._open("text") + frame(_DELTA, self._head + b'{"citation":' + _encode(citation(cited)) + b"}}")
        return out + (self._call(delta.call) if delta.call is not None else b"")

    def closing(self, finish: str, usage: Usage, latency: int, trace: object = None) -> bytes:
        """The end of the message, and what it cost; `latency` is in milliseconds."""
        stop = frame(_STOP, _encode({"stopReason": STOP.get(finish, "end_turn")}))
        meta: dict[str, object] = {"usage": usage_of(usage), "metrics": {"latencyMs": latency}}
        if trace is not None:
            meta["trace"] = trace
        return self._close() + stop + frame(_META, _encode(meta))

    def _words(self, text: str) -> bytes:
        opened = b"" if self._block == "text" else self._open("text")
        return opened + frame(_DELTA, self._head + b'{"text":' + _encode(text) + b"}}")

    def _thought(self, thought: Thought) -> bytes:
        out = self._open("thought")
        if thought.sealed:
            out += self._reason({"redactedContent": thought.sealed})
        if thought.text:
            out += self._reason({"text": thought.text})
        if thought.signature:
            out += self._reason({"signature": thought.signature})
        return out + (self._close() if thought.signature or thought.sealed else b"")

    def _reason(self, said: dict[str, str]) -> bytes:
        return frame(_DELTA, self._head + b'{"reasoningContent":' + _encode(said) + b"}}")

    def _call(self, piece: ToolPiece) -> bytes:
        out = b""
        if self._block != piece.index:
            if not piece.name:  # a call whose block has been closed already cannot go on
                raise EngineFailed(engine=self._model, why=say("models.broke_off", self._language))
            out = self._open(piece.index)
            start = {"toolUse": {"toolUseId": identifier(piece.id, piece.index), "name": piece.name}}
            out += frame(_BLOCK_START, b'{"contentBlockIndex":%d,"start":%b}' % (self._index, _encode(start)))
        if piece.arguments:
            out += frame(_DELTA, self._head + b'{"toolUse":{"input":' + _encode(piece.arguments) + b"}}}")
        return out

    def _open(self, block: str | int) -> bytes:
        if self._block == block:
            return b""
        closed = self._close()
        self._block = block
        self._index += 1
        self._head = b'{"contentBlockIndex":%d,"delta":' % self._index
        return closed

    def _close(self) -> bytes:
        if self._block is None:
            return b""
        self._block = None
        return frame(_BLOCK_STOP, b'{"contentBlockIndex":%d}' % self._index)


def citation(cited: Citation) -> dict[str, object]:
    """The title bears its portion mark, as titles do in a marked document; the link opens the passage."""
    return {
        "title": f"{cited.mark} {cited.title}".strip(),
        "source": cited.link,
        "sourceContent": [{"text": cited.quote}],
        "location": {"web": {"url": cited.link}},
    }


def usage_of(usage: Usage) -> dict[str, int]:
    """Tokens; what came from a cache is named only where there was any."""
    found = {
        "inputTokens": usage.prompt,
        "outputTokens": usage.completion,
        "totalTokens": usage.prompt + usage.completion,
    }
    return found | ({"cacheReadInputTokens": usage.cached} if usage.cached else {})
