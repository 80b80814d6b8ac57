"""Every fault before every kind of upstream, with what must come of it; and that nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from casemate.engines.anthropic_like import AnthropicLike
from casemate.engines.bedrock_like import BedrockLike
from casemate.engines.http_exchange import HIGH
from casemate.engines.openai_like import OpenAILike
from casemate.engines.remote import Upstream
from casemate.errors import EngineFailed
from casemate.models import Delta, Message, Prompt
from tests.engines.faults import FAULTS, GOOD, HANG, SECRET, Fault, Good, chunk, chunked, head, served_badly, well
from tests.engines.upstream import certificate
from tests.laws import long

KEY = "a-key-that-nobody-may-see"
PROMPT = Prompt(model="tiny", messages=(Message("user", "Où va le cargo ?"),), max_tokens=64)
Engine = OpenAILike | AnthropicLike | BedrockLike

MAKE: dict[str, Callable[[Upstream], Engine]] = {
    "openai stream": OpenAILike,
    "openai whole": OpenAILike,
    "anthropic stream": AnthropicLike,
    "bedrock stream": lambda upstream: BedrockLike(upstream, "casemate-1"),
}


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    for _ in range(100_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")


async def outcome(engine: Engine, good: Good, seconds: float) -> tuple[str, list[Delta], EngineFailed | None]:
    """The cause ("" where the answer was whole), and what was told before it."""
    told: list[Delta] = []
    try:
        if good.whole:
            assert isinstance(engine, OpenAILike)
            told += await engine.whole(PROMPT, seconds)
        else:
            async for delta in engine.generate(PROMPT, seconds):
                told.append(delta)
    except EngineFailed as error:
        return error.cause, told, error
    return "", told, None


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_before_each_kind_of_upstream(name: str, kind: str, tmp_path: Path) -> None:
    good, fault = GOOD[kind], FAULTS[name]
    (tmp_path / "key").write_text(KEY)
    context = certificate(tmp_path / "pem") if fault.tls == "self-signed" else None

    async def run() -> None:
        async with served_badly(good, fault, context) as (seen, url):
            engine = MAKE[kind](Upstream(url, "local", tmp_path / "key"))
            cause, told, error = await outcome(engine, good, 1.0 if fault.cause == "slow" else 30.0)
            whole = kind in fault.complete
            assert cause == ("" if whole else fault.cause)
            assert bool(told) == (whole or kind in fault.given)
            if whole:
                assert told[-1].finish == "stop"
                assert told[-1].usage is not None
                assert (told[-1].usage.prompt, told[-1].usage.completion) == (12, 5)
                assert "".join(delta.text for delta in told) == "Le cargo s’éloigne."
            else:
                assert error is not None
                assert error.retry_after == fault.retry_after
                assert not any(word in f"{error!r}{error.facts}" for word in (SECRET, KEY, "cargo"))
                assert all(not delta.finish for delta in told)
            assert len(seen.requests) <= 1
            await engine.close()
            assert engine._remote.pool.connections == 0
            await until(lambda: asyncio.all_tasks() - seen.open == {asyncio.current_task()})

    asyncio.run(run())


@pytest.mark.parametrize("kind", GOOD)
def test_connections_are_kept_after_good_answers(kind: str) -> None:
    async def run() -> None:
        async with served_badly(GOOD[kind], Fault(well, "")) as (seen, url):
            engine = MAKE[kind](Upstream(url))
            for _ in range(5):
                assert (await outcome(engine, GOOD[kind], 30))[0] == ""
                await until(lambda: any(lane.idle for lane in engine._remote.pool._lanes.values()))
            assert engine._remote.pool.opened == 1
            assert len(seen.requests) == 5
            assert all(b"authorization" not in request.lower() for request in seen.requests)
            await engine.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", [kind for kind in GOOD if not GOOD[kind].whole])
@pytest.mark.parametrize("leaves", ["closes", "is cancelled"])
def test_whoever_stops_listening_hangs_up_within_a_chunk(kind: str, leaves: str) -> None:
    """The upstream never ends by itself: `left` is set because its client has gone."""
    good = GOOD[kind]
    hangs = Fault(lambda good: [head(good), chunked(good.begin), chunked(good.said[0]), HANG], "slow")

    async def run() -> None:
        async with served_badly(good, hangs) as (seen, url):
            engine = MAKE[kind](Upstream(url))
            deltas = engine.generate(PROMPT, 600)
            assert (await anext(deltas)).text == "Le cargo "
            if leaves == "closes":
                await deltas.aclose()
            else:
                waiting = asyncio.ensure_future(anext(deltas))
                (line,) = engine._remote.pool._open
                await until(lambda: line.exchange is not None and line.exchange._waiter is not None)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await asyncio.wait_for(seen.left.wait(), 20)
            assert engine._remote.pool._lanes[""].used == 0
            await engine.close()

    asyncio.run(run())


def test_a_slow_reader_does_not_grow_memory() -> None:
    """The upstream can write 24 MB; while nobody reads, what waits here stays below HIGH and one packet."""
    much = chunked(chunk("x" * 50_000)) * 20

    def plenty(good: Good) -> list[object]:
        return [head(good), *[much] * 24, HANG]

    async def run() -> None:
        async with served_badly(GOOD["openai stream"], Fault(plenty, "")) as (seen, url):
            engine = OpenAILike(Upstream(url))
            deltas = engine.generate(PROMPT, 600)
            await anext(deltas)
            (line,) = engine._remote.pool._open
            assert line.exchange is not None
            most, stood, before = 0, 0, -1
            while stood < 200:  # turns of the loop in which the upstream could write nothing more
                await asyncio.sleep(0.001)
                most = max(most, line.exchange.held)
                stood, before = (stood + 1, before) if seen.written == before else (0, seen.written)
            assert most <= HIGH + (256 << 10)
            assert seen.written < 24 << 20
            await deltas.aclose()
            await engine.close()

    asyncio.run(run())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def storm(requests: int, seed: int) -> dict[str, int]:
    """So many requests of every kind under random faults, twenty at a time; how they ended."""
    chance = random.Random(seed)
    names = [name for name, fault in FAULTS.items() if fault.listens and not fault.tls and "ten mega" not in name]
    counts: dict[str, int] = {}

    async def some(engine: Engine, good: Good, number: int) -> None:
        for _ in range(number):
            seconds = chance.choice((0.02, 0.1, 1.0, 1.0))
            task = asyncio.ensure_future(outcome(engine, good, seconds))
            if chance.random() < 0.1:
                await asyncio.sleep(chance.choice((0, 0.001)))
                task.cancel()
            with suppress(asyncio.CancelledError):
                cause = (await task)[0]
                counts[cause or "complete"] = counts.get(cause or "complete", 0) + 1
                continue
            counts["cancelled"] = counts.get("cancelled", 0) + 1

    for kind, good in GOOD.items():
        async with served_badly(good, Fault(well, "")) as (seen, url):

            def pick(good: Good = good) -> tuple[Good, Fault]:
                name = chance.choice(names)
                hangs = FAULTS[name].cause == "slow"
                return good, Fault(well, "") if hangs and chance.random() < 0.9 else FAULTS[name]

            seen.next = pick
            engine = MAKE[kind](Upstream(url))
            await asyncio.gather(*(some(engine, good, requests // 80) for _ in range(20)))
            assert all(lane.used == 0 for lane in engine._remote.pool._lanes.values()) or engine._remote.pool._open
            await engine.close()
            assert engine._remote.pool.connections == 0
    return counts


def left_behind(requests: int, seed: int) -> dict[str, int]:
    """Run a storm; every task, socket and file must be gone after it."""

    async def run() -> dict[str, int]:
        await storm(80, seed)  # what a loop opens once for itself is open from here on
        before, tasks = descriptors(), asyncio.all_tasks()
        counts = await storm(requests, seed)
        for _ in range(200):
            if asyncio.all_tasks() == tasks and descriptors() <= before:
                break
            await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == tasks
        assert descriptors() <= before
        return counts

    gc.collect()
    return asyncio.run(run())


def test_a_thousand_requests_under_random_faults_leave_nothing_behind() -> None:
    counts = left_behind(1_000, 7)
    assert sum(counts.values()) == 960
    assert {"complete", "broken", "down", "busy", "slow", "denied", "rejected", "cancelled"} <= counts.keys()


@pytest.mark.long
def test_ten_thousand_requests_under_random_faults_leave_nothing_behind() -> None:
    counts = left_behind(10_000, 11)
    assert sum(counts.values()) == 10_000
    long.leave("gateway_faults", requests=10_000, faults=len(FAULTS), kinds=len(GOOD), left=0)
