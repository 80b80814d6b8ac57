"""Who could read this, and why not: an answer that is itself made of what the asker sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.scene import LOW, SECRET, TOP, hide
from tests.laws.world import Seen, World

SHARED = "agency=EXERCISE + us:SECRET//REL=FRA,USA"


async def tried(world: World, who: str, acting: str = SECRET, **said: Any) -> Seen:
    return await world.call(who, "POST", "/api/policy/try", said, acting)


def told(seen: Seen) -> dict[str, tuple[bool, str]]:
    assert seen.status == 200, seen.body
    return {each["principal"]: (each["reads"], each["rule"]) for each in seen.json["data"]["principals"]}


async def people(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    await world.person("dan", TOP, ("officer",))


async def test_a_user_is_told_of_himself_alone(world: World) -> None:
    await people(world)
    assert told(await tried(world, "ann", label=SECRET)) == {"ann": (True, "")}
    assert told(await tried(world, "ann", label=TOP)) == {"ann": (False, "no-read-up")}
    assert told(await tried(world, "ann", label="SECRET//NOFORN", need="ALPHA")) == {"ann": (False, "need")}


async def test_an_officer_is_told_of_all_whom_he_sees_and_why(world: World) -> None:
    await people(world)
    seen = await tried(world, "owner", "", label=SHARED)
    assert told(seen) == {
        "ann": (True, ""),
        "dan": (False, "role"),
        "low": (False, "no-read-up"),
        "owner": (True, ""),
    }
    [low] = [each for each in seen.json["data"]["principals"] if each["principal"] == "low"]
    assert [why["what"] for why in low["why"]] == ["level", "released"]
    assert low["why"][0]["said"] == "the level SECRET of the policy us is needed"
    assert seen.json["data"]["asked"]["marking"] == "SECRET//REL TO USA, FRA"


async def test_nobody_is_told_of_who_was_granted_above(world: World) -> None:
    """Principals are records like others: an officer who acts lower sees those that were made there."""
    await people(world)
    flow = await world.call("owner", "POST", "/api/principals", {"name": "near", "clearance": LOW}, LOW)
    assert flow.status == 201
    assert set(told(await tried(world, "dan", LOW, label=LOW))) == {"near"}
    assert "ann" not in str((await tried(world, "dan", LOW, label=SECRET)).json)


async def test_an_object_is_asked_about_by_whoever_sees_it(world: World) -> None:
    await people(world)
    id = (await hide(world, "ann")).json["data"]["id"]
    assert told(await tried(world, "ann", id=id)) == {"ann": (True, "")}
    hidden, never = await tried(world, "low", LOW, id=id), await tried(world, "low", LOW, id="doc_never")
    assert (hidden.status, never.status) == (404, 404)
    assert hidden.json["detail"].replace(id, "doc_never") == never.json["detail"]
    assert (await world.call("ann", "POST", "/api/answers", {"text": "Yes."}, SECRET)).status == 201
    kept = (await world.call("ann", "GET", "/api/answers", acting=SECRET)).json["data"][0]["id"]
    assert told(await tried(world, "owner", "", id=kept))["low"] == (False, "no-read-up")
    assert (await tried(world, "low", LOW, id=kept)).status == 404


async def test_somebody_who_does_not_exist_is_tried(world: World) -> None:
    await people(world)
    seen = await tried(world, "ann", label=TOP, need="A|B", clearance=TOP, authorizations=["B"])
    assert seen.json["data"]["imagined"] is True
    assert told(seen) == {"": (True, ""), "ann": (False, "no-read-up")}
    assert told(await tried(world, "ann", label=TOP, clearance=TOP, roles=["officer"]))[""] == (False, "role")
    assert told(await tried(world, "ann", label=LOW, clearance=TOP, action="answer.ask"))[""] == (True, "")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"label": LOW, "id": "doc_x"},
        {"id": "doc_x", "need": "A"},
        {"label": "BANANA"},
        {"label": LOW, "need": "A&"},
        {"label": LOW, "action": "wheel.invent"},
        {"label": LOW, "clearance": "BANANA"},
        {"label": LOW, "clearance": LOW, "roles": ["king"]},
        {"label": LOW, "clearance": LOW, "authorizations": ["two words"]},
        {"label": LOW, "clearance": LOW, "authorizations": ["A"] * 65},
    ],
    ids=lambda said: "-".join(f"{k}={v}"[:20] for k, v in said.items()) or "nothing",
)
async def test_a_question_that_is_none(world: World, said: dict[str, Any]) -> None:
    await people(world)
    assert (await tried(world, "ann", **said)).status == 400


async def test_who_has_no_business_with_it_is_refused(world: World) -> None:
    await world.person("op", SECRET, ("operator",))
    assert (await tried(world, "op", label=LOW)).json["rule"] == "role"


async def test_the_reasons_are_told_in_the_reader_s_language(world: World) -> None:
    await people(world)
    seen = await world.call(
        "ann", "POST", "/api/policy/try", {"label": TOP}, SECRET, (("cookie", "casemate-language=fr"),)
    )
    assert "il faut le niveau TOP SECRET" in seen.json["data"]["principals"][0]["why"][0]["said"]
