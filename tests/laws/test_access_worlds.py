"""The two-world law at the gate: thousands of sequences; `make test-long` runs them all."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack

from tests.laws.access_worlds import run, sequence
from tests.laws.two_worlds import HIDDEN
from tests.laws.world import a_world

COUNT = int(os.environ.get("CASEMATE_LAW_ACCESS", "1000"))
SEED = int(os.environ.get("CASEMATE_LAW_SEED", str(random.SystemRandom().randrange(1 << 30))))
TOGETHER = 50


async def judged(seeds: range) -> int:
    """All these sequences, one pair of worlds for each fifty."""
    compared = 0
    for start in range(0, len(seeds), TOGETHER):
        async with AsyncExitStack() as stack:
            one = await stack.enter_async_context(a_world(1))
            two = await stack.enter_async_context(a_world(1))
            observer = tuple(HIDDEN)[start // TOGETHER % len(HIDDEN)]
            for seed in seeds[start : start + TOGETHER]:
                compared += await run(sequence(seed, observer), one, two)
    return compared


def test_a_flow_sees_its_world_and_nothing_else() -> None:
    """What a flow gives is the same whatever lies above or beside it."""
    print(f"\ntwo worlds through access: {COUNT} sequences from seed {SEED}")
    assert asyncio.run(judged(range(SEED, SEED + COUNT))) >= COUNT
