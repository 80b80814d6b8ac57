"""What the two worlds do with projects, quotas and usage: set them, use them up, and look at what is left."""

from __future__ import annotations

import random

import msgspec

from casemate.accounts import Bounds, Price, QuotaRequest, set_quota
from casemate.errors import QuotaExceeded
from casemate.identity import Bearer, Peer
from casemate.policy import Action
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

NAMES = ("alpha", "beta", "default")
PRICE = Price(2_000_000, 6_000_000, 1_000_000, "EUR")
TIGHT = (  # so that there is something to run out: each another kind of limit first
    Bounds(requests_per_minute=2),
    Bounds(tokens_per_minute=600),
    Bounds(tokens_per_day=1_050),
    Bounds(budget_per_month=3_000, concurrent=1),
    Bounds(12, 4_000, 9_000, 30_000, 2),
)


async def tighten(world: World, kind: int) -> None:
    """A quota of the whole region, set at the floor before anything differs: at every label something can run out."""
    gate = world.house.gate
    flow = await gate.open(gate.admit(Peer(0)), Action("set", "quota"), gate.vault.region.floor)
    await set_quota(flow, QuotaRequest(project="default", bounds=TIGHT[kind % len(TIGHT)]))
    await world.step("accounts.limits")


@operation(
    ("GET", "/api/projects"),
    ("POST", "/api/projects"),
    ("GET", "/api/agencies"),
    ("POST", "/api/agencies"),
    roles=("operator",),
)
def operators_projects(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    method, path = rng.choice((("GET", "projects"), ("POST", "projects"), ("GET", "agencies"), ("POST", "agencies")))
    project = {"name": rng.choice(NAMES), "agency": rng.choice(("", "", "NAVY")), "title": "T"}
    body = {"name": rng.choice(("NAVY", "ARMY"))} if path == "agencies" else project

    async def do(world: World) -> Seen:
        return await world.call(who, method, f"/api/{path}", body if method == "POST" else None, label)

    return do, ""


@operation(("GET", "/api/quotas"), ("PUT", "/api/quotas"), roles=("operator",))
def operators_quotas(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    names = ("requests_per_minute", "tokens_per_minute", "tokens_per_day", "budget_per_month", "concurrent")
    bounds = {name: rng.choice((0, 1, 30, 200)) for name in rng.sample(names, rng.randint(0, 3))}
    reads, project = rng.random() < 0.3, rng.choice(NAMES)

    async def do(world: World) -> Seen:
        if reads:
            return await world.call(who, "GET", "/api/quotas", acting=label)
        return await world.call(who, "PUT", "/api/quotas", {"project": project, "bounds": bounds}, label)

    return do, ""


@operation(("GET", "/api/usage"))
def use_and_see(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Reserve, use some of it or keep it open, and read one's own usage; what the meter says is looked at too."""
    asked = [(rng.choice((1, 20, 150)), rng.random() < 0.8) for _ in range(rng.randint(1, 8))]
    kind = rng.choice(("csv", "json"))

    async def do(world: World) -> Seen:
        meter, gate, told = world.house.meter, world.house.gate, []
        assert meter is not None
        session = gate.admit(Bearer(world.keys[who]))
        flow = await gate.open(session, Action("ask", "answer"), world.policies.parse(label))
        for tokens, ends in asked:
            try:
                held = meter.reserve(flow, tokens, "law/far", "law", PRICE)
            except QuotaExceeded as error:
                told.append(str(error))
                continue
            told.append("in")
            if ends:
                held.settle(tokens // 2, tokens)
        seen = await world.call(who, "GET", f"/api/usage?format={kind}", acting=label)
        return Seen(seen.status, seen.headers, (msgspec.json.encode(told), *seen.pieces), seen.calls)

    return do, ""


@operation(("POST", "/api/usage/recount"), roles=("auditor",))
def recount_an_hour(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    hour = rng.choice(("2026-09-21T12:10:00Z", "2026-09-21T09:00:00Z", "never"))

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/usage/recount", {"hour": hour}, label)

    return do, ""
