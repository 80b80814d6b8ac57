"""An OpenAI-shaped server that costs as little as it can: `python -m bench.parts.stub PORT [TOKENS_PER_SECOND]`.

It answers a fixed body, or 66 chunks, each in a write of its own; with a speed, one chunk every 1/speed seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop

CHUNKS = 64
WORDS = "hello world " * 20


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    said = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stub", "choices": [choice]}
    data = b"data: " + json.dumps(said).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


def _whole() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": WORDS}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 20, "completion_tokens": 40, "total_tokens": 60}
    said = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub"}
    body = json.dumps(said | {"choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


WHOLE = _whole()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
PIECES = [_chunk({"role": "assistant", "content": f"tok{n} "}) for n in range(CHUNKS)]
PIECES += [_chunk({}, "stop"), b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"]


class Stub(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (head := self.data.find(b"\r\n\r\n")) >= 0:
            said = self.data[:head].lower()
            place = said.find(b"content-length:")
            size = int(said[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self.data) < head + 4 + size:
                return
            body, self.data = self.data[head + 4 : head + 4 + size], self.data[head + 4 + size :]
            if b'"stream":true' in body.replace(b" ", b""):
                self.transport.write(HEAD)
                self.step(0)
            else:
                self.transport.write(WHOLE)

    def step(self, place: int) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(PIECES[place])
        if place + 1 < len(PIECES):
            loop = asyncio.get_running_loop()
            if self.pause:
                loop.call_later(self.pause, self.step, place + 1)
            else:
                loop.call_soon(self.step, place + 1)


async def main(port: int, speed: float) -> None:
    pause = 1 / speed if speed else 0.0
    server = await asyncio.get_running_loop().create_server(lambda: Stub(pause), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
