"""Asking at another label or as another principal: what is seen, where it is recorded, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.access import pack, unpack
from casemate.errors import Refused
from casemate.policy import Action
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, flow_of, hide, kept, label_of, log, principal, scene
from tests.laws.world import Seen, World

PROVE = Action("prove", "answer")


async def prove(world: World, caller: str, acting: str, **asked: Any) -> Seen:
    return await world.call(caller, "POST", "/api/prove", {"question": ASKED, **asked}, acting)


def test_a_proof_above_the_acting_label_is_refused_and_leaves_nothing_below() -> None:
    """An answer made at SECRET was released as UNCLASSIFIED, and kept in the log that everybody's auditor opens."""

    async def do(world: World) -> None:
        await world.person("analyst", TOP)
        await hide(world, "analyst")
        seen = await prove(world, "analyst", LOW, at=SECRET)
        assert (seen.status, seen.json["rule"]) == (403, "acting-label")
        assert b"lantern burns" not in seen.body + kept(world, LOW)

    scene(do)


def test_a_marked_question_is_not_asked_below_its_mark() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", TOP)
        marked = {"question": f"(S//NF) {ASKED}"}
        assert (await prove(world, "analyst", TOP, at=LOW, **marked)).json["rule"] == "acting-label"
        at = (await prove(world, "analyst", TOP, at=SECRET, **marked)).json["data"]
        assert at["floor"] == SECRET

    scene(do)


def test_the_last_question_keeps_the_label_that_it_bore() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", TOP)
        await world.call("analyst", "POST", "/api/ask", {"question": f"(S//NF) {ASKED}"}, TOP)
        assert (await prove(world, "analyst", TOP, last=True, at=LOW)).json["rule"] == "acting-label"
        again = (await prove(world, "analyst", TOP, last=True)).json["data"]
        assert again["floor"] == SECRET
        assert again["equal"]

    scene(do)


def test_an_auditor_reads_nothing_by_proving_as_himself() -> None:
    """The auditor's role opens the ledger, with a reason; it does not ask."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await world.person("auditor", SECRET, ("auditor",))
        await hide(world, "analyst")
        seen = await prove(world, "auditor", SECRET)
        assert (seen.status, seen.json["rule"]) == (403, "role")
        assert (await prove(world, "auditor", SECRET, who="analyst", reason="law")).status == 200

    scene(do)


def test_nobody_is_seen_through_who_may_not_ask() -> None:
    async def do(world: World) -> None:
        await world.person("officer", SECRET, ("officer",))
        await world.person("auditor", TOP, ("auditor",))
        seen = await prove(world, "auditor", TOP, who="officer", reason="law")
        assert (seen.status, seen.json["rule"]) == (403, "as-another")

    scene(do)


def test_the_other_one_notices_nothing() -> None:
    """An auditor above leaves no entry in the log below, and warms nothing there."""

    async def do(world: World) -> None:
        await world.person("bob", SECRET, ("user", "auditor"))
        await world.person("auditor", TOP, ("auditor", "user"))
        await hide(world, "bob")
        before = len(log(world, SECRET))
        assert (await prove(world, "auditor", TOP, who="bob", reason="law")).status == 200
        assert len(log(world, SECRET)) == before
        cold = await world.call("bob", "POST", "/api/ask", {"question": ASKED}, SECRET)
        assert sum(call.startswith("blobs.read") for call in cold.calls) == 2  # an index and its vectors
        warm = await world.call("bob", "POST", "/api/ask", {"question": ASKED}, SECRET)
        assert not any(call.startswith("blobs.read") for call in warm.calls)

    scene(do)


def test_what_he_does_stands_in_the_askers_name_also_in_another_process() -> None:
    async def do(world: World) -> None:
        await world.person("bob", SECRET)
        flow = await flow_of(world, principal(world, "auditor", TOP, "auditor", "user"), PROVE)
        seen = await flow.as_seen_by("bob", None, "law")
        for each in (seen, unpack(world.house.gate, pack(seen, None), type(None))[0]):
            assert (each.acting, each.domain) == (label_of(world, SECRET), label_of(world, TOP))
            with pytest.raises(Refused):
                await each.refuse(_refusal())
            assert log(world, TOP)[-1].principal == "auditor"
        assert all(entry.principal != "bob" for entry in log(world, TOP))

    scene(do)


def _refusal() -> Any:
    from casemate.policy import Refuse

    return Refuse("accreditation", {"acting": SECRET})
