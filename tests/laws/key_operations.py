"""The keys of classes, looked at at any label, and destroyed where an officer acts."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World


@operation(("GET", "/api/class-keys"), ("GET", "/api/class-keys/here"), roles=("operator",))
def look_at_keys(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    path = rng.choice(("", "/here"))

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", f"/api/class-keys{path}", acting=label)

    return do, ""


@operation(("POST", "/api/class-keys/destroy"), roles=("operator",))
def destroy_a_key(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """By whoever may not: a key that is destroyed ends its world in both runs alike."""
    del rng

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/class-keys/destroy", {}, acting=label)

    return do, ""
