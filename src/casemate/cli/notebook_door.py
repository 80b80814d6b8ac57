"""What listens on this machine for one person's browser, and hands on what he asks to a job.

Anybody on this machine may connect, and any page in the browser may make it ask: so each request is read, needs the
cookie that the token was changed for, must name us as its host and, where it names an origin, as that. It is the only
one of its connection. The cookie goes no further.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self
from urllib.parse import parse_qsl, urlencode

from casemate.cli.failure import Failed

__all__ = ["Door", "Heading"]

HEAD = 64 << 10
PIECE = 64 << 10
SECONDS = 30.0
_PAGES = ("same-origin", "none")
"""Where a request may come from, as browsers say it (W3C Fetch Metadata): our own page, or whoever typed its address.
Another port of this machine is another's page, and to the browser of the same site: it sends our cookie along."""
_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "proxy-authorization", "te"})


class Way(Protocol):
    """A line to the job; `Duplex` is one."""

    def say(self, data: bytes) -> bool: ...

    def done(self) -> None: ...

    def hear(self) -> bytes: ...

    def close(self) -> None: ...


class Heading:
    """The head of a request. Raises ValueError for what is none of HTTP/1.1."""

    def __init__(self, raw: bytes) -> None:
        first, *lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target, version = first.split(" ")
        if not version.startswith("HTTP/1.") or not self.target.startswith("/") or not self.method.isalpha():
            raise ValueError("no request of HTTP/1.1")
        self.fields: list[tuple[str, str]] = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip() or "\n" in line or "\r" in line:
                raise ValueError("no field of HTTP/1.1")
            self.fields.append((name.lower(), value.strip()))

    def all(self, name: str) -> list[str]:
        """The values of a field, as often as it stands there."""
        return [value for known, value in self.fields if known == name]

    def onward(self, cookie: str) -> bytes:
        """The same head, the last of its connection, without our cookie."""
        upgrade = self.method == "GET" and [one.lower() for one in self.all("upgrade")] == ["websocket"]
        kept = []
        for name, value in self.fields:
            if name == "cookie":
                pairs = [one for one in value.split(";") if one.strip().partition("=")[0] != cookie]
                kept += [(name, ";".join(pairs).strip())] if pairs else []
            elif name not in _HOP and (upgrade or name != "upgrade"):
                kept.append((name, value))
        kept.append(("connection", "upgrade" if upgrade else "close"))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in kept)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Door:
    """Entered, it listens on `port` of 127.0.0.1 (0: any that is free). `token` lets in once."""

    def __init__(self, way: Callable[[], Way], port: int, token: str) -> None:
        self._way, self._token = way, token
        self._cookie = secrets.token_urlsafe(24)
        self._turn = threading.Lock()
        come = self._come

        class Visitor(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                come(self.request)

        self._server = _Server(("127.0.0.1", port), Visitor)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def name(self) -> str:
        """The cookie's: cookies know no ports, and there may be two of us."""
        return f"casemate-notebook-{self.port}"

    def _come(self, line: socket.socket) -> None:
        try:
            line.settimeout(SECONDS)
            raw, rest = _head(line)
            heading = Heading(raw)
        except (OSError, ValueError):
            _say(line, "400 Bad Request")
            return
        own = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        hosts, origins = heading.all("host"), heading.all("origin")
        if len(hosts) != 1 or hosts[0] not in own or any(one not in [f"http://{o}" for o in own] for one in origins):
            _say(line, "403 Forbidden")
        elif self._changed(heading, line):
            return
        elif not self._known(heading):
            _say(line, "403 Forbidden")
        else:
            self._hand_on(line, heading.onward(self.name) + rest)

    def _changed(self, heading: Heading, line: socket.socket) -> bool:
        """Whether it showed the token, which is then a cookie, and counts no more."""
        path, _, query = heading.target.partition("?")
        pairs = parse_qsl(query)
        shown = next((value for name, value in pairs if name == "token"), "")
        with self._turn:
            right = bool(shown and self._token) and hmac.compare_digest(shown.encode(), self._token.encode())
            if not right:
                return False
            self._token = ""
        rest = urlencode([pair for pair in pairs if pair[0] != "token"])
        place = ("/" + path.lstrip("/")) + (f"?{rest}" if rest else "")
        cookie = f"{self.name}={self._cookie}; Path=/; HttpOnly; SameSite=Strict"
        _say(line, "303 See Other", f"Location: {place}\r\nSet-Cookie: {cookie}\r\n")
        return True

    def _known(self, heading: Heading) -> bool:
        pairs = [one.strip().partition("=") for value in heading.all("cookie") for one in value.split(";")]
        shown = [value for name, _, value in pairs if name == self.name]
        if any(one not in _PAGES for one in heading.all("sec-fetch-site")):
            return False
        return len(shown) == 1 and hmac.compare_digest(shown[0].encode(), self._cookie.encode())

    def _hand_on(self, line: socket.socket, first: bytes) -> None:
        try:
            way = self._way()
        except Failed:
            _say(line, "502 Bad Gateway")
            return
        line.settimeout(None)
        threading.Thread(target=_goes, args=(line, way, first), daemon=True).start()
        try:
            while part := way.hear():
                line.sendall(part)
        except OSError:
            pass
        way.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


def _goes(line: socket.socket, way: Way, first: bytes) -> None:
    """What the browser says, until it has said all."""
    try:
        part = first
        while part and way.say(part):
            part = line.recv(PIECE)
    except OSError:
        pass
    way.done()


def _head(line: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and what came behind it. Raises ValueError for one that is too long or has no end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = line.recv(PIECE)
        if not part or len(data) > HEAD:
            raise ValueError("no head")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _say(line: socket.socket, status: str, more: str = "") -> None:
    with suppress(OSError):
        line.sendall(f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1"))
