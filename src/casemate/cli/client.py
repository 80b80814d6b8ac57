"""A client of the native API: over the region's local socket as whoever runs this, or over TCP with a key.

One connection, kept while it is in use. A read that finds it closed is asked once more; what changes something is never
sent twice, since nobody knows how far it came.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from casemate.cli.failure import Failed, failed
from casemate.cli.tongue import language
from casemate.errors import NotRunning, Unavailable
from casemate.words import Problem

__all__ = ["Answer", "Client", "local", "remote"]

PATIENCE = 600.0
PIECE = 1 << 20
IDLE = 5.0  # seconds after which a kept connection is not trusted: the region closes it after some more


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its data, and how all of it is to be handled."""

    status: int
    data: Any
    label: str
    marking: str
    mark: str
    entry: str
    raw: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Client:
    """`marked` is told the marking of each response before its data is given. Requests act with the authorizations
    `needs`, separated by commas."""

    connect: Callable[[], http.client.HTTPConnection]
    where: str
    marked: Callable[[str], None]
    key: str = ""
    needs: str = ""
    _open: http.client.HTTPConnection | None = field(default=None, repr=False)
    _used: float = 0.0

    def get(self, path: str, acting: str = "", **query: str) -> Answer:
        return self.call("GET", path, acting=acting, query=query)

    def post(self, path: str, body: Any = None, acting: str = "", **query: str) -> Answer:
        return self.call("POST", path, body, acting, query)

    def call(
        self, method: str, path: str, body: Any = None, acting: str = "", query: Mapping[str, str] | None = None
    ) -> Answer:
        """The whole response. Raises Failed with the region's own Problem."""
        answer = self.raw(method, path, body, acting, query)
        if answer.status >= 400:
            raise self._problem(answer.raw, answer.marking)
        self.marked(answer.marking)
        return answer

    def raw(
        self, method: str, path: str, body: Any = None, acting: str = "", query: Mapping[str, str] | None = None
    ) -> Answer:
        """The whole response, whatever it says."""
        response = self._send(method, path, body, acting, query or {})
        raw = self._read(response)
        told = self._document(raw) if response.headers.get_content_type() == "application/json" else {}
        return Answer(
            status=response.status,
            data=told.get("data", told),
            label=response.getheader("Casemate-Label", ""),
            marking=response.getheader("Casemate-Marking", ""),
            mark=str(told.get("mark", "")),
            entry=response.getheader("Casemate-Ledger", ""),
            raw=raw,
            headers=tuple(response.getheaders()),
        )

    def stream(self, path: str, body: Any, acting: str = "") -> Iterator[dict[str, Any]]:
        """The deltas of a streamed answer; first `{"label", "marking", "entry"}` of the whole."""
        response = self._send("POST", path, body, acting, {})
        head = {name: response.getheader(f"Casemate-{name.title()}", "") for name in ("label", "marking", "ledger")}
        if response.status >= 400:
            raise self._problem(self._read(response), head["marking"])
        self.marked(head["marking"])
        yield {"label": head["label"], "marking": head["marking"], "entry": head["ledger"]}
        event = ""
        for line in self._lines(response):
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: ") and event == "problem":
                raise Failed(msgspec.json.decode(line[6:], type=Problem), head["marking"])
            elif line.startswith("data: "):
                yield json.loads(line[6:])

    def into(self, path: str, take: Callable[[bytes], None], acting: str = "") -> Answer:
        """A body in pieces as it arrives, for what is too large to be held. Raises Failed where it breaks off."""
        response = self._send("GET", path, None, acting, {})
        marking = response.getheader("Casemate-Marking", "")
        if response.status >= 400:
            raise self._problem(self._read(response), marking)
        self.marked(marking)
        while piece := self._read(response, PIECE):
            take(piece)
        if response.length:  # it broke off
            self.close()
            raise failed(Unavailable(what=self.where))
        label, entry = response.getheader("Casemate-Label", ""), response.getheader("Casemate-Ledger", "")
        return Answer(response.status, None, label, marking, "", entry, b"", tuple(response.getheaders()))

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _send(
        self, method: str, path: str, body: Any, acting: str, query: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        target = quote(path) + (f"?{urlencode(query)}" if query else "")
        plain = body is None or isinstance(body, (bytes, io.BufferedReader))
        raw = body if plain else msgspec.json.encode(body)
        headers = {"Accept-Language": language(), "Host": "casemate.local"}
        if acting:
            headers["Casemate-Acting-Label"] = acting
        if self.needs:
            headers["Casemate-Acting-Needs"] = self.needs
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if time.monotonic() - self._used > IDLE:
            self.close()
        kept = self._open is not None and method == "GET"
        try:
            return self._ask(method, target, raw, headers)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            if not kept or not isinstance(error, ConnectionError):  # RemoteDisconnected is one
                raise failed(Unavailable(what=self.where)) from None
        try:
            return self._ask(method, target, raw, headers)
        except (http.client.HTTPException, OSError):
            self.close()
            raise failed(Unavailable(what=self.where)) from None

    def _ask(
        self, method: str, target: str, raw: bytes | io.BufferedReader | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        if isinstance(raw, io.BufferedReader):  # a file goes out as it is read
            headers = {**headers, "Content-Length": str(os.fstat(raw.fileno()).st_size)}
        if self._open is None:
            opened = self.connect()
            try:
                opened.connect()
            except OSError:
                raise failed(NotRunning(folder=self.where)) from None
            self._open = opened
        try:
            self._open.request(method, target, raw, dict(headers))
        except UnicodeEncodeError:
            self.close()
            raise
        response = self._open.getresponse()
        self._used = time.monotonic()
        return response

    def _read(self, response: http.client.HTTPResponse, most: int | None = None) -> bytes:
        try:
            return response.read(most)
        except (http.client.HTTPException, OSError):
            self.close()
            raise failed(Unavailable(what=self.where)) from None

    def _lines(self, response: http.client.HTTPResponse) -> Iterator[str]:
        try:
            for line in response:
                yield line.decode().rstrip("\n")
        except (http.client.HTTPException, OSError, ValueError):
            self.close()
            raise failed(Unavailable(what=self.where)) from None

    def _document(self, raw: bytes) -> dict[str, Any]:
        try:
            told = json.loads(raw)
        except ValueError:
            raise failed(Unavailable(what=self.where)) from None
        return told if isinstance(told, dict) else {"data": told}

    def _problem(self, raw: bytes, marking: str) -> Failed:
        """The region's own telling; what is none of its tellings came from something else."""
        try:
            return Failed(msgspec.json.decode(raw, type=Problem), marking)
        except msgspec.DecodeError:
            return failed(Unavailable(what=self.where))


class _Local(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: Path) -> None:
        super().__init__("casemate.local", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        from casemate.wiring import reachable

        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with reachable(self._path) as name:
            self.sock.connect(name)


def local(path: Path, folder: str, marked: Callable[[str], None]) -> Client:
    """The region of a folder, as the user who runs this."""
    return Client(lambda: _Local(path), folder, marked)


def remote(url: str, key: str, marked: Callable[[str], None]) -> Client:
    """A region on this machine's network, with a key."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    return Client(lambda: http.client.HTTPConnection(host, port, timeout=PATIENCE), url, marked, key)
