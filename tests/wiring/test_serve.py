"""What serves: bytes that are no HTTP, heads without end, loops that fail, a stop while somebody is being answered."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from casemate.clock import Loop
from casemate.errors import StorageFull
from casemate.wiring import House
from casemate.wiring import serve as module
from casemate.wiring.local import connect
from casemate.wiring.serve import run_loop, serve
from casemate.wiring.tcp import listen_tcp
from tests.laws.world import a_world


@asynccontextmanager
async def served(house: House, local: Path | None = None) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """The house behind TCP; its port, and the event that ends it."""
    stop, ready = asyncio.Event(), asyncio.Event()
    tcp = listen_tcp("127.0.0.1", 0)
    house.closers.clear()  # the world closes what it opened
    serving = asyncio.create_task(serve(house, tcp, local, ready.set, stop))
    await asyncio.wait_for(ready.wait(), 10)
    try:
        yield tcp.getsockname()[1], stop
    finally:
        stop.set()
        await asyncio.wait_for(serving, 20)


async def said(port: int, raw: bytes) -> bytes:
    """Everything that comes back on a connection that says this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


def run(story: Callable[[Any], Awaitable[None]]) -> None:
    async def told() -> None:
        async with a_world() as world:
            world.house.loops.clear()
            await story(world)

    asyncio.run(told())


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"v" * 500) for n in range(140)) + b"\r\n",
        b"POST /api/ask HTTP/1.1\r\ncontent-length: many\r\n\r\n",
    ],
    ids=["tls", "garbage", "version", "header", "path", "headers", "length"],
)
def test_what_is_no_request_is_told_under_a_mark(raw: bytes) -> None:
    async def story(world: Any) -> None:
        async with served(world.house) as (port, _):
            head, _, body = (await said(port, raw)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 "), head
            assert b"casemate-marking: UNCLASSIFIED" in head
            assert b"casemate-label: agency=EXERCISE" in head
            problem = json.loads(body)
            assert problem["slug"] == "malformed"
            assert "HTTP/1.1" in problem["detail"]
            good = await said(port, b"GET /api/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert good.startswith(b"HTTP/1.1 200 ")

    run(story)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_fifty_megabytes_is_refused_and_the_connection_goes_on(chunked: bool) -> None:
    """Whoever sends it whole, as clients do, reads why it was not taken, and may ask again."""

    async def story(world: Any) -> None:
        await world.person("ana", "us:SECRET//NOFORN")
        bearer = f"host: x\r\nauthorization: Bearer {world.keys['ana']}\r\n"
        size = "transfer-encoding: chunked" if chunked else f"content-length: {50 << 20}"
        async with served(world.house) as (port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"POST /api/ask HTTP/1.1\r\n{bearer}{size}\r\n\r\n".encode())
            piece = b"x" * (1 << 16)
            for _ in range(800):
                writer.write(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
                await writer.drain()
            writer.write(b"0\r\n\r\n" if chunked else b"")
            writer.write(f"GET /api/session HTTP/1.1\r\n{bearer}connection: close\r\n\r\n".encode())
            both = await asyncio.wait_for(reader.read(), 20)
            writer.close()
        assert both.startswith(b"HTTP/1.1 413 ")
        assert b"casemate-marking" in both
        assert b"HTTP/1.1 200 " in both

    run(story)


def test_the_local_socket_says_who_calls(tmp_path: Path) -> None:
    async def story(world: Any) -> None:
        path = tmp_path / "control.sock"
        async with served(world.house, path):
            reader, writer = await connect(path)
            writer.write(b"GET /api/session HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        import os

        expected = b"200" if os.getuid() == 0 else b"401"  # the world's owner is uid 0
        assert answer.split()[1] == expected
        assert not path.exists(), "removed at the end"

    run(story)


def test_nobody_on_tcp_is_a_peer() -> None:
    async def story(world: Any) -> None:
        async with served(world.house) as (port, _):
            answer = await said(port, b"GET /api/session HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 401 ")

    run(story)


def test_a_request_under_way_may_end_and_one_that_will_not_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)

    async def story(world: Any) -> None:
        ended: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            try:
                await asyncio.sleep(0.1 if scope["path"] == "/short" else 60)
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"done"})
                ended.append("done")
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

        world.house.app = app
        async with served(world.house) as (port, stop):
            request = "GET /{} HTTP/1.1\r\nhost: x\r\n\r\n"
            asked = [asyncio.create_task(said(port, request.format(path).encode())) for path in ("short", "long")]
            await asyncio.sleep(0.05)
            stop.set()
            answers = await asyncio.gather(*asked, return_exceptions=True)
        assert b"done" in answers[0]
        assert ended == ["done", "cancelled"]

    run(story)


def test_a_loop_that_fails_is_said_once_and_tried_again(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "SLOWEST", 0.01)
    outcomes: list[Any] = [StorageFull(), StorageFull(), ValueError("secret text"), 1, StorageFull(), 0]
    steps: list[Any] = []

    async def step() -> int:
        steps.append(None)
        if not outcomes:
            raise asyncio.CancelledError
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return int(outcome)

    async def story() -> None:
        with pytest.raises(asyncio.CancelledError):
            await run_loop(Loop("a.loop", 0.001, step))

    asyncio.run(story())
    told = capsys.readouterr().err
    assert told.splitlines() == [f"casemate: a.loop: {slug}" for slug in ("storage-full", "ValueError", "storage-full")]
    assert "secret text" not in told
    assert len(steps) == 7


def test_a_steady_loop_keeps_its_beat_whatever_a_step_took_moved_or_raised(monkeypatch: Any) -> None:
    """Else how often it runs would tell how much there was to do."""

    class Beat:
        now = 0.0

        def time(self) -> float:
            return self.now

    beat, begun = Beat(), []
    steps: list[tuple[float, int | Exception]] = [
        (0.25, 1), (0.0, StorageFull()), (0.75, StorageFull()), (0.5, 7), (0.0, 0), (2.5, 1), (0.0, 1),
    ]  # fmt: skip

    async def step() -> int:
        begun.append(beat.now)
        if not steps:
            raise asyncio.CancelledError
        took, outcome = steps.pop(0)
        beat.now += took
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(seconds: float) -> None:
        beat.now += seconds

    async def story() -> None:
        monkeypatch.setattr(module.asyncio, "get_running_loop", lambda: beat)
        monkeypatch.setattr(module.asyncio, "sleep", sleep)
        with pytest.raises(asyncio.CancelledError):
            await run_loop(Loop("a.loop", 1.0, step, steady=True))
        monkeypatch.undo()

    asyncio.run(story())
    assert begun == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.5, 8.5], "one that took too long delays the next and no other"


def test_a_port_that_was_closed_is_free_again() -> None:
    with listen_tcp("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    with listen_tcp("127.0.0.1", port), socket.socket() as caller:
        caller.connect(("127.0.0.1", port))
