"""A process that serves: uvicorn around the frame, the local socket with the kernel's word on who calls, and the loops."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from casemate.clock import Loop
from casemate.errors import CasemateError
from casemate.wiring.house import House
from casemate.wiring.local import listen

__all__ = ["serve"]

_PEER = struct.Struct("3i")


class PeerProtocol(HttpToolsProtocol):
    """HTTP on the local socket: the client's address is the user id that the kernel gives (SO_PEERCRED)."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        self.client = ("peer", _PEER.unpack(raw)[1])


def _config(app: Any, protocol: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 << 10,
    )
    config.load()
    return config


async def serve(
    house: House, tcp: socket.socket | None, local: Path | None, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    """Serve until `stop` is set; then requests under way may end, loops are cancelled, and the house is closed."""
    server = uvicorn.Server(_config(house.app, HttpToolsProtocol))
    loop = asyncio.get_running_loop()
    servers: list[asyncio.AbstractServer] = []
    if tcp is not None:
        config, state = server.config, server.server_state
        servers.append(
            await loop.create_server(
                lambda: HttpToolsProtocol(config=config, server_state=state, app_state={}), sock=tcp
            )
        )
    if local is not None:
        peers = _config(house.app, PeerProtocol)
        state = server.server_state
        servers.append(
            await loop.create_unix_server(
                lambda: PeerProtocol(config=peers, server_state=state, app_state={}), sock=listen(local)
            )
        )
    tasks = [asyncio.create_task(run_loop(each)) for each in house.loops]
    ready()
    try:
        await stop.wait()
    finally:
        for listening in servers:
            listening.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        for _ in range(50):
            if not server.server_state.tasks:
                break
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in house.loops:
            if each.name == "ledger.checkpoint":
                with contextlib.suppress(CasemateError):
                    await each.step()
        await house.close()
        if local is not None:
            local.unlink(missing_ok=True)


async def run_loop(loop: Loop) -> None:
    """Run a room's loop for ever. A step that fails is said once per kind of failure, and tried again more slowly."""
    told = ""
    pause = loop.every
    while True:
        try:
            moved = await loop.step()
            told, pause = "", loop.every
        except asyncio.CancelledError:
            raise
        except Exception as error:
            moved, pause = 0, min(pause * 2 or 1.0, 30.0)
            said = error.slug if isinstance(error, CasemateError) else type(error).__name__
            if said != told:
                told = said
                print(f"casemate: {loop.name}: {said}", file=sys.stderr)
        await asyncio.sleep(0 if moved and loop.every < 1 else pause)
