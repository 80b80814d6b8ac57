"""The text in a picture, by the program `tesseract` where this machine has it: in a fence, a child for each picture.

The picture goes in by a pipe and the text comes out by one: nothing of either is written to a disk. The program has
no network, no files but its own, bounded memory and time; what it prints on its error output goes nowhere.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from casemate.engines.sandbox import Child, Limits, Sandbox, bpf, support
from casemate.engines.sandbox.filter import _rules
from casemate.engines.sandbox.machine import Machine
from casemate.engines.sandbox.places import readable
from casemate.engines.sandbox.probe import filters
from casemate.engines.sandbox.spawn import _CALLS, _HANDSHAKE, _launch, _prove
from casemate.errors import CasemateError, SandboxMissing, Unreadable

__all__ = ["Installed", "Tesseract", "installed"]

_TEXT = 40 << 20  # bytes of recognised text
_LANGUAGES = ("eng", "fra")
_DATA = ("/usr/share/tesseract-ocr", "/usr/share/tessdata", "/usr/local/share/tessdata", "/usr/local/share/tesseract")


@dataclass(frozen=True, slots=True)
class Installed:
    """The program, and what it has to read besides its libraries."""

    program: Path
    reads: tuple[Path, ...] = ()


def installed() -> Installed | None:
    """The program on this process's PATH and its data where systems keep them; None where there is none."""
    found = shutil.which("tesseract")
    if found is None:
        return None
    program = Path(found).resolve()
    data = [Path(place) for place in (*_DATA, program.parents[1] / "share" / "tessdata") if Path(place).is_dir()]
    return Installed(program, tuple(dict.fromkeys(data)))


class Tesseract:
    """Reads one picture at a time. Raises Unreadable, and SandboxMissing where it could not be fenced."""

    def __init__(self, sandbox: Sandbox, found: Installed, limits: Limits, deadline: float = 120.0) -> None:
        self._sandbox, self._found, self._limits, self._deadline = sandbox, found, limits, deadline
        self._languages: str | None = None

    async def read(self, picture: bytes) -> str:
        """The text; pages of a picture that has several are parted by form feeds."""
        if self._languages is None:
            said = (await self._run(["--list-langs"], b"")).split()
            self._languages = "+".join(language for language in _LANGUAGES if language in said)
        chosen = ["-l", self._languages] if self._languages else []
        return await self._run(["stdin", "stdout", *chosen], picture)

    async def _run(self, arguments: Sequence[str], picture: bytes) -> str:
        child = await self._start(arguments)
        try:
            async with asyncio.timeout(self._deadline):
                said = await _talk(child, picture)
                code = await child.ended()
        except TimeoutError:
            raise Unreadable(why="Text recognition takes longer on a picture of it than a document may.") from None
        finally:
            child.kill()
            await asyncio.shield(child.ended())
        if code != 0:
            raise Unreadable(why="A picture in it could not be recognised; it may be damaged or too large.")
        return said.decode("utf-8", "replace")

    async def _start(self, arguments: Sequence[str]) -> Child:
        kernel = support()
        if kernel.why or kernel.machine is None:
            raise SandboxMissing(why=kernel.why)
        granted = readable([self._found.program, *self._found.reads], self._sandbox._protect)
        before = filters()
        child = await _launch(self._sandbox.home, "launch.py")
        try:
            order = self._order(child.pid, kernel.machine, arguments, granted)
            await asyncio.wait_for(_prove(child, order, before), _HANDSHAKE)
            child.requests.write(b"!")
        except BaseException as error:
            child.kill()
            await asyncio.shield(child.ended())
            if isinstance(error, CasemateError) or not isinstance(error, Exception):
                raise
            raise SandboxMissing(why=f"a child did not come to be fenced in time ({type(error).__name__})") from None
        return child

    def _order(self, pid: int, machine: Machine, arguments: Sequence[str], granted: list[str]) -> bytes:
        order: dict[str, Any] = {
            "parent": os.getpid(),
            "program": str(self._found.program),
            "arguments": list(arguments),
            "home": str(self._sandbox.home),
            "folder": str(self._sandbox.home),
            "hears": True,
            "tells": True,
            "reads": granted,
            "calls": {name: machine.calls[name] for name in _CALLS},
            "filter": base64.b64encode(_filter(machine, pid)).decode("ascii"),
            "limits": {
                "AS": self._limits.memory,
                "CPU": self._limits.cpu,
                "CORE": 0,
                "FSIZE": 0,
                "MEMLOCK": 0,
                "MSGQUEUE": 0,
                "NOFILE": self._limits.files,
            },
        }
        body = msgspec.json.encode(order)
        return struct.pack(">I", len(body)) + body


def _filter(machine: Machine, pid: int) -> bytes:
    """What cells may do, threads, and to become the program. No socket of any kind, no process."""
    rules = [*_rules(machine, pid, threads=True), (machine.calls["execve"], bpf.verdict(bpf.ALLOW))]
    ruled = {number for number, _ in rules}
    rules += [(number, bpf.verdict(bpf.EPERM)) for number in machine.calls.values() if number not in ruled]
    return bpf.assemble(machine.audit, machine.x32, rules, bpf.ENOSYS)


async def _talk(child: Child, picture: bytes) -> bytes:
    """Both at once: a program that prints before it has read all would otherwise wait for us, and we for it."""
    sending = asyncio.ensure_future(_send(child, picture))
    said = bytearray()
    try:
        while part := await child.replies.read(1 << 16):
            said += part
            if len(said) > _TEXT:
                raise Unreadable(why="Text recognition finds more text in a picture of it than a document may hold.")
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending
    return bytes(said)


async def _send(child: Child, picture: bytes) -> None:
    child.requests.write(picture)
    await child.requests.drain()
    child.requests.close()
