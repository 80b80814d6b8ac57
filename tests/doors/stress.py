"""A region behind a real socket with bad upstreams behind it, and clients that behave badly: for `test_stress`."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvicorn.server import ServerState

from casemate.engines.remote import Upstream as Remote
from casemate.models import Card
from casemate.wiring.http import TcpProtocol, config
from tests.engines.faults import FAULTS, GOOD, Fault, Upstream, served_badly, well
from tests.engines.test_faults import MAKE
from tests.laws.world import World, a_world

WHO = "agency=EXERCISE"
WIRES = ("openai", "anthropic", "bedrock")
PATIENCE = 0.3  # seconds that a client of the storm waits for an answer to end
DEEDS = ("reads", "reads", "reads", "reads", "leaves", "resets", "sips", "half", "silent")


def fits(kind: str, wire: str) -> bool:
    """An upstream that answers in one piece is asked so by the wires whose own answers are whole."""
    return kind != "openai whole" or wire != "bedrock"


@dataclass
class Region:
    """A region, its port, the connections and requests of its server, and what its upstreams have seen."""

    world: World
    port: int
    state: ServerState
    upstreams: dict[str, Upstream]

    def request(self, kind: str, wire: str, stream: bool) -> bytes:
        """A chat with the model behind the upstream of that kind."""
        name = f"law/{kind.replace(' ', '-')}"
        turns: Any = [{"role": "user", "content": "Where does the ferry go?"}]
        path, body = "/v1/chat/completions", {"model": name, "messages": turns, "stream": stream}
        if wire == "anthropic":
            path, body = "/v1/messages", {**body, "max_tokens": 64}
        elif wire == "bedrock":
            path = f"/model/{name.replace('/', '.')}/converse{'-stream' if stream else ''}"
            body = {"messages": [{"role": "user", "content": [{"text": "Where does the ferry go?"}]}]}
        raw = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: region.test\r\nConnection: close\r\nAnthropic-Version: 2023-06-01\r\n"
            f"Authorization: Bearer {self.world.keys['low']}\r\nContent-Length: {len(raw)}\r\n\r\n"
        )
        return head.encode() + raw

    async def connect(self, buffer: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client's connection; `buffer` bounds what its kernel takes for it."""
        sock = socket.socket()
        sock.setblocking(False)
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=sock, limit=4096)

    def waiting(self) -> int:
        """Bytes that the region's own buffers hold for its clients."""
        return sum(each.transport.get_write_buffer_size() for each in self.state.connections)  # type: ignore[union-attr]


@asynccontextmanager
async def a_region(scripts: dict[str, Fault] | None = None) -> AsyncIterator[Region]:
    """With an upstream of each kind, which plays the script of its kind, or answers well."""
    async with AsyncExitStack() as stack:
        world: World = await stack.enter_async_context(a_world(21, ("us",)))
        await world.person("low", WHO)
        upstreams: dict[str, Upstream] = {}
        for kind, good in GOOD.items():
            fault = (scripts or {}).get(kind, Fault(well, ""))
            upstreams[kind], url = await stack.enter_async_context(served_badly(good, fault))
            engine = MAKE[kind](Remote(url))
            stack.push_async_callback(engine.close)
            name = f"law/{kind.replace(' ', '-')}"
            world.house.catalogue.add(Card(name, "tiny", "law", world.house.gate.vault.region.ceiling, engine))
        state, made = ServerState(), config(world.house.app)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: TcpProtocol(made, state, {}), "127.0.0.1", 0)
        try:
            yield Region(world, server.sockets[0].getsockname()[1], state, upstreams)
        finally:
            server.close()
            for connection in list(state.connections):
                connection.shutdown()
            for task in list(state.tasks):
                task.cancel()
            await asyncio.gather(*state.tasks, return_exceptions=True)


async def until(holds: Any, what: str) -> None:
    """Wait until something holds, half a minute at most."""
    for _ in range(3_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what} is left behind")


async def behave(region: Region, request: bytes, deed: str, patience: float) -> str:
    """One request of a client that does this; how it ended for him."""
    reader, writer = await region.connect()
    try:
        if deed == "half":
            writer.write(request[: len(request) // 2])
            await writer.drain()
            return "half"
        writer.write(request)
        await writer.drain()
        if deed == "silent":
            return "silent"
        async with asyncio.timeout(patience):
            if deed in ("leaves", "resets"):
                await reader.read(1)
                return deed
            told = b""
            while piece := await reader.read(16 if deed == "sips" else 65_536):
                told += piece
        return told[9:12].decode()
    except TimeoutError:
        return "gave up"
    except ConnectionError:
        return "cut"
    finally:
        if deed == "resets":
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort() if deed == "resets" else writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def storm(region: Region, requests: int, chance: random.Random, beside: int = 16) -> dict[str, int]:
    """So many requests over every wire, under random faults of upstreams and clients; how they ended."""
    names = [name for name, fault in FAULTS.items() if fault.listens and not fault.tls and "ten mega" not in name]
    counts: dict[str, int] = {}
    for kind, seen in region.upstreams.items():

        def pick(kind: str = kind) -> tuple[Any, Fault]:
            fault = FAULTS[chance.choice(names)]
            return GOOD[kind], Fault(well, "") if fault.cause == "slow" and chance.random() < 0.8 else fault

        seen.next = pick
    turns = iter(range(requests))

    async def one() -> None:
        for _ in turns:
            kind = chance.choice(sorted(GOOD))
            wire = chance.choice([wire for wire in WIRES if fits(kind, wire)])
            stream = kind == "openai stream" or (kind != "openai whole" and chance.random() < 0.6)
            ended = await behave(region, region.request(kind, wire, stream), chance.choice(DEEDS), PATIENCE)
            counts[ended] = counts.get(ended, 0) + 1

    await asyncio.gather(*(one() for _ in range(beside)))
    return counts


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def files(world: World) -> set[str]:
    """The files of the region's folder, but for those that a store keeps beside its records while it is open.

    And but for the trees of the logs, which have a tile for each size at which a head was signed.
    """
    trees = world.house.folder.data / "ledger"
    found = (path for path in world.folder.rglob("*") if path.is_file() and not path.is_relative_to(trees))
    return {str(path) for path in found if not path.name.endswith(("-wal", "-shm"))}


async def left_behind(requests: int, seed: int) -> dict[str, int]:
    """A storm at a region that has had one already: every task, socket, file and reservation must be gone after it."""
    chance = random.Random(seed)
    async with a_region() as region:
        await storm(region, 64, chance)  # what is opened once, and kept, is open from here on
        house = region.world.house
        await _rest(region)
        gc.collect()
        fds, tasks, there = descriptors(), asyncio.all_tasks(), files(region.world)
        counts = await storm(region, requests, chance)
        await _rest(region)
        await until(lambda: asyncio.all_tasks() <= tasks, "a task")
        await until(lambda: descriptors() <= fds, "a descriptor")
        await region.world.step("ledger.checkpoint")
        assert files(region.world) <= there, "a file is left behind"
        assert not house.gate.running, "a request without its END"
        assert house.meter is not None
        busy = [c.busy for counters in house.meter._counters.values() for c in counters.values()]
        assert not any(busy), "a reservation is left behind"
    return counts


async def _rest(region: Region) -> None:
    """Nobody is served any more, and what upstreams keep of good answers is let go."""
    await until(lambda: not region.state.connections and not region.state.tasks, "a connection")
    for card in region.world.house.catalogue.cards.values():
        pool = getattr(getattr(card.engine, "_remote", None), "pool", None)
        if pool is not None:
            await until(lambda pool=pool: all(lane.used == 0 for lane in pool._lanes.values()), "a slot")
            pool.close()
    await until(lambda: not any(seen.open for seen in region.upstreams.values()), "a connection to an upstream")
