"""One request and its answer on a connection: what asyncio and httptools call, and what an engine awaits.

Bytes that come are parsed at once and handed over all together: one wake-up for each packet, none for each chunk. An
engine that reads slowly stops the reading of the socket, so that what waits here stays below HIGH and one packet.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Literal, cast

import httptools

__all__ = ["HEAD", "HIGH", "LINGER", "TOTAL", "Broken", "Cause", "Exchange", "Line"]

HEAD = 64 << 10  # bytes of status line and headers, those of early hints and trailers included
HIGH = 64 << 10  # bytes of a body that wait to be read; one packet more may come
TOTAL = 32 << 20  # bytes of a whole answer
LINGER = 1.0  # seconds for the end of an answer whose content has been read to its end

Cause = Literal["down", "busy", "slow", "denied", "rejected", "broken"]


class Broken(Exception):
    """An exchange failed; the text says how and holds nothing of what was exchanged. `cause` as of EngineFailed.

    `stale`: a kept connection had been hung up before anything of an answer came. `retry_after` is in seconds.
    """

    def __init__(self, cause: Cause, why: str, *, stale: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.cause: Cause = cause
        self.stale = stale
        self.retry_after = retry_after


class Line(asyncio.Protocol):
    """A connection. It carries one exchange at a time; bytes that come between two end it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, forget: Callable[[Line], None]) -> None:
        self.loop = loop
        self.gone = False
        self.reused = False
        self.since = 0.0
        self.exchange: Exchange | None = None
        self.settle: Callable[[bool], None] | None = None
        self._forget = forget
        self._transport: asyncio.Transport | None = None

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS side of the connection, where it has one."""
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object") if self._transport else None
        return found

    @property
    def unsent(self) -> int:
        """Bytes of the request that have not gone out."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def pause(self, paused: bool) -> None:
        """Stop or go on reading."""
        if self._transport is not None and not self._transport.is_closing():
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def cut(self) -> None:
        """End the connection at once."""
        self.gone = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:
            self.cut()  # nobody asked
        else:
            self.exchange.fed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._forget(self)
        if self.exchange is not None:
            self.exchange.lost(exc)


class Exchange:
    """A request under way. `status` and `headers` (names in lower case) stand once `head` has returned."""

    __slots__ = (
        "_body", "_framed", "_head", "_held", "_keep", "_line", "_lingers", "_parser", "_paused", "_timer", "_total",
        "_waiter", "failure", "headed", "headers", "status", "whole",
    )  # fmt: skip

    def __init__(self, line: Line, ends: float) -> None:
        self._line: Line | None = line
        line.exchange = self
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._timer = line.loop.call_at(ends, self._expired)
        self._waiter: asyncio.Future[None] | None = None
        self._body: list[bytes] = []
        self._held = self._head = self._total = 0
        self._paused = self._framed = self._lingers = False
        self._keep = True
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.headed = self.whole = False
        self.failure: Broken | None = None

    @property
    def held(self) -> int:
        """Bytes of the body that wait to be read."""
        return self._held

    async def head(self) -> None:
        """Wait for the end of the head. Raises Broken."""
        while not self.headed:
            if self.failure is not None:
                raise self.failure
            await self._wait()

    async def piece(self) -> bytes:
        """All bytes of the body so far that were not read yet; b"" at its end. Raises Broken."""
        while not self._body:
            if self.failure is not None:
                raise self.failure
            if self.whole:
                return b""
            assert self._line is not None
            self._waiter = self._line.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        body = self._body
        data = body[0] if len(body) == 1 else b"".join(body)
        self._body, self._held = [], 0
        if self._paused and self._line is not None:
            self._paused = False
            self._line.pause(False)
        return data

    async def rest(self, most: int) -> bytes:
        """The whole body. Raises Broken where it is longer than `most`."""
        found, size = [], 0
        while piece := await self.piece():
            found.append(piece)
            size += len(piece)
            if size > most:
                raise Broken("broken", "its answer is too long")
        return b"".join(found)

    def finish(self) -> None:
        """The content is at its end. What belongs to the framing may still come, so that the connection can be kept."""
        if self.whole or self._line is None or self.failure is not None:
            self.close()
            return
        self._lingers = True
        self._timer.cancel()
        self._timer = self._line.loop.call_later(LINGER, self._end)
        if self._body:
            self._end()

    def close(self) -> None:
        """Give the connection back if the answer is whole, else hang up at once. Safe to call again."""
        if not self._lingers:
            self._end()

    def _end(self) -> None:
        line, self._line, self._parser = self._line, None, None
        self._timer.cancel()
        if line is None:
            return
        line.exchange = None
        clean = self.whole and self._keep and self.failure is None and not line.gone and not line.unsent
        if clean and self._paused:
            line.pause(False)
        if line.settle is not None:
            line.settle(clean)
        else:
            line.cut()

    # ---- what the line calls ----------------------------------------------------------------------------------------

    def fed(self, data: bytes) -> None:
        """Bytes came."""
        assert self._parser is not None
        self._total += len(data)
        headed = self.headed
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._keep = False
            if not self.whole:
                self._fail("broken", "it does not speak HTTP")
        if not headed:
            self._head += len(data)
            if not self.headed and self._head > HEAD:
                self._fail("broken", "the head of its answer is too long")
        if self._total > TOTAL and not self.whole:
            self._fail("broken", "its answer has no end")
        if self._lingers:
            if self.whole or self._body or self.failure is not None:
                self._end()
            return
        if self._held > HIGH and not self._paused and self._line is not None:
            self._paused = True
            self._line.pause(True)
        self._wake()

    def lost(self, error: Exception | None) -> None:
        """The connection ended. Without a length, that is how a body ends (RFC 9112 section 6.3)."""
        self._keep = False
        if self.whole or self.failure is not None:
            pass
        elif self.headed and not self._framed and error is None:
            self.whole = True
        else:
            why = "it hung up before its answer was whole"
            if error is not None:
                why = f"the connection failed ({type(error).__name__})"
            stale = self._line is not None and self._line.reused and not self._total
            self.failure = Broken("broken" if self.headed else "down", why, stale=stale)
        if self._lingers:
            self._end()
        self._wake()

    async def _wait(self) -> None:
        assert self._line is not None
        self._waiter = self._line.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, cause: Cause, why: str) -> None:
        if self.failure is None:
            self.failure = Broken(cause, why)
        self._keep = False
        if self._line is not None:
            self._line.cut()
        self._wake()

    def _expired(self) -> None:
        if not self.whole:
            self._fail("slow", "it did not answer in time")

    # ---- what httptools calls. What comes after a whole answer is nobody's, and its connection is not kept. ----------

    def on_message_begin(self) -> None:
        self._keep = self._keep and not self.whole

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > HEAD and not self.whole:
            self._fail("broken", "the head of its answer is too long")
        elif not self.headed:
            self.headers[name.lower()] = value.strip()

    def on_headers_complete(self) -> None:
        if self.headed:
            return
        assert self._parser is not None
        self.status = self._parser.get_status_code()
        if self.status < 200:  # an early hint
            self.headers = {}
            return
        self.headed = True
        self._framed = b"content-length" in self.headers or b"transfer-encoding" in self.headers

    def on_body(self, body: bytes) -> None:
        if not self.whole:
            self._body.append(body)
            self._held += len(body)

    def on_message_complete(self) -> None:
        if self.headed and not self.whole and self.failure is None:
            assert self._parser is not None
            self.whole = True
            self._keep = self._keep and self._parser.should_keep_alive()
