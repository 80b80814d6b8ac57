"""Short work done together: in its domain's turn, each with its own end, and nobody left waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from casemate.access import Threads
from casemate.engines.together import Together


@pytest.fixture
def threads(runner):
    made = Threads()
    yield made
    runner.run(made.close())


class Counted(Threads):
    """How often a thread was asked for something."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    async def run(self, domain, work, *args):
        self.asked += 1
        return await super().run(domain, work, *args)


async def test_what_comes_together_is_done_together():
    threads = Counted()
    together = Together(threads)
    found = await asyncio.gather(*(together.run("low", pow, 2, at) for at in range(20)))
    assert found == [2**at for at in range(20)]
    assert threads.asked == 1
    assert await together.run("low", pow, 3, 3) == 27
    assert threads.asked == 2
    await threads.close()


async def test_more_than_one_turn_holds_waits_for_the_next():
    threads = Counted()
    together = Together(threads)
    assert len(await asyncio.gather(*(together.run("low", pow, 2, at) for at in range(70)))) == 70
    assert threads.asked == 3
    await threads.close()


async def test_each_has_its_own_end(threads):
    together = Together(threads)
    good, bad = together.run("low", int, "7"), together.run("low", int, "x")
    found = await asyncio.gather(good, bad, return_exceptions=True)
    assert found[0] == 7
    assert isinstance(found[1], ValueError)


async def test_a_domain_waits_for_none_but_itself(threads):
    together = Together(threads)
    held = threading.Event()
    above = asyncio.create_task(together.run("high", held.wait, 60))
    await asyncio.sleep(0)
    below = asyncio.create_task(together.run("low", pow, 2, 2))
    done, _ = await asyncio.wait({below}, timeout=20)
    held.set()
    assert done == {below}
    assert (await below, await above) == (4, True)


async def test_whoever_waits_no_longer_keeps_nobody_from_his_answer(threads):
    together = Together(threads)
    held, done = threading.Event(), list[str]()
    first = asyncio.create_task(together.run("low", held.wait, 60))
    gone = asyncio.create_task(together.run("low", done.append, "gone"))
    last = asyncio.create_task(together.run("low", pow, 2, 3))
    await asyncio.sleep(0)
    gone.cancel()
    held.set()
    assert (await first, await last, done) == (True, 8, ["gone"])
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_without_threads_nobody_is_left_waiting():
    class Closed(Threads):
        async def run(self, domain, work, *args):
            raise RuntimeError("closed")

    together = Together(Closed())
    with pytest.raises(asyncio.CancelledError):
        await together.run("low", pow, 2, 2)
    with pytest.raises(asyncio.CancelledError):
        await together.run("low", pow, 2, 2)
