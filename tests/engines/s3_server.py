"""A small S3-shaped server on loopback that can be told to fail, and how.

PUT, GET, HEAD, DELETE and the second form of listing, with ETag, If-None-Match, Range and signatures that are really
checked (SigV4). It keeps what it is given in memory, or beneath a folder where several processes shall see it.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from casemate.engines.s3_client import Bucket
from casemate.engines.sigv4_sign import AccessKey
from casemate.identity import Signed
from casemate.identity.sigv4 import parse_authorization, signature

KEY = AccessKey("AKIDTEST", "wJalrXUtnFEMI-test")
BUCKET = "region-blobs"


@dataclass
class S3Server:
    """What it holds, what it was asked, and the faults that the next requests of a method meet."""

    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)  # (method, kind), one for each request, in order
    always: dict[str, str] = field(default_factory=dict)  # method to kind, for every request
    key: AccessKey = KEY
    port: int = 0
    scheme: str = "http"
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def bucket(self, **changed: Any) -> Bucket:
        """How an engine reaches it."""
        told: dict[str, Any] = {
            "name": BUCKET,
            "endpoint": f"{self.scheme}://127.0.0.1:{self.port}",
            "key": lambda: self.key,
            "prefix": "p",
            "seconds": 1.0,
        }
        return Bucket(**{**told, **changed})

    def fault(self, method: str) -> str:
        with self.lock:
            for at, (which, kind) in enumerate(self.faults):
                if which == method:
                    del self.faults[at]
                    return kind
            return self.always.get(method, "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    s3: S3Server

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.answer()

    do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815 - the names that the base class asks for

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        key = unquote(path).removeprefix(f"/{BUCKET}/")
        self.s3.asked.append((self.command, key))
        kind = self.s3.fault(self.command)
        if kind == "hang":
            self.s3.over.wait(20)
            self.close_connection = True
        elif kind == "reset":
            self.close_connection = True
        elif kind.isdigit():
            self.reply(int(kind), f"<Error><Code>{ {'507': 'XMinioStorageFull'}.get(kind, 'Fault') }</Code></Error>")
        elif not self.path.startswith("/"):
            self.reply(400, "<Error><Code>NotAProxy</Code></Error>")
        elif not self.signed(body, path, query):
            self.reply(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
        elif not path.startswith(f"/{BUCKET}"):
            self.reply(404, "<Error><Code>NoSuchBucket</Code></Error>")
        elif self.command == "GET" and "list-type=2" in query:
            self.listed(parse_qs(query).get("prefix", [""])[0])
        else:
            getattr(self, f"on_{self.command.lower()}")(key, body, kind)

    def signed(self, body: bytes, path: str, query: str) -> bool:
        auth = parse_authorization(self.headers.get("authorization", ""))
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        request = Signed(auth.key_id, self.command, path, query, headers, body, "")
        told = self.headers.get("x-amz-content-sha256", "")
        mine = self.s3.key
        return (
            auth.key_id == mine.id
            and told == hashlib.sha256(body).hexdigest()
            and signature(request, auth, mine.secret) == auth.signature
            and self.headers.get("x-amz-security-token", "") == mine.token
        )

    def on_put(self, key: str, body: bytes, kind: str) -> None:
        with self.s3.lock:
            if self.headers.get("if-none-match") == "*" and key in self.s3.objects:
                self.reply(412, "<Error><Code>PreconditionFailed</Code></Error>")
                return
            kept = {"lose": body[: len(body) // 2], "wrong": _wrong(body)}.get(kind, body)
            if kind != "forget":
                self.s3.objects[key] = kept
        if kind == "late":  # it landed, and nobody is told
            self.close_connection = True
            return
        self.reply(200, etag=_etag(body))

    def on_get(self, key: str, body: bytes, kind: str) -> None:
        data = self.s3.objects.get(key)
        if data is None:
            self.reply(404, "<Error><Code>NoSuchKey</Code></Error>")
            return
        start, status = 0, 200
        asked = self.headers.get("range", "")
        stop = len(data)
        if asked.startswith("bytes="):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop, status = int(first), min(int(last) + 1 if last else stop, stop), 206
        part = data[start:stop]
        if kind == "wrong":
            part = _wrong(part)
        self.send_response(status)
        self.send_header("ETag", _etag(data))
        self.send_header("Last-Modified", "Sat, 21 Nov 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(part)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind in ("cut", "stall"):
            self.wfile.write(part[: len(part) // 2])
            self.wfile.flush()
            if kind == "stall":
                self.s3.over.wait(20)
            self.close_connection = True
            return
        self.wfile.write(part)

    on_head = on_get

    def on_delete(self, key: str, body: bytes, kind: str) -> None:
        with self.s3.lock:
            self.s3.objects.pop(key, None)
        self.reply(204)

    def listed(self, prefix: str) -> None:
        rows = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(data)}</Size>"
            f"<LastModified>2026-11-21T00:00:00Z</LastModified><ETag>{_etag(data)}</ETag></Contents>"
            for key, data in sorted(self.s3.objects.items())
            if key.startswith(prefix)
        )
        self.reply(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>")

    def reply(self, status: int, text: str = "", etag: str = "") -> None:
        data = text.encode()
        self.send_response(status)
        if etag:
            self.send_header("ETag", etag)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a client that went away."""


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _wrong(data: bytes) -> bytes:
    """One byte in the middle is another."""
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if data else data


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[S3Server]:
    """A server while this is entered."""
    told = S3Server()
    handler = type("Handler", (_Handler,), {"s3": told})
    server = _Server(("127.0.0.1", 0), handler)
    told.port = server.server_address[1]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        told.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":  # for a bench: says its port and serves until its input ends
    import sys

    with serving() as alone:
        print(alone.port, flush=True)
        sys.stdin.read()
