"""One request that says and hears at once: its body goes out as it is made, its answer comes in as it arrives.

A connection of its own, which no other request shares. HTTP/1.1 in chunks (RFC 9112 section 7.1) both ways.
"""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import suppress

import msgspec

from casemate.cli.client import Client
from casemate.cli.failure import Failed, failed
from casemate.cli.tongue import language
from casemate.errors import NotRunning, Unavailable
from casemate.words import Problem

__all__ = ["Duplex"]

PIECE = 64 << 10


class Duplex:
    """Open from its making until `close`. Raises Failed with what the region tells instead of an answer.

    `say` and `hear` may be called by two threads.
    """

    def __init__(self, client: Client, path: str, acting: str) -> None:
        self._open = client.connect()
        self._turn = threading.Lock()
        try:
            self._open.connect()
        except OSError:
            raise failed(NotRunning(folder=client.where)) from None
        self._socket = self._open.sock
        try:
            self._open.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers(client, acting):
                self._open.putheader(name, value)
            self._open.endheaders()
            self._answer = self._open.getresponse()
        except (http.client.HTTPException, OSError):
            self.close()
            raise failed(Unavailable(what=client.where)) from None
        self.label = self._answer.getheader("Casemate-Label", "")
        self.marking = self._answer.getheader("Casemate-Marking", "")
        if self._answer.status >= 400:
            raw = self._answer.read()
            self.close()
            try:
                raise Failed(msgspec.json.decode(raw, type=Problem), self.marking)
            except msgspec.DecodeError:
                raise failed(Unavailable(what=client.where)) from None
        self._socket.settimeout(None)  # nobody may say anything for hours

    @staticmethod
    def _headers(client: Client, acting: str) -> list[tuple[str, str]]:
        told = [("Host", "casemate.local"), ("Transfer-Encoding", "chunked"), ("Accept-Language", language())]
        told += [("Casemate-Acting-Label", acting)] if acting else []
        told += [("Casemate-Acting-Needs", client.needs)] if client.needs else []
        return told + ([("Authorization", f"Bearer {client.key}")] if client.key else [])

    def say(self, data: bytes) -> bool:
        """Into the body; False where nobody listens any more."""
        if not data:
            return True
        try:
            with self._turn:
                self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            return False
        return True

    def done(self) -> None:
        """There is no more to say."""
        with self._turn, suppress(OSError):
            self._socket.sendall(b"0\r\n\r\n")

    def hear(self) -> bytes:
        """What has come of the answer; empty where it has ended, or broken off."""
        try:
            return self._answer.read1(PIECE)
        except (http.client.HTTPException, OSError, ValueError):
            return b""

    def hang_up(self) -> None:
        """Whoever waits for the answer is told that it has ended; he closes it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.hang_up()
        self._open.close()
