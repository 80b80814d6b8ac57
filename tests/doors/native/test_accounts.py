"""Projects, quotas and usage through the native API: statuses, marking and what a file that leaves bears."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from casemate.accounts import Price
from casemate.errors import QuotaExceeded
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, log, principal
from tests.laws.world import Seen, World

EUROS = Price(2_000_000, 6_000_000, 1_000_000, "EUR")
ASK = Action("ask", "answer")


async def use(world: World, at: str, completion: int = 5, name: str = "ann") -> None:
    meter = world.house.meter
    assert meter is not None
    flow = await flow_of(world, principal(world, name, TOP, "user"), ASK, at)
    meter.reserve(flow, completion, "acme/large", "acme", EUROS).settle(0, completion)


async def manager(world: World) -> None:
    await world.person("olga", TOP, ("operator", "auditor"))


async def test_projects_and_agencies(world: World) -> None:
    await manager(world)
    made = await world.call("olga", "POST", "/api/agencies", {"name": "NAVY"}, SECRET)
    assert (made.status, made.json["data"]["name"]) == (201, "NAVY")
    made = await world.call("olga", "POST", "/api/projects", {"name": "alpha", "agency": "NAVY"}, SECRET)
    assert (made.status, made.json["data"]["agency"], made.header("casemate-label")) == (201, "NAVY", SECRET)
    for at, names in ((LOW, []), (SECRET, ["alpha"]), (TOP, ["alpha"])):
        seen = await world.call("olga", "GET", "/api/projects", acting=at)
        assert [each["name"] for each in seen.json["data"]] == names
        assert {each["label"] for each in seen.json["data"]} <= {SECRET}
    seen = await world.call("olga", "GET", "/api/agencies", acting=SECRET)
    assert [each["name"] for each in seen.json["data"]] == ["EXERCISE", "NAVY"]
    seen = await world.call("olga", "POST", "/api/projects", {"name": "(TS//SI//NF)"}, LOW)
    assert seen.status == 403, "what is written above the label is refused before it is kept"


async def test_a_quota_stops_its_own_label_alone(world: World) -> None:
    await manager(world)
    body: dict[str, Any] = {"project": "default", "bounds": {"tokens_per_day": 10}}
    assert (await world.call("olga", "PUT", "/api/quotas", body, SECRET)).status == 200
    await world.step("accounts.limits")
    for at in (LOW, TOP, SECRET):
        await use(world, at, 6)
    await use(world, LOW, 60)
    for at in (SECRET, TOP):
        with pytest.raises(QuotaExceeded):
            await use(world, at, 6)
    seen = await world.call("olga", "GET", "/api/quotas", acting=TOP)
    [told] = seen.json["data"]
    assert (told["subject"], told["bounds"]["tokens_per_day"], told["label"]) == ("project:default", 10, SECRET)
    assert (await world.call("olga", "GET", "/api/quotas", acting=LOW)).json["data"] == []
    assert (await world.call("olga", "PUT", "/api/quotas", {"project": "default"}, SECRET)).status == 200
    await world.step("accounts.limits")
    await use(world, SECRET, 6)


async def export(world: World, at: str, who: str = "olga", more: str = "") -> Seen:
    return await world.call(who, "GET", f"/api/usage?format=csv{more}", acting=at)


async def test_an_export_bears_its_marking_everywhere(world: World) -> None:
    await manager(world)
    await world.person("ann", TOP)
    for at in (LOW, SECRET, SECRET, TOP):
        await use(world, at)
    await world.step("accounts.usage")
    seen = await export(world, SECRET)
    rows = list(csv.DictReader(io.StringIO(b"".join(seen.pieces).decode())))
    banner = seen.header("casemate-marking")
    assert banner == "SECRET//NOFORN"
    assert {row["x_CasemateMarking"] for row in rows} == {banner}
    assert {row["x_CasemateLabel"] for row in rows} == {LOW, SECRET}
    assert [row["ConsumedQuantity"] for row in rows if row["SkuMeter"] == "Output tokens"] == ["5", "10"]
    assert {row["BilledCost"] for row in rows} == {"0", "0.00003", "0.00006"}
    assert seen.header("content-type").startswith("text/csv")
    assert 'filename="SECRET-NOFORN_usage_' in seen.header("content-disposition")
    assert log(world, SECRET)[-1].facts == {"rows": len(rows)}
    own = await export(world, TOP, "ann")
    assert len(b"".join(own.pieces).splitlines()) == 1 + 6
    told = (await world.call("olga", "GET", "/api/usage", acting=LOW)).json["data"]
    assert (told["focus"], len(told["rows"])) == ("1.2", 2)


@pytest.mark.parametrize(
    "query", ["format=xml", "from=never", "to=2026-13-01", "from=2026-01-01T00:00:00", "from=2020-01-01&to=2026-01-01"]
)
async def test_what_cannot_be_exported(world: World, query: str) -> None:
    await manager(world)
    assert (await world.call("olga", "GET", f"/api/usage?{query}", acting=LOW)).json["slug"] == "malformed"


async def test_days_are_chosen(world: World) -> None:
    await manager(world)
    await use(world, LOW)
    await world.step("accounts.usage")
    day = (await world.call("olga", "GET", "/api/usage", acting=LOW)).json["data"]["rows"][0]["ChargePeriodStart"][:10]
    for query, count in ((f"from={day}", 3), ("from=2026-01-01&to=2026-01-31", 1)):
        seen = await export(world, LOW, more=f"&{query}")
        assert len(b"".join(seen.pieces).splitlines()) == count


async def test_an_hour_is_recounted(world: World) -> None:
    await manager(world)
    await use(world, LOW)
    await world.step("accounts.usage")
    world.clock.forward(3 * 3600)
    seen = await world.call("olga", "GET", "/api/usage", acting=LOW)
    hour = seen.json["data"]["rows"][0]["ChargePeriodStart"]
    again = await world.call("olga", "POST", "/api/usage/recount", {"hour": hour}, LOW)
    assert again.json["data"] == {"records": 0}, "no END entry told of it"
    assert (await world.call("olga", "GET", "/api/usage", acting=LOW)).json["data"]["rows"] == []
    assert (await world.call("olga", "POST", "/api/usage/recount", {"hour": "soon"}, LOW)).status == 400
