"""An OpenAI-shaped server on loopback that answers as a test tells it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
DONE = b"data: [DONE]\n\n"


def event(**chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def said(text: str, finish: str | None = None) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": finish}])


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


WHOLE = [
    b": a comment\n\nevent: message\n",
    event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}]),
    said("Le cargo "),
    event(choices=[{"index": 0, "delta": {"reasoning_content": "hm"}}]),
    said("s’éloigne."),
    said("", "stop"),
    event(choices=[], usage={"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}),
    DONE,
]


def at_once(text: str, finish: str | None = "stop") -> Behave:
    """The whole answer in one JSON, to a request that does not stream."""
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    body = json.dumps({"choices": [message], "usage": {"prompt_tokens": 12, "completion_tokens": 5}}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return writes(head + body)


@dataclass
class Stub:
    """A server that reads a request and answers as it is told. `asked` is set then, `left` when its client has gone.

    `whole`: how it answers where the request does not stream.
    """

    behave: Behave
    whole: Behave
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            self.asked.set()
            behave = self.whole if b'"stream":false' in self.requests[-1] else self.behave
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.left.set()


@asynccontextmanager
async def served(
    behave: Behave, tls: ssl.SSLContext | None = None, whole: Behave | None = None
) -> AsyncIterator[tuple[Stub, str]]:
    stub = Stub(behave, whole or behave)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls is not None else "http"
    async with server:
        yield stub, f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def certificate(file: Path) -> ssl.SSLContext:
    """A server's context with a certificate for 127.0.0.1 that vouches for itself, both written to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private = key.private_bytes(serialization.Encoding.PEM, *form)
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def writes(*parts: bytes, then: str = "hang up") -> Behave:
    """Write the parts, one at a time; then hang up, or wait for the client to."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if then == "wait":
            await reader.read()

    return behave
