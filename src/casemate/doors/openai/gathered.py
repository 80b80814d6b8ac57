"""A whole answer, put together from its deltas: its text with its citations, its reasoning, its tool calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from casemate.models import Citation, Delta, ToolPiece

__all__ = ["Called", "Gathered", "gather"]


@dataclass(slots=True)
class Called:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, piece: ToolPiece) -> None:
        """One more piece; id and name come with the first."""
        self.id = self.id or piece.id
        self.name = self.name or piece.name
        if piece.arguments:
            self.arguments.append(piece.arguments)


@dataclass(slots=True)
class Gathered:
    """What an answer holds when all of it is there."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    sealed: str = ""
    cited: list[Citation] = field(default_factory=list)
    calls: dict[int, Called] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def thought(self) -> str:
        return "".join(self.thoughts)


def gather(deltas: Iterable[Delta]) -> Gathered:
    """Everything that these deltas hold."""
    found = Gathered()
    for delta in deltas:
        if delta.text:
            found.texts.append(delta.text)
        if delta.citations:
            found.cited += delta.citations
        if delta.thought is not None:
            found.thoughts.append(delta.thought.text)
            found.sealed = delta.thought.sealed or found.sealed
        if delta.call is not None:
            found.calls.setdefault(delta.call.index, Called()).add(delta.call)
    return found
