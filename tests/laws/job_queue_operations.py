"""What the two worlds do with queues and definitions through the native door, and with quotas of who asks for jobs.

Names are those of the Batch wire's operations, so that what one door makes the other meets; whoever has a quota asks
for more than it.
"""

from __future__ import annotations

import random
from typing import Any

from tests.laws.job_operations import remember, spec
from tests.laws.operations import Doing, operation, sentence
from tests.laws.world import Seen, World

QUEUES, TRAINS = ("default", "night", "law", "dark"), ("train", "train:1", "train:2", "never")
PEOPLE = ("ann", "never")


@operation(
    ("GET", "/api/job-queues"),
    ("POST", "/api/job-queues"),
    ("GET", "/api/job-queues/{name}"),
    ("PUT", "/api/job-queues/{name}"),
    ("DELETE", "/api/job-queues/{name}"),
)
def queues_of_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name = rng.choice(QUEUES)
    told: dict[str, Any] = {"priority": rng.randint(-2, 9), "max_share": rng.choice((0, 25, 50, 100))}
    told |= {"shares": {rng.choice(PEOPLE): rng.choice((0.5, 3))}} if rng.random() < 0.5 else {}
    told |= {"enabled": rng.random() < 0.5} if rng.random() < 0.5 else {}
    told |= {"tags": {"of": sentence(rng, 1)}} if rng.random() < 0.3 else {}
    method, path, body = rng.choice(
        (
            ("POST", "", {"name": name, **told}),
            ("POST", "", {"name": name, **told}),
            ("GET", "", None),
            ("GET", f"/{name}", None),
            ("PUT", f"/{name}", told),
            ("DELETE", f"/{name}", None),
        )
    )

    async def do(world: World) -> Seen:
        return await world.call(who, method, f"/api/job-queues{path}", body, label)

    return do, ""


@operation(
    ("GET", "/api/job-definitions"),
    ("POST", "/api/job-definitions"),
    ("GET", "/api/job-definitions/{name}"),
    ("DELETE", "/api/job-definitions/{name}"),
    ("POST", "/api/jobs"),
)
def definitions_of_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, word = rng.choice(TRAINS), sentence(rng, 2)
    body = {"name": "train", "spec": {**spec(rng), "command": ["/bin/echo", "Ref::word"]}, "parameters": {"word": word}}
    method, target, told = rng.choice(
        (
            ("POST", "/api/job-definitions", body),
            ("POST", "/api/job-definitions", body),
            ("GET", "/api/job-definitions", None),
            ("GET", f"/api/job-definitions?name={name[:5]}", None),
            ("GET", f"/api/job-definitions/{name}", None),
            ("DELETE", f"/api/job-definitions/{name}", None),
            ("POST", "/api/jobs", {"definition": name, "parameters": {"word": word}, "queue": rng.choice(QUEUES)}),
        )
    )

    async def do(world: World) -> Seen:
        seen = await world.call(who, method, target, told, label)
        if target == "/api/jobs":
            remember(world, seen, label)
        return seen

    return do, ""


@operation(("PUT", "/api/quotas"), ("POST", "/api/jobs"), roles=("operator",))
def quotas_of_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """An operator's quota for somebody at a label; whoever has it meets it where he asks for jobs."""
    bounds = rng.choice(({"jobs": 1}, {"jobs": 0}, {"job_cpus": 1}, {"job_gpus": 0, "jobs": 3}, {}))
    body = {"principal": rng.choice((who.removesuffix("-operator"), "never")), "bounds": bounds}

    async def do(world: World) -> Seen:
        return await world.call(who, "PUT", "/api/quotas", body, label)

    return do, ""
