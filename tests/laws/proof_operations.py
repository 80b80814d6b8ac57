"""What the two worlds do with proofs: auditors prove everybody's world, officers and auditors read what was counted."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, operation, question
from tests.laws.world import Seen, World


@operation(("POST", "/api/prove/all"), roles=("auditor",))
def prove_everybody(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)
    body = {"questions": [asked, question(rng)], "reason": "law", "knowledge": rng.choice(("all", "law", "nowhere"))}

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/prove/all", body, label)

    return do, asked


@operation(("GET", "/api/proofs"), ("GET", "/proofs"), ("GET", "/proofs.json"), roles=("officer",))
def read_proofs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target = rng.choice(("/api/proofs", "/proofs", "/proofs.json"))

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", target, acting=label, headers=(("accept", "text/html"),))

    return do, ""
