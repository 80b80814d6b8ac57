"""Warm servers that fork a shim for each attempt: one for each label domain, holding no secret and no state of a label.

A domain's server is told the paths of that domain's folders and nothing else. It is started when the domain first needs
it; when this process ends it ends too, and what it forked goes on. Where it does not answer it is started anew: the
claim in the folder keeps an attempt that was forked twice from running twice.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from casemate.errors import EngineFailed

__all__ = ["Pools"]

_PATIENCE = 30.0  # seconds: two busy cores may take a while to start an interpreter
_MANY = 8  # folders of one packet: more would keep the first of them waiting
_ANSWER = 1 << 12


class Pools:
    """`command`: what serves (`shim` and --pool); `name`: of the engine, for what it says when it fails."""

    def __init__(self, command: Sequence[str], name: str) -> None:
        self._command, self._name = tuple(command), name
        self._pools: dict[str, _Pool] = {}

    async def fork(self, domain: str, folder: str) -> tuple[int, int]:
        """A shim for the folder: its process id and when it began. Raises EngineFailed."""
        pool = self._pools.get(domain)
        if pool is None:
            pool = self._pools[domain] = _Pool(self._command, self._name)
        return await pool.fork(folder)

    def close(self) -> None:
        """The servers end; what they forked goes on."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()


class _Pool:
    """What is asked for while an answer is awaited goes with the next packet: one exchange for many."""

    def __init__(self, command: tuple[str, ...], name: str) -> None:
        self._command, self._name = command, name
        self._waiting: list[tuple[str, asyncio.Future[tuple[int, int]]]] = []
        self._task: asyncio.Task[None] | None = None
        self._door: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    async def fork(self, folder: str) -> tuple[int, int]:
        answer: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((folder, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._exchange())
        return await answer

    async def _exchange(self) -> None:
        """Until nobody waits; whoever gave up waiting leaves the answers of the others where they belong."""
        while self._waiting:
            some, self._waiting = self._waiting[:_MANY], self._waiting[_MANY:]
            told = await self._tried([folder for folder, _ in some])
            for (_, answer), begun in zip(some, told, strict=True):
                if answer.done():
                    continue
                if begun[0]:
                    answer.set_result(begun)
                else:
                    answer.set_exception(EngineFailed("down", engine=self._name, why="no process can be started"))

    async def _tried(self, folders: list[str]) -> list[tuple[int, int]]:
        """Each one's process; (0, 0) where none could be started, by the second server either."""
        told: list[tuple[int, int]] = []
        for _ in range(2):
            try:
                async with asyncio.timeout(_PATIENCE):
                    told = await self._asked(folders)
                if all(pid for pid, _ in told):
                    return told
            except (OSError, ValueError, TimeoutError):
                told = []
            self._end()
        return told or [(0, 0)] * len(folders)

    async def _asked(self, folders: list[str]) -> list[tuple[int, int]]:
        door = self._door or self._started()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(door, b"\0".join(map(os.fsencode, folders)))
        words = (await loop.sock_recv(door, _ANSWER)).split()
        if len(words) != len(folders):
            raise ValueError(words)
        return [(int(pid), int(start)) for pid, start in (word.split(b":") for word in words)]

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        ours.setblocking(False)
        self._door = ours
        return ours

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        for _, answer in self._waiting:
            answer.cancel()
        self._end()

    def _end(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._server is not None:
            with suppress(ProcessLookupError):
                self._server.kill()  # the shims that it forked are sessions of their own
            self._server.wait()
            self._server = None
