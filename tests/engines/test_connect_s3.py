"""A bucket as a source: what lies under its prefix, by key and tag; what goes wrong is told without the store's say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

pytest.importorskip("obstore")

from casemate.engines import connect_s3
from casemate.engines.connect_s3 import S3Connector
from casemate.engines.s3_client import Bucket
from casemate.engines.sigv4_sign import AccessKey
from casemate.errors import BadInput, Misconfigured, Unavailable

FILES = {"press/a.txt": b"one", "press/in/b.txt": b"two", "other/c.txt": b"three"}
SIGNED: list[str] = []


class Store(BaseHTTPRequestHandler):
    """As much of S3 as a list and a get need."""

    def do_GET(self) -> None:
        SIGNED.append(self.headers.get("authorization", ""))
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if "list-type" in query:
            prefix = query.get("prefix", [""])[0]
            rows = "".join(
                f"<Contents><Key>{key}</Key><Size>{len(data)}</Size><ETag>&quot;{hash(data) % 997}&quot;</ETag>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                for key, data in sorted(FILES.items())
                if key.startswith(prefix)
            )
            body = f"<?xml version='1.0'?><ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
            self._send(200, body.encode())
            return
        data = FILES.get(unquote(parts.path).removeprefix("/bucket/"))
        if data is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._send(200, data)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def store() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def connector(endpoint: str, under: str = "", prefix: str = "") -> S3Connector:
    def bucket() -> Bucket:
        return Bucket("bucket", endpoint, lambda: AccessKey("ID", "secret"), prefix=prefix, seconds=1.0, retries=0)

    return S3Connector(bucket, under, "class")


async def test_what_lies_there_is_listed_and_had_signed() -> None:
    with store() as endpoint:
        found = await connector(endpoint, "press").list()
        assert [(each.key, each.size) for each in found] == [("a.txt", 3), ("in/b.txt", 3)]
        assert len({each.version for each in found}) == 2
        assert await connector(endpoint, "press").fetch("in/b.txt") == b"two"
        assert [each.key for each in await connector(endpoint, "in", "/press/").list()] == ["b.txt"]
        assert [each.key for each in await connector(endpoint).list()] == sorted(FILES)
        assert all("Credential=ID/" in header for header in SIGNED)
        with patch.object(connect_s3, "OBJECTS", 1):
            assert len(await connector(endpoint).list()) == 1
        with patch.object(connect_s3, "SIZE", 2), pytest.raises(BadInput):
            await connector(endpoint, "press").fetch("a.txt")
        with pytest.raises(Unavailable) as error:
            await connector(endpoint).fetch("never")
        assert error.value.facts == {"what": "object"}


async def test_what_does_not_answer_is_told_without_its_words() -> None:
    with store() as endpoint:
        pass
    with pytest.raises(Unavailable) as error:
        await connector(endpoint).list()
    assert (error.value.facts, error.value.__cause__) == ({"what": "bucket"}, None)


async def test_a_key_that_cannot_be_read_is_told_as_ours() -> None:
    def bucket() -> Bucket:
        raise Misconfigured(setting="knowledge.places.b.key_file", why="the file cannot be read")

    with pytest.raises(Misconfigured):
        await S3Connector(bucket, "", "class").list()


@pytest.mark.parametrize("under", ["..", "a//b", "/a", ".hidden"])
def test_no_step_leads_out(under: str) -> None:
    with pytest.raises(BadInput):
        connector("http://127.0.0.1:1", under)
