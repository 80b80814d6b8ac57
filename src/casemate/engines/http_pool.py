"""HTTP/1.1 to an upstream over connections that are kept: asyncio's protocols and httptools, everything bounded.

    Pool.ask -> a slot of the partition's own share -> a kept connection, or a new one -> send -> Exchange with its head
    Exchange.piece: all bytes so far, one wake-up for each packet -> close: kept if the answer was whole, else cut

Each partition (a label domain) has a fixed share of connections, its own queue for them and its own TLS sessions; none
is ever lent to another. It follows no redirect, asks for no compression and knows no proxy: nothing goes anywhere that
the settings do not name. What must never happen: a request sent again after a byte of an answer, a connection kept with
bytes of another answer in it, memory that grows with a slow reader.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from casemate.engines.http_exchange import Broken, Exchange, Line
from casemate.engines.http_target import Resuming, Target

__all__ = ["IDLE", "QUEUE", "SHARE", "Pool"]

SHARE = 64  # connections of a partition to one target
QUEUE = 256  # requests of a partition that wait for one of them
IDLE = 20.0  # seconds that an unused connection is kept
CONNECT = 10.0  # seconds for a connection, so that there is time left to ask elsewhere


class _Lane:
    """A partition's share: what is in use, what is kept, who waits, and its TLS context."""

    __slots__ = ("idle", "tls", "used", "waiting")

    def __init__(self, tls: Resuming | None) -> None:
        self.idle: list[Line] = []
        self.used = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.tls = tls


class Pool:
    """Connections to one target. Belongs to one event loop at a time; `close` ends them all."""

    def __init__(self, target: Target, share: int = SHARE) -> None:
        self.target = target
        self._share = share
        self._lanes: dict[str, _Lane] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._open: set[Line] = set()
        self.opened = 0
        """How many connections there have been."""

    @property
    def connections(self) -> int:
        """Those that are open now."""
        return len(self._open)

    async def ask(self, head: bytes, body: bytes, seconds: float, partition: str = "") -> Exchange:
        """Send a request; the exchange has its status and headers. `head`: request line and headers, each with its end.

        Raises Broken. Whoever gets the exchange closes it.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        lane = self._lane(partition, loop)
        if lane.used >= self._share:
            await _turn(lane, ends)
        else:
            lane.used += 1
        request = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
        try:
            line = _kept(lane)
            if line is None:
                return await self._sent(await self._connected(lane, ends), request, ends)
            try:
                return await self._sent(line, request, ends)
            except Broken as broken:
                if not broken.stale:
                    raise
            # A kept connection was hung up without a byte of an answer: most likely the two crossed each other. Once.
            return await self._sent(await self._connected(lane, ends), request, ends)
        except BaseException:
            _free(lane)
            raise

    def close(self) -> None:
        """End every connection at once, requests under way included."""
        with contextlib.suppress(RuntimeError):  # of an event loop that is closed already
            for line in list(self._open):
                line.cut()
        self._open.clear()
        self._lanes.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    async def _sent(self, line: Line, request: bytes, ends: float) -> Exchange:
        exchange = Exchange(line, ends)
        try:
            line.write(request)
            await exchange.head()
        except BaseException:
            line.settle = None  # the slot stays with the request
            exchange.close()
            raise
        return exchange

    def _lane(self, partition: str, loop: asyncio.AbstractEventLoop) -> _Lane:
        if loop is not self._loop:
            self.close()
            self._loop = loop
        lane = self._lanes.get(partition)
        if lane is None:
            try:
                lane = self._lanes[partition] = _Lane(self.target.tls())
            except OSError:
                raise Broken("down", "the authorities for its certificate cannot be read") from None
        return lane

    async def _connected(self, lane: _Lane, ends: float) -> Line:
        assert self._loop is not None
        line = Line(self._loop, self._open.discard)
        soon = min(ends, self._loop.time() + CONNECT)
        try:
            async with asyncio.timeout_at(soon):
                await self.target.connect(self._loop, line, lane.tls)
        except TimeoutError:
            if self._loop.time() >= ends:
                raise Broken("slow", "it did not answer in time") from None
            raise Broken("down", "no connection came about in time") from None
        except OSError as error:
            raise Broken("down", _told(error)) from None
        except ValueError:  # a name that cannot be one (IDNA)
            raise Broken("down", "its name cannot be one") from None
        self.opened += 1
        self._open.add(line)
        line.settle = lambda whole: self._settled(lane, line, whole)
        return line

    def _settled(self, lane: _Lane, line: Line, whole: bool) -> None:
        """An exchange has ended: keep its connection or cut it, and give its slot on."""
        if whole and line in self._open:
            if lane.tls is not None:
                lane.tls.remember(line.tls)
            assert self._loop is not None
            line.since = self._loop.time()
            lane.idle.append(line)
            if self._sweeping is None:
                self._sweeping = self._loop.call_later(IDLE / 2, self._sweep)
        else:
            line.cut()
        _free(lane)

    def _sweep(self) -> None:
        """Cut what has been kept too long."""
        assert self._loop is not None
        before = self._loop.time() - IDLE
        for partition, lane in list(self._lanes.items()):
            for line in lane.idle:
                if line.since < before:
                    line.cut()
            lane.idle = [line for line in lane.idle if not line.gone]
            if not lane.idle and not lane.used and lane.tls is None:
                del self._lanes[partition]
        kept = any(lane.idle for lane in self._lanes.values())
        self._sweeping = self._loop.call_later(IDLE / 2, self._sweep) if kept else None


def _kept(lane: _Lane) -> Line | None:
    """The connection that was used last: the likeliest to live still."""
    while lane.idle:
        line = lane.idle.pop()
        if not line.gone:
            line.reused = True
            return line
    return None


async def _turn(lane: _Lane, ends: float) -> None:
    """Wait for a slot of this partition. It comes from whoever gives one back."""
    if len(lane.waiting) >= QUEUE:
        raise Broken("busy", "too many requests wait for it")
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lane.waiting.append(future)
    try:
        async with asyncio.timeout_at(ends):
            await future
    except BaseException as error:
        if future.done() and not future.cancelled():
            _free(lane)  # it was given at the very moment when nobody wanted it any more
        if isinstance(error, TimeoutError):
            raise Broken("slow", "it did not answer in time") from None
        raise


def _free(lane: _Lane) -> None:
    """Give a slot to the next who waits, or back to the share."""
    while lane.waiting:
        future = lane.waiting.popleft()
        if not future.done():
            future.set_result(None)
            return
    lane.used -= 1


def _told(error: OSError) -> str:
    """What failed, without a word of the other side's."""
    if type(error).__module__ == "ssl" or "SSL" in type(error).__name__:
        return "no trusted TLS connection came about"
    return f"the connection failed ({type(error).__name__})"
