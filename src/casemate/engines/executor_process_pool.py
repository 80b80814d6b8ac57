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
    def __init__(self, command: tuple[str, ...], name: str) -> None:
        self._command, self._name = command, name
        self._turn = asyncio.Lock()
        self._door: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    async def fork(self, folder: str) -> tuple[int, int]:
        async with self._turn:
            for last in (False, True):
                try:
                    return await asyncio.wait_for(self._asked(folder), _PATIENCE)
                except (OSError, ValueError, TimeoutError):
                    self.close()
                    if last:
                        raise EngineFailed("down", engine=self._name, why="no process can be started") from None
                except asyncio.CancelledError:
                    self.close()  # its answer would be taken for the next one's
                    raise
            raise AssertionError

    async def _asked(self, folder: str) -> tuple[int, int]:
        door = self._door or self._started()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(door, os.fsencode(folder))
        pid, start = (await loop.sock_recv(door, 64)).split()
        return int(pid), int(start)

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
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._server is not None:
            with suppress(ProcessLookupError):
                self._server.kill()  # the shims that it forked are sessions of their own
            self._server.wait()
            self._server = None
