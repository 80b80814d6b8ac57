"""Who may come in: keys below their session, keys of others, names of others, and consent that is used twice."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.accounts import open_console
from casemate.errors import Unauthenticated
from casemate.identity import Bearer
from casemate.policy import Action
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, hide, label_of, log, scene
from tests.laws.world import Seen, World

OFFICER = ("officer", "user")


async def two_officers(world: World) -> None:
    await world.person("ann", TOP, OFFICER)
    await world.person("ben", TOP, OFFICER)
    assert (await world.call("ann", "POST", "/api/region/two-person", acting=TOP)).status == 200


async def add(world: World, officer: str, name: str, acting: str = TOP, **more: Any) -> Seen:
    asked = {"name": name, "clearance": SECRET, **more}
    return await world.call(officer, "POST", "/api/principals", asked, acting)


def test_a_program_makes_no_key_below_its_own_floor() -> None:
    """What a program at SECRET knows would come down through a second key of its own."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        own = await world.call("analyst", "POST", "/api/keys", {"floor": SECRET, "ceiling": SECRET}, SECRET)
        world.keys["program"] = own.json["data"]["secret"]
        lower = await world.call("program", "POST", "/api/keys", {"floor": LOW, "ceiling": SECRET}, SECRET)
        assert (lower.status, lower.json["rule"]) == (403, "key-floor")
        assert (await world.call("program", "POST", "/api/keys", {}, SECRET)).status == 201

    scene(do)


def test_a_revoked_key_leaves_no_console_session_behind() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        gate = world.house.gate
        session = gate.admit(Bearer(world.keys["analyst"]))
        flow = await gate.open(session, Action("open", "session"))
        first = await open_console(flow, session.floor, session.ceiling, "en")
        inner = await gate.open(gate.admit(Bearer(first, "console")), Action("open", "session"))
        narrowed = await open_console(inner, label_of(world, LOW), label_of(world, LOW), "en")
        gate.admit(Bearer(narrowed, "console"))
        assert (await world.call("analyst", "DELETE", f"/api/keys/{session.id}", acting=SECRET)).status == 404
        assert (await world.call("owner", "DELETE", f"/api/keys/{session.id}")).status == 200
        for cookie in (first, narrowed):
            with pytest.raises(Unauthenticated):
                gate.admit(Bearer(cookie, "console"))

    scene(do)


def test_signing_out_with_a_key_does_not_end_the_key() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await world.call("analyst", "POST", "/sign-out", acting=SECRET, headers=(("cookie", "casemate=x"),))
        assert (await world.call("analyst", "GET", "/api/session")).status == 200

    scene(do)


def test_two_people_are_asked_for_only_where_there_are_two() -> None:
    """With one officer nobody could ever be confirmed: the switch is final."""

    async def do(world: World) -> None:
        seen = await world.call("owner", "POST", "/api/region/two-person")
        assert (seen.status, seen.json["rule"]) == (403, "two-officers")
        await world.person("ben", TOP, OFFICER)
        assert (await world.call("owner", "POST", "/api/region/two-person")).status == 200

    scene(do)


def test_no_officer_holds_the_key_of_another_where_it_takes_two() -> None:
    """Ann proposed, made a key for Ben, and said yes as Ben."""

    async def do(world: World) -> None:
        await two_officers(world)
        for whose in ("ben", "owner"):
            seen = await world.call("ann", "POST", "/api/keys", {"principal": whose, "floor": LOW}, TOP)
            assert (seen.status, seen.json["rule"]) == (403, "key-of-another")

    scene(do)


def test_an_officer_makes_only_the_first_key_of_another_where_it_takes_two() -> None:
    async def do(world: World) -> None:
        await two_officers(world)
        await add(world, "ann", "carl")
        waiting = (await world.call("ben", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
        await world.call("ben", "POST", f"/api/principals/{waiting[0]['id']}/confirm", acting=TOP)
        asked = {"principal": "carl", "floor": LOW, "ceiling": SECRET}
        first = await world.call("ann", "POST", "/api/keys", asked, TOP)
        assert first.status == 201
        assert (await world.call("ann", "POST", "/api/keys", asked, TOP)).json["rule"] == "key-of-another"
        world.keys["carl"] = first.json["data"]["secret"]
        assert (await world.call("carl", "POST", "/api/keys", {}, SECRET)).status == 201

    scene(do)


def test_a_proposal_is_not_replaced_under_the_eyes_of_who_confirms() -> None:
    async def do(world: World) -> None:
        await two_officers(world)
        await add(world, "ann", "carl", roles=["user"])
        waiting = (await world.call("ben", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
        id = waiting[0]["id"]
        confirmed = await world.call("ben", "POST", f"/api/principals/{id}/confirm", acting=TOP)
        assert confirmed.json["data"]["roles"] == ["user"]
        raised = {"name": "carl", "clearance": SECRET, "roles": ["user", "auditor"]}
        assert (await world.call("ann", "PUT", f"/api/principals/{id}", raised, TOP)).status == 202
        swapped = {**raised, "roles": ["user", "officer"]}
        assert (await world.call("ann", "PUT", f"/api/principals/{id}", swapped, TOP)).status == 409
        again = await world.call("ben", "POST", f"/api/principals/{id}/confirm", acting=TOP)
        assert again.json["data"]["roles"] == ["auditor", "user"]

    scene(do)


def test_consent_is_used_once_and_at_its_own_label() -> None:
    """Confirmed at another label, the proposal stayed, and stood for a second officer's yes ever after."""

    async def do(world: World) -> None:
        await two_officers(world)
        await add(world, "ann", "carl", SECRET)
        waiting = (await world.call("ben", "GET", "/api/principals", acting=SECRET)).json["data"]["proposals"]
        target = f"/api/principals/{waiting[0]['id']}/confirm"
        assert (await world.call("ben", "POST", target, acting=TOP)).status == 404
        assert (await world.call("ben", "POST", target, acting=SECRET)).status == 200
        assert (await world.call("ben", "POST", target, acting=SECRET)).status == 404

    scene(do)


def test_a_proposal_can_be_taken_back() -> None:
    async def do(world: World) -> None:
        await two_officers(world)
        await add(world, "ann", "carl")
        waiting = (await world.call("ben", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
        target = f"/api/principals/{waiting[0]['id']}/confirm"
        assert (await world.call("ben", "DELETE", target, acting=TOP)).status == 200
        assert (await world.call("ben", "POST", target, acting=TOP)).status == 404
        assert world.house.gate.directory.named("carl") is None

    scene(do)


def test_nobody_becomes_two_people() -> None:
    """A second principal of one's own local user or name is a grant to oneself; entries name people by their names."""

    async def do(world: World) -> None:
        await world.person("ann", TOP, OFFICER)
        assert (await add(world, "ann", "carl", uid="1001")).status == 201
        assert (await add(world, "ann", "me too", uid="1001")).status == 409
        assert (await add(world, "ann", "me too", uid="0")).status == 409
        assert (await add(world, "ann", "carl")).status == 409
        for ours in ("stranger", "casemate init"):
            assert (await add(world, "ann", ours)).status == 409

    scene(do)


def test_two_proposals_of_one_name_make_one_principal() -> None:
    async def do(world: World) -> None:
        await two_officers(world)
        await add(world, "ann", "carl")
        await add(world, "ann", "carl", roles=["auditor"])
        waiting = (await world.call("ben", "GET", "/api/principals", acting=TOP)).json["data"]["proposals"]
        assert len(waiting) == 2
        targets = [f"/api/principals/{each['id']}/confirm" for each in waiting]
        assert [(await world.call("ben", "POST", target, acting=TOP)).status for target in targets] == [200, 409]

    scene(do)


def test_an_operator_lists_no_policy_and_the_entry_comes_first() -> None:
    async def do(world: World) -> None:
        await world.person("op", TOP, ("operator",))
        seen = await world.call("op", "POST", "/api/region/policies", {"name": "nato"}, TOP)
        assert (seen.status, seen.json["rule"]) == (403, "role")
        assert "nato" not in world.house.folder.settings_file.read_text()
        file = world.house.folder.settings_file
        file.write_text(file.read_text().replace('policies = ["us"]', 'policies = [\n  "us",\n]'))
        assert (await world.call("owner", "POST", "/api/region/policies", {"name": "nato"})).status == 400
        file.write_text(file.read_text().replace('[\n  "us",\n]', '["us"]'))
        assert (await world.call("owner", "POST", "/api/region/policies", {"name": "nato"})).status == 200
        assert '"nato"' in file.read_text()

    scene(do)


def test_who_reads_no_content_is_told_of_no_knowledge_base() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await world.person("officer", SECRET, ("officer", "operator"))
        await hide(world, "analyst")
        assert (await world.call("analyst", "GET", "/api/region", acting=SECRET)).json["data"]["knowledge"] == ["law"]
        assert (await world.call("officer", "GET", "/api/region", acting=SECRET)).json["data"]["knowledge"] == []
        for method, target in (
            ("GET", f"/api/search?q={ASKED.replace(' ', '+')}"),
            ("GET", "/api/documents"),
            ("GET", "/api/answers"),
            ("POST", "/api/ask"),
            ("POST", "/api/prove"),
        ):
            body = {"question": ASKED} if method == "POST" else None
            assert (await world.call("officer", method, target, body, SECRET)).status == 403, target
        assert all(entry.principal != "officer" or entry.outcome != "complete" for entry in log(world, SECRET))

    scene(do)
