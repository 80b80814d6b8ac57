"""The two-world law through every door, at full length."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.laws.long import leave
from tests.laws.two_worlds import generate, judge

COUNT = 3_000


@pytest.mark.long
def test_thousands_of_cases_through_every_door() -> None:
    """Status, headers, pieces and calls are equal in both worlds, whatever hidden sessions do."""
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\ntwo worlds through ASGI: {COUNT} cases from seed {seed}")
    cases = [generate(seed + n) for n in range(COUNT)]

    async def run() -> int:
        return sum([await judge(case) for case in cases])

    compared = asyncio.run(run())
    telling = sum(case.telling for case in cases)
    assert telling >= 0.3 * COUNT
    leave("two_worlds_doors", cases=COUNT, compared=compared, telling=telling, seed=seed, leaks=0)
