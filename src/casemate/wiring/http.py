"""HTTP as it arrives: bounded before it is understood, and answered under a mark even where it never is.

Two forms of one protocol. On the local socket the caller is who the kernel says; on TCP he is nobody until he shows a
credential.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from casemate.doors.frame import LEAVING, App, Leaving
from casemate.doors.frame.enter import CERTIFICATE
from casemate.errors import BadInput, Unauthenticated
from casemate.identity.certificate import Certificate, shown
from casemate.words import problem, say

if TYPE_CHECKING:
    from uvicorn._types import ASGISendCallable, ASGISendEvent

__all__ = ["PeerProtocol", "TcpProtocol", "config"]

HEAD_LIMIT = 64 << 10
_PEER = struct.Struct("3i")


class TcpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a bounded head. What cannot be read is told like any problem, at the region's floor."""

    _head = 0
    _certificate: Certificate | None = None

    def connection_made(self, transport: Any) -> None:
        """The client's certificate, where it has shown one: OpenSSL has seen that it holds the key."""
        super().connection_made(transport)
        self._leaving = Leaving()
        secured = transport.get_extra_info("ssl_object")
        der = None if secured is None else secured.getpeercert(binary_form=True)
        if der is not None:
            with contextlib.suppress(Unauthenticated):  # what cannot be read is as if it had not been shown
                self._certificate = shown(der)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever is being answered on this connection has left."""
        super().connection_lost(exc)
        self._leaving.left()

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()
        self.scope[LEAVING] = self._leaving  # type: ignore[literal-required]
        if self._certificate is not None:
            self.scope["extensions"] = {CERTIFICATE: {"shown": self._certificate}}

    def on_headers_complete(self) -> None:
        """A client that waits for 100 and is answered something else need not send its body (RFC 9110, 10.1.1). What
        comes next on the connection may then be a request or that body, and nobody can say which: it is closed."""
        before = self.cycle
        super().on_headers_complete()
        if self.expect_100_continue and self.cycle is not before:
            self.cycle.send = partial(_unasked, self.cycle, self.cycle.send)  # type: ignore[method-assign]

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        """An error in a callback ends the parsing: the caller gets the 400 below."""
        self._head += size
        if self._head > HEAD_LIMIT:
            raise ValueError("the head of a request is too large")

    def send_400_response(self, msg: str) -> None:
        del msg  # uvicorn's words; ours are in the catalogue
        app: App = self.config.app  # type: ignore[assignment]
        region = app.gate.vault.region
        body = msgspec.json.encode(problem(BadInput(what=say("frame.unreadable", "en")), "en", region.floor.text))
        lines = (
            "HTTP/1.1 400 Bad Request",
            "content-type: application/problem+json",
            f"content-length: {len(body)}",
            f"casemate-marking: {region.policies.banner(region.floor)}",
            f"casemate-label: {region.floor.text}",
            "connection: close",
        )
        self.transport.write("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)
        self.transport.close()


async def _unasked(cycle: RequestResponseCycle, send: ASGISendCallable, message: ASGISendEvent) -> None:
    if cycle.waiting_for_100_continue:
        cycle.keep_alive = False
    await send(message)


class PeerProtocol(TcpProtocol):
    """HTTP on the local socket: the client's address is the user id that the kernel gives (SO_PEERCRED)."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        self.client = ("peer", _PEER.unpack(raw)[1])


def config(app: Any) -> uvicorn.Config:
    """Uvicorn around the frame: silent, without its own headers, believing no proxy."""
    made = uvicorn.Config(
        app,
        http=TcpProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
    )
    made.load()
    return made
