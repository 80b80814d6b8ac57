"""Threads beside the loop: a domain that keeps all of its own busy keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from casemate.access.threads import EACH, Threads


async def test_a_busy_domain_waits_by_itself() -> None:
    threads, go = Threads(), threading.Event()
    held = [asyncio.ensure_future(threads.run("high", go.wait)) for _ in range(4 * EACH)]
    try:
        assert await asyncio.wait_for(threads.run("low", sum, (1, 2)), 20) == 3
        assert not any(each.done() for each in held)
    finally:
        go.set()
    assert all(await asyncio.gather(*held))


async def test_what_is_raised_there_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads().run("low", divmod, 1, 0)
