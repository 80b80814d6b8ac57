"""A syslog listener's sockets: TCP, framed by octets or by lines, TLS in its place (RFC 5425), or UDP beside it.

Implements `missions.host.Door`. Who is not among the peers is hung up on before a byte is read, and before a handshake.
What must never happen: that a connection is read on while what came of it is not kept, or that what came in the clear
is taken where TLS is spoken.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
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
PAUSE = 1.0
"""Seconds until somebody is let in again after there was no room for one more."""
HANDSHAKE = 10.0
"""Seconds that a sender has to begin TLS; meanwhile it counts as a connection."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Taker(Protocol):
    """What this calls of `missions.host.Taker`."""

    def connected(self, peer: str) -> Callable[[bytes], Awaitable[bool]]: ...

    async def datagrams(self, peer: str, data: Sequence[bytes]) -> None: ...

    def dropped(self, datagrams: int) -> None: ...


class SyslogDoor:
    """One address. `port` 0 is any free one; `port` says which after `open`. `tls`: every connection begins with it."""

    def __init__(
        self,
        host: str,
        port: int,
        peers: Sequence[str],
        udp: bool = False,
        connections: int = 64,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host, self.port, self.udp, self.connections, self.tls = host, port, udp, connections, tls
        self.peers: list[_Network] = [ipaddress.ip_network(peer) for peer in peers]
        self.hung_up = 0
        self._listens: socket.socket | None = None
        self._accepts: asyncio.Task[None] | None = None
        self._datagrams: _Datagrams | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._taking: set[asyncio.Task[None]] = set()

    async def open(self, taker: Taker) -> None:
        """Raises Occupied."""
        if self._listens is not None:
            return
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listens = socket.create_server((self.host, self.port), family=family, backlog=self.connections)
            port = int(listens.getsockname()[1])
            if self.udp:
                try:
                    _, self._datagrams = await loop.create_datagram_endpoint(
                        lambda: _Datagrams(self, taker), (self.host, port)
                    )
                except OSError:
                    listens.close()
                    raise
        except OSError:
            raise Occupied(what=f"{self.host}:{self.port}") from None
        listens.setblocking(False)
        self.port, self._listens = port, listens
        self._accepts = asyncio.create_task(self._accept(taker, listens))

    async def close(self) -> None:
        """Connections end; what was read of them is kept first, for so long as the patience lasts."""
        listens, self._listens = self._listens, None
        if listens is None or self._accepts is None:
            return
        self._accepts.cancel()
        await asyncio.gather(self._accepts, return_exceptions=True)
        listens.close()
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

    async def _accept(self, taker: Taker, listens: socket.socket) -> None:
        """Whom the settings know gets a task; nobody else is read, or shaken hands with."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                line, address = await loop.sock_accept(listens)
            except OSError:  # this machine has no room for it: the others go on meanwhile
                await asyncio.sleep(PAUSE)
                continue
            peer = str(address[0])
            if not self.known(peer) or len(self._open) >= self.connections:
                self.hung_up += 1
                line.close()
                continue
            task = asyncio.create_task(self._connected(taker, line, peer))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _connected(self, taker: Taker, line: socket.socket, peer: str) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(READ, loop)
        times = {"ssl_handshake_timeout": HANDSHAKE, "ssl_shutdown_timeout": PATIENCE} if self.tls is not None else {}
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, loop=loop), line, ssl=self.tls, **times
            )
        except OSError:
            self.hung_up += 1  # it speaks no TLS, none of ours, or shows no certificate that counts here
            return
        try:
            await self._read(taker, reader, peer)
        except ssl.SSLError:
            self.hung_up += 1
        except (ConnectionError, TimeoutError):
            return  # it has gone, and what it sent before is kept
        finally:
            transport.close()

    async def _read(self, taker: Taker, reader: asyncio.StreamReader, peer: str) -> None:
        feed, task = taker.connected(peer), asyncio.current_task()
        assert task is not None
        more = True
        while more and self._listens is not None:
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
