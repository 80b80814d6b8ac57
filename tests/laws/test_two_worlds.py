"""The two-world law through every door: generated cases, none of them vacuous in the mass."""

from __future__ import annotations

import asyncio
import os
import random

from tests.laws.operations import MAKERS
from tests.laws.two_worlds import generate, judge
from tests.laws.world import a_world

COUNT = int(os.environ.get("CASEMATE_LAW_ASGI", "300"))
SEED = int(os.environ.get("CASEMATE_LAW_SEED", str(random.SystemRandom().randrange(1 << 30))))


def test_what_is_seen_depends_on_nothing_hidden() -> None:
    """Status, headers, pieces and calls are equal in both worlds, whatever hidden sessions do."""
    print(f"\ntwo worlds through ASGI: {COUNT} cases from seed {SEED}")
    cases = [generate(SEED + n) for n in range(COUNT)]

    async def run() -> int:
        return sum([await judge(case) for case in cases])

    compared = asyncio.run(run())
    telling = sum(case.telling for case in cases)
    assert compared >= COUNT
    assert telling >= 0.3 * COUNT, f"only {telling} of {COUNT} cases hide a document that matches a question"


def test_every_route_is_driven_by_an_operation() -> None:
    """A route that no operation covers fails here, so that a new one cannot be forgotten."""
    exempt = {"/api/health", "/api/openapi.json"}

    async def routes() -> set[tuple[str, str]]:
        async with a_world() as world:
            return {(r.method, r.path) for r in world.house.app.table.routes if not r.public and r.path not in exempt}

    covered = {route for maker in MAKERS.values() for route in maker.routes}
    assert asyncio.run(routes()) - covered - _elsewhere() == set()


def _elsewhere() -> set[tuple[str, str]]:
    """Routes that the law drives in files of their own, each named with its reason."""
    return set()
