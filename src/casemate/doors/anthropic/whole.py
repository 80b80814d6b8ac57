"""A whole message, put together from its deltas: blocks in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from casemate.doors.anthropic.streamed import STOP, citation, usage_of
from casemate.errors import EngineFailed
from casemate.models import Course, Delta, Thought, ToolPiece
from casemate.words import say

__all__ = ["Gathered", "gather"]

Block = dict[str, Any]


@dataclass(slots=True)
class Gathered:
    """What an answer holds when all of it is there."""

    blocks: list[Block] = field(default_factory=list)
    calls: dict[int, tuple[Block, list[str]]] = field(default_factory=dict)
    open: bool = False

    def add(self, delta: Delta) -> None:
        """One more delta. A paragraph's citations end its block."""
        if delta.thought is not None:
            self._thought(delta.thought)
        if delta.text:
            self._words(delta.text)
        if delta.citations:
            block = self._last("text") or self._new({"type": "text", "text": ""})
            block["citations"] = [citation(cited) for cited in delta.citations]
            self.open = False
        if delta.call is not None:
            self._call(delta.call)

    def message(self, id: str, course: Course, model: str, language: str) -> bytes:
        """The reply. Raises EngineFailed where a tool was called with what is no JSON object."""
        length = course.finish == "length"
        content = [block for block in self.blocks if not (length and self._cut(block))]
        for block, pieces in self.calls.values():
            block["input"] = _object("".join(pieces))
            if block["input"] is None and not length:
                raise EngineFailed(engine=model, why=say("models.broke_off", language))
        reason = STOP.get(course.finish, "end_turn")
        if self.calls and reason == "end_turn":
            reason = "tool_use"
        for place, (block, _) in self.calls.items():
            block["id"] = block["id"] or f"toolu_{id.removeprefix('msg_')}_{place}"
        message = {
            "id": id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": usage_of(course.usage),
        }
        return msgspec.json.encode(message)

    def _cut(self, block: Block) -> bool:
        """Whether it is a call whose arguments the end of the answer has cut off."""
        return any(each is block and _object("".join(pieces)) is None for each, pieces in self.calls.values())

    def _last(self, kind: str) -> Block | None:
        last = self.blocks[-1] if self.open and self.blocks else None
        return last if last is not None and last["type"] == kind else None

    def _new(self, block: Block) -> Block:
        self.blocks.append(block)
        self.open = True
        return block

    def _words(self, text: str) -> None:
        last = self._last("text")
        if last is None:
            self._new({"type": "text", "text": text})
        else:
            last["text"] += text

    def _thought(self, thought: Thought) -> None:
        if thought.sealed:
            self._new({"type": "redacted_thinking", "data": thought.sealed})
            self.open = False
            return
        block = self._last("thinking") or self._new({"type": "thinking", "thinking": "", "signature": ""})
        block["thinking"] += thought.text
        if thought.signature:
            block["signature"] = thought.signature
            self.open = False

    def _call(self, piece: ToolPiece) -> None:
        if piece.index not in self.calls:
            block = self._new({"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}})
            self.calls[piece.index] = block, []
            self.open = False
        self.calls[piece.index][1].append(piece.arguments)


def gather(deltas: Iterable[Delta]) -> Gathered:
    """Everything that they say."""
    found = Gathered()
    for delta in deltas:
        found.add(delta)
    return found


def _object(arguments: str) -> Block | None:
    """The arguments as an object; none at all are the empty one. None where they are something else."""
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
