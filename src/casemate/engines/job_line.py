"""A line into an attempt that runs on this machine: the socket that its shim holds in its folder.

The folder may be a cluster's, and then belongs to another user: what stands there under the socket's name is opened
without following a link, and must be a socket of the folder's owner that a process of his serves. Nobody makes the
region speak to a socket of the region's own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from contextlib import suppress

from casemate.engines.job_folder import boot, claimed
from casemate.errors import Absent, EngineFailed

__all__ = ["SocketLine", "connected"]

_PEER = struct.Struct("3i")
_PIECE = 64 << 10
_SECONDS = 5.0


class SocketLine:
    """Implements `jobs.executor.Line`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        with suppress(ConnectionError, RuntimeError):  # it has ended: whoever reads is told so
            self._writer.write(data)
            await self._writer.drain()

    async def receive(self) -> bytes:
        try:
            return await self._reader.read(_PIECE)
        except ConnectionError:
            return b""

    def finish(self) -> None:
        with suppress(OSError):
            self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


def connected(folder: int, name: str) -> socket.socket:
    """The socket of that name in a folder, held by its descriptor. Raises Absent where nobody serves it (yet), and
    EngineFailed where the attempt runs on another machine."""
    claim = claimed(folder)
    if claim is None or claim.fenced:
        raise Absent(kind="line", id=name)
    if claim.boot != boot() or claim.node != os.uname().nodename:
        why = f"the job runs on {claim.node or 'another machine'}: it is reached only where the region itself runs"
        raise EngineFailed(cause="denied", engine="scratch", why=why)
    try:
        held = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        raise Absent(kind="line", id=name) from None
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        told, owner = os.fstat(held), os.fstat(folder).st_uid
        if not stat.S_ISSOCK(told.st_mode) or told.st_uid != owner:
            raise Absent(kind="line", id=name)
        line.settimeout(_SECONDS)
        line.connect(f"/proc/self/fd/{held}")
        if _PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1] != owner:
            raise Absent(kind="line", id=name)
    except OSError:
        line.close()
        raise Absent(kind="line", id=name) from None
    except BaseException:
        line.close()
        raise
    finally:
        os.close(held)
    line.setblocking(False)
    return line
