"""Spans on their way to a collector: taken or dropped, once, a connection for each domain."""

from __future__ import annotations

import asyncio
from typing import Self

import pytest

from casemate.engines.otlp_http import ANSWER, OtlpHttp


class Collector:
    """A server that answers with a script, and remembers what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(size))
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(status: str, body: bytes = b"{}") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (answer("200 OK"), True),
        (answer("202 Accepted", b""), True),
        (answer("307 Temporary Redirect"), False),
        (answer("429 Too Many Requests"), False),
        (answer("503 Service Unavailable"), False),
        (answer("200 OK", b"x" * (ANSWER + 1)), False),
        (b"no HTTP at all\r\n\r\n", False),
    ],
)
async def test_it_was_taken_or_it_was_not(said: bytes, taken: bool) -> None:
    async with Collector(said) as collector:
        client = OtlpHttp(f"{collector.url}/otel/")
        assert await client.send(b'{"resourceSpans":[]}', "low") is taken
        client.close()
        assert collector.bodies == [b'{"resourceSpans":[]}'], "once, whatever it said"
        [head] = collector.heads
        assert head.startswith(b"POST /otel/v1/traces HTTP/1.1\r\n")
        assert b"Content-Type: application/json\r\n" in head


async def test_each_domain_has_a_connection_of_its_own() -> None:
    async with Collector(answer("200 OK")) as collector:
        client = OtlpHttp(collector.url)
        for partition in ("low", "high", "low", "high"):
            assert await client.send(b"{}", partition)
        client.close()
        assert collector.connections == 2


async def test_nobody_there_is_a_drop() -> None:
    async with Collector(b"") as collector:
        url = collector.url
    client = OtlpHttp(url)
    assert not await client.send(b"{}", "low")
    client.close()


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1", "http://user:word@127.0.0.1", "http://127.0.0.1/?q=1"])
def test_what_is_no_base_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        OtlpHttp(url)
