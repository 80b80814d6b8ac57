"""One process of a region, by role; `casemate up` starts these and starts them again where they die.

    python -m casemate.wiring.process FOLDER ROLE [FD]      FD: the listening TCP socket that was inherited
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

from casemate.wiring.folder import Folder
from casemate.wiring.region import Role

__all__ = ["main", "run"]


def _forget_after_parent() -> None:
    """A child of a supervisor that was killed ends too (prctl PR_SET_PDEATHSIG)."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


async def run(folder: Folder, role: Role, tcp: socket.socket | None) -> None:
    """Serve one role until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if role == "writer":
        await _write(folder, stop)
        return
    from casemate.wiring.region import open_house
    from casemate.wiring.serve import serve

    house = await open_house(folder, role)
    local = folder.control_socket if role in ("all", "control") else None
    await serve(house, tcp, local, lambda: print("ready", flush=True), stop)


async def _write(folder: Folder, stop: asyncio.Event) -> None:
    from casemate.engines.sqlite import SqliteWriter
    from casemate.engines.writer_socket import WriterServer

    writer = SqliteWriter(folder.records)
    server = WriterServer(folder.writer_socket, writer)
    await server.start()
    print("ready", flush=True)
    await stop.wait()
    await server.stop()
    writer.close()


def main() -> None:
    """The process's entry."""
    _forget_after_parent()
    os.umask(0o077)
    folder, role = Folder(Path(sys.argv[1])), sys.argv[2]
    tcp = socket.socket(fileno=int(sys.argv[3])) if len(sys.argv) > 3 else None
    if tcp is not None:
        tcp.setblocking(False)
    import uvloop

    uvloop.run(run(folder, role, tcp))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
