"""A process that serves: the frame behind TCP and behind the local socket, and the loops of its rooms."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uvicorn.server import ServerState

from casemate.clock import Loop
from casemate.errors import CasemateError
from casemate.wiring.house import House
from casemate.wiring.http import PeerProtocol, TcpProtocol, config
from casemate.wiring.local import OPEN, listen
from casemate.wiring.tls import serving

__all__ = ["run_loop", "serve"]

PATIENCE = 5.0  # seconds that requests under way have left once we are told to stop
HANDSHAKE = 10.0  # seconds that a client has to begin a secured connection
SHUTDOWN = 2.0  # and to end it
SLOWEST = 30.0  # seconds between two tries of a loop that fails


async def serve(
    house: House, tcp: socket.socket | None, local: Path | None, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    """Serve until `stop` is set; then requests under way may end, loops are cancelled, and the house is closed."""
    state = ServerState()
    servers = await _listening(house, state, tcp, local)
    loops = [asyncio.create_task(run_loop(each)) for each in house.loops]
    ready()
    try:
        await stop.wait()
    finally:
        for server in servers:
            server.close()
        await _finish(state)
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await _sign(house)
        await house.close()
        _remove(local)


async def _listening(
    house: House, state: ServerState, tcp: socket.socket | None, local: Path | None
) -> list[asyncio.AbstractServer]:
    loop = asyncio.get_running_loop()
    made = config(house.app)
    servers: list[asyncio.AbstractServer] = []
    if tcp is not None:
        secure = serving(house.folder, house.settings)
        told: dict[str, Any] = {}
        if secure is not None:
            house.loops.append(secure.loop())
            told = {"ssl": secure.context, "ssl_handshake_timeout": HANDSHAKE, "ssl_shutdown_timeout": SHUTDOWN}
        servers.append(await loop.create_server(lambda: TcpProtocol(made, state, {}), sock=tcp, **told))
    if local is not None:
        knocked = listen(local, mode=OPEN)
        servers.append(await loop.create_unix_server(lambda: PeerProtocol(made, state, {}), sock=knocked))
    return servers


async def _finish(state: ServerState) -> None:
    """Let requests under way end; those that do not are cancelled, and record that they were."""
    for connection in list(state.connections):
        connection.shutdown()
    running = set(state.tasks)
    if running:
        await asyncio.wait(running, timeout=PATIENCE)
    left = [task for task in running if not task.done()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _sign(house: House) -> None:
    """A last checkpoint over what has just ended."""
    for each in house.loops:
        if each.name == "ledger.checkpoint":
            with contextlib.suppress(CasemateError):
                await each.step()


def _remove(local: Path | None) -> None:
    if local is not None:
        local.unlink(missing_ok=True)


async def run_loop(loop: Loop) -> None:
    """Run a room's loop for ever. A step that fails is said once per kind of failure, and tried again more slowly."""
    told = ""
    pause = loop.every
    clock = asyncio.get_running_loop()
    due = clock.time()
    while True:
        due += loop.every
        try:
            moved = await loop.step()
            told, pause = "", loop.every
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the loop goes on and its neighbours too
            moved, pause = 0, min(pause * 2 or 1.0, SLOWEST)
            said = error.slug if isinstance(error, CasemateError) else type(error).__name__
            if said != told:
                told = said
                print(f"casemate: {loop.name}: {said}", file=sys.stderr)
        if loop.steady:
            now = clock.time()
            due = max(due, now)
            await asyncio.sleep(due - now)
            continue
        await asyncio.sleep(0 if moved and loop.every < 1 else pause)
