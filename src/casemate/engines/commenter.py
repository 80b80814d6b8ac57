"""Writes comments into a copy of a DOCX: the program `casemate.cells.comment`, in the sandbox. A child per document."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.engines.cell import Cells, Program
from casemate.engines.extractor import INPUT
from casemate.engines.sandbox import Limits, Sandbox
from casemate.errors import EngineFailed, Unreadable

__all__ = ["CellCommenter"]


@dataclass(frozen=True, slots=True)
class _Request:
    data: bytes
    comments: list[tuple[str, int, str]]


class CellCommenter:
    """Knows no policy: what is said of which line is the caller's."""

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None, deadline: float = 120.0) -> None:
        program = Program(
            name="commenter",
            module="casemate.cells.comment",
            limits=limits or Limits(memory=2 << 30, cpu=90),
            deadline=deadline,
        )
        self._cells = Cells(sandbox, program)

    async def comment(self, data: bytes, comments: list[tuple[str, int, str]]) -> tuple[bytes, int]:
        """The copy, and how many of the comments found their line. Raises Unreadable, SandboxMissing."""
        if len(data) > INPUT:
            raise Unreadable(why=f"It holds more than {INPUT:,} bytes.")
        try:
            return await self._cells.ask(_Request(data, comments), tuple[bytes, int])
        except EngineFailed:
            raise Unreadable(why="Its reader failed on it; it is probably damaged.") from None
