"""Pieces go out in order and whole; what is there already goes out together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.frame.pump import MOST, Pump

STEPS = st.lists(st.one_of(st.binary(max_size=8), st.none()), max_size=30)  # None: it has to wait


async def pieces(steps: list[bytes | None]) -> AsyncIterator[bytes]:
    for step in steps:
        if step is None:
            await asyncio.sleep(0)
        else:
            yield step


class Sent:
    """What was sent; `slow` sends wait."""

    def __init__(self, slow: bool = False) -> None:
        self.parts: list[bytes] = []
        self.slow = slow

    async def __call__(self, part: bytes) -> None:
        if self.slow:
            await asyncio.sleep(0)
        self.parts.append(part)


@given(STEPS, st.booleans())
def test_everything_in_order_and_no_send_more_than_needed(steps: list[bytes | None], slow: bool) -> None:
    sent = Sent(slow)

    async def run() -> None:
        await Pump(pieces(steps), sent)

    asyncio.run(run())
    said = [step for step in steps if step is not None]
    assert b"".join(sent.parts) == b"".join(said)
    assert len(sent.parts) <= steps.count(None) + 1


async def test_what_was_said_goes_out_before_the_next_is_waited_for() -> None:
    sent, go = Sent(), asyncio.Event()

    async def say() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"
        await go.wait()
        yield b"c"

    async def run() -> None:
        await Pump(say(), sent)

    task = asyncio.ensure_future(run())
    await asyncio.sleep(0)
    assert sent.parts == [b"ab"]
    go.set()
    await task
    assert sent.parts == [b"ab", b"c"]


async def test_much_is_sent_in_parts() -> None:
    sent = Sent()
    await Pump(pieces([b"x" * MOST, b"y", b"z"]), sent)
    assert [len(part) for part in sent.parts] == [MOST, 2]


@pytest.mark.parametrize("waits", [False, True])
async def test_what_the_pieces_raise_is_raised_after_what_they_said(waits: bool) -> None:
    sent = Sent()

    async def say() -> AsyncIterator[bytes]:
        yield b"a"
        if waits:
            await asyncio.sleep(0)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Pump(say(), sent)
    assert sent.parts == [b"a"]


@pytest.mark.parametrize("where", ["piece", "send"])
async def test_a_cancellation_reaches_whoever_makes_the_pieces(where: str) -> None:
    ended: list[str] = []
    never = asyncio.Event()

    async def say() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            await never.wait()
        finally:
            ended.append("pieces")

    async def send(part: bytes) -> None:
        if where == "send":
            await never.wait()

    made = say()

    async def run() -> None:
        await Pump(made, send)

    task = asyncio.ensure_future(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["pieces"]
    await made.aclose()  # type: ignore[attr-defined]
