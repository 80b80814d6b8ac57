"""A syslog listener's sockets: TCP, framed by octets or by lines, and UDP where the settings want it.

Implements `missions.host.Door`. Who is not among the peers is hung up on before a byte is read. What must never happen:
that a connection is read on while what came of it is not kept.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from casemate.errors import Occupied

__all__ = ["SyslogDoor"]

READ = 1 << 20
"""Bytes of one read."""
QUEUED = 8 << 20
"""Bytes of datagrams that wait; what comes beyond is lost, and counted."""
PATIENCE = 3.0
"""Seconds that what was read has left once the door closes."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Taker(Protocol):
    """What this calls of `missions.host.Taker`."""

    def connected(self, peer: str) -> Callable[[bytes], Awaitable[bool]]: ...

    async def datagrams(self, peer: str, data: Sequence[bytes]) -> None: ...

    def dropped(self, datagrams: int) -> None: ...


class SyslogDoor:
    """One address. `port` 0 is any free one; `port` says which after `open`."""

    def __init__(self, host: str, port: int, peers: Sequence[str], udp: bool = False, connections: int = 64) -> None:
        self.host, self.port, self.udp, self.connections = host, port, udp, connections
        self.peers: list[_Network] = [ipaddress.ip_network(peer) for peer in peers]
        self.hung_up = 0
        self._server: asyncio.Server | None = None
        self._datagrams: _Datagrams | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._taking: set[asyncio.Task[None]] = set()

    async def open(self, taker: Taker) -> None:
        """Raises Occupied."""
        if self._server is not None:
            return

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connected(taker, reader, writer)

        loop = asyncio.get_running_loop()
        try:
            server = await asyncio.start_server(connected, self.host, self.port, limit=READ, backlog=self.connections)
            port = int(server.sockets[0].getsockname()[1])
            if self.udp:
                try:
                    _, self._datagrams = await loop.create_datagram_endpoint(
                        lambda: _Datagrams(self, taker), (self.host, port)
                    )
                except OSError:
                    server.close()
                    raise
        except OSError:
            raise Occupied(what=f"{self.host}:{self.port}") from None
        self.port, self._server = port, server

    async def close(self) -> None:
        """Connections end; what was read of them is kept first, for so long as the patience lasts."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        if self._datagrams is not None:
            self._datagrams.end()
            self._taking |= {self._datagrams.task}
            self._datagrams = None
        for task in self._open - self._taking:
            task.cancel()  # it waits for more
        if self._taking:
            await asyncio.wait(self._taking, timeout=PATIENCE)
        left = [*self._open, *self._taking]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def known(self, address: str) -> bool:
        """Whether that address is among the peers; one of IPv4 that came by IPv6 is itself."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found.version == peer.version and found in peer for peer in self.peers)

    async def _connected(self, taker: Taker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        try:
            if not peer or not self.known(peer) or len(self._open) >= self.connections or self._server is None:
                self.hung_up += 1
                return
            self._open.add(task)
            await self._read(taker, reader, peer, task)
        except (ConnectionError, TimeoutError):
            return  # it has gone, and what it sent before is kept
        except asyncio.CancelledError:
            if self._server is not None:
                raise
        finally:
            self._open.discard(task)
            writer.close()

    async def _read(self, taker: Taker, reader: asyncio.StreamReader, peer: str, task: asyncio.Task[None]) -> None:
        feed = taker.connected(peer)
        more = True
        while more and self._server is not None:
            data = await reader.read(READ)
            self._taking.add(task)
            try:
                whole = await feed(data)
            finally:
                self._taking.discard(task)
            self.hung_up += not whole
            more = bool(data) and whole


class _Datagrams(asyncio.DatagramProtocol):
    """Each datagram is a message (RFC 5426). They wait in order, at most so many bytes of them."""

    def __init__(self, door: SyslogDoor, taker: Taker) -> None:
        self._door, self._taker = door, taker
        self._queue: deque[tuple[str, bytes]] = deque()
        self._size = 0
        self._come = asyncio.Event()
        self._ended = False
        self._transport: asyncio.BaseTransport | None = None
        self.task = asyncio.create_task(self._take())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        peer = str(addr[0])
        if not self._door.known(peer):
            self._door.hung_up += 1
        elif self._size + len(data) > QUEUED:
            self._taker.dropped(1)
        elif data:
            self._queue.append((peer, data))
            self._size += len(data)
            self._come.set()

    def end(self) -> None:
        """No more comes; what waits is still taken."""
        self._ended = True
        self._come.set()
        if self._transport is not None:
            self._transport.close()

    async def _take(self) -> None:
        while not self._ended or self._queue:
            await self._come.wait()
            self._come.clear()
            while self._queue:
                peer, size = self._queue[0][0], 0
                taken: list[bytes] = []
                while self._queue and self._queue[0][0] == peer and size < READ:
                    taken.append(self._queue.popleft()[1])
                    size += len(taken[-1])
                await self._taker.datagrams(peer, taken)
                self._size -= size
