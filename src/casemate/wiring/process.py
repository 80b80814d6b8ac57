"""One process of a region, by role; `casemate up` starts these and starts them again where they die.

    python -m casemate.wiring.process FOLDER ROLE PARENT LOCK [TCP [WORKER]]

PARENT is the supervisor's process id: where it is gone, so is this. Standard input brings the region's private keys
where they are locked, and to the writer, which opens nothing, the key by which it signs backups: nothing else of the
machine can read a pipe. LOCK is the inherited lock of the region, TCP the
inherited listening socket. What it needs is loaded at once; it goes on at the end of its standard input. One line goes
to standard output: `ready`, or what prevented it as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from casemate.errors import CasemateError
from casemate.wiring.folder import Folder
from casemate.wiring.house import Role

if TYPE_CHECKING:
    from casemate.wiring.house import Role

__all__ = ["Told", "main", "run"]

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class Told(msgspec.Struct, frozen=True):
    """Why a process could not start: the class of the error and its facts."""

    error: str
    facts: dict[str, str | int | float] = {}


def _end_with(parent: int) -> None:
    """A child of a supervisor that was killed ends too (prctl PR_SET_PDEATHSIG)."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


def _ready() -> None:
    print("ready", flush=True)


async def run(
    folder: Folder, role: Role, tcp: socket.socket | None, worker: int = 0, private: tuple[bytes, ...] = ()
) -> None:
    """Serve one role until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if role == "writer":
        await _write(folder, stop, private[0] if private else b"")
        return
    from casemate.wiring.local import doorway
    from casemate.wiring.region import open_house
    from casemate.wiring.serve import serve

    house = await open_house(folder, role, worker=worker, private=private)
    gc.collect()
    gc.freeze()  # what is there now stays: no collection looks through it again
    gc.set_threshold(20_000, 20, 50)
    local = folder.control_socket if role in ("all", "control") else None
    if local is not None:
        doorway(local.parent)
    await serve(house, tcp, local, _ready, stop)


async def _write(folder: Folder, stop: asyncio.Event, signing: bytes) -> None:
    from casemate.engines.writer_socket import WriterServer
    from casemate.wiring.engines import share_of
    from casemate.wiring.journal import sequence
    from casemate.wiring.shipping import near, shipping
    from casemate.wiring.store import writer_of

    settings = folder.settings()
    shipper = shipping(folder, settings, signing)
    writer = writer_of(folder, settings, share_of(folder, settings), ship=shipper)
    closers: list[Callable[[], Awaitable[None]]] = []
    sequencer = await sequence(folder, settings, writer, closers)
    server = WriterServer(folder.writer_socket, writer, None, sequencer.fold, near(shipper, sequencer.fold))
    await server.start()
    _ready()
    await stop.wait()
    await server.stop()
    for close in closers:
        await close()
    writer.close()


def main() -> None:
    """The process's entry."""
    path, role, parent, lock, *more = sys.argv[1:]
    _end_with(int(parent))
    os.umask(0o077)
    os.set_inheritable(int(lock), False)
    listening = socket.socket(fileno=int(more[0])) if more else None
    worker = int(more[1]) if len(more) > 1 else 0
    if listening is not None:
        listening.set_inheritable(False)
        listening.setblocking(False)
    import uvloop

    if role != "writer":
        import casemate.wiring.region
        import casemate.wiring.serve  # noqa: F401 - the longest part of a start, while the writer opens the store
    lent = sys.stdin.buffer.read()
    private = msgspec.msgpack.decode(lent, type=tuple[bytes, ...]) if lent else ()
    try:
        uvloop.run(run(Folder(Path(path)), role, listening, worker, private))  # type: ignore[arg-type]
    except CasemateError as error:
        print(msgspec.json.encode(Told(type(error).__name__, error.facts)).decode(), flush=True)
        sys.exit(error.exit)


if __name__ == "__main__":
    main()
