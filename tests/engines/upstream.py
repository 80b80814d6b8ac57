"""An OpenAI-shaped server on loopback that answers as a test tells it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

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


@dataclass
class Stub:
    """A server that reads a request and answers as it is told. `asked` is set then, `left` when its client has gone."""

    behave: Behave
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            self.asked.set()
            await self.behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.left.set()


@asynccontextmanager
async def served(behave: Behave) -> AsyncIterator[tuple[Stub, str]]:
    stub = Stub(behave)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    async with server:
        yield stub, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


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
