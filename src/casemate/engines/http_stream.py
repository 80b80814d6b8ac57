"""One POST over HTTP/1.1 whose answer is read as it comes: asyncio and httptools, everything bounded.

A connection for each request, closed with it, so that leaving a request stops whoever works on it. It follows no
redirect, asks for no compression, and knows no proxy: a region sends nothing anywhere that its settings do not name.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import TypeVar

import httptools

__all__ = ["Broken", "Exchange", "Target", "target"]

HEAD_LIMIT = 64 << 10
READ = 64 << 10
_PORTS = {"http": 80, "https": 443}

T = TypeVar("T")


class Broken(Exception):
    """The exchange failed; the text says how, and holds nothing of what was exchanged."""


class Target:
    """Where to post to. TLS is judged by the machine's certificate authorities."""

    __slots__ = ("authority", "host", "path", "port", "tls")

    def __init__(self, scheme: str, host: str, port: int | None, path: str) -> None:
        self.host = host
        self.port = port or _PORTS[scheme]
        self.path = path
        named = f"[{host}]" if ":" in host else host
        self.authority = named if self.port == _PORTS[scheme] else f"{named}:{self.port}"
        self.tls = ssl.create_default_context() if scheme == "https" else None


def target(url: str, path: str) -> Target:
    """The target of a path below a base URL. ValueError says what is wrong with it."""
    try:
        parsed = httptools.parse_url(url.encode("ascii"))
        scheme, host = (parsed.schema or b"").decode(), (parsed.host or b"").decode()
    except (httptools.HttpParserInvalidURLError, UnicodeEncodeError):
        raise ValueError("it is not a URL") from None
    if scheme not in _PORTS or not host:
        raise ValueError("it begins with http:// or https:// and a host")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError("it has no user, query or fragment")
    return Target(scheme, host, parsed.port, (parsed.path or b"").decode().rstrip("/") + path)


class Exchange:
    """A request under way. `open` sends it and reads the head; `pieces` gives the body; `close` ends it at once."""

    def __init__(self, target: Target, seconds: float) -> None:
        self._target = target
        self._ends = asyncio.get_running_loop().time() + seconds
        self._seconds = seconds
        self._parser = httptools.HttpResponseParser(self)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._body: list[bytes] = []
        self._head = 0
        self._headed = False
        self._whole = False
        self.status = 0
        self.headers: dict[str, str] = {}

    async def open(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Connect, send, and read up to the end of the head. Raises Broken."""
        goal = self._target
        reader, writer = await self._soon(asyncio.open_connection(goal.host, goal.port, ssl=goal.tls, limit=READ))
        self._reader, self._writer = reader, writer
        lines = [f"POST {goal.path} HTTP/1.1", f"Host: {goal.authority}", f"Content-Length: {len(body)}"]
        lines += ["Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await self._soon(writer.drain())
        while not self._headed:
            await self._feed()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises Broken where it is not whole."""
        while True:
            waiting, self._body = self._body, []
            if waiting:
                yield b"".join(waiting)
            elif self._whole:
                return
            else:
                await self._feed()

    def close(self) -> None:
        """Hang up, whatever is under way."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _feed(self) -> None:
        assert self._reader is not None
        data = await self._soon(self._reader.read(READ))
        if not self._headed:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if not self._whole:
                raise Broken("it does not speak HTTP") from None
        if not self._headed and self._head > HEAD_LIMIT:
            raise Broken("the head of its answer is too long")
        if not data and not self._whole:
            self._ended()

    def _ended(self) -> None:
        """The other side has hung up. Without a length, that is how a body ends (RFC 9112 section 6.3)."""
        framed = {"content-length", "transfer-encoding"} & self.headers.keys()
        if not self._headed or framed:
            raise Broken("it hung up before its answer was whole")
        self._whole = True

    async def _soon(self, deed: Awaitable[T]) -> T:
        """The deed, before the deadline of the whole exchange."""
        left = self._ends - asyncio.get_running_loop().time()
        try:
            return await asyncio.wait_for(deed, max(left, 0))
        except TimeoutError:
            raise Broken(f"it did not answer within {self._seconds:g} seconds") from None
        except ssl.SSLError:
            raise Broken("no trusted TLS connection came about") from None
        except OSError as error:
            raise Broken(f"the connection failed ({type(error).__name__})") from None

    # What httptools calls. What comes after a whole answer is nobody's.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._headed and len(self.headers) < 200:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        if self._headed:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers = {}
        else:
            self._headed = True

    def on_body(self, body: bytes) -> None:
        if not self._whole:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._whole = self._whole or self._headed
