"""The two-world law through every door: generated cases, none of them vacuous in the mass."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from casemate.identity import Peer
from casemate.policy import Action
from tests.laws.account_operations import TIGHT, tighten
from tests.laws.gateway_operations import WIRES, install
from tests.laws.operations import MAKERS
from tests.laws.two_worlds import LOW, generate, judge
from tests.laws.world import a_world

ASK = Action("ask", "answer")
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


@pytest.mark.parametrize("kind", range(len(TIGHT)))
def test_a_tight_quota_is_met(kind: int) -> None:
    """Else the cases that have one would compare nothing of a 429."""
    path, body, _ = WIRES[0]("law/fickle", "convoy", False)

    async def statuses() -> set[int]:
        async with a_world(2) as world:
            await world.person("ann", LOW)
            install(world)
            await tighten(world, kind)
            flow = await world.house.gate.open(world.house.gate.admit(Peer(0)), ASK, world.policies.parse(LOW))
            assert world.house.meter is not None
            held = world.house.meter.reserve(flow, 1)  # somebody else of the project, and the same label
            found = {(await world.call("ann", "POST", path, body, LOW)).status for _ in range(30)}
            held.cancel()
            return found

    assert 429 in asyncio.run(statuses())
