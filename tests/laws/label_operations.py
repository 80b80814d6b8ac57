"""What the two worlds do with markings: paste a text into the native API and into the console's page."""

from __future__ import annotations

import random
from urllib.parse import urlencode

from tests.laws.operations import Doing, operation, sentence
from tests.laws.world import Seen, World

HTML = ("accept", "text/html")
FORM = ("content-type", "application/x-www-form-urlencoded")
MARKS = ("(U)", "(S//NF)", "(TS//SI//NF)", "(X//NF)", "(S//WHAT)", "(NS)", "(C//REL TO USA, GBR)", "")


@operation(("POST", "/api/labels/lint"), ("POST", "/markings"), ("GET", "/markings"), ("GET", "/markings.json"))
def look_at_markings(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    lines = [f"{rng.choice(MARKS)} {sentence(rng)}" for _ in range(rng.randint(1, 4))]
    text = "\n\n".join([*rng.choice(((), ("SECRET//NOFORN",))), *lines])
    way = rng.choice(("api", "page", "page", "empty", "json"))

    async def do(world: World) -> Seen:
        if way == "api":
            return await world.call(who, "POST", "/api/labels/lint", {"text": text}, label)
        if way == "page":
            raw = urlencode({"text": text}).encode()
            return await world.call(who, "POST", "/markings", raw, label, headers=(HTML, FORM))
        return await world.call(
            who, "GET", "/markings.json" if way == "json" else "/markings", acting=label, headers=(HTML,)
        )

    return do, ""
