"""A whole answer, put together from its deltas: words, reasoning, calls. Every body of this wire is written from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from casemate.models import Citation, Delta, Thought, ToolPiece

__all__ = ["Answered", "Call", "gathered", "identifier"]

_ODD = re.compile(r"[^a-zA-Z0-9_.:-]")


@dataclass(slots=True)
class Call:
    """A tool call; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str = ""

    @property
    def input(self) -> dict[str, Any] | None:
        """The arguments as an object; None where they are none, e.g. because the answer was cut."""
        try:
            return msgspec.json.decode(self.arguments or "{}", type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeEncodeError):
            return None


@dataclass(slots=True)
class Answered:
    """The answer. Consecutive pieces of reasoning are one thought until a signature closes it."""

    text: str = ""
    cited: list[Citation] = field(default_factory=list)
    thoughts: list[Thought] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    finish: str = ""

    @property
    def whole(self) -> list[Call]:
        """The calls that can be made: one without whole arguments was cut off, and is none."""
        return [call for call in self.calls if call.input is not None]

    @property
    def stop(self) -> str:
        """Why it stopped: stop, length, tool, abstain, or `malformed` where a call cannot be read."""
        if len(self.whole) < len(self.calls) and self.finish != "length":
            return "malformed"
        return self.finish


def gathered(deltas: Iterable[Delta]) -> Answered:
    """Everything that they say."""
    answer = Answered()
    words: list[str] = []
    calls: dict[int, Call] = {}
    for delta in deltas:
        words.append(delta.text)
        answer.cited += delta.citations
        answer.finish = delta.finish
        _think(answer.thoughts, delta)
        if delta.call is not None:
            _call(calls, delta.call)
    answer.text = "".join(words)
    answer.calls = [calls[index] for index in sorted(calls)]
    return answer


def identifier(id: str, index: int) -> str:
    """A call's id as this protocol writes one: 1 to 64 of its characters."""
    return _ODD.sub("_", id)[:64] or f"tooluse_{index}"


def _call(calls: dict[int, Call], piece: ToolPiece) -> None:
    call = calls.setdefault(piece.index, Call(identifier(piece.id, piece.index), piece.name))
    call.arguments += piece.arguments


def _think(thoughts: list[Thought], delta: Delta) -> None:
    thought = delta.thought
    if thought is None:
        return
    last = thoughts[-1] if thoughts else None
    if last is None or last.signature or last.sealed or thought.sealed:
        thoughts.append(thought)
    else:
        thoughts[-1] = Thought(last.text + thought.text, thought.signature)
