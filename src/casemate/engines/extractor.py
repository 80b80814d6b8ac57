"""The Extractor of a region: the program `casemate.cells.extract`, in the sandbox; pictures go by `tesseract` before.

The cell finds the pictures, in a file or attached to a message. It is asked again with what was recognised in them, so
that one place alone puts a document together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from casemate.engines.cell import CPU, CRASH, MEMORY, TIME, Cells, Program
from casemate.engines.sandbox import Limits, Sandbox
from casemate.engines.tesseract import Installed, Tesseract, installed
from casemate.errors import EngineFailed, Unreadable
from casemate.knowledge.reading.extract import Extracted

__all__ = ["INPUT", "CellExtractor"]

INPUT = 64 << 20
"""Bytes of a file. The cell has the same bound: a larger one is not even sent."""

_SHARED = frozenset((".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"))
"""What is read by Python alone: one child may read many such files of a domain, one after the other. Whatever reaches a
parser in C (PDFium, expat, zlib) gets a child that reads nothing afterwards, so that no file can bend the reading of
the next one's marks."""

_MANY = 5  # times the time of one request, for all pictures of a file together

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
    recognised: tuple[str, ...] | None = None


class _Answer(Extracted, frozen=True):
    """What the cell says; with pictures, only that they have to be recognised first."""

    pictures: tuple[bytes, ...] = ()


class CellExtractor:
    """Reads files in children that are fenced. A child that dies of a file is replaced; the file is tried once more."""

    def __init__(
        self,
        sandbox: Sandbox,
        limits: Limits | None = None,
        deadline: float = 120.0,
        recogniser: Callable[[], Installed | None] = installed,
    ) -> None:
        limits = limits or Limits(memory=2 << 30, cpu=90)
        program = Program(name="extractor", module="casemate.cells.extract", limits=limits, deadline=deadline)
        self._cells = Cells(sandbox, program)
        self._sandbox, self._limits, self._deadline = sandbox, limits, deadline
        self._installed = recogniser
        self._tesseract: tuple[Installed, Tesseract] | None = None

    async def extract(self, name: str, data: bytes, domain: str | None = None) -> Extracted:
        """As `knowledge.extract.Extractor` says."""
        if len(data) > INPUT:
            raise Unreadable(why=f"It holds more than {INPUT:,} bytes.")
        shared = domain if PurePosixPath(name).suffix.lower() in _SHARED else None
        tesseract = self._recogniser()
        answer = await self._asked(_Request(name, data, None if tesseract is None else ()), shared)
        if answer.pictures and tesseract is not None:
            texts = await self._recognised(tesseract, answer.pictures)
            answer = await self._asked(_Request(name, data, texts), shared)
        if answer.pictures:
            raise Unreadable(why="Its pictures could not be recognised.")
        return Extracted(answer.media, answer.parts, answer.outside, answer.notes)

    async def _asked(self, request: _Request, shared: str | None) -> _Answer:
        try:
            try:
                return await self._cells.ask(request, _Answer, domain=shared)
            except EngineFailed as error:
                # someone may have killed the child; a file that kills its reader does so again
                if error.facts.get("ending") != CRASH:
                    raise
                return await self._cells.ask(request, _Answer, domain=shared)
        except EngineFailed as error:
            ending = str(error.facts.get("ending", ""))
            raise Unreadable(why=_REASONS.get(ending, "Its reader failed on it; it is probably damaged.")) from None

    def _recogniser(self) -> Tesseract | None:
        """The program as it is installed now: a machine may get it, or a newer one, while a region runs."""
        found = self._installed()
        if found is None:
            return None
        if self._tesseract is None or self._tesseract[0] != found:
            self._tesseract = found, Tesseract(self._sandbox, found, self._limits, self._deadline)
        return self._tesseract[1]

    async def _recognised(self, tesseract: Tesseract, pictures: tuple[bytes, ...]) -> tuple[str, ...]:
        """Their texts, within the time that a file with many pictures may take."""
        try:
            async with asyncio.timeout(_MANY * self._deadline):
                return tuple([await tesseract.read(picture) for picture in pictures])
        except TimeoutError:
            raise Unreadable(why=_REASONS[TIME]) from None

    @property
    def pids(self) -> dict[str, int]:
        """The children that run, by domain."""
        return self._cells.pids

    async def close(self) -> None:
        """End the children."""
        await self._cells.close()
