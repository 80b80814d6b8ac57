"""Labels never meet on a node, whatever the schedule."""

from __future__ import annotations

import random

import pytest

from tests.jobs.schedules import run
from tests.laws.long import leave

COUNT = 10_000
TENTH = 1_000


def test_a_thousand_schedules_mix_no_labels() -> None:
    """A tenth of the law, always the same."""
    assert sum(run(seed) for seed in range(TENTH)) > TENTH


@pytest.mark.long
def test_ten_thousand_schedules_mix_no_labels() -> None:
    """No node holds two labels, and none changes its label without having been cleaned."""
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nschedules: {COUNT} from seed {seed}")
    ran = sum(run(each) for each in range(seed, seed + COUNT))
    assert ran > COUNT
    leave("job_schedules", schedules=COUNT, ran=ran, mixed=0, seed=seed)
