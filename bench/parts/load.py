"""A load of one kind of request: `python -m bench.parts.load '{"port": ..., ...}'` prints what it saw as JSON.

Every connection sends its next request when the last answer is whole. The time of each answer is kept, and that
nothing but 200 came.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import httptools
import uvloop


@dataclass
class Seen:
    """What all connections saw. `seconds`: of each answer, from the last byte sent to the last received."""

    left: int
    seconds: list[float] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)
    size: int = 0


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, seen: Seen, over: asyncio.Future[None]) -> None:
        self.request, self.seen, self.over = request, seen, over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.send()

    def send(self) -> None:
        if self.seen.left <= 0:
            self.transport.close()
            return
        self.seen.left -= 1
        self.parser = httptools.HttpResponseParser(self)
        self.since = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.seen.size += len(body)

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if status != 200:
            self.seen.wrong[str(status)] = self.seen.wrong.get(str(status), 0) + 1
        self.seen.seconds.append(time.perf_counter() - self.since)
        asyncio.get_running_loop().call_soon(self.send)

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


async def main(asked: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(asked["body"]).encode()
    lines = [f"POST {asked['path']} HTTP/1.1", f"host: 127.0.0.1:{asked['port']}", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in asked["headers"].items()] + [f"content-length: {len(body)}"]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    seen = Seen(asked["requests"])
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(asked["connections"])]
    began = time.perf_counter()
    for end in ends:
        await loop.create_connection(lambda end=end: Client(request, seen, end), "127.0.0.1", asked["port"])
    await asyncio.gather(*ends)
    took = time.perf_counter() - began
    times = sorted(seen.seconds)
    place = {name: times[min(int(len(times) * share), len(times) - 1)] for name, share in SHARES.items()}
    return {"requests": len(times), "seconds": took, "wrong": seen.wrong, "bytes": seen.size} | place


SHARES = {"p50": 0.5, "p99": 0.99}

if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(json.loads(sys.argv[1])))))
