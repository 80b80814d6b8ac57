"""Where an upstream is: a host over TCP or TLS, or a socket file on this machine."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, Self

import httptools

__all__ = ["Resuming", "Target"]

_PORTS = {"http": 80, "https": 443}


class Resuming(ssl.SSLContext):
    """A client's TLS context that goes on with its last session. One for each partition: a ticket names its holder."""

    _session: ssl.SSLSession | None = None

    def remember(self, found: ssl.SSLObject | None) -> None:
        """Keep the session of a connection that worked."""
        if found is not None:
            self._session = found.session

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """What asyncio calls for each new connection."""
        return super().wrap_bio(*args, **{**named, "session": self._session})


class Target:
    """A base URL taken apart. TLS is judged by the machine's authorities, or by those of `ca_file` alone."""

    __slots__ = ("authority", "ca_file", "host", "path", "port", "secure", "socket")

    def __init__(self, url: str, ca_file: Path | None = None) -> None:
        """ValueError says what is wrong with the URL."""
        try:
            parsed = httptools.parse_url(url.encode("ascii"))
            scheme, self.host = (parsed.schema or b"").decode(), (parsed.host or b"").decode()
        except (httptools.HttpParserInvalidURLError, UnicodeEncodeError):
            raise ValueError("it is not a URL") from None
        if scheme not in _PORTS or not self.host:
            raise ValueError("it begins with http:// or https:// and a host")
        if parsed.userinfo or parsed.query or parsed.fragment:
            raise ValueError("it has no user, query or fragment")
        self.secure = scheme == "https"
        self.port = parsed.port or _PORTS[scheme]
        self.path = (parsed.path or b"").decode().rstrip("/")
        named = f"[{self.host}]" if ":" in self.host else self.host
        self.authority = named if self.port == _PORTS[scheme] else f"{named}:{self.port}"
        self.ca_file = ca_file
        self.socket = ""

    @classmethod
    def at(cls, socket: Path, path: str) -> Self:
        """A server on a socket file of this machine."""
        found = cls(f"http://localhost{path}")
        found.socket = str(socket)
        return found

    def tls(self) -> Resuming | None:
        """A new context; None where there is no TLS. Raises OSError where `ca_file` cannot be read."""
        if not self.secure:
            return None
        context = Resuming(ssl.PROTOCOL_TLS_CLIENT)  # it verifies the chain and the host's name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=self.ca_file)
        return context

    async def connect(self, loop: asyncio.AbstractEventLoop, line: asyncio.Protocol, tls: Resuming | None) -> None:
        """Open a connection for `line`. Raises OSError (ssl.SSLError among them), or ValueError for a bad name."""
        if self.socket:
            await loop.create_unix_connection(lambda: line, self.socket)
        else:
            await loop.create_connection(lambda: line, self.host, self.port, ssl=tls)
