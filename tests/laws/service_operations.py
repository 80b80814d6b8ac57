"""What the two worlds do with services: deploy and take back models, change services, and look at both.

Names are few and shared with those of models, so that hidden sessions deploy what the observer deploys and lists.
"""

from __future__ import annotations

import random
from typing import Any

from tests.laws.job_operations import chosen, remember
from tests.laws.model_operations import NAMES
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World


def served(rng: random.Random) -> dict[str, Any]:
    """A service that nobody runs: no engine is joined in a law."""
    return {
        "command": ["serve", str(rng.randrange(3))],
        "kind": rng.choice(("service", "service", "service", "command")),
        "service": {"replicas": rng.randint(1, 3), "port": rng.choice((8000, 9000, 80))},
    }


@operation(
    ("POST", "/api/models/deploy"), ("POST", "/api/models/undeploy"), ("GET", "/api/models"), roles=("operator",)
)
def models_deployed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, engine = rng.choice(NAMES), rng.choice(("openai", "openai", "vllm"))
    body = {"model": name, "engine": engine, "command": rng.choice((["serve"], ["serve", "x"], []))}
    on, then = rng.random() < 0.7, rng.choice(("", f"/{rng.choice(NAMES)}"))

    async def do(world: World) -> Seen:
        at, sent = ("deploy", body) if on else ("undeploy", {"model": name})
        seen = await world.call(who, "POST", f"/api/models/{at}", sent, label)
        if seen.status == 201:
            world.prints[seen.json["data"]["service"]["id"]] = label
        listed = await world.call(who, "GET", f"/api/models{then}", acting=label)
        return Seen(seen.status, seen.headers, (*seen.pieces, *listed.pieces), (*seen.calls, *listed.calls))

    return do, ""


@operation(("POST", "/api/jobs"), ("POST", "/api/jobs/{id}/update"), ("GET", "/api/jobs/{id}"))
def services_changed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, own, first, then = rng.random(), rng.random() < 0.7, served(rng), served(rng)
    looks = rng.choice(("", "", ":0", "?all"))

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        if own:
            made = await world.call(who, "POST", "/api/jobs", {"spec": first}, label)
            remember(world, made, label)
            id = made.json["data"]["id"] if made.status == 201 else id
        seen = await world.call(who, "POST", f"/api/jobs/{id}/update", {"spec": then}, label)
        path = "/api/jobs" if looks == "?all" else f"/api/jobs/{id}{looks}"
        listed = await world.call(who, "GET", path, acting=label)
        return Seen(seen.status, seen.headers, (*seen.pieces, *listed.pieces), (*seen.calls, *listed.calls))

    return do, ""
