"""The doors under stress, over real sockets: who leaves, who reads slowly, and what is left behind of ten thousand."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable

import pytest

from casemate.engines.http_exchange import HIGH
from casemate.models.health import Health
from tests.doors.stress import WHO, WIRES, Region, a_region, fits, left_behind, until
from tests.engines.faults import FAULTS, GOOD, HANG, Fault, Good, chunk, chunked, head
from tests.laws import long
from tests.laws.world import World

COUNT = int(os.environ.get("CASEMATE_STRESS", "1000"))
SEED = int(os.environ.get("CASEMATE_STRESS_SEED", str(random.SystemRandom().randrange(1 << 30))))
PAIRS = [(kind, wire) for kind in GOOD for wire in WIRES if fits(kind, wire)]
Says = Callable[[Good], list[object]]
PACKET = 512 << 10  # what one wake-up may bring, and what is sent together


def one_word(good: Good) -> list[object]:
    """An upstream that says a word and never another."""
    return [head(good), chunked(good.begin), chunked(good.finish[:20] if good.whole else good.said[0]), HANG]


def no_word(good: Good) -> list[object]:
    return [HANG]


def last_outcome(world: World) -> str:
    gate = world.house.gate
    access = gate.classes.of(world.policies.parse(WHO))
    [*_, last] = gate.vault.reader.entries(access.id, 0, 1 << 30)
    return gate.recorder.open(access.id, last).outcome


async def left(region: Region, kind: str, wire: str, stream: bool, says: Says = one_word) -> None:
    """Ask, wait for the first word or for the upstream to be asked, leave: the upstream is let go without a word."""
    seen = region.upstreams[kind]
    reader, writer = await region.connect()
    writer.write(region.request(kind, wire, stream))
    if stream:
        while b"cargo" not in await reader.readuntil(b"cargo"):
            pass
    written = sum(len(each) for each in says(GOOD[kind]) if isinstance(each, bytes))
    await until(lambda: seen.requests and seen.written == written, "a word")
    writer.close()
    await asyncio.wait_for(seen.left.wait(), 30)
    assert seen.written == written
    await until(lambda: not region.state.tasks, "a request")
    await region.world.house.gate.vault.journal.fold()
    assert last_outcome(region.world) == "cancelled"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("kind", [kind for kind in GOOD if not GOOD[kind].whole])
def test_a_client_that_leaves_a_stream_lets_its_upstream_go(kind: str, wire: str) -> None:
    async def run() -> None:
        async with a_region({kind: Fault(one_word, "")}) as region:
            await left(region, kind, wire, stream=True)

    asyncio.run(asyncio.wait_for(run(), 90))


@pytest.mark.parametrize(("kind", "wire"), [pair for pair in PAIRS if pair[0] != "openai stream"])
@pytest.mark.parametrize("says", [no_word, one_word])
def test_a_client_that_leaves_before_the_whole_lets_its_upstream_go(kind: str, wire: str, says: Says) -> None:
    async def run() -> None:
        async with a_region({kind: Fault(says, "")}) as region:
            await left(region, kind, wire, stream=False, says=says)

    asyncio.run(asyncio.wait_for(run(), 90))


@pytest.mark.parametrize("wire", WIRES)
def test_a_slow_reader_does_not_grow_memory(wire: str) -> None:
    """The upstream would write 64 MB; nobody reads, so it stands still, and little waits in the region."""
    much = chunked(chunk("x" * 50_000)) * 20

    def plenty(good: Good) -> list[object]:
        return [head(good), *[much] * 64, HANG]

    async def run() -> None:
        async with a_region({"openai stream": Fault(plenty, "")}) as region:
            seen = region.upstreams["openai stream"]
            reader, writer = await region.connect(buffer=8192)
            writer.write(region.request("openai stream", wire, stream=True))
            await reader.readuntil(b"xxxx")
            engine = region.world.house.catalogue.cards["law/openai-stream"].engine
            most, stood, before = 0, 0, -1
            while stood < 200:  # turns of the loop in which the upstream could write nothing more
                await asyncio.sleep(0.002)
                (line,) = engine._remote.pool._open  # type: ignore[union-attr]
                held = line.exchange.held if line.exchange is not None else 0
                most = max(most, held + region.waiting())
                stood, before = (stood + 1, before) if seen.written == before else (0, seen.written)
            assert most <= HIGH + 2 * PACKET
            assert seen.written < 64 << 20
            writer.close()
            await until(lambda: not region.state.tasks, "a request")

    asyncio.run(asyncio.wait_for(run(), 120))


def stormed(requests: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Breakers would keep most faults from happening at all: here they stay shut."""
    monkeypatch.setattr(Health, "works", lambda *_: True)
    begun = time.monotonic()
    counts = asyncio.run(left_behind(requests, seed))
    print(f"\n{requests} requests from seed {seed} in {time.monotonic() - begun:.1f} s: {dict(sorted(counts.items()))}")
    assert sum(counts.values()) == requests
    assert {"200", "502", "leaves", "resets", "half", "silent", "gave up"} <= counts.keys()
    return counts


def test_random_faults_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    stormed(COUNT, SEED, monkeypatch)


@pytest.mark.long
def test_ten_thousand_requests_under_random_faults_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = stormed(10_000, SEED, monkeypatch)
    long.leave(
        "gateway_doors_faults",
        requests=10_000,
        answered=counts["200"],
        faults=len(FAULTS),
        kinds=len(GOOD),
        wires=len(WIRES),
        seed=SEED,
        left=0,
    )
