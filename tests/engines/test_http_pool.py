"""The pool: shares and queues of partitions, kept and stale connections, TLS, bounds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.engines import http_exchange, http_pool
from casemate.engines.http_exchange import Broken
from casemate.engines.http_pool import Pool
from casemate.engines.http_target import Target
from casemate.engines.remote import Remote, Upstream
from casemate.errors import Misconfigured
from tests.engines.faults import END, GOOD, HANG, RESET, Fault, chunked, head, served_badly, well
from tests.engines.upstream import certificate

GOOD_ONE = GOOD["openai whole"]
HEAD = b"POST /x HTTP/1.1\r\nHost: stub\r\n"
PLAY = Fault(well, "")


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")


async def asked(pool: Pool, partition: str = "", seconds: float = 20) -> bytes:
    exchange = await pool.ask(HEAD, b"{}", seconds, partition)
    try:
        return await exchange.rest(1 << 20)
    finally:
        exchange.close()


def test_a_partition_waits_for_its_own_share_and_never_for_another() -> None:
    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = Pool(Target(url), share=2)
            held = [await pool.ask(HEAD, b"", 20, "high") for _ in range(2)]
            waits = [asyncio.ensure_future(pool.ask(HEAD, b"", 20, "high")) for _ in range(3)]
            await asyncio.sleep(0)
            assert await asked(pool, "low")  # the low one is not in that queue
            waits[0].cancel()  # one that went away is passed over
            await asyncio.gather(waits[0], return_exceptions=True)
            held[0].close()
            second = await waits[1]
            held[1].close()
            third = await waits[2]
            second.close()
            third.close()
            assert pool._lanes["high"].used == 0
            pool.close()

    asyncio.run(run())


def test_a_queue_is_bounded_and_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_pool, "QUEUE", 1)

    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = Pool(Target(url), share=1)
            held = await pool.ask(HEAD, b"", 20)
            waits = asyncio.ensure_future(pool.ask(HEAD, b"", 0.05))
            await asyncio.sleep(0)
            with pytest.raises(Broken) as told:
                await pool.ask(HEAD, b"", 20)
            assert told.value.cause == "busy"
            with pytest.raises(Broken) as told:
                await waits
            assert told.value.cause == "slow"
            held.close()
            assert await asked(pool)
            pool.close()

    asyncio.run(run())


def test_a_slot_given_to_one_who_is_cancelled_goes_on() -> None:
    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = Pool(Target(url), share=1)
            held = await pool.ask(HEAD, b"", 20)
            waits = asyncio.ensure_future(pool.ask(HEAD, b"", 20))
            await asyncio.sleep(0)
            held.close()  # the slot is handed over ...
            waits.cancel()  # ... at the moment when nobody wants it any more
            await asyncio.gather(waits, return_exceptions=True)
            assert pool._lanes[""].used == 0
            assert await asked(pool)
            pool.close()

    asyncio.run(run())


@pytest.mark.parametrize("how", [RESET, END])
def test_a_kept_connection_that_was_hung_up_is_tried_once_more(how: object) -> None:
    """The second request on the connection finds it gone; a third that fails too is a failure."""

    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (seen, url):
            plays = iter(
                [
                    PLAY,
                    Fault(lambda good: [how], ""),
                    PLAY,
                    Fault(lambda good: [how], ""),
                    Fault(lambda good: [how], ""),
                ]
            )
            seen.next = lambda: (GOOD_ONE, next(plays))
            pool = Pool(Target(url))
            assert await asked(pool)
            assert await asked(pool)
            assert (len(seen.requests), pool.opened) == (3, 2)
            with pytest.raises(Broken) as told:
                await asked(pool)
            assert told.value.cause == "down"
            assert (len(seen.requests), pool.opened) == (5, 3)
            pool.close()

    asyncio.run(run())


def test_a_kept_connection_that_said_a_byte_is_not_tried_again() -> None:
    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (seen, url):
            plays = iter([PLAY, Fault(lambda good: [b"H", END], "")])
            seen.next = lambda: (GOOD_ONE, next(plays))
            pool = Pool(Target(url))
            assert await asked(pool)
            with pytest.raises(Broken):
                await asked(pool)
            assert len(seen.requests) == 2
            pool.close()

    asyncio.run(run())


def test_connections_that_were_cut_while_idle_are_not_used() -> None:
    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = Pool(Target(url))
            assert await asked(pool)
            (line,) = pool._open
            line.data_received(b"HTTP/1.1 200 OK\r\n")  # bytes that nobody asked for
            assert line.gone
            assert await asked(pool)
            assert pool.opened == 2
            pool.close()

    asyncio.run(run())


def test_what_is_kept_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_pool, "IDLE", 0.02)

    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = Pool(Target(url))
            assert await asked(pool, "a")
            assert await asked(pool, "b")
            for _ in range(1_000):
                if not pool.connections and not pool._lanes and pool._sweeping is None:
                    break
                await asyncio.sleep(0.01)
            assert (pool.connections, pool._lanes, pool._sweeping) == (0, {}, None)
            assert await asked(pool, "a")
            pool.close()

    asyncio.run(run())


def test_a_pool_follows_to_another_event_loop() -> None:
    pools: list[Pool] = []

    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = pools[0] if pools else Pool(Target(url))
            pools.append(pool)
            pool.target = Target(url)
            assert await asked(pool)
            if len(pools) == 2:
                pool.close()

    asyncio.run(run())
    asyncio.run(run())
    assert pools[0].opened == 2


def test_tls_sessions_are_resumed_inside_a_partition_alone(tmp_path: Path) -> None:
    context = certificate(tmp_path / "pem")

    async def run() -> None:
        async with served_badly(GOOD_ONE, Fault(well, "", tls="trusted"), context) as (_, url):
            pool = Pool(Target(url, tmp_path / "pem"))
            reused = []
            for partition in ("a", "a", "b"):
                exchange = await pool.ask(HEAD, b"", 20, partition)
                assert exchange._line is not None
                assert exchange._line.tls is not None
                reused.append(exchange._line.tls.session_reused)
                await exchange.rest(1 << 20)
                exchange.close()
                for line in list(pool._open):
                    line.cut()
            assert reused == [False, True, False]
            assert pool._lanes["a"].tls is not pool._lanes["b"].tls
            pool.close()

    asyncio.run(run())


def test_tls_is_never_below_1_2_and_always_verified(tmp_path: Path) -> None:
    certificate(tmp_path / "pem")
    context = Target("https://models.test", tmp_path / "pem").tls()
    assert context is not None
    assert (context.minimum_version, context.verify_mode, context.check_hostname) == (
        ssl.TLSVersion.TLSv1_2,
        ssl.CERT_REQUIRED,
        True,
    )


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as told:
        Remote(Upstream("https://models.test", "x", ca_file=tmp_path / "none"))
    assert told.value.facts["setting"] == "upstreams.x.ca_file"

    async def run() -> None:
        with pytest.raises(Broken) as told:
            await Pool(Target("https://127.0.0.1:1", tmp_path / "none")).ask(HEAD, b"", 5)
        assert told.value.cause == "down"

    asyncio.run(run())


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "no-such-host.invalid"])
def test_names_that_nobody_has(host: str) -> None:
    async def run() -> None:
        with pytest.raises(Broken) as told:
            await Pool(Target(f"http://{host}")).ask(HEAD, b"", 20)
        assert told.value.cause == "down"

    asyncio.run(run())


@pytest.mark.parametrize(("seconds", "connect", "cause"), [(0.0, 10.0, "slow"), (20.0, 0.0, "down")])
def test_a_connection_that_does_not_come_about(
    seconds: float, connect: float, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_pool, "CONNECT", connect)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Target, "connect", never)

    async def run() -> None:
        with pytest.raises(Broken) as told:
            await Pool(Target("http://127.0.0.1:1")).ask(HEAD, b"", seconds)
        assert told.value.cause == cause

    asyncio.run(run())


# ---- exchanges ------------------------------------------------------------------------------------------------------


def test_an_answer_longer_than_was_allowed() -> None:
    async def run() -> None:
        async with served_badly(GOOD_ONE, PLAY) as (_, url):
            pool = Pool(Target(url))
            exchange = await pool.ask(HEAD, b"", 20)
            with pytest.raises(Broken, match="too long"):
                await exchange.rest(3)
            exchange.close()
            pool.close()

    asyncio.run(run())


def test_trailers_without_an_end() -> None:
    def play(good: object) -> list[object]:
        return [head(GOOD_ONE), chunked(b"{}"), b"0\r\n", *[b"X-More: %d\r\n" % n for n in range(20_000)], HANG]

    async def run() -> None:
        async with served_badly(GOOD_ONE, Fault(play, "")) as (_, url):
            with pytest.raises(Broken, match="head"):
                await asked(Pool(Target(url)))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("then", "kept"), [([b"0\r\n\r\n"], True), ([chunked(b"more")], False), ([END], False), ([HANG], False)]
)
def test_an_answer_read_to_the_end_of_its_content_lingers_for_its_framing(
    then: list[object], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchange, "LINGER", 0.2)

    async def run() -> None:
        go = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head(GOOD_ONE) + chunked(b"{}"))
            await go.wait()
            for step in then:
                if isinstance(step, bytes):
                    writer.write(step)
            if then != [END]:
                await reader.read()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            pool = Pool(Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
            exchange = await pool.ask(HEAD, b"", 20)
            assert await exchange.piece() == b"{}"
            exchange.finish()
            exchange.close()  # it lingers all the same
            assert pool._lanes[""].used == 1
            go.set()
            for _ in range(1_000):
                if not pool._lanes[""].used:
                    break
                await asyncio.sleep(0.01)
            assert bool(pool._lanes[""].idle) == kept
            pool.close()
            server.close()

    asyncio.run(run())


def test_what_stood_there_already_when_it_should_linger_ends_it() -> None:
    async def run() -> None:
        async with served_badly(GOOD_ONE, Fault(lambda good: [head(good), chunked(b"{}"), HANG], "")) as (_, url):
            pool = Pool(Target(url))
            exchange = await pool.ask(HEAD, b"", 20)
            await until(lambda: bool(exchange.held))
            exchange.finish()
            assert exchange._line is None
            exchange.finish()
            pool.close()

    asyncio.run(run())
