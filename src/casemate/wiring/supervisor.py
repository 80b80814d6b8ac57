"""`casemate up`: the processes of a region, watched. Where one dies it is started again, more slowly each time.

    all      one process
    split    writer, answer, control, and `listen.data` times data (the wires' one socket is opened here and inherited)

Listening sockets and the region's lock are opened here once and outlive every child, so that a client who comes while
one is being started again waits and is not turned away.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from casemate.errors import CasemateError, Damaged, Internal, Unavailable, tree
from casemate.settings import Settings
from casemate.wiring.alone import hold
from casemate.wiring.folder import Folder
from casemate.wiring.house import Role
from casemate.wiring.keys import Ask, not_older, opened, signing_key
from casemate.wiring.local import doorway
from casemate.wiring.process import Told
from casemate.wiring.store import there
from casemate.wiring.tcp import listen_tcp

if TYPE_CHECKING:
    from casemate.wiring.house import Role

__all__ = ["Addresses", "Died", "supervise"]

START_SECONDS = 60.0
STOP_SECONDS = 15.0
BACKOFF = (0.2, 1.0, 5.0, 15.0)
SETTLED_SECONDS = 60.0
_MEMORY = {"MALLOC_ARENA_MAX": "1"}  # what threads give back is for all of them; whoever sets it otherwise is heard
_KINDS = {kind.__name__: kind for kind in tree()}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the wires and the console answer."""

    wires: str
    console: str


@dataclass(frozen=True, slots=True)
class Died:
    """A child has ended and is started again; `why` is the slug of what prevents it, or ""."""

    role: str
    code: int
    why: str = ""


@dataclass(slots=True)
class _Child:
    role: Role
    tcp: socket.socket | None = None
    worker: int = 0
    private: bytes = b""
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0


async def supervise(
    folder: Folder,
    ready: Callable[[Addresses], None],
    died: Callable[[Died], None],
    stop: asyncio.Event,
    ask: Ask | None = None,
) -> None:
    """Run until `stop`. `ask`: for the passphrase of a locked region, where no file tells it.

    Raises Occupied where a region runs here or a port is taken, and what keeps a child from starting: NewerSchema,
    Damaged, Misconfigured, Unavailable; BadInput for a wrong passphrase.
    """
    settings = folder.settings()
    _whole(folder, settings)
    private = opened(folder, settings, ask)
    signing = signing_key(folder, settings, private)  # the writer signs backups, and can open nothing
    os.umask(0o077)
    folder.run.mkdir(mode=0o700, exist_ok=True)
    doorway(folder.door)
    lock = await hold(folder)
    children: list[_Child] = []
    try:
        children, addresses = _children(settings)
        for child in children:
            lent = private if child.role != "writer" else (signing,) if signing else ()
            child.private = msgspec.msgpack.encode(lent) if lent else b""
        if not await _unless(stop, _start_all(folder, children, lock)):
            return
        folder.addresses.write_bytes(msgspec.json.encode(addresses))
        folder.addresses.chmod(0o644)
        ready(addresses)
        await asyncio.gather(*(_watch(folder, child, lock, died, stop) for child in children))
    finally:
        await _stop(children)
        folder.addresses.unlink(missing_ok=True)
        os.close(lock)


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Do it unless we are told to stop first; whether it was done. Raises what it raises."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (doing, stopping):
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    if doing.cancelled():
        return False
    doing.result()
    return True


def _whole(folder: Folder, settings: Settings) -> None:
    """Keys are made by `init` alone: records whose key is gone must not be given another one."""
    not_older(folder.keys)
    there(folder, settings)
    for needed in (folder.keys / "region.key", folder.keys / "ledger.key"):
        if not needed.exists():
            raise Damaged(what=str(needed.relative_to(folder.path)))


def _children(settings: Settings) -> tuple[list[_Child], Addresses]:
    host, port, tls = settings.listen.host, settings.listen.port, settings.listen.tls
    wires = listen_tcp(host, port)
    if settings.listen.processes == "all":
        return [_Child("all", wires)], Addresses(_url(wires, tls), _url(wires, tls))
    try:
        console = listen_tcp(host, port + 1 if port else 0)
    except CasemateError:
        wires.close()
        raise
    children = [_Child("writer"), _Child("answer"), _Child("control", console)]
    children += [_Child("data", wires, n) for n in range(settings.listen.data)]
    return children, Addresses(_url(wires, tls), _url(console, tls))


def _url(tcp: socket.socket, tls: bool) -> str:
    host, port = tcp.getsockname()[:2]
    return f"{'https' if tls else 'http'}://" + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


async def _start_all(folder: Folder, children: list[_Child], lock: int) -> None:
    """All of them load at once; the others go on when the writer is ready, since it makes the store that they read."""
    for child in children:
        await _spawn(folder, child, lock)
    first = 1 if children[0].role == "writer" else 0
    for child in children[:first]:
        await _go(child)
    started = await asyncio.gather(*(_go(child) for child in children[first:]), return_exceptions=True)
    for outcome in started:
        if isinstance(outcome, BaseException):
            raise outcome


async def _spawn(folder: Folder, child: _Child, lock: int) -> None:
    """Start a child; it loads and waits for a word. Its errors go to ours."""
    fds = (lock, *([child.tcp.fileno()] if child.tcp is not None else []))
    child.process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "casemate.wiring.process",
        str(folder.path),
        child.role,
        str(os.getpid()),
        *map(str, fds),
        *([str(child.worker)] if child.role == "data" else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**_MEMORY, **os.environ},
        pass_fds=fds,
        start_new_session=True,
    )


async def _go(child: _Child) -> None:
    """Tell a child to go on, and wait until it is ready. Raises what it told, or Unavailable."""
    process = child.process
    assert process is not None
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(child.private)
    process.stdin.close()  # the word
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    except TimeoutError:
        line = b""
    if line.strip() == b"ready":
        return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    raise _told(line, child.role)


def _told(line: bytes, role: str) -> CasemateError:
    """What a child said before it ended, as it was raised there."""
    try:
        told = msgspec.json.decode(line, type=Told)
    except msgspec.DecodeError:
        return Unavailable(what=f"the {role} process")
    return _KINDS.get(told.error, Internal)(**told.facts)


async def _watch(folder: Folder, child: _Child, lock: int, died: Callable[[Died], None], stop: asyncio.Event) -> None:
    """Start it again whenever it dies, until we are told to stop."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            assert child.process is not None
            since = loop.time()
            ended = asyncio.ensure_future(child.process.wait())
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                ended.cancel()
                return
            child.deaths = 0 if loop.time() - since > SETTLED_SECONDS else child.deaths
            died(Died(child.role, child.process.returncode or 0))
            await asyncio.wait((stopping,), timeout=BACKOFF[min(child.deaths, len(BACKOFF) - 1)])
            child.deaths += 1
            await _again(folder, child, lock, died, stop)
    finally:
        stopping.cancel()


async def _again(folder: Folder, child: _Child, lock: int, died: Callable[[Died], None], stop: asyncio.Event) -> None:
    if stop.is_set():
        return
    try:
        await _spawn(folder, child, lock)
        await _go(child)
    except CasemateError as error:
        died(Died(child.role, 0, error.slug))


async def _stop(children: list[_Child]) -> None:
    """Doors first, the writer last."""
    for child in reversed(children):
        process = child.process
        if process is None or process.returncode is not None:
            continue
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    for child in children:
        if child.tcp is not None:
            child.tcp.close()
