"""The two worlds where all that happens is in jobs, through the Batch wire and the native door."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from tests.laws import two_worlds
from tests.laws.operations import MAKERS

CASES = 3
ROOMS = ("batch_jobs", "batch_queues", "batch_definitions", "batch_lines", "submit_jobs", "tend_jobs")
ROOMS += ("queues_of_jobs", "definitions_of_jobs", "quotas_of_jobs", "long_work", "work_in_console")


@pytest.mark.parametrize("observer", [two_worlds.ALPHA, two_worlds.SECRET])
def test_what_is_seen_of_jobs_depends_on_nothing_hidden(observer: str) -> None:
    """Names, numbers of revisions, lists, tokens, states, lines and errors."""
    names = tuple(sorted(name for name in MAKERS if any(name.startswith(room) for room in ROOMS)))
    assert len(names) == len(ROOMS)
    seed, done = secrets.randbits(32), 0
    print(f"seed {seed}, {CASES} cases of jobs seen from {observer}")
    while done < CASES:
        seed += 1
        case = two_worlds.generate(seed, 10, names)
        if case.observer == observer:
            asyncio.run(two_worlds.judge(case))
            done += 1
