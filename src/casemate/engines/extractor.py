"""The Extractor of a region: the program `casemate.cells.extract`, in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from casemate.engines.cell import CPU, CRASH, MEMORY, TIME, Cells, Program
from casemate.engines.sandbox import Limits, Sandbox
from casemate.errors import EngineFailed, Unreadable
from casemate.knowledge.extract import Extracted

__all__ = ["INPUT", "CellExtractor"]

INPUT = 64 << 20
"""Bytes of a file. The cell has the same bound: a larger one is not even sent."""

_SHARED = frozenset((".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"))
"""What is read by Python alone: one child may read many such files of a domain, one after the other. Whatever reaches a
parser in C (PDFium, expat, zlib) gets a child that reads nothing afterwards, so that no file can bend the reading of
the next one's marks."""

_REASONS = {
    TIME: "It takes longer to read than a document may.",
    CPU: "It takes longer to read than a document may.",
    MEMORY: "It needs more memory to read than a document may.",
    CRASH: "Its reader crashed on it, twice.",
}


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    data: bytes


class CellExtractor:
    """Reads files in children that are fenced. A child that dies of a file is replaced; the file is tried once more."""

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None, deadline: float = 120.0) -> None:
        program = Program(
            name="extractor",
            module="casemate.cells.extract",
            limits=limits or Limits(memory=2 << 30, cpu=90),
            deadline=deadline,
        )
        self._cells = Cells(sandbox, program)

    async def extract(self, name: str, data: bytes, domain: str | None = None) -> Extracted:
        """As `knowledge.extract.Extractor` says."""
        if len(data) > INPUT:
            raise Unreadable(why=f"It holds more than {INPUT:,} bytes.")
        request = _Request(name, data)
        shared = domain if PurePosixPath(name).suffix.lower() in _SHARED else None
        try:
            try:
                return await self._cells.ask(request, Extracted, domain=shared)
            except EngineFailed as error:
                # someone may have killed the child; a file that kills its reader does so again
                if error.facts.get("ending") != CRASH:
                    raise
                return await self._cells.ask(request, Extracted, domain=shared)
        except EngineFailed as error:
            ending = str(error.facts.get("ending", ""))
            raise Unreadable(why=_REASONS.get(ending, "Its reader failed on it; it is probably damaged.")) from None

    @property
    def pids(self) -> dict[str, int]:
        """The children that run, by domain."""
        return self._cells.pids

    async def close(self) -> None:
        """End the children."""
        await self._cells.close()
