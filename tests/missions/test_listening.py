"""A listener's real sockets: what the standard library's own handler sends lies at the listener's label, all of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import logging.handlers
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from casemate.engines import syslog_door
from casemate.engines.syslog_door import SyslogDoor
from casemate.errors import Misconfigured, Occupied, StorageFull
from casemate.missions.host import Listening
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET
from tests.laws.world import World, a_world
from tests.missions.test_watches import opened

SETTINGS = f"""
[missions.listeners.edge]
address = "127.0.0.1:0"
label = "{SECRET}"
bucket = "lab"
peers = ["127.0.0.0/8"]
udp = true
"""


@asynccontextmanager
async def listening(more: str = "") -> AsyncIterator[tuple[World, Listening]]:
    async with a_world(0, ("us",), SETTINGS + more) as world:
        await world.person("ann", SECRET)
        await world.person("low", LOW)
        flow = await opened(world, "low", Action("make", "bucket"), LOW)
        await world.house.buckets.make(flow, "lab")
        [one] = [each.step.__self__ for each in world.house.loops if each.name == "missions.listen"]  # type: ignore[attr-defined]
        await one.step()
        yield world, one


def door(one: Listening) -> SyslogDoor:
    assert isinstance(one.door, SyslogDoor)
    return one.door


async def kept(world: World, who: str = "ann", label: str = SECRET) -> list[bytes]:
    flow = await opened(world, who, Action("read", "object"), label)
    listed = await world.house.buckets.listed(flow, "lab")
    found = []
    for seen in listed.objects:
        assert seen.metadata["casemate-listener"] == "edge"
        found.append(b"".join([piece async for piece in world.house.buckets.read(flow, seen)]))
    return found


async def lines(world: World, count: int) -> list[Any]:
    """The records once there are so many."""
    while True:
        found = [json.loads(line) for each in await kept(world) for line in each.splitlines()]
        if len(found) >= count:
            return found
        await asyncio.sleep(0)


def logged(port: int, kind: socket.SocketKind, texts: list[str]) -> None:
    handler = logging.handlers.SysLogHandler(("127.0.0.1", port), socktype=kind)
    handler.ident = "casemate-test: "
    try:
        for text in texts:
            handler.handle(logging.LogRecord("x", logging.WARNING, "x", 1, text, None, None))
    finally:
        handler.close()


async def raw(one: Listening, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door(one).port)
    writer.write(data)
    with contextlib.suppress(OSError):
        writer.write_eof()
        await reader.read()
    writer.close()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_what_the_standard_library_sends_lies_at_the_label_alone(kind: socket.SocketKind) -> None:
    texts = [f"message {n} é" for n in range(20)]
    async with listening() as (world, one):
        await asyncio.to_thread(logged, door(one).port, kind, texts)
        found = await lines(world, 20)
        assert sorted(each["message"] for each in found) == sorted(texts)  # objects of one moment have no order
        assert {(each["app"], each["severity"], each["peer"]) for each in found} == {("casemate-test", 4, "127.0.0.1")}
        assert await kept(world, "low", LOW) == []
        await one.step()


async def test_both_framings_and_the_text_alone() -> None:
    async with listening('write = "message"\n') as (world, one):
        await raw(one, b"10 <13>t: one<13>t: two\n<13>1 - - t - - - three\nlast")
        assert sorted(await kept(world)) == [b"last\n", b"one\ntwo\nthree\n"]


async def test_whoever_is_no_peer_is_hung_up_on_and_so_is_one_too_many() -> None:
    async with listening() as (world, one):
        door(one).peers = []
        await raw(one, b"<13>t: x\n")
        door(one)._datagrams.datagram_received(b"x", ("127.0.0.1", 1))  # type: ignore[union-attr]
        assert (await kept(world), door(one).hung_up) == ([], 2)
    async with listening() as (world, one):
        door(one).connections = 0
        await raw(one, b"<13>t: x\n")
        assert (await kept(world), door(one).hung_up) == ([], 1)
        door(one).connections = 1
        await raw(one, b"<13>t: x\n99999999999")
        assert (len(await kept(world)), door(one).hung_up) == (1, 2)


def test_addresses_of_peers() -> None:
    door = SyslogDoor("127.0.0.1", 0, ["192.0.2.0/24", "2001:db8::/32"])
    known = ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::1"]
    assert [each for each in (*known, "192.0.3.1", "fe80::1%eth0", "::ffff:10.0.0.1") if door.known(each)] == known


async def test_a_mark_above_the_label_is_kept_nowhere_and_counted_where_it_was() -> None:
    async with listening() as (world, one):
        await raw(one, b"<13>t: before\n<13>t: (TS//SI) the ship\n(TS//SI) bare\n<13>t: after\n")
        assert [each["message"] for each in await lines(world, 2)] == ["before", "after"]
        flow = await opened(world, "ann", Action("list", "object"))
        [seen] = (await world.house.buckets.listed(flow, "lab")).objects
        assert seen.metadata["casemate-refused"] == "2"
        assert one.refused == 0


async def test_what_cannot_be_kept_waits_and_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (world, one):
        tried: list[float] = []
        put, buckets = type(world.house.buckets).put, world.house.buckets

        async def full(*given: Any, **named: Any) -> Any:
            if len(tried) < 3:
                raise StorageFull
            return await put(*given, **named)

        async def wait(seconds: float) -> None:
            tried.append(seconds)
            with pytest.raises(StorageFull):
                await one.step()

        monkeypatch.setattr(type(buckets), "put", full)
        one.wait = wait
        await raw(one, b"<13>t: x\n")
        assert tried == [0.5, 1.0, 2.0]  # whoever sent it is hung up on when it is kept, and not before
        assert [each["message"] for each in await lines(world, 1)] == ["x"]
        assert await one.step() == 0


async def test_who_is_faster_than_the_rate_waits() -> None:
    async with listening() as (_, one):
        waited: list[float] = []

        async def wait(seconds: float) -> None:
            waited.append(seconds)

        one.wait, one.rate = wait, 1
        await raw(one, b"<13>t: x\n" * 50)
        await raw(one, b"<13>t: x\n")
        assert len(waited) == 1
        assert 40 < waited[0] <= 50


async def test_datagrams_beyond_what_may_wait_are_counted() -> None:
    async with listening() as (world, one):
        datagrams = door(one)._datagrams
        assert datagrams is not None
        for _ in range(200):
            datagrams.datagram_received(b"x" * 60_000, ("127.0.0.1", 1))
        assert one.lost == 200 - (8 << 20) // 60_000
        datagrams.datagram_received(b"", ("127.0.0.1", 1))
        await lines(world, 1)
        flow = await opened(world, "ann", Action("list", "object"))
        gaps = [one.metadata.get("casemate-lost") for one in (await world.house.buckets.listed(flow, "lab")).objects]
        assert str(200 - (8 << 20) // 60_000) in gaps


async def test_what_was_read_is_kept_when_the_region_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (world, one):
        held, go = asyncio.Event(), asyncio.Event()
        put = type(world.house.buckets).put

        async def slow(*given: Any, **named: Any) -> Any:
            held.set()
            await go.wait()
            return await put(*given, **named)

        monkeypatch.setattr(type(world.house.buckets), "put", slow)
        _, writer = await asyncio.open_connection("127.0.0.1", door(one).port)
        _, idle = await asyncio.open_connection("127.0.0.1", door(one).port)
        writer.write(b"<13>t: x\n")
        await held.wait()
        stopping = asyncio.create_task(one.stop())
        await asyncio.sleep(0)
        go.set()
        await stopping
        assert len(await kept(world)) == 1
        writer.close()
        idle.close()
        await one.stop()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", door(one).port)


async def test_what_cannot_be_kept_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog_door, "PATIENCE", 0.05)
    async with listening() as (world, one):
        waits = asyncio.Event()

        async def wait(_: float) -> None:
            waits.set()
            await asyncio.Event().wait()

        async def full(*_: Any, **__: Any) -> Any:
            raise StorageFull

        monkeypatch.setattr(type(world.house.buckets), "put", full)
        one.wait = wait
        _, writer = await asyncio.open_connection("127.0.0.1", door(one).port)
        writer.write(b"<13>t: x\n")
        await waits.wait()
        await one.stop()
        assert not door(one)._open
        writer.close()


async def test_an_address_in_use_and_a_label_of_nobody_are_told() -> None:
    async with listening() as (_, one):
        again = SyslogDoor("127.0.0.1", door(one).port, ["127.0.0.1"])
        with pytest.raises(Occupied):
            await again.open(one)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            free = SyslogDoor("127.0.0.1", taken.getsockname()[1], ["127.0.0.1"], udp=True)
            with pytest.raises(Occupied):
                await free.open(one)
    with pytest.raises(Misconfigured) as caught:
        async with a_world(0, ("us",), SETTINGS.replace(f'"{SECRET}"', '"NOTHING"')):
            pass
    assert caught.value.facts["setting"] == "missions.listeners.edge.label"
