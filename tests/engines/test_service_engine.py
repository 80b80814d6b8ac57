"""A model behind replicas: the doors as files, the one with the fewest is asked, and nothing is answered twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from casemate.access import Threads
from casemate.engines.job_folder import boot, started
from casemate.engines.service_doors import ServiceDoors, reached
from casemate.engines.service_engine import ServiceEngine
from casemate.errors import BadInput, EngineFailed
from casemate.jobs.services import Way
from casemate.models import Message, Prompt

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HERE = os.uname().nodename
ASKED = Prompt(model="m", messages=(Message("user", "Well?"),), max_tokens=4)


def _token(number: int) -> str:
    return f"{number:032x}"


def _folder(root: Path, number: int) -> Path:
    folder = root / "jobs" / "low" / _token(number)
    folder.mkdir(parents=True, exist_ok=True)
    claim = {"pid": os.getpid(), "start": started(os.getpid()), "boot": boot(), "node": HERE, "nonce": "n", "at": 1}
    (folder / "claim").write_bytes(msgspec.json.encode(claim))
    return folder


def _says(word: str, heard: list[str], status: int = 200) -> Answers:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(one.split(b":")[1]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length"))
        streamed = b'"stream":true' in await reader.readexactly(size)
        heard.append(word)
        first = {"model": "m", "choices": [{"index": 0, "delta": {"content": word}}]}
        body = b"data: " + msgspec.json.encode(first) + b"\n\n"
        last = {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        body += b"data: " + msgspec.json.encode(last) + b"\n\ndata: [DONE]\n\n"
        media = b"text/event-stream"
        if not streamed:
            one = {"index": 0, "message": {"role": "assistant", "content": word}, "finish_reason": "stop"}
            body, media = msgspec.json.encode({"model": "m", "choices": [one]}), b"application/json"
        if word == "dies":
            body = body[: len(body) // 2]
        writer.write(b"HTTP/1.1 %d x\r\nContent-Type: %b\r\nConnection: close\r\n\r\n" % (status, media) + body)
        await writer.drain()
        writer.close()

    return answer


@asynccontextmanager
async def _serves(folder: Path, answers: Answers) -> AsyncIterator[None]:
    held = os.open(folder, os.O_PATH)  # a test's path may be longer than a socket's address
    server = await asyncio.start_unix_server(answers, f"/proc/self/fd/{held}/serve.sock")
    try:
        yield
    finally:
        server.close()
        os.close(held)


async def _said(engine: ServiceEngine) -> str:
    return "".join([delta.text async for delta in engine.generate(ASKED, 5.0)])


def _doors(root: Path) -> ServiceDoors:
    doors = ServiceDoors(root / "services", {"process": root / "jobs"}, Threads())
    doors.clear()
    return doors


def _way(number: int, node: str = HERE, port: int = 0, host: str = "") -> Way:
    return Way("process", _token(number), node, port, host)


async def test_doors_are_what_was_said_last_and_a_start_clears_them(tmp_path: Path) -> None:
    doors, root = _doors(tmp_path), tmp_path / "services"
    await doors.open("low", "job_a", {0: _way(1), 1: _way(2)})
    assert sorted(reached(root, "low", "job_a")) == ["0", "1"]
    assert (root / "low" / "job_a.json").stat().st_mode & 0o077 == 0
    await doors.open("low", "job_a", {1: _way(2)})
    assert sorted(reached(root, "low", "job_a")) == ["1"]
    assert (reached(root, "high", "job_a"), reached(root, "low", "job_b")) == ({}, {})
    (root / "low" / "job_a.json").write_bytes(b"[")
    assert reached(root, "low", "job_a") == {}
    await doors.open("low", "job_a", {})
    await doors.open("low", "job_b", {0: Way("gone", _token(1), HERE, 0), 1: Way("process", "../up", HERE, 0)})
    assert reached(root, "low", "job_b") == {}
    doors.clear()
    assert not root.exists(), "nor is a folder left behind"
    with pytest.raises(BadInput):
        reached(root, "../low", "job_a")


async def test_on_another_node_the_secret_of_the_order_is_said_first(tmp_path: Path) -> None:
    doors, heard = _doors(tmp_path), list[str]()
    order = _folder(tmp_path, 1) / "order.json"
    order.write_bytes(b"{}")
    await doors.open("low", "job_a", {0: _way(1, "n1", 9000, "n1")})
    assert reached(tmp_path / "services", "low", "job_a") == {}  # nobody would be let in

    async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readexactly(4)).decode())
        writer.write(says[0])
        with suppress(asyncio.IncompleteReadError):  # whoever is no door is told nothing more
            await _says("far", heard)(reader, writer)

    server, says = await asyncio.start_server(door, "127.0.0.1", 0), [b"a7a7"]
    port = server.sockets[0].getsockname()[1]
    order.write_bytes(msgspec.json.encode({"serve": {"knock": "5e5ea7a7"}}))
    await doors.open("low", "job_a", {0: _way(1, "127.0.0.1", port)})
    assert reached(tmp_path / "services", "low", "job_a") == {}  # its folder alone says where it runs
    await doors.open("low", "job_a", {0: _way(1, "n1", port, "127.0.0.1")})
    engine = ServiceEngine("m", tmp_path / "services", "low", "job_a")
    assert await _said(engine) == "far"
    assert heard == ["5e5e", "far"]
    await engine.close()
    for says[0] in (b"a7a8", b"5e5e", b"HTTP"):  # whoever listens at the port that the folder names is another
        heard.clear()
        engine = ServiceEngine("m", tmp_path / "services", "low", "job_a")
        with pytest.raises(EngineFailed):
            await _said(engine)
        assert set(heard) == {"5e5e"}  # and is told no request
        await engine.close()
    server.close()


@pytest.mark.parametrize("laid", ["link", "deep", "large", "shape"])
async def test_what_lies_in_the_place_of_an_order_leads_nowhere(tmp_path: Path, laid: str) -> None:
    """On a cluster the folder is a user's, who knows no other label's secret and is not to be believed."""
    doors, theirs = _doors(tmp_path), _folder(tmp_path, 2) / "order.json"
    theirs.write_bytes(msgspec.json.encode({"serve": {"knock": "5e5e"}}))
    order = _folder(tmp_path, 1) / "order.json"
    if laid == "link":
        order.symlink_to(theirs)
    elif laid == "deep":
        order.write_bytes(b'{"more": ' + b"[" * 400_000 + b"]" * 400_000 + b', "serve": {"knock": "5e5e"}}')
    elif laid == "large":
        order.write_bytes(b'{"serve": {"knock": "5e5e"}}' + b" " * (1 << 20))
    else:
        order.write_bytes(msgspec.json.encode({"serve": {"knock": "GET / HTTP/1.1\r\n\r\n"}}))
    await doors.open("low", "job_a", {0: _way(1, "n1", 9000, "n1")})
    assert reached(tmp_path / "services", "low", "job_a") == {}


async def test_a_replica_that_fails_before_it_answers_loses_nothing_and_one_that_fails_after_is_told(
    tmp_path: Path,
) -> None:
    doors, heard = _doors(tmp_path), list[str]()
    engine = ServiceEngine("m", tmp_path / "services", "low", "job_a")
    with pytest.raises(EngineFailed) as nobody:
        await _said(engine)
    assert nobody.value.cause == "down"
    first, second = _folder(tmp_path, 1), _folder(tmp_path, 2)
    await doors.open("low", "job_a", {0: _way(1), 1: _way(2)})
    async with _serves(second, _says("well", heard)):  # of the first nobody listens
        for _ in range(4):
            assert await _said(engine) == "well"
            assert [delta.text for delta in await engine.whole(ASKED, 5.0) if delta.text] == ["well"]
    heard.clear()
    async with _serves(first, _says("dies", heard)), _serves(second, _says("dies", heard)):
        with pytest.raises(EngineFailed):
            await _said(engine)
        assert heard == ["dies"]  # its answer had begun: nobody is asked again
    async with _serves(first, _says("busy", heard, 503)), _serves(second, _says("wrong", heard, 400)):
        with pytest.raises(EngineFailed) as wrong:
            await _said(engine)
        assert wrong.value.cause in ("busy", "rejected")
        with pytest.raises(EngineFailed):
            await engine.whole(ASKED, 5.0)
        with pytest.raises(EngineFailed):
            await engine.vectors("m", ["a"], 5.0)
    await engine.close()


async def test_what_is_taken_out_finishes_and_is_asked_nothing_new(tmp_path: Path) -> None:
    doors, heard, goes_on = _doors(tmp_path), list[str](), asyncio.Event()
    old, new = _folder(tmp_path, 1), _folder(tmp_path, 2)

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        await _says("old", heard)(reader, writer)

    engine = ServiceEngine("m", tmp_path / "services", "low", "job_a")
    await doors.open("low", "job_a", {0: _way(1)})
    async with _serves(old, slow), _serves(new, _says("new", heard)):
        asked = asyncio.create_task(_said(engine))
        await asyncio.sleep(0.05)
        await doors.open("low", "job_a", {1: _way(2)})
        assert await _said(engine) == "new"
        goes_on.set()
        assert await asked == "old"
        assert await _said(engine) == "new"
    assert heard == ["new", "old", "new"]
    await engine.close()


async def test_a_link_to_another_socket_is_no_replica(tmp_path: Path) -> None:
    doors, heard = _doors(tmp_path), list[str]()
    folder, other = _folder(tmp_path, 1), tmp_path / "other"
    other.mkdir()
    (folder / "serve.sock").symlink_to(other / "serve.sock")
    await doors.open("low", "job_a", {0: _way(1)})
    async with _serves(other, _says("mine", heard)):
        with pytest.raises(EngineFailed):
            await _said(ServiceEngine("m", tmp_path / "services", "low", "job_a"))
    assert heard == []
