"""What the two worlds do with buckets: make, drop and look into them, natively and in the console; scrub blobs."""

from __future__ import annotations

import random
from urllib.parse import urlencode

from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

HTML = ("accept", "text/html")
FORM = ("content-type", "application/x-www-form-urlencoded")
NAMES = ("plans", "charts", "Plans!", "logs")


@operation(
    ("GET", "/api/buckets"),
    ("POST", "/api/buckets"),
    ("DELETE", "/api/buckets/{name}"),
    ("GET", "/api/buckets/{name}/objects"),
)
def keep_buckets(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, way = rng.choice(NAMES), rng.choice(("make", "make", "drop", "list", "look"))
    query = urlencode({"delimiter": rng.choice(("", "/")), "limit": rng.choice(("1", "50"))})

    async def do(world: World) -> Seen:
        if way == "make":
            return await world.call(who, "POST", "/api/buckets", {"name": name}, label)
        if way == "drop":
            return await world.call(who, "DELETE", f"/api/buckets/{name}", acting=label)
        if way == "list":
            return await world.call(who, "GET", "/api/buckets", acting=label)
        return await world.call(who, "GET", f"/api/buckets/{name}/objects?{query}", acting=label)

    return do, ""


@operation(("GET", "/buckets"), ("GET", "/buckets.json"), ("POST", "/buckets"), ("POST", "/buckets/{name}/remove"))
def look_at_buckets(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, way = rng.choice(NAMES), rng.choice(("page", "page", "inside", "json", "make", "drop"))

    async def do(world: World) -> Seen:
        if way == "make":
            raw = urlencode({"name": name}).encode()
            return await world.call(who, "POST", "/buckets", raw, label, headers=(HTML, FORM))
        if way == "drop":
            return await world.call(who, "POST", f"/buckets/{name}/remove", b"", label, headers=(HTML, FORM))
        target = {"page": "/buckets", "inside": f"/buckets?name={name}", "json": "/buckets.json"}[way]
        return await world.call(who, "GET", target, acting=label, headers=(HTML,))

    return do, ""


@operation(
    ("POST", "/api/store/scrub"), ("GET", "/api/store/damaged"), ("GET", "/api/store/classes"), roles=("operator",)
)
def scrub_blobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    way = rng.choice(("scrub", "scrub", "damaged", "classes"))

    async def do(world: World) -> Seen:
        if way == "scrub":
            return await world.call(who, "POST", "/api/store/scrub", {}, label)
        return await world.call(who, "GET", f"/api/store/{way}", acting=label)

    return do, ""
