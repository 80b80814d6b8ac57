"""Asks a program in the sandbox, one thing at a time, and starts it again when it has died of it.

    Cell    one child at most; a request has a deadline, and a child that misses it is killed
    Cells   a Cell for each domain (an access class, say): a child never sees the input of two

A request is sent only to a child that was proved to be fenced; where none can be, SandboxMissing and nothing is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from casemate import frames
from casemate.engines.sandbox import Child, Limits, Sandbox
from casemate.errors import EngineFailed, Unreadable

__all__ = ["BROKEN", "CPU", "CRASH", "MEMORY", "TIME", "Cell", "Cells", "Program", "Reply"]

BROKEN, CRASH, MEMORY, TIME, CPU = "broken", "crash", "memory", "time", "cpu"
"""How a request can end without an answer: the fact `ending` of EngineFailed."""
UNREADABLE = "unreadable"
T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    """What `cells.serve` sends: a value, or a failure and its reason."""

    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    failure: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """What is run, and within what. `deadline`: seconds of wall time for a request; `reply`: bytes of an answer."""

    name: str
    module: str
    reads: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    arguments: tuple[str, ...] = ()
    deadline: float = 60.0
    reply: int = 128 << 20


class Cell:
    """A program that answers. Closed by `close`, or it dies with this process."""

    def __init__(self, sandbox: Sandbox, program: Program) -> None:
        self._sandbox = sandbox
        self._program = program
        self._child: Child | None = None
        self._turn = asyncio.Lock()
        self.started = 0
        """How many children there have been."""

    @property
    def pid(self) -> int | None:
        """The child's process id, where there is one."""
        return self._child.pid if self._child is not None and self._child.alive else None

    @property
    def busy(self) -> bool:
        return self._turn.locked()

    async def ask(self, request: object, type: type[T], deadline: float | None = None) -> T:
        """The answer to a request.

        Raises Unreadable where the program says that the input is; EngineFailed, with the fact `ending`, where it gave
        none; SandboxMissing where it could not be fenced.
        """
        async with self._turn:
            child = await self._running()
            seconds = self._program.deadline if deadline is None else deadline
            try:
                async with asyncio.timeout(seconds):
                    reply = await self._talk(child, request)
            except TimeoutError:
                await self._drop()
                raise self._failed(TIME, f"it took longer than {seconds:g} seconds") from None
            except (frames.FrameError, OSError, EOFError):
                raise self._died(await self._drop()) from None
            except BaseException:
                await self._drop()
                raise
            return await self._opened(reply, type)

    async def start(self) -> None:
        """Have a child ready before the first request."""
        async with self._turn:
            await self._running()

    async def close(self) -> None:
        """End the child, whatever it is doing."""
        await self._drop()

    async def _running(self) -> Child:
        if self._child is not None and self._child.alive:
            return self._child
        await self._drop()
        program = self._program
        self._child = await self._sandbox.spawn(
            program.module, reads=program.reads, limits=program.limits, arguments=program.arguments
        )
        self.started += 1
        return self._child

    async def _talk(self, child: Child, request: object) -> Reply:
        _allow_cpu(child.pid, self._program.limits.cpu)
        child.requests.write(frames.encode(request))
        # Both at once: a program that answers before it has read all would otherwise wait for us, and we for it.
        sending = asyncio.ensure_future(child.requests.drain())
        try:
            reply = await frames.read(child.replies, Reply, self._program.reply)
            if reply is None:
                raise EOFError
            await sending
            return reply
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await sending

    async def _opened(self, reply: Reply, type: type[T]) -> T:
        if reply.failure == UNREADABLE:
            raise Unreadable(why=reply.why)
        if reply.failure:
            await self._drop()
            why = "it needs more memory than it may have" if reply.failure == MEMORY else f"it broke ({reply.why[:80]})"
            raise self._failed(MEMORY if reply.failure == MEMORY else BROKEN, why)
        try:
            return msgspec.msgpack.decode(reply.value, type=type)
        except msgspec.DecodeError:
            await self._drop()
            raise self._failed(BROKEN, "it answered with something else") from None

    async def _drop(self) -> int:
        """End the child and say how it ended."""
        child, self._child = self._child, None
        if child is None:
            return 0
        # one that closed its pipe is about to end by itself, and how it does tells why
        with contextlib.suppress(TimeoutError):
            if child.replies.at_eof():
                await asyncio.wait_for(child.ended(), 1.0)
        child.kill()
        return await asyncio.shield(child.ended())

    def _died(self, code: int) -> EngineFailed:
        if code == -signal.SIGXCPU:
            return self._failed(CPU, f"it used more than {self._program.limits.cpu} seconds of processor time")
        if code < 0:
            return self._failed(CRASH, f"it was ended by signal {-code}")
        return self._failed(CRASH, f"it ended by itself (code {code})")

    def _failed(self, ending: str, why: str) -> EngineFailed:
        return EngineFailed(engine=self._program.name, why=why, ending=ending)


class Cells:
    """One program, a child per domain. At most `keep` idle ones stay; a domain never waits for another."""

    def __init__(self, sandbox: Sandbox, program: Program, keep: int = 2) -> None:
        self._sandbox, self._program, self._keep = sandbox, program, keep
        self._cells: OrderedDict[str, Cell] = OrderedDict()

    @property
    def pids(self) -> dict[str, int]:
        """The children that run, by domain."""
        return {domain: cell.pid for domain, cell in self._cells.items() if cell.pid is not None}

    async def ask(
        self, request: object, type: type[T], deadline: float | None = None, *, domain: str | None = None
    ) -> T:
        """As `Cell.ask`, in the domain's own child; None: in a child that serves this request alone."""
        if domain is None:
            cell = Cell(self._sandbox, self._program)
            try:
                return await cell.ask(request, type, deadline)
            finally:
                await cell.close()
        cell = self._cells.setdefault(domain, Cell(self._sandbox, self._program))
        self._cells.move_to_end(domain)
        try:
            return await cell.ask(request, type, deadline)
        finally:
            await self._trim()

    async def close(self) -> None:
        """End all children."""
        cells = list(self._cells.values())
        self._cells.clear()
        for cell in cells:
            await cell.close()

    async def _trim(self) -> None:
        idle = [domain for domain, cell in self._cells.items() if not cell.busy]
        for domain in idle[: max(0, len(idle) - self._keep)]:
            await self._cells.pop(domain).close()


def _allow_cpu(pid: int, seconds: int) -> None:
    """Move the soft limit on processor time along: a child has so many seconds for each request."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")
        _, hard = resource.prlimit(pid, resource.RLIMIT_CPU)
        soft = used + seconds + 1
        resource.prlimit(pid, resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
