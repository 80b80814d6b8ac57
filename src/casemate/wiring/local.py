"""Local sockets whose folder may lie deeper than the 107 bytes that the kernel allows for a socket's name.

All are their owner's alone, but one: any user of the machine may knock at control's. It lies in a folder of its own
that others may pass through and not list; who knocks is named by the kernel, and the gate knows him or does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

__all__ = ["OPEN", "answers", "connect", "doorway", "listen", "reachable"]

OPEN = 0o666


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A short name for the socket, good inside the block. The folder need not be one that we may list."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def doorway(folder: Path) -> None:
    """Make the folder that other users may pass through: it belongs to us, and what is in it is not listed to them."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o711)


def listen(path: Path, backlog: int = 64, mode: int = 0o600) -> socket.socket:
    """A listening socket of that mode; a file that a dead process left is replaced."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable(path) as name:
            listening.bind(name)
        path.chmod(mode)
        listening.listen(backlog)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def answers(path: Path) -> bool:
    """Whether somebody listens there."""
    if not path.exists():
        return False
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as tried:
        try:
            with reachable(path) as name:
                tried.connect(name)
        except OSError:
            return False
    return True


async def connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to whoever listens there. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        with reachable(path) as name:
            await asyncio.get_running_loop().sock_connect(connection, name)
        return await asyncio.open_unix_connection(sock=connection)
    except BaseException:
        connection.close()
        raise
