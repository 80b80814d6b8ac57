"""The list of damaged rows, read by its operators at any label."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World


@operation(("GET", "/api/store/quarantine"), roles=("operator",))
def read_quarantine(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    del rng

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", "/api/store/quarantine", acting=label)

    return do, ""
