"""Starts a program in the sandbox: a clean environment, a session of its own, limits, and the fence that it must prove.

Children are started from the thread that runs the event loop, without any code between fork and exec. The kernel kills
a child when that thread ends. What a child writes to its standard error goes nowhere: it may quote a document.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from casemate.engines.sandbox.filter import program
from casemate.engines.sandbox.machine import Machine
from casemate.engines.sandbox.places import PACKAGE, readable
from casemate.engines.sandbox.probe import Support, filters, support, unfenced
from casemate.errors import CasemateError, SandboxMissing

__all__ = ["Child", "Limits", "Sandbox"]

_HANDSHAKE = 30.0  # seconds: two busy cores may take a while to start an interpreter
_CALLS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp")
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PATH": "/nonexistent",
    "MALLOC_ARENA_MAX": "2",
    # what counts threads by itself gets one, and what telephones home or spins while waiting does neither
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory`: bytes of address space. `cpu`: seconds for one request. `files`: open at once."""

    memory: int = 1 << 30
    cpu: int = 60
    files: int = 64
    threads: bool = False


@dataclass(slots=True)
class Child:
    """A fenced process. `landlock` is the ABI under which it runs."""

    process: subprocess.Popen[bytes]
    requests: asyncio.StreamWriter
    replies: asyncio.StreamReader
    landlock: int
    _replies: asyncio.BaseTransport = field(repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """At once, and without asking. Safe to call again."""
        if self.process.poll() is None:
            self.process.kill()
        if not self.requests.transport.is_closing():  # a pipe that broke has closed itself, and abort would fail
            self.requests.transport.abort()
        self._replies.close()

    async def ended(self) -> int:
        """Wait for its end; the exit code, or the negative number of the signal that ended it."""
        wait = 0.001
        while (code := self.process.poll()) is None:
            await asyncio.sleep(wait)
            wait = min(wait * 2, 0.1)
        return code


class _Report(msgspec.Struct):
    """What `fence` says of itself: the Landlock ABI, or why there is no fence."""

    abi: int = 0
    why: str = ""


class Sandbox:
    """`home`: an empty folder that children have as theirs and cannot read or fill (one is made where none is given).

    `protect`: folders that no child may reach, whatever it is given to read.
    """

    def __init__(self, home: Path | None = None, protect: Sequence[Path] = ()) -> None:
        self._home = home
        self._made: tempfile.TemporaryDirectory[str] | None = None
        self._protect = tuple(protect)

    @property
    def home(self) -> Path:
        """The children's home folder."""
        if self._home is None:
            self._made = tempfile.TemporaryDirectory(prefix="casemate-home-", ignore_cleanup_errors=True)
            self._home = Path(self._made.name)
        self._home.mkdir(mode=0o700, exist_ok=True)
        return self._home.resolve()

    def close(self) -> None:
        """Remove the home folder where it was made here. Children are their owners' to end."""
        if self._made is not None:
            self._made.cleanup()
            self._made, self._home = None, None

    async def spawn(
        self, module: str, *, reads: Sequence[Path] = (), limits: Limits | None = None, arguments: Sequence[str] = ()
    ) -> Child:
        """Start a module (`casemate.cells.extract`) or a file (`/.../probe.py`), which may then also be read.

        Raises SandboxMissing where the child could not be fenced, or did not prove it: it is dead by then.
        """
        found = support()
        if found.why or found.machine is None:
            raise SandboxMissing(why=found.why)
        own = [Path(module)] if module.endswith(".py") else []
        granted = readable([*own, *reads], self._protect)
        return await self._start(found, module, granted, limits or Limits(), arguments)

    async def _start(
        self, found: Support, module: str, granted: list[str], limits: Limits, arguments: Sequence[str]
    ) -> Child:
        assert found.machine is not None
        before = filters()
        home = self.home
        child = await _launch(home)
        try:
            order = _order(child.pid, found.machine, module, granted, limits, arguments, home)
            await asyncio.wait_for(_prove(child, order, before), _HANDSHAKE)
        except BaseException as error:
            child.kill()
            await asyncio.shield(child.ended())
            if isinstance(error, CasemateError) or not isinstance(error, Exception):
                raise
            raise SandboxMissing(why=f"a child did not come to be fenced in time ({type(error).__name__})") from None
        return child


async def _launch(home: Path, script: str = "fence.py") -> Child:
    """The interpreter with `fence` (or `launch`), waiting for its order."""
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(PACKAGE / "cells" / script)]
    environment = {**_ENVIRONMENT, "HOME": str(home), "TMPDIR": str(home)}
    take, give = os.pipe()
    hear, tell = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - it returns as soon as the child has begun; our own command
            command,
            stdin=take,
            stdout=tell,
            stderr=subprocess.DEVNULL,
            cwd=home,
            env=environment,
            start_new_session=True,
        )
    except OSError:
        os.close(give)
        os.close(hear)
        raise SandboxMissing(why="a child process cannot be started") from None
    finally:
        os.close(take)
        os.close(tell)
    loop = asyncio.get_running_loop()
    replies = asyncio.StreamReader(limit=1 << 20, loop=loop)
    heard, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(replies, loop=loop), os.fdopen(hear, "rb", 0)
    )
    given, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), loop=loop), os.fdopen(give, "wb", 0)
    )
    return Child(process, asyncio.StreamWriter(given, protocol, None, loop), replies, 0, heard)


def _order(
    pid: int,
    machine: Machine,
    module: str,
    granted: list[str],
    limits: Limits,
    arguments: Sequence[str],
    home: Path,
) -> bytes:
    """What `fence` is told: everything is decided here, it only carries it out."""
    order: dict[str, Any] = {
        "parent": os.getpid(),
        "module": module,
        "arguments": list(arguments),
        "package": str(PACKAGE),
        "home": str(home),
        "reads": granted,
        "calls": {name: machine.calls[name] for name in _CALLS},
        "filter": base64.b64encode(program(machine, pid, threads=limits.threads)).decode("ascii"),
        "limits": {
            "AS": limits.memory,
            "CPU": limits.cpu,
            "CORE": 0,
            "FSIZE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
            "NOFILE": limits.files,
        },
    }
    body = msgspec.json.encode(order)
    return struct.pack(">I", len(body)) + body


async def _prove(child: Child, order: bytes, before: int) -> None:
    """Give the order, hear the report, and believe the kernel."""
    child.requests.write(order)
    await child.requests.drain()
    report = msgspec.json.decode(await child.replies.readuntil(b"\n"), type=_Report)
    if why := report.why or unfenced(child.pid, before):
        raise SandboxMissing(why=why)
    child.landlock = report.abi
