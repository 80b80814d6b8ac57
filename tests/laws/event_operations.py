"""What the two worlds do through the wire of Splunk's collector: events into buckets, also hidden and missing ones."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, operation, sentence
from tests.laws.s3_operations import Hand
from tests.laws.world import Seen, World

COLLECTOR = "/services/collector"


@operation(
    *(("POST", f"{COLLECTOR}{end}") for end in ("", "/event", "/event/1.0", "/raw", "/raw/1.0", "/ack")),
    *(("GET", f"{COLLECTOR}/health{end}") for end in ("", "/1.0")),
)
def bucket_events(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, made = rng.choice(("law-one", "law-two", "law-never", "")), rng.random() < 0.5
    text = sentence(rng)
    event = b'{"event":"%s","time":%d}' % (text.encode(), rng.randrange(10**6))
    end, body = rng.choice(
        (
            ("", event),
            ("/event", event * 2),
            ("/event/1.0", event + b"{"),
            ("/raw", text.encode()),
            ("/raw/1.0", text.encode()),
            ("/ack", b"{}"),
            ("/health", b""),
            ("/health/1.0", b""),
        )
    )

    async def do(world: World) -> Seen:
        if made and name:
            await Hand(world, who, label).look("PUT", f"/{name}")
        method = "GET" if end.startswith("/health") else "POST"
        query = f"?index={name}" if name else ""
        seen = await world.call(who, method, f"{COLLECTOR}{end}{query}", body, label)
        if seen.status == 200 and method == "POST":
            await Hand(world, who, label).look("GET", f"/{name}")
        return seen

    return do, ""
