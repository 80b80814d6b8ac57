"""What the two worlds do with packages and environments: list, bring, lock, look, forget, and submit into one."""

from __future__ import annotations

import hashlib
import random

from tests.laws.job_operations import remember
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

NAMES = ("speech", "vision", "never")
WHEELS = tuple((f"p{n}-1-py3-none-any.whl", f"wheel {n}".encode()) for n in range(3))


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@operation(
    ("GET", "/api/packages"),
    ("POST", "/api/packages"),
    ("PUT", "/api/packages/{name}"),
    ("GET", "/api/packages/{name}/file"),
    roles=("operator", "user"),
)
def bring_packages(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, body = rng.choice(WHEELS)
    sums, listing = f"{_digest(rng.choice(WHEELS)[1] if rng.random() < 0.1 else body)}  {name}\n", rng.random() < 0.3
    signature = "00" if rng.random() < 0.1 else ""
    looked = rng.choice(("/api/packages", f"/api/packages/{name}/file"))

    async def do(world: World) -> Seen:
        if listing:
            return await world.call(who, "GET", looked, None, label)
        told = await world.call(who, "POST", "/api/packages", {"sums": sums, "signature": signature}, label)
        if told.status != 201:
            return told
        listed = told.json["data"]["list"]
        return await world.call(who, "PUT", f"/api/packages/{name}?list={listed}", body, label)

    return do, ""


@operation(
    ("GET", "/api/environments"),
    ("POST", "/api/environments"),
    ("PUT", "/api/environments/{name}"),
    ("GET", "/api/environments/{name}"),
    ("DELETE", "/api/environments/{name}"),
    roles=("operator", "user"),
)
def tend_environments(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, (wheel, body) = rng.choice(NAMES), rng.choice(WHEELS)
    at = f"/api/environments/{name}"
    lock = {"name": name, "lock": f"{wheel.partition('-')[0]}==1 --hash=sha256:{_digest(body)}\n"}
    spec = {"spec": {"command": ["/bin/true"], "environment": f"{rng.choice(('wheels', 'image'))}:{name}"}}
    method, target, said = rng.choice(
        (
            ("POST", "/api/environments", lock),
            ("POST", "/api/environments", lock),
            ("PUT", at, b"an archive"),
            ("GET", "/api/environments", None),
            ("GET", at, None),
            ("DELETE", at, None),
            ("POST", "/api/jobs", spec),
        )
    )

    async def do(world: World) -> Seen:
        seen = await world.call(who, method, target, said, label)
        if target == "/api/jobs":
            remember(world, seen, label)
        return seen

    return do, ""
