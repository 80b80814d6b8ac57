"""The Embedder of a region: MiniLM in one fenced child, `casemate.cells.embed`.

The child keeps nothing between two texts, so one serves all labels. What is left is time: it takes one text at a time,
and label domains take turns, so a question waits for at most one text of each other domain, however many calls these
make. No call can end the child for the others: one that is given up is let finish.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from casemate.engines.cell import BROKEN, CRASH, Cell, Program
from casemate.engines.minilm_model import NAME, default_folder, verify
from casemate.engines.sandbox import Limits, Sandbox
from casemate.engines.turns import Turns
from casemate.errors import EngineFailed

__all__ = ["MiniLMEmbedder"]

DIMENSIONS: Final = 384
MEMORY: Final = 1 << 30
"""Bytes of address space. It takes 230 MB; what is more is for other versions of its libraries."""

DEADLINE: Final = 30.0
"""Seconds for one text; it takes some hundredths, and the first one the start of the child as well."""


class MiniLMEmbedder:
    """384 integers in -127..127 per text, each text's own; cosines are taken with the integer lengths.

    Made on a folder that does not hold the model it raises Misconfigured; with other bytes, Damaged.
    """

    name: Final = NAME
    language: Final = "en"
    languages: Final = frozenset({"en"})
    max_tokens: Final = 256
    state: Final = "none"

    def __init__(self, sandbox: Sandbox, folder: Path | None = None) -> None:
        home = (folder or default_folder()).resolve()
        verify(home)
        program = Program(
            name=NAME,
            module="casemate.cells.embed",
            reads=(home,),
            limits=Limits(memory=MEMORY, cpu=20),
            arguments=(str(home),),
            deadline=DEADLINE,
            reply=1 << 20,
        )
        self._cell = Cell(sandbox, program)
        self._turns = Turns()
        self._asked: set[asyncio.Task[bytes]] = set()

    @property
    def pid(self) -> int | None:
        """The child's process id, where there is one."""
        return self._cell.pid

    async def start(self) -> None:
        """Have the child ready before the first question. SandboxMissing where it cannot be fenced."""
        await self.embed([""])

    async def embed(self, texts: Sequence[str], domain: str = "") -> list[bytes]:
        """A vector for each text, in their order. Unavailable (EngineFailed, SandboxMissing) where there is none.

        `domain` is the id of the access class in whose turn they are made.
        """
        return [await self._shielded(text, domain) for text in texts]

    async def close(self) -> None:
        """End the child."""
        for task in list(self._asked):
            task.cancel()
        await self._cell.close()

    async def _shielded(self, text: str, domain: str) -> bytes:
        """Ended from without, a request would take the child with it, and others would feel that it starts again."""
        task = asyncio.ensure_future(self._vector(text, domain))
        self._asked.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[bytes]) -> None:
        self._asked.discard(task)
        # Whoever still waits is told of a failure; nobody else needs to be.
        if not task.cancelled():
            task.exception()

    async def _vector(self, text: str, domain: str) -> bytes:
        async with self._turns.of(domain):
            return await self._asked_twice(text)

    async def _asked_twice(self, text: str) -> bytes:
        # A lone surrogate, which no frame can carry, becomes a question mark.
        request = {"texts": [text.encode("utf-8", "replace").decode()]}
        try:
            found = await self._cell.ask(request, list[bytes])
        except EngineFailed as error:
            # Someone may have killed the child; a text that kills it does so again.
            if error.facts.get("ending") != CRASH:
                raise
            found = await self._cell.ask(request, list[bytes])
        if [len(vector) for vector in found] != [DIMENSIONS]:
            raise EngineFailed(engine=NAME, why="it gave no vector", ending=BROKEN)
        return found[0]
