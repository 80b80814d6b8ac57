"""A chat model on this machine: an ONNX model by onnxruntime-genai, in fenced children, one for each label domain.

    generate -> the domain's slot, started on demand -> casemate.cells.generate -> pieces -> deltas

Each prompt has a generator of its own, so a child keeps nothing between two of them; a child of its own for each domain
keeps queues, crashes and the time of loading apart as well. A child that nobody of its domain asks for IDLE seconds is
ended: when, depends on that domain alone. None is ended to make room for another, and none is refused because others
have children: there is no number that one domain could fill for another. What they share is the machine's memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import itertools
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from casemate.engines.cell import Program
from casemate.engines.onnx_answer import Answer
from casemate.engines.onnx_ask import Untold, ask
from casemate.engines.onnx_folder import OnnxFolder
from casemate.engines.onnx_slot import Began, Slot
from casemate.engines.sandbox import Limits, Sandbox
from casemate.errors import EngineFailed, Misconfigured, Unreadable
from casemate.models import Delta, Prompt, Usage

__all__ = ["IDLE", "OnnxChat", "installed"]

IDLE: Final = 900.0
_ROOM: Final = 6 << 30
"""Bytes of address space beside twice the model's files: libraries, the attention's memory, the grammar."""


def installed() -> bool:
    """Whether the extra `genai` is there. It is never imported in this process."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnxruntime_genai", "llguidance"))


class OnnxChat:
    """Implements `models.Generator`. `folder`: genai_config.json, ONNX files, tokenizer.json, a chat template.

    Raises Misconfigured where the folder is not that, or the extra `genai` is not installed.
    """

    dialect = ""

    def __init__(self, name: str, folder: Path, sandbox: Sandbox, idle: float = IDLE) -> None:
        if not installed():
            raise Misconfigured(
                setting=f"upstreams.{name}.kind", why="onnx needs the extra: pip install casemate[genai]"
            )
        self.folder = OnnxFolder(folder, f"upstreams.{name}.path")
        self._name, self._sandbox, self._idle = name, sandbox, idle
        self._program = Program(
            name=name,
            module="casemate.cells.generate",
            reads=(self.folder.path,),
            limits=Limits(memory=2 * self.folder.size + _ROOM, cpu=60),
            arguments=(str(self.folder.path),),
        )
        self._slots: dict[str, Slot] = {}
        self._ending: dict[str, asyncio.TimerHandle] = {}
        self._ends: set[asyncio.Task[None]] = set()
        self._alone = itertools.count()

    @property
    def pids(self) -> dict[str, int]:
        """The children that run, by label domain."""
        return {domain: slot.pid for domain, slot in self._slots.items() if slot.pid is not None}

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncGenerator[Delta, None]:
        """As `models.Generator` says; BadInput for a schema that it cannot hold an answer to."""
        try:
            told = ask(prompt)
        except Untold as untold:
            raise self._rejected(str(untold)) from None
        answer, counted = Answer(prompt, self._name), 0
        pieces = self._slot(prompt.partition).pieces(told, deadline)
        try:
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Began):
                        counted = piece.prompt
                        continue
                    for delta in answer.fed(piece.text):
                        yield delta
                    if piece.finish or answer.full:
                        for delta in answer.last(piece.finish or "stop", counted, piece.tokens):
                            yield delta
                        return
        except Unreadable as error:
            raise self._rejected(str(error.facts.get("why", ""))) from None

    async def count(self, prompt: Prompt, deadline: float) -> Usage:
        """The tokens of the prompt, counted by the model's own template and tokenizer."""
        try:
            told = {**ask(prompt), "count": True}
            pieces = self._slot(prompt.partition).pieces(told, deadline)
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Began):
                        return Usage(piece.prompt, estimated=False)
        except Untold as untold:
            raise self._rejected(str(untold)) from None
        except Unreadable as error:
            raise self._rejected(str(error.facts.get("why", ""))) from None
        raise EngineFailed(engine=self._name, why="it counted nothing")

    async def close(self) -> None:
        """End every child."""
        for handle in self._ending.values():
            handle.cancel()
        slots = list(self._slots.values())
        self._slots.clear()
        self._ending.clear()
        for slot in slots:
            await slot.close()
        await asyncio.gather(*self._ends)

    def _slot(self, domain: str) -> Slot:
        """The domain's own. A request that names no domain has one to itself, which ends with it."""
        key = domain or f"alone {next(self._alone)}"
        if (handle := self._ending.pop(key, None)) is not None:
            handle.cancel()
        if key not in self._slots:
            idle = self._idle if domain else 0.0
            self._slots[key] = Slot(self._sandbox, self._program, lambda: self._rests(key, idle))
        return self._slots[key]

    def _rests(self, key: str, idle: float) -> None:
        if key in self._slots:
            self._ending[key] = asyncio.get_running_loop().call_later(idle, self._end, key)

    def _end(self, key: str) -> None:
        self._ending.pop(key, None)
        slot = self._slots.get(key)
        if slot is not None and slot.idle:
            del self._slots[key]
            task = asyncio.ensure_future(slot.close())
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

    def _rejected(self, why: str) -> EngineFailed:
        return EngineFailed(cause="rejected", engine=self._name, why=why)
