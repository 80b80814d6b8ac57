"""What the two worlds do with jobs: submit, batch, list, count, look into, end and make again; in the console too.

Ids are those of jobs of either world, whoever may see them, so that a hidden one and one that never was are told alike.
"""

from __future__ import annotations

import random
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from casemate.doors.native import job_lines
from tests.laws.console_operations import browse
from tests.laws.operations import Doing, operation, sentence
from tests.laws.world import Seen, World

QUEUES = ("default", "default", "night")
NEVER = "job_neverexisted"
HOWS = ("afterok", "afterany", "afternotok")


def chosen(world: World, place: float) -> str:
    """A job of either world, or one that never was."""
    known = sorted(id for id in world.prints if id.startswith("job_"))
    return known[int(place * len(known))] if known and place < 0.9 else NEVER


def spec(rng: random.Random) -> dict[str, Any]:
    """Something small to be done."""
    found: dict[str, Any] = {"command": ["/bin/true", str(rng.randrange(3))], "name": sentence(rng, 2)}
    found |= {"queue": rng.choice(QUEUES)} if rng.random() < 0.5 else {}
    found |= {"array": {"size": rng.randint(2, 4)}} if rng.random() < 0.2 else {}
    found |= {"resources": {"cpus": rng.choice((1, 2, 64))}} if rng.random() < 0.3 else {}
    found |= {"misspelt": 1} if rng.random() < 0.05 else {}
    return found


def remember(world: World, seen: Seen, label: str) -> None:
    """Ids that may be asked for from now on."""
    if seen.status != 201:
        return
    data = seen.json["data"]
    for each in data.get("jobs", [data, data["array"]] if "array" in data else [data]):
        world.prints[each["id"]] = label


@operation(("POST", "/api/jobs"), ("GET", "/api/jobs/top"), ("GET", "/api/jobs"))
def submit_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    key, many, place = rng.choice(("", "", "once", "twice")), rng.random() < 0.3, rng.random()
    body = (
        {"jobs": [{"spec": spec(rng)} for _ in range(rng.randint(1, 3))]} if many else {"spec": spec(rng), "key": key}
    )
    after, how = rng.random() < 0.2, rng.choice(HOWS)
    then = rng.choice(("", "", "/api/jobs/top", "/api/jobs"))

    async def do(world: World) -> Seen:
        if after and not many:
            body["spec"]["after"] = [{"job": chosen(world, place), "when": how}]
        seen = await world.call(who, "POST", "/api/jobs", body, label)
        remember(world, seen, label)
        return await world.call(who, "GET", then, acting=label) if then else seen

    return do, ""


@operation(
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/top"),
    ("GET", "/api/jobs/{id}"),
    ("GET", "/api/jobs/{id}/logs"),
    ("GET", "/api/jobs/{id}/artefacts"),
    ("GET", "/api/jobs/{id}/artefacts/{name*}"),
)
def look_at_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, draw = rng.random(), rng.random()
    query = urlencode(
        {
            "queue": rng.choice(("", "", *QUEUES)),
            "open": rng.choice(("", "yes", "no")),
            "state": rng.choice(("", "", "RUNNABLE", "SUCCEEDED,FAILED", "NEVER")),
            "owner": rng.choice(("", "", "me", "prn_never")),
            "limit": rng.choice(("1", "2", "100", "0")),
        }
    )
    way = rng.choice(("list", "list", "pages", "children", "top", "one", "logs", "said", "artefacts", "artefact"))

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        at = f"/api/jobs/{id}"
        if way == "pages":
            return await _pages(world, who, label)
        target = {
            "list": f"/api/jobs?{query}",
            "children": f"/api/jobs?parent={id}",
            "top": "/api/jobs/top",
            "one": at,
            "logs": f"{at}/logs",
            "said": f"{at}/logs?stream={'out' if draw < 0.5 else 'never'}&at={int(draw * 9)}",
            "artefacts": f"{at}/artefacts",
            "artefact": f"{at}/artefacts/{'out/a' if draw < 0.5 else 'never'}",
        }[way]
        return await world.call(who, "GET", target, acting=label)

    return do, ""


async def _pages(world: World, who: str, label: str) -> Seen:
    """Every page, one job on each: where a page ends and what continues it is told too."""
    after, pieces, calls = "", list[bytes](), list[str]()
    for _ in range(20):
        query = urlencode({"limit": "1", **({"after": after} if after else {})})
        seen = await world.call(who, "GET", f"/api/jobs?{query}", acting=label)
        pieces += seen.pieces
        calls += seen.calls
        after = seen.json["data"]["after"] if seen.status == 200 else ""
        if not after:
            break
    return Seen(seen.status, seen.headers, tuple(pieces), tuple(calls))


@operation(("POST", "/api/jobs/{id}/cancel"), ("POST", "/api/jobs/{id}/retry"), ("GET", "/api/jobs/{id}"))
def tend_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, own, deed = rng.random(), rng.random() < 0.6, rng.choice(("cancel", "cancel", "retry"))
    said, look = spec(rng), rng.random() < 0.3

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        if own:
            made = await world.call(who, "POST", "/api/jobs", {"spec": said}, label)
            remember(world, made, label)
            id = made.json["data"]["id"] if made.status == 201 else id
        seen = await world.call(who, "POST", f"/api/jobs/{id}/{deed}", {"reason": "law"}, label)
        return await world.call(who, "GET", f"/api/jobs/{id}", acting=label) if look else seen

    return do, ""


@operation(("POST", "/api/jobs/{id}/terminal"), ("POST", "/api/jobs/{id}/notebook"), ("POST", "/api/jobs"))
def work_in_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Nothing runs here: of one's own that waits, of another's, of a hidden one and of one that never was."""
    place, own, kind = rng.random(), rng.random() < 0.5, rng.choice(("shell", "notebook"))
    said, target = {**spec(rng), "interactive": {"kind": kind}}, rng.choice(("terminal", "notebook"))

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        if own:
            made = await world.call(who, "POST", "/api/jobs", {"spec": said}, label)
            remember(world, made, label)
            id = made.json["data"]["id"] if made.status == 201 else id
        with patch.object(job_lines, "WAIT", 0.0):
            return await world.call(who, "POST", f"/api/jobs/{id}/{target}", b"typed", label)

    return do, ""


@operation(("POST", "/api/sweeps"), ("GET", "/api/sweeps/{id}"), ("GET", "/api/jobs/{id}"))
def sweeps(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Made, made again, looked into; its table's job asked for again, and made of a job that is perhaps hidden."""
    place, made, way = rng.random(), rng.random() < 0.6, rng.choice(("show", "show", "array", "of"))
    body: dict[str, Any] = {
        "job": {**spec(rng), "array": {"parallel": rng.randint(0, 2)}},
        "parameters": {
            "rate": {"from": 0, "to": 1, "steps": rng.randint(1, 3)},
            "kind": {"values": [sentence(rng, 1)]},
        },
        "method": rng.choice(("grid", "sobol", "random")),
        "count": rng.randint(1, 3),
        "key": rng.choice(("", "sweep")),
    }

    async def do(world: World) -> Seen:
        id = array = chosen(world, place)
        if made:
            seen = await world.call(who, "POST", "/api/sweeps", body, label)
            remember(world, seen, label)
            if seen.status != 201:
                return seen
            id, array = seen.json["data"]["id"], seen.json["data"]["array"]["id"]
        if way == "of":
            table = {"command": ["/bin/true"], "inputs": [{"name": "sweep", "source": f"sweep:{array}"}]}
            seen = await world.call(who, "POST", "/api/jobs", {"spec": table}, label)
            remember(world, seen, label)
            return seen
        return await world.call(who, "GET", f"/api/{'jobs' if way == 'array' else 'sweeps'}/{id}", acting=label)

    return do, ""


@operation(("GET", "/api/job-nodes"), ("POST", "/api/job-nodes/{engine}/{name}/sanitise"))
def nodes_of_clusters(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, listed = rng.choice(("n1", "n2")), rng.random() < 0.5
    body = {"steps": rng.choice((["gpu-memory", "scratch"], ["reboot"], [])), "evidence": sentence(rng, 2)}

    async def do(world: World) -> Seen:
        if listed:
            return await world.call(who, "GET", "/api/job-nodes", acting=label)
        return await world.call(who, "POST", f"/api/job-nodes/hpc/{name}/sanitise", body, label)

    return do, ""


@operation(
    ("GET", "/jobs"),
    ("GET", "/jobs.json"),
    ("GET", "/jobs/{id}"),
    ("GET", "/jobs/{id}/said"),
    ("GET", "/jobs/{id}/said.json"),
    ("GET", "/jobs/{id}/artefacts/{name*}"),
    ("POST", "/jobs/{id}/cancel"),
    ("POST", "/jobs/{id}/retry"),
)
def jobs_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, script = rng.random(), rng.choice(((), (("hx-request", "true"),)))
    sure = rng.choice(({"sure": "yes", "why": "law"}, {}))
    method, target, form = rng.choice(
        (
            ("GET", "/jobs", None),
            ("GET", "/jobs?all=1", None),
            ("GET", "/jobs.json?all=1", None),
            ("GET", "/jobs/{}", None),
            ("GET", "/jobs/{}.json", None),
            ("GET", "/jobs/{}/said", None),
            ("GET", "/jobs/{}/said.json?at=3.0", None),
            ("GET", "/jobs/{}/artefacts/out/a", None),
            ("POST", "/jobs/{}/cancel", sure),
            ("POST", "/jobs/{}/retry", sure),
        )
    )

    async def do(world: World) -> Seen | None:
        return await browse(method, target.format(chosen(world, place)), form, *script)(who, label)(world)

    return do, ""
