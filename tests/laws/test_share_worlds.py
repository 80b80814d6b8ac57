"""The two worlds where in one of them a label is full: whoever acts below or beside it does and is told the same."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from casemate.errors import ShareFull
from casemate.objects import Put
from tests.access.test_flow import at
from tests.attacks.scene import label_of
from tests.laws.access_worlds import NOTE, Note
from tests.laws.operations import MAKERS
from tests.laws.two_worlds import EVERYBODY, FRENCH, LOW, SECRET, TOP, Case, compare, prepare
from tests.laws.world import World, a_world

SHARED = "[records]\nshare_mb = 1\n"
DONE = ("add_document", "ask", "search", "add_document", "keep_buckets", "openai_chat", "the_log")


async def fill(world: World, label: str) -> None:
    """Content until it is refused, then a request that takes what was left."""
    flow = await at(world, label, "hal", label)
    with pytest.raises(ShareFull):  # noqa: PT012 - it is full at some turn or other
        for number in range(9):
            await flow.commit(Put(NOTE, f"big{number}", Note("x" * 200_000, "ships")))
    await flow.begin(b"q" * 500_000)
    await flow.durable()


@pytest.mark.parametrize(("observer", "hidden"), [(LOW, SECRET), (SECRET, TOP), (FRENCH, SECRET)])
def test_a_full_label_is_seen_by_nobody_who_does_not_dominate_it(observer: str, hidden: str) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}, {hidden} full, seen from {observer}")
    rng = random.Random(seed)
    steps = [("observe", MAKERS[name].make(rng, "ann", observer)) for name in DONE]
    steps += [("observe", MAKERS["scrub_blobs"].make(rng, "op", observer)) for _ in range(3)]

    async def judge() -> None:
        async with AsyncExitStack() as stack:
            one: World = await stack.enter_async_context(a_world(1, more=SHARED))
            two: World = await stack.enter_async_context(a_world(1, more=SHARED))
            case = Case(seed | 1, observer, steps)
            for world in (one, two):
                await prepare(world, case)
                await at(world, hidden, "hal", hidden)  # the class is known in both
            await fill(one, hidden)
            for place, (_, operation) in enumerate(steps):
                first, second = await operation.do(one), await operation.do(two)
                compare(case, place, operation, first, second)
                for world in (one, two):
                    await deposits(world, observer, hidden, place)
                    world.clock.forward(1)
                    await world.step("ledger.checkpoint", "ledger.reconcile", "knowledge.ingest")

    asyncio.run(judge())


async def deposits(world: World, observer: str, hidden: str, place: int) -> None:
    """What is delivered upward arrives there, whatever is used."""
    if label_of(world, observer) <= label_of(world, hidden):
        flow = await at(world, observer, "ann", EVERYBODY)
        await flow.deposit(label_of(world, hidden), Put(NOTE, f"up{place}", Note("y" * 50_000, "ships")))
