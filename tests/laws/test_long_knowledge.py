"""The two-world law through the doors of knowledge alone, at full length: documents are brought, sought, tended and
removed at every label, and what an observer finds depends on nothing hidden."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.laws.long import leave
from tests.laws.two_worlds import generate, judge

COUNT = 300
NAMES = (
    "add_document", "add_document", "bring_and_remove", "read_document", "search", "search_in_full",
    "search_with_operators", "search_in_console", "marked_search", "tend_base", "tend_document", "tend_source",
    "vector_batches", "vector_files", "vector_search", "vector_stores", "bedrock_retrieve", "ask",
)  # fmt: skip


@pytest.mark.long
def test_hundreds_of_cases_through_the_doors_of_knowledge() -> None:
    """Killed in the tests of each door: counts, facets, suggestions, hits and ids that lean on what is hidden."""
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\ntwo worlds of knowledge: {COUNT} cases from seed {seed}")
    cases = [generate(seed + n, 14, NAMES) for n in range(COUNT)]

    async def run() -> int:
        return sum([await judge(case) for case in cases])

    compared = asyncio.run(run())
    telling = sum(case.telling for case in cases)
    assert telling >= 0.3 * COUNT
    leave("knowledge_doors", cases=COUNT, compared=compared, telling=telling, seed=seed, leaks=0)
