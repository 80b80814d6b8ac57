"""Officers and principals: who grants what to whom, alone or by two, and what each officer sees of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.scene import LOW, SECRET, TOP, log
from tests.laws.world import Seen, World

OFFICER = ("officer",)


async def add(world: World, who: str, name: str, acting: str = TOP, **asked: Any) -> Seen:
    return await world.call(who, "POST", "/api/principals", {"name": name, "clearance": SECRET, **asked}, acting)


async def change(world: World, who: str, id: str, acting: str = TOP, **asked: Any) -> Seen:
    return await world.call(who, "PUT", f"/api/principals/{id}", {"name": "x", "clearance": SECRET, **asked}, acting)


async def listed(world: World, who: str, acting: str = TOP) -> dict[str, Any]:
    found = (await world.call(who, "GET", "/api/principals", acting=acting)).json["data"]
    assert len({person["id"] for person in found["principals"]}) == len(found["principals"])
    return {person["name"]: person for person in found["principals"]}


async def officers(world: World, two: bool = True) -> None:
    for name in ("ona", "odo"):
        await world.person(name, TOP, OFFICER)
    if two:
        assert (await world.call("ona", "POST", "/api/region/two-person", acting=TOP)).status == 200


async def test_a_new_principal_is_listed_and_on_record(world: World) -> None:
    await officers(world, two=False)
    seen = await add(world, "ona", "zoe", roles=["user", "user", "auditor"], uid="77")
    assert seen.status == 201
    zoe = (await listed(world, "ona"))["zoe"]
    assert zoe == seen.json["data"]
    assert (zoe["clearance"], zoe["roles"], zoe["granted_by"], zoe["uid"]) == (SECRET, ["auditor", "user"], "ona", "77")
    done = next(entry for entry in log(world, TOP) if entry.facts.get("name") == "zoe")
    assert done.facts == {"name": "zoe", "clearance": SECRET, "roles": "auditor, user"}
    assert world.house.gate.directory.named("zoe").id == zoe["id"]
    assert world.house.gate.directory.local("77").name == "zoe"


async def test_a_change_keeps_name_and_user(world: World) -> None:
    await officers(world, two=False)
    id = (await add(world, "ona", "zoe", uid="77")).json["data"]["id"]
    seen = await change(world, "odo", id, name="other", uid="0", clearance=LOW, roles=["auditor"])
    told = seen.json["data"]
    assert (seen.status, told["name"], told["uid"], told["clearance"]) == (200, "zoe", "77", LOW)
    found = world.house.gate.directory.named("zoe")
    assert (found.clearance.text, found.roles) == (LOW, {"auditor"})


async def test_the_newest_record_that_an_officer_sees_is_the_one_that_counts(world: World) -> None:
    """Two officers who act at different labels leave a record at each."""
    await officers(world, two=False)
    id = (await add(world, "ona", "zoe")).json["data"]["id"]
    for clearance in (LOW, SECRET, LOW):
        world.clock.forward(1)
        assert (await change(world, "owner", id, "", clearance=clearance)).status == 200
        assert (await listed(world, "owner", ""))["zoe"]["clearance"] == clearance
        assert (await listed(world, "ona"))["zoe"]["clearance"] == SECRET, "what was done above is not seen"
    world.clock.forward(1)
    await change(world, "ona", id, clearance=TOP)
    assert (await listed(world, "owner", ""))["zoe"]["clearance"] == TOP


async def test_a_principal_that_is_not_seen_is_as_absent_as_none(world: World) -> None:
    await officers(world, two=False)
    id = (await add(world, "ona", "zoe")).json["data"]["id"]
    told = []
    for asked in (id, "prn_never"):
        seen = await change(world, "ona", asked, SECRET)
        told.append((seen.status, seen.json["slug"], seen.json["detail"].replace(asked, "ID")))
    assert told[0] == told[1] == (404, "absent", told[0][2])
    assert "zoe" not in await listed(world, "ona", SECRET)


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "stranger"},
        {"name": "casemate init"},
        {"name": "owner"},
        {"name": "zoe", "uid": "0"},
    ],
)
async def test_a_name_and_a_user_are_one_principals(world: World, asked: dict[str, str]) -> None:
    await officers(world, two=False)
    seen = await add(world, "ona", **asked)
    assert (seen.status, seen.json["slug"]) == (409, "conflict")


async def test_nobody_grants_to_himself_nor_confirms_it(world: World) -> None:
    """Also not by a proposal of somebody else that he says yes to."""
    await officers(world, two=False)
    assert (await add(world, "owner", "eve", TOP, clearance=TOP, roles=["officer"])).status == 201
    made = await world.call("owner", "POST", "/api/keys", {"principal": "eve", "floor": LOW, "ceiling": TOP})
    world.keys["eve"] = made.json["data"]["secret"]
    id = world.house.gate.directory.named("eve").id
    own = await change(world, "eve", id, clearance=LOW)
    assert (own.status, own.json["rule"]) == (403, "self-grant")
    await world.call("ona", "POST", "/api/region/two-person", acting=TOP)
    assert (await change(world, "ona", id, clearance=TOP, roles=["officer", "user"])).status == 202
    yes = await world.call("eve", "POST", f"/api/principals/{id}/confirm", acting=TOP)
    assert (yes.status, yes.json["rule"]) == (403, "two-person")
    assert world.house.gate.directory.named("eve").roles == {"officer"}


async def test_where_it_takes_two_a_grant_waits_for_the_other(world: World) -> None:
    await officers(world)
    seen = await add(world, "ona", "zoe")
    assert (seen.status, seen.json["data"]) == (202, None)
    assert world.house.gate.directory.named("zoe") is None
    [waiting] = (await world.call("odo", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
    assert waiting["proposal"]["person"]["name"] == "zoe"
    own = await world.call("ona", "POST", f"/api/principals/{waiting['id']}/confirm", acting=TOP)
    assert (own.status, own.json["rule"]) == (403, "two-person")
    yes = await world.call("odo", "POST", f"/api/principals/{waiting['id']}/confirm", acting=TOP)
    assert (yes.status, yes.json["data"]["name"]) == (200, "zoe")
    assert world.house.gate.directory.named("zoe").clearance.text == SECRET
    again = await world.call("odo", "POST", f"/api/principals/{waiting['id']}/confirm", acting=TOP)
    assert (again.status, again.json["slug"]) == (404, "absent")


async def test_a_second_proposal_does_not_replace_the_first(world: World) -> None:
    await officers(world)
    await add(world, "ona", "zoe")
    [waiting] = (await world.call("odo", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
    await world.call("odo", "POST", f"/api/principals/{waiting['id']}/confirm", acting=TOP)
    assert (await change(world, "ona", waiting["id"], clearance=LOW)).status == 202
    assert (await change(world, "odo", waiting["id"], clearance=TOP)).status == 409


async def test_a_proposal_is_withdrawn_where_it_stands(world: World) -> None:
    await officers(world)
    await add(world, "ona", "zoe")
    [waiting] = (await world.call("odo", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
    target = f"/api/principals/{waiting['id']}/confirm"
    assert (await world.call("odo", "DELETE", target, acting=SECRET)).status == 404
    assert (await world.call("odo", "DELETE", target, acting=TOP)).json["data"] == {"withdrawn": waiting["id"]}
    assert log(world, TOP)[-2].facts == {"withdrawn": "zoe"}
    assert (await world.call("odo", "DELETE", target, acting=TOP)).status == 404


async def test_it_takes_two_officers_to_ask_for_two(world: World) -> None:
    alone = await world.call("owner", "POST", "/api/region/two-person")
    assert (alone.status, alone.json["rule"]) == (403, "two-officers")
    assert not world.house.gate.directory.two_person()


async def test_where_it_takes_two_an_officer_makes_the_first_key_of_another_alone(world: World) -> None:
    await officers(world)
    await add(world, "ona", "zoe")
    [waiting] = (await world.call("odo", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
    await world.call("odo", "POST", f"/api/principals/{waiting['id']}/confirm", acting=TOP)
    asked = {"principal": "zoe", "floor": LOW}
    assert (await world.call("ona", "POST", "/api/keys", asked, TOP)).status == 201
    again = await world.call("ona", "POST", "/api/keys", asked, TOP)
    assert (again.status, again.json["rule"]) == (403, "key-of-another")
    officer = await world.call("ona", "POST", "/api/keys", {"principal": "odo", "floor": LOW}, TOP)
    assert (officer.status, officer.json["rule"]) == (403, "key-of-another")
