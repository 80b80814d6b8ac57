"""What the two worlds do with metrics: operators read them, in both formats, and look at the live page."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

HTML = ("accept", "text/html")
OPEN = ("accept", "application/openmetrics-text; version=1.0.0")


@operation(("GET", "/metrics"), ("GET", "/api/live"), ("GET", "/live"), ("GET", "/live.json"), roles=("operator",))
def read_metrics(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target, accepts = rng.choice(
        (
            ("/metrics", ("accept", "*/*")),
            ("/metrics", OPEN),
            ("/api/live", OPEN),
            ("/live", HTML),
            ("/live?follow=1", HTML),
            ("/live.json", HTML),
        )
    )
    script = rng.choice(((), (("hx-request", "true"),)))

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", target, acting=label, headers=(accepts, *script))

    return do, ""
