"""The two-world law at the gate, at full length."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.laws.long import leave
from tests.laws.test_access_worlds import judged

COUNT = 10_000


@pytest.mark.long
def test_ten_thousand_sequences_at_the_gate() -> None:
    """What a flow gives is the same whatever lies above or beside it."""
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\ntwo worlds through access: {COUNT} sequences from seed {seed}")
    compared = asyncio.run(judged(range(seed, seed + COUNT)))
    assert compared >= COUNT
    leave("two_worlds_access", sequences=COUNT, compared=compared, seed=seed, leaks=0)
