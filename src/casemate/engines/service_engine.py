"""A model that a service of the region answers: each request goes to the replica that has the fewest of ours.

    generate -> the doors of the service (service_doors) -> a replica's socket -> openai_like

A request that a replica has not begun to answer is asked again at another one: a replica that dies, or is taken out,
loses no request but those whose answer had begun. What must never happen: a second answer after a delta of the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from casemate.access import Threads
from casemate.engines.http_target import Target
from casemate.engines.job_folder import opened
from casemate.engines.job_line import connected
from casemate.engines.openai_like import OpenAILike
from casemate.engines.remote import Upstream
from casemate.engines.service_doors import Reach, reached
from casemate.errors import Absent, EngineFailed
from casemate.models import Delta, Prompt

__all__ = ["ServiceEngine"]

T = TypeVar("T")
SOCKET = "serve.sock"
AGAIN = frozenset({"down", "broken", "busy"})
"""Failures after which another replica may know better."""
_WAIT = 0.2
_KNOCKS = 5.0
"""Seconds in which a door on another node has to answer."""
_TRIES = 4


class _Near(Target):
    """The socket in a replica's folder, which is the folder's owner's own, and no link (`job_line`)."""

    __slots__ = ("domain", "folder", "threads")

    def __init__(self, folder: str, domain: str, threads: Threads) -> None:
        super().__init__("http://localhost/v1")
        self.folder, self.domain, self.threads = folder, domain, threads

    async def connect(self, loop: asyncio.AbstractEventLoop, line: asyncio.Protocol, tls: object) -> None:
        del tls
        held = await self.threads.run(self.domain, _held, self.folder)  # not the process' own, which labels share
        try:
            await loop.create_unix_connection(lambda: line, sock=held)
        except BaseException:
            held.close()
            raise


def _held(folder: str) -> socket.socket:
    """Connected. Raises OSError where nobody serves it, or somebody else does."""
    with opened(folder) as at:
        try:
            return connected(at, SOCKET)
        except (Absent, EngineFailed):
            raise ConnectionRefusedError from None


class _Far(Target):
    """A port of a node: each side says its half of the attempt's secret, and no request goes to whoever does not."""

    __slots__ = ("knock",)

    def __init__(self, reach: Reach) -> None:
        super().__init__(f"http://{reach.host}:{reach.port}/v1")
        self.knock = reach.knock.encode("ascii")

    async def connect(self, loop: asyncio.AbstractEventLoop, line: asyncio.Protocol, tls: object) -> None:
        del tls
        async with asyncio.timeout(_KNOCKS):
            held = await self._held(loop)
        try:
            await loop.create_connection(lambda: line, sock=held)
        except BaseException:
            held.close()
            raise

    async def _held(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        """Connected, and known for the replica's own door. Raises OSError where it is not."""
        found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        line = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
        line.setblocking(False)
        half, heard = len(self.knock) // 2, b""
        try:
            await loop.sock_connect(line, address)
            await loop.sock_sendall(line, self.knock[:half])
            while len(heard) < half and (part := await loop.sock_recv(line, half - len(heard))):
                heard += part
            if not hmac.compare_digest(heard, self.knock[half:]):
                raise ConnectionRefusedError
        except BaseException:
            line.close()
            raise
        return line


class _Replica:
    """The engine of one, and how many requests of ours it has."""

    def __init__(self, upstream: Upstream, target: Target) -> None:
        self.engine = OpenAILike(upstream, target)
        self.asked = 0
        self.gone = False

    def left(self) -> None:
        self.asked -= 1
        if self.gone and not self.asked:
            self.engine.cut()


class ServiceEngine:
    """Implements `models.Generator`, `AtOnce` and `Vectors`. `root`: the folder of doors; `domain`: the class's id."""

    dialect = "openai"

    def __init__(self, name: str, root: Path, domain: str, service: str, *, counts_cache: bool = True) -> None:
        self._name, self._root, self._domain, self._service = name, root, domain, service
        self._upstream, self._threads = Upstream("", name, counts_cache=counts_cache), Threads()
        self._known: dict[Reach, _Replica] = {}

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncGenerator[Delta, None]:
        """As `models.Generator` says. Raises EngineFailed."""
        ends = asyncio.get_running_loop().time() + deadline
        tried: list[_Replica] = []
        while True:
            one = await self._chosen(tried, ends)
            begun = False
            try:
                left = ends - asyncio.get_running_loop().time()
                async with contextlib.aclosing(one.engine.generate(prompt, left)) as deltas:
                    async for delta in deltas:
                        begun = True
                        yield delta
                return
            except EngineFailed as error:
                if begun or error.cause not in AGAIN or len(tried) >= _TRIES:
                    raise
            finally:
                one.left()

    async def whole(self, prompt: Prompt, deadline: float) -> list[Delta]:
        """The same at once."""
        return await self._asked(deadline, lambda engine, left: engine.whole(prompt, left))

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        """One vector for each text, in order. Raises EngineFailed."""
        return await self._asked(deadline, lambda engine, left: engine.vectors(model, texts, left, partition))

    async def close(self) -> None:
        """End its connections; replicas run on."""
        for one in self._known.values():
            one.engine.cut()
        self._known.clear()

    async def _asked(self, deadline: float, ask: Callable[[OpenAILike, float], Awaitable[T]]) -> T:
        ends = asyncio.get_running_loop().time() + deadline
        tried: list[_Replica] = []
        while True:
            one = await self._chosen(tried, ends)
            try:
                return await ask(one.engine, ends - asyncio.get_running_loop().time())
            except EngineFailed as error:
                if error.cause not in AGAIN or len(tried) >= _TRIES:
                    raise
            finally:
                one.left()

    async def _chosen(self, tried: list[_Replica], ends: float) -> _Replica:
        """The one with the fewest of ours that was not tried yet, taken. Raises EngineFailed (`down`)."""
        self._refresh()
        found = [one for one in self._known.values() if not one.gone and one not in tried]
        if not found and tried:  # all have failed: one of them may just have been replaced
            await asyncio.sleep(max(min(_WAIT, ends - asyncio.get_running_loop().time()), 0))
            self._refresh()
            found = [one for one in self._known.values() if not one.gone]
        if not found:
            raise EngineFailed(cause="down", engine=self._name, why="no replica of its service is well")
        one = min(found, key=lambda each: each.asked)
        one.asked += 1
        tried.append(one)
        return one

    def _refresh(self) -> None:
        """As the doors stand now. What was taken out finishes what it has begun."""
        now = set(reached(self._root, self._domain, self._service).values())
        for reach in now - self._known.keys():
            near = _Near(reach.folder, self._domain, self._threads) if reach.folder else None
            self._known[reach] = _Replica(self._upstream, near or _Far(reach))
        for reach in self._known.keys() - now:
            gone = self._known.pop(reach)
            gone.gone = True
            if not gone.asked:
                gone.engine.cut()
