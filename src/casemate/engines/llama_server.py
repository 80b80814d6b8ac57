"""Runs a llama-server that the operator has: a process of its own for each label domain and agency, in the sandbox.

    generate -> the domain's process, started on demand -> its socket file -> openai_like

It knows no network: it serves on a socket file and can connect to nothing. Its caches across requests are switched off
by flags that its own `--help` must list. What must never happen: two domains in one process, a process that keeps
finished conversations, one that runs unfenced.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from casemate.engines.http_exchange import Broken
from casemate.engines.http_target import Target
from casemate.engines.openai_like import OpenAILike
from casemate.engines.remote import Remote, Upstream
from casemate.engines.sandbox import Child, Sandbox
from casemate.engines.sandbox.serve import serve
from casemate.errors import EngineFailed, Misconfigured
from casemate.models import Delta, Prompt

__all__ = ["IDLE", "LlamaServer", "flags"]

IDLE = 900.0  # seconds after which a process that nobody of its domain asks is ended
START = 600.0  # seconds that the reading of weights may take
_HELP = 20.0
_LONGEST = 1 << 20
_NEEDED = ("--model", "--alias", "--host", "--cache-ram")
_QUIET = ("--no-webui", "--offline", "--no-slots", "--no-warmup")
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")


def flags(told: str) -> list[str]:
    """The flags that switch off what is kept between requests, as this `--help` lists them. ValueError says what lacks.

    `--cache-ram 0`: no cache of finished conversations; without idle slots nothing is put into it either.
    """
    known = set(_FLAG.findall(told))
    lacking = [flag for flag in _NEEDED if flag not in known]
    if lacking:
        raise ValueError(f"it does not know {', '.join(lacking)}")
    found = ["--cache-ram", "0"]
    if "--no-cache-idle-slots" in known:
        found.append("--no-cache-idle-slots")
    elif "--cache-idle-slots" in known:
        raise ValueError("it does not know --no-cache-idle-slots")
    return found + [flag for flag in _QUIET if flag in known]


class _Process:
    """One domain's process: its folder, the engine on its socket, and how many ask it."""

    def __init__(self, child: Child, folder: Path, engine: OpenAILike) -> None:
        self.child, self.folder, self.engine = child, folder, engine
        self.asking = 0
        self.ending: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """At once."""
        if self.ending is not None:
            self.ending.cancel()
        self.child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class LlamaServer:
    """Implements `models.Generator`. `program`: the binary; `weights`: a GGUF file; `model`: what it is asked for."""

    dialect = "openai"

    def __init__(
        self, name: str, program: Path, weights: Path, model: str, sandbox: Sandbox, reads: Sequence[Path] = ()
    ) -> None:
        for path, setting in ((program, "program"), (weights, "weights")):
            if not path.is_absolute() or not path.is_file():
                raise Misconfigured(setting=f"upstreams.{name}.{setting}", why="it is the absolute path of a file")
        self._name, self._model, self._sandbox = name, model, sandbox
        self._program, self._weights = program, weights
        self._reads = (program.parent, weights, *reads)
        self._flags: list[str] | None = None
        self._running: dict[str, _Process] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self.started = 0
        """How many processes there have been."""

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by label domain."""
        return {domain: one.child.pid for domain, one in self._running.items() if one.child.alive}

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncGenerator[Delta, None]:
        """As `models.Generator` says. Raises EngineFailed, or SandboxMissing where it could not be fenced."""
        ends = asyncio.get_running_loop().time() + deadline
        process = await self._asked(prompt.partition, deadline)
        try:
            deltas = process.engine.generate(prompt, ends - asyncio.get_running_loop().time())
            async with contextlib.aclosing(deltas):
                async for delta in deltas:
                    yield delta
        finally:
            self._left(prompt.partition, process)

    async def whole(self, prompt: Prompt, deadline: float) -> list[Delta]:
        """The same at once."""
        ends = asyncio.get_running_loop().time() + deadline
        process = await self._asked(prompt.partition, deadline)
        try:
            return await process.engine.whole(prompt, ends - asyncio.get_running_loop().time())
        finally:
            self._left(prompt.partition, process)

    async def close(self) -> None:
        """End every process."""
        for domain, process in list(self._running.items()):
            await self._end(domain, process)

    async def _asked(self, domain: str, deadline: float) -> _Process:
        """The domain's process, ready. One that died is started anew."""
        turn = self._turns.setdefault(domain, asyncio.Lock())
        try:
            async with asyncio.timeout(deadline), turn:
                process = self._running.get(domain)
                if process is not None and not process.child.alive:
                    await self._end(domain, process)
                    process = None
                if process is None:
                    process = self._running[domain] = await self._start()
        except TimeoutError:
            raise self._failed("slow", "it did not start in time") from None
        process.asking += 1
        if process.ending is not None:
            process.ending.cancel()
            process.ending = None
        return process

    def _left(self, domain: str, process: _Process) -> None:
        process.asking -= 1
        if not process.asking and self._running.get(domain) is process:
            process.ending = asyncio.get_running_loop().call_later(IDLE, self._rest, domain, process)

    def _rest(self, domain: str, process: _Process) -> None:
        if not process.asking and self._running.get(domain) is process:
            del self._running[domain]
            process.engine.cut()
            process.end()

    async def _end(self, domain: str, process: _Process) -> None:
        self._running.pop(domain, None)
        process.engine.cut()
        process.end()
        await process.child.ended()

    async def _start(self) -> _Process:
        folder = Path(tempfile.mkdtemp(prefix="casemate-llama-"))
        child: Child | None = None
        try:
            if self._flags is None:
                self._flags = await self._known(folder)
            socket = folder / "llama.sock"
            named = ["--model", str(self._weights), "--alias", self._model, "--host", str(socket)]
            child = await serve(self._sandbox, self._program, [*named, *self._flags], folder, self._reads)
            self.started += 1
            upstream = Upstream("", self._name, counts_cache=True)  # its cache is this domain's alone
            await self._ready(child, Remote(upstream, Target.at(socket, "")))
            return _Process(child, folder, OpenAILike(upstream, Target.at(socket, "/v1")))
        except BaseException:
            if child is not None:
                child.kill()
                await asyncio.shield(child.ended())
            shutil.rmtree(folder, ignore_errors=True)
            raise

    async def _known(self, folder: Path) -> list[str]:
        """What the program's own help says of its flags."""
        child = await serve(self._sandbox, self._program, ["--help"], folder, self._reads, tells=True)
        told = b""
        try:
            async with asyncio.timeout(_HELP):
                while (piece := await child.replies.read(64 << 10)) and len(told) < _LONGEST:
                    told += piece
            return flags(told.decode("utf-8", "replace"))
        except TimeoutError:
            raise self._failed("down", "its program does not say what it can") from None
        except ValueError as error:
            raise Misconfigured(setting=f"upstreams.{self._name}.program", why=str(error)) from None
        finally:
            child.kill()
            await asyncio.shield(child.ended())

    async def _ready(self, child: Child, remote: Remote) -> None:
        """Wait until it says that its weights are there."""
        ends = asyncio.get_running_loop().time() + START
        head, wait = b"GET /health HTTP/1.1\r\nHost: localhost\r\n", 0.01
        try:
            while asyncio.get_running_loop().time() < ends:
                if not child.alive:
                    raise self._failed("down", "its program ended by itself")
                with contextlib.suppress(Broken):
                    exchange = await remote.pool.ask(head, b"", 5.0)
                    exchange.close()
                    if exchange.status == 200:
                        return
                await asyncio.sleep(wait)
                wait = min(wait * 1.5, 0.5)
        finally:
            remote.pool.close()
        raise self._failed("slow", "it did not start in time")

    def _failed(self, cause: str, why: str) -> EngineFailed:
        return EngineFailed(cause="slow" if cause == "slow" else "down", engine=self._name, why=why)
