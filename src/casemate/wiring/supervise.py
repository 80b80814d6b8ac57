"""`casemate up`: the processes of a region, watched. Where one dies it is started again, more slowly each time.

    all      one process
    split    writer, answer, control, data (the wires' socket is opened here and inherited)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from casemate.errors import Occupied, Unavailable
from casemate.wiring.folder import Folder
from casemate.wiring.region import Role
from casemate.wiring.serve import listen_tcp

__all__ = ["Addresses", "supervise"]

START_SECONDS = 60.0
BACKOFF = (0.2, 1.0, 5.0, 15.0)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the wires and the console answer."""

    wires: str
    console: str


@dataclass(slots=True)
class _Child:
    role: Role
    tcp: socket.socket | None = None
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0


async def supervise(folder: Folder, ready: Callable[[Addresses], None], stop: asyncio.Event) -> None:
    """Run until `stop`. Raises Occupied where a region runs here already or a port is taken."""
    settings = folder.settings()
    _one_alone(folder)
    os.umask(0o077)
    folder.run.mkdir(mode=0o700, exist_ok=True)
    host, port = settings.listen.host, settings.listen.port
    if settings.listen.processes == "all":
        tcp = listen_tcp(host, port)
        url = _url(tcp)
        children, addresses = [_Child("all", tcp)], Addresses(url, url)
    else:
        wires, console = listen_tcp(host, port), listen_tcp(host, port + 1 if port else 0)
        roles: list[_Child] = [_Child("writer"), _Child("answer"), _Child("control", console), _Child("data", wires)]
        children, addresses = roles, Addresses(_url(wires), _url(console))
    try:
        for child in children:
            await _start(folder, child)
        ready(addresses)
        await asyncio.gather(*(_watch(folder, child, stop) for child in children))
    finally:
        await _stop(children)


def _url(tcp: socket.socket) -> str:
    host, port = tcp.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _one_alone(folder: Folder) -> None:
    """Whether a region answers on the local socket already."""
    if not folder.control_socket.exists():
        return
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as tried:
        try:
            tried.connect(str(folder.control_socket))
        except OSError:
            return
    raise Occupied(what=f"The region in {folder.path}")


async def _start(folder: Folder, child: _Child) -> None:
    """Start a child and wait until it says that it is ready. Its errors go to our standard error."""
    fds = (child.tcp.fileno(),) if child.tcp is not None else ()
    child.process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "casemate.wiring.process",
        str(folder.path),
        child.role,
        *map(str, fds),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=fds,
        start_new_session=True,
    )
    assert child.process.stdout is not None
    try:
        line = await asyncio.wait_for(child.process.stdout.readline(), START_SECONDS)
    except TimeoutError:
        line = b""
    if line.strip() != b"ready":
        raise Unavailable(what=f"the {child.role} process")


async def _watch(folder: Folder, child: _Child, stop: asyncio.Event) -> None:
    """Start it again whenever it dies, until we are told to stop."""
    stopping = asyncio.ensure_future(stop.wait())
    while not stop.is_set():
        assert child.process is not None
        ended = asyncio.ensure_future(child.process.wait())
        await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            ended.cancel()
            return
        print(f"casemate: the {child.role} process ended ({child.process.returncode}); starting it again", file=sys.stderr)
        await asyncio.sleep(BACKOFF[min(child.deaths, len(BACKOFF) - 1)])
        child.deaths += 1
        with contextlib.suppress(Unavailable):
            await _start(folder, child)


async def _stop(children: list[_Child]) -> None:
    """Doors first, the writer last."""
    for child in reversed(children):
        process = child.process
        if process is None or process.returncode is not None:
            continue
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    for child in children:
        if child.tcp is not None:
            child.tcp.close()
