"""What the two worlds do with missions: install, list, look into, estimate, run, look at runs; in the console too."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import random
from typing import Any

from casemate.errors import Conflict, Refused
from casemate.identity import Bearer
from casemate.jobs import JOB, Artefact, Job, Spec
from casemate.models import READER
from casemate.objects import Put
from casemate.policy import Action
from tests.laws.console_operations import browse
from tests.laws.job_operations import chosen, remember
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

NAMES = ("fit", "count", "never")


def described(name: str, version: str) -> dict[str, Any]:
    """A mission of one parameter and one role."""
    spoken = {"en": "x", "fr": "x"}
    number = {"name": "degree", "type": "integer", "default": 1, "low": 0, "high": 3, **spoken}
    return {
        "format": 1,
        "name": name,
        "version": version,
        "titles": spoken,
        "about": spoken,
        "parameters": [number],
        "roles": [{"name": "rows", "formats": ["csv"], "many": True, "required": False}],
        "outputs": [],
        "stands_on": [],
        "needs": [{"mb": 0, "cpus": 1, "memory_mb": 64, "wall_s": 9, "disk_mb": 9}],
    }


def install(name: str, version: str, code: str = "x = 1") -> dict[str, Any]:
    """The body that installs it."""
    files = {f"{name}.py": base64.b64encode(code.encode()).decode()}
    return {"described": described(name, version), "entry": f"{name}:Mission", "files": files}


@operation(
    ("GET", "/api/missions"),
    ("POST", "/api/missions"),
    ("GET", "/api/missions/{name}"),
    ("DELETE", "/api/missions/{name}"),
    roles=("operator", "user"),
)
def tend_missions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, version = rng.choice(NAMES), rng.choice(("1", "1", "2"))
    body = install(name, version, rng.choice(("x = 1", "x = 1", "x = 2")))
    at = f"/api/missions/{name}{rng.choice(('', '', '@1'))}"
    method, target, said = rng.choice(
        (
            ("POST", "/api/missions", body),
            ("POST", "/api/missions", body),
            ("GET", "/api/missions", None),
            ("GET", at, None),
            ("DELETE", at, None),
        )
    )

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, said, label)

    return do, ""


@operation(
    ("POST", "/api/missions/{name}/estimate"),
    ("POST", "/api/missions/{name}/runs"),
    ("GET", "/api/missions/{name}/runs"),
    ("GET", "/api/mission-runs/{id}"),
    ("POST", "/api/mission-runs/{id}/again"),
)
def run_missions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, place, own = rng.choice(NAMES), rng.random(), rng.random() < 0.5
    source = rng.choice((None, None, "object:lab/rows", "job:{}/out"))
    body = {"parameters": {"degree": rng.choice((0, 1, 9))}, "seed": rng.randrange(3)}
    way = rng.choice(("estimate", "run", "run", "runs", "one", "again"))

    async def do(world: World) -> Seen:
        if own:
            await world.call(who, "POST", "/api/missions", install(name, "1"), label)
        asked = {**body, "inputs": {"rows": [source.format(chosen(world, place))]}} if source else body
        if way == "runs":
            return await world.call(who, "GET", f"/api/missions/{name}/runs", acting=label)
        if way in ("one", "again"):
            target = f"/api/mission-runs/{chosen(world, place)}"
            if way == "one":
                return await world.call(who, "GET", target, acting=label)
            seen = await world.call(who, "POST", f"{target}/again", {}, label)
        else:
            end = "estimate" if way == "estimate" else "runs"
            seen = await world.call(who, "POST", f"/api/missions/{name}/{end}", asked, label)
        if way != "estimate":
            remember(world, seen, label)
        return seen

    return do, ""


@operation(
    ("POST", "/api/missions/{name}/ensembles"),
    ("POST", "/api/missions/{name}/ensemble-estimate"),
    ("POST", "/api/missions/{name}/ensembles/{id}/again"),
)
def ensemble_missions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, place, own = rng.choice(NAMES), rng.random(), rng.random() < 0.6
    source, way = rng.choice((None, "object:lab/rows")), rng.choice(("ensembles", "ensemble-estimate", "again"))
    space = {"parameters": {"degree": {"values": rng.choice(([0, 1], [1, 9]))}}}

    async def do(world: World) -> Seen:
        if own:
            await world.call(who, "POST", "/api/missions", install(name, "1"), label)
        if way == "again":
            target = f"/api/missions/{name}/ensembles/{chosen(world, place)}/again"
            return await world.call(who, "POST", target, {}, label)
        body = {"space": space, "run": {"inputs": {"rows": [source]} if source else {}}}
        seen = await world.call(who, "POST", f"/api/missions/{name}/{way}", body, label)
        if way == "ensembles":
            remember(world, seen, label)
        return seen

    return do, ""


@operation(
    ("GET", "/api/mission-tools"),
    ("GET", "/api/missions/{name}/tool"),
    ("POST", "/api/missions/{name}/calls"),
    ("POST", "/api/mission-talks"),
)
def call_missions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, place, own, id = rng.choice(NAMES), rng.random(), rng.random() < 0.5, rng.choice(("", "call_1"))
    source, way = (
        rng.choice((None, "object:lab/rows", "job:{}/out")),
        rng.choice(("every", "one", "call", "call", "talk")),
    )
    parameters = {"degree": rng.choice((0, 1, 9))}
    odd = rng.choice((None, None, None, "{", '{"queue": "x"}'))

    async def do(world: World) -> Seen:
        if own:
            await world.call(who, "POST", "/api/missions", install(name, "1"), label)
        if way in ("every", "one"):
            target = "/api/mission-tools" if way == "every" else f"/api/missions/{name}/tool"
            return await world.call(who, "GET", target, acting=label)
        if way == "talk":
            wrote = {"id": "c", "name": name, "arguments": json.dumps({"parameters": parameters})}
            turns = [{"role": "user", "content": "How steep?"}, {"role": "assistant", "calls": [wrote]}][
                : 1 + (not odd)
            ]
            asked = {"model": READER, "turns": turns, "wait_s": 0, "missions": [name] if id else []}
            seen = await world.call(who, "POST", "/api/mission-talks", asked, label)
            if seen.status == 200:
                world.prints.update(dict.fromkeys(seen.json["data"]["runs"], label))
            return seen
        inputs = {"rows": source.format(chosen(world, place))} if source else {}
        said = odd or json.dumps({"parameters": parameters, "inputs": inputs})
        seen = await world.call(who, "POST", f"/api/missions/{name}/calls", {"arguments": said, "id": id}, label)
        if seen.status == 201:
            world.prints[seen.json["data"]["run"]] = label
        return seen

    return do, ""


@operation(
    ("GET", "/api/mission-runs/{id}/report"),
    ("GET", "/api/mission-runs/{id}/tables/{name}"),
    ("GET", "/api/mission-runs/{id}/compare"),
)
def look_at_missions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, other = rng.random(), rng.random()
    end = rng.choice(("report", "tables/rows", "tables/rows?format=parquet", "tables/rows?format=never", "compare"))

    async def do(world: World) -> Seen:
        query = f"?with={chosen(world, other)}" if end == "compare" else ""
        return await world.call(who, "GET", f"/api/mission-runs/{chosen(world, place)}/{end}{query}", acting=label)

    return do, ""


@operation(
    ("POST", "/api/mission-runs/{id}/findings"),
    ("GET", "/api/mission-findings"),
)
def keep_findings(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """A run that has ended is put there, as the loop leaves it; one of its findings is kept, and all are listed."""
    place, own, lists = rng.random(), rng.random() < 0.7, rng.random() < 0.4
    key, host = rng.choice(("a1", "a1", "b2", "no key")), rng.choice(("ws1", "ws2", "a long rule"))

    async def do(world: World) -> Seen:
        if lists:
            return await world.call(who, "GET", "/api/mission-findings", acting=label)
        id = chosen(world, place)
        if own:
            id = f"job_{hashlib.sha256(f'{who}{label}{host}'.encode()).hexdigest()[:16]}"
            with contextlib.suppress(Conflict, Refused):
                await found(world, who, id, label, {"key": "a1", "saw": {"host": host, "count": 2}})
        return await world.call(who, "POST", f"/api/mission-runs/{id}/findings", {"key": key}, label)

    return do, ""


async def found(world: World, who: str, id: str, label: str, *lines: dict[str, Any]) -> None:
    """A run of a mission that has ended, with the findings that it left; the withheld word is `a long rule`."""
    gate, told = world.house.gate, [{"withheld": ["a long rule"], **line} for line in lines]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in told)
    acting = world.policies.parse(label) if label else None
    flow = await gate.open(gate.admit(Bearer(world.keys[who])), Action("submit", "job"), acting)
    left = Artefact("out/files/releasable.jsonl", len(data), hashlib.sha384(data).hexdigest(), (await flow.pour(data),))
    session = flow.session.principal
    spec = Spec(("run",), tags={"mission": "fit@1"})
    job = Job(session.id, session.name, state="SUCCEEDED", open="no", phase="ended", spec=spec, artefacts=(left,))
    await flow.commit(Put(JOB, id, job, expect=0))


@operation(
    ("GET", "/api/mission-watches"),
    ("POST", "/api/mission-watches"),
    ("GET", "/api/mission-watches/{id}"),
    ("DELETE", "/api/mission-watches/{id}"),
    ("POST", "/api/mission-watches/{id}/pause"),
    ("GET", "/api/mission-notices"),
)
def watch_missions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, place, own = rng.choice(NAMES), rng.random(), rng.random() < 0.6
    way = rng.choice(("add", "add", "every", "one", "remove", "pause", "notices"))
    body = {
        "name": "w",
        "mission": name,
        "source": rng.choice(("object:lab/", "object:lab/r", "dataset:never")),
        "role": "rows",
        "when": ["slope > 1", "slope changes"],
        "run": {"parameters": {"degree": rng.choice((0, 1, 9))}},
    }
    ticks, tick = rng.random() < 0.3, rng.choice(({"every_s": 60}, {"cron": "*/5 * * * *"}, {"cron": "never"}))

    async def do(world: World) -> Seen:
        if own:
            await world.call(who, "POST", "/api/missions", install(name, "1"), label)
        known = sorted(id for id in world.prints if id.startswith("watch_"))
        target = f"/api/mission-watches/{known[int(place * len(known))] if known and place < 0.9 else 'watch_never'}"
        if way == "every":
            return await world.call(who, "GET", "/api/mission-watches", acting=label)
        if way == "notices":
            return await world.call(who, "GET", "/api/mission-notices", acting=label)
        if way == "pause":
            return await world.call(who, "POST", f"{target}/pause", {"paused": ticks}, label)
        if way in ("one", "remove"):
            return await world.call(who, "GET" if way == "one" else "DELETE", target, acting=label)
        asked = {**body, "source": "", "role": "", **tick} if ticks else body
        seen = await world.call(who, "POST", "/api/mission-watches", asked, label)
        remember(world, seen, label)
        return seen

    return do, ""


@operation(
    ("GET", "/missions"),
    ("GET", "/missions.json"),
    ("GET", "/missions/{name}"),
    ("POST", "/missions/{name}/estimate"),
    ("POST", "/missions/{name}/run"),
    ("POST", "/missions/{name}/ensemble-estimate"),
    ("POST", "/missions/{name}/ensemble"),
    ("GET", "/mission-runs/{id}"),
    ("GET", "/mission-runs/{id}/report"),
    ("GET", "/mission-runs/{id}/tables/{name}"),
    ("POST", "/mission-runs/{id}/again"),
    ("GET", "/mission-watches"),
    ("GET", "/mission-watches.json"),
    ("POST", "/missions/{name}/watch"),
    ("POST", "/mission-watches/{id}/pause"),
    ("POST", "/mission-watches/{id}/remove"),
)
def missions_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, place = rng.choice(NAMES), rng.random()
    form = {"p.degree": rng.choice(("1", "x", "9")), "i.rows": rng.choice(("", "object:lab/rows")), "seed": "1"}
    method, target, said = rng.choice(
        (
            ("GET", "/missions", None),
            ("GET", "/missions.json", None),
            ("GET", f"/missions/{name}", None),
            ("GET", f"/missions/{name}.json", None),
            ("POST", f"/missions/{name}/estimate", form),
            ("POST", f"/missions/{name}/run", form),
            ("POST", f"/missions/{name}/ensemble-estimate", {**form, "e.points": "degree = 1, 2"}),
            ("POST", f"/missions/{name}/ensemble", {**form, "e.points": "degree = 0 to 3 in 2"}),
            ("GET", "/mission-runs/{}", None),
            ("GET", "/mission-runs/{}/report", None),
            ("GET", "/mission-runs/{}/tables/rows", None),
            ("POST", "/mission-runs/{}/again", {}),
            ("GET", "/mission-watches", None),
            ("GET", "/mission-watches.json", None),
            ("POST", f"/missions/{name}/watch", {**form, "w.name": "w", "w.every": "60"}),
            ("POST", "/mission-watches/WATCH/pause", {"paused": "yes"}),
            ("POST", "/mission-watches/WATCH/remove", {"sure": "yes"}),
        )
    )

    async def do(world: World) -> Seen | None:
        watches = sorted(id for id in world.prints if id.startswith("watch_")) or ["watch_never"]
        at = target.replace("WATCH", watches[int(place * len(watches))])
        return await browse(method, at.format(chosen(world, place)), said)(who, label)(world)

    return do, ""
