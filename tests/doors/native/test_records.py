"""The ledger, today, the region and its description through the native API."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from casemate.identity import ROLES
from casemate.ledger import verify_export
from tests.attacks.scene import LOW, SECRET, TOP, Writer, connect, log
from tests.laws.world import World


async def people(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("ada", TOP, ("auditor",))
    await world.call("ann", "POST", "/api/ask", {"question": "Where is the hidden pier?"}, SECRET)
    world.clock.forward(1)
    await world.call("ann", "GET", "/api/documents/doc_none", acting=LOW)


async def test_an_auditor_reads_what_was_done_and_the_doer_his_own(world: World) -> None:
    await people(world)
    every = (await world.call("ada", "GET", "/api/ledger?limit=1000", acting=TOP)).json["data"]
    assert {seen["entry"]["principal"] for seen in every} >= {"ann"}
    assert {seen["label"] for seen in every} >= {LOW, SECRET}
    own = (await world.call("ann", "GET", "/api/ledger", acting=SECRET)).json["data"]
    assert {seen["entry"]["principal"] for seen in own} == {"ann"}
    assert [seen["entry"]["outcome"] for seen in own[:1]] == ["absent"]
    id = own[0]["entry"]["id"]
    one = (await world.call("ann", "GET", f"/api/ledger/{id}", acting=SECRET)).json["data"]
    assert one == own[0]


async def test_an_entry_of_somebody_else_is_as_absent_as_none(world: World) -> None:
    await people(world)
    await world.person("ben", SECRET)
    told = []
    for id in (log(world, SECRET)[-1].id, "ent_never"):
        seen = await world.call("ben", "GET", f"/api/ledger/{id}", acting=SECRET)
        told.append((seen.status, seen.json["slug"], seen.json["detail"].replace(id, "ID")))
    assert told[0] == told[1]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "", "1.5"])
async def test_how_many_entries_are_asked_for(world: World, limit: str) -> None:
    await people(world)
    assert (await world.call("ada", "GET", f"/api/ledger?limit={limit}", acting=TOP)).status == 400


async def test_what_was_said_is_opened_with_a_reason(world: World) -> None:
    await people(world)
    begin = next(entry for entry in log(world, SECRET) if entry.outcome == "begin")
    for reason in ("", "  "):
        seen = await world.call("ada", "POST", f"/api/ledger/{begin.id}/open", {"reason": reason}, TOP)
        assert seen.status == 400
    seen = await world.call("ada", "POST", f"/api/ledger/{begin.id}/open", {"reason": "a complaint"}, TOP)
    assert "hidden pier" in seen.json["data"]["content"]
    opened = next(entry for entry in log(world, TOP) if entry.outcome == "opened")
    assert opened.facts == {"entry": begin.id, "reason": "a complaint"}
    for id in (begin.id, "ent_never"):
        assert (await world.call("ada", "POST", f"/api/ledger/{id}/open", {"reason": "why"}, LOW)).status == 404


async def test_what_is_forgotten_is_said_to_be_gone(world: World) -> None:
    await people(world)
    begin = next(entry for entry in log(world, SECRET) if entry.outcome == "begin")
    world.clock.forward(40 * 86_400)
    await world.step("ledger.forget")
    seen = await world.call("ada", "POST", f"/api/ledger/{begin.id}/open", {"reason": "late"}, TOP)
    assert seen.json["data"] == {"entry": begin.id, "content": None}


async def test_verdicts_heads_and_an_export(world: World) -> None:
    await people(world)
    await world.step("ledger.checkpoint")
    seen = await world.call("ada", "POST", "/api/ledger/verify", {}, TOP)
    verdicts = {each["label"]: each["verdict"] for each in seen.json["data"]}
    assert {verdict["state"] for verdict in verdicts.values()} == {"ok"}
    assert not verdicts[SECRET]["witnessed"]
    heads = (await world.call("ada", "GET", "/api/ledger/heads", acting=TOP)).json["data"]
    again = await world.call("ada", "POST", "/api/ledger/verify", {"heads": heads}, TOP)
    witnessed = {each["label"]: each["verdict"]["witnessed"] for each in again.json["data"]}
    assert witnessed[SECRET]
    id = world.house.gate.classes.of(world.policies.parse(SECRET)).id
    file = await world.call("ada", "GET", f"/api/ledger/logs/{id}", acting=TOP)
    assert file.header("content-type") == "application/jsonl"
    assert verify_export(file.body, world.house.gate.vault.signer.public).state == "ok"
    for log_id, label in ((id, LOW), ("nolog", TOP)):
        gone = await world.call("ada", "GET", f"/api/ledger/logs/{log_id}", acting=label)
        assert (gone.status, gone.json["slug"]) == (404, "absent")


async def test_today_in_three_heaps(world: World) -> None:
    await people(world)
    mine = (await world.call("ann", "GET", "/api/today", acting=SECRET)).json["data"]
    assert [seen["question"] for seen in mine["asked"]] == ["Where is the hidden pier?"]
    assert [seen["entry"]["outcome"] for seen in mine["stopped"]] == ["absent"]
    assert mine["left"] == []
    theirs = (await world.call("ada", "GET", "/api/today", acting=TOP)).json["data"]
    assert [seen["question"] for seen in theirs["asked"]] == [""], "that it was asked, not what"
    world.clock.forward(86_401)
    later = (await world.call("ann", "GET", "/api/today", acting=SECRET)).json["data"]
    assert [len(heap) for heap in later.values()] == [0, 0, 0]


async def test_what_left_the_machine_is_a_heap_of_its_own(world: World) -> None:
    await people(world)
    connect(world, Writer("Hello."))
    await world.call("ann", "POST", "/api/ask", {"question": "Hi?", "model": "far", "knowledge": "none"}, SECRET)
    left = (await world.call("ann", "GET", "/api/today", acting=SECRET)).json["data"]["left"]
    assert [seen["entry"]["facts"]["engine"] for seen in left] == ["far"]


async def test_the_region_says_what_it_is(world: World) -> None:
    await people(world)
    told = (await world.call("ann", "GET", "/api/region", acting=LOW)).json["data"]
    assert (told["name"], told["agency"], told["policies"], told["two_person"]) == ("law", "EXERCISE", ["us"], False)
    assert told["models"] == ["casemate/extractive-reader"]
    assert "bare" in told["keys"]
    assert told["embedder"]


async def test_a_session_says_between_which_labels_it_works(world: World) -> None:
    await people(world)
    told = (await world.call("ann", "GET", "/api/session", acting=LOW)).json["data"]
    assert (told["principal"], told["roles"], told["language"]) == ("ann", ["user"], "en")
    assert [told[name]["label"] for name in ("floor", "acting", "ceiling")] == [LOW, LOW, SECRET]


async def test_the_doctor_looks_at_the_folder(world: World) -> None:
    told = (await world.call("owner", "GET", "/api/doctor")).json["data"]
    found = {check["name"]: check for check in told}
    assert set(found) == {"python", "disk", "keys", "records", "sandbox", "memory", "embedder"}
    assert found["keys"]["good"]
    (world.folder / "keys" / "region.key").chmod(0o644)
    told = (await world.call("owner", "GET", "/api/doctor")).json["data"]
    keys = next(check for check in told if check["name"] == "keys")
    assert not keys["good"]
    assert "region.key" in keys["said"]


async def test_health_needs_no_name_and_leaves_no_entry(world: World) -> None:
    before = [len(log(world, label)) for label in (LOW, TOP)]
    seen = await world.call("nobody", "GET", "/api/health", acting=TOP)
    assert (seen.status, seen.json["status"]) == (200, "ok")
    assert (seen.header("casemate-label"), seen.header("casemate-ledger")) == (LOW, "")
    assert [len(log(world, label)) for label in (LOW, TOP)] == before
    assert not any("commit" in call for call in seen.calls)


def _told(path: str) -> str:
    return path.replace("*}", "}")


FILES = {
    "POST /api/documents",
    "PUT /api/packages/{name}",
    "PUT /api/environments/{name}",
    "PUT /api/transfer/channels/{name}/bundles",
}
"""What takes a file as the body."""


async def test_the_description_names_every_operation(world: World) -> None:
    seen = await world.call("nobody", "GET", "/api/openapi.json")
    told: dict[str, Any] = seen.json
    routes = [route for route in world.house.app.table.routes if route.plane == "native"]
    described = {(method, path) for path, methods in told["paths"].items() for method in methods}
    served = {(r.method.lower(), _told(r.path)) for r in routes if r.path != "/api/openapi.json"}
    assert described == served
    for route in routes:
        if route.path == "/api/openapi.json":
            continue
        one = told["paths"][_told(route.path)][route.method.lower()]
        assert one["x-casemate-action"] == route.action.name
        assert one["summary"]
        names = [each["name"] for each in one.get("parameters", []) if each["in"] == "path"]
        assert _told(route.path).count("{") == len(names)
        assert all(f"{{{name}}}" in _told(route.path) for name in names)
        bodied = route.takes is not None or f"{route.method} {route.path}" in FILES
        assert ("requestBody" in one) == bodied
    assert "AskRequest" in told["components"]["schemas"]
    assert (await world.call("nobody", "GET", "/api/openapi.json")).body == seen.body


async def test_an_officer_lists_another_policy_for_the_next_start(world: World) -> None:
    seen = await world.call("owner", "POST", "/api/region/policies", {"name": "nato"})
    assert seen.json["data"] == {"policy": "nato", "restart": True}
    file = world.folder / "casemate.toml"
    assert tomllib.loads(file.read_text())["region"]["policies"] == ["us", "nato"]
    before = file.read_text()
    assert (await world.call("owner", "POST", "/api/region/policies", {"name": "nato"})).status == 200
    assert file.read_text() == before
    unknown = await world.call("owner", "POST", "/api/region/policies", {"name": "atlantis"})
    assert (unknown.status, unknown.json["slug"]) == (400, "malformed")
    assert file.read_text() == before


async def test_a_policy_that_cannot_be_written_by_machine_is_said(world: World) -> None:
    file = world.folder / "casemate.toml"
    by_hand = '[region]\nname = "law"\nagency = "EXERCISE"\npolicies = [\n  "us",\n]\n'
    file.write_text(by_hand)
    seen = await world.call("owner", "POST", "/api/region/policies", {"name": "nato"})
    assert (seen.status, file.read_text()) == (400, by_hand)


async def test_two_people_once_asked_for_are_asked_for_good(world: World) -> None:
    await world.person("ben", TOP, ("officer",))
    assert (await world.call("owner", "POST", "/api/region/two-person")).json["data"] == {"two_person": True}
    assert (await world.call("owner", "GET", "/api/region")).json["data"]["two_person"]
    refused = await world.call("owner", "POST", "/api/region/policies", {"name": "nato"})
    assert (refused.status, refused.json["rule"]) == (403, "two-person")
    await world.step("ledger.checkpoint")
    verdicts = (await world.call("owner", "POST", "/api/ledger/verify", {})).json["data"]
    assert not all(each["verdict"]["solo"] for each in verdicts)


async def test_roles_are_those_of_the_house(world: World) -> None:
    assert set((await world.call("owner", "GET", "/api/session")).json["data"]["roles"]) == set(ROLES) - {"releaser"}
