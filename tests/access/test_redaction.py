"""What was said is destroyed before its time: the tree verifies, an entry says it, two do it, none from above."""

from __future__ import annotations

import pytest

from casemate.access import STATE, Flow, StateRecord, audit, redact
from casemate.errors import Absent, Refused
from casemate.objects import Put
from casemate.policy import Action
from tests.access.test_audit import reader, said
from tests.attacks.scene import SECRET, TOP, flow_of, kept, log, principal
from tests.laws.world import World

REDACT = Action("redact", "ledger")


async def officer(world: World, label: str, name: str = "ola") -> Flow:
    return await flow_of(world, principal(world, name, TOP, "officer"), REDACT, label)


async def test_the_tree_verifies_and_an_entry_says_who_and_why(world: World) -> None:
    begun = await said(world, SECRET, words=b"a name")
    await world.step("ledger.checkpoint")
    assert await redact(await officer(world, SECRET), begun, "a complaint")
    entry = log(world, SECRET)[-1]
    assert (entry.action, entry.outcome, entry.principal) == ("ledger.redact", "redacted", "ola")
    assert entry.facts == {"entry": begun, "reason": "a complaint", "seq": 0}
    assert kept(world, SECRET) == b"\nanswer to a name\n"
    await world.step("ledger.checkpoint")
    flow = await reader(world, SECRET, "ada", "auditor")
    assert {verdict.state for _, verdict in audit.verdicts(flow, audit.heads(flow))} == {"ok"}
    assert await audit.open_content(flow, begun, "too late") is None
    assert not await redact(await officer(world, SECRET), begun, "again")


async def test_nobody_above_takes_away_what_lies_below(world: World) -> None:
    begun = await said(world, SECRET, words=b"a name")
    with pytest.raises(Refused) as told:
        await redact(await officer(world, TOP), begun, "why")
    assert told.value.facts["rule"] == "no-write-down"
    assert b"a name" in kept(world, SECRET)
    assert log(world, SECRET)[-1].action != "ledger.redact"


async def test_what_lies_above_is_as_absent_as_what_never_was(world: World) -> None:
    begun = await said(world, TOP, words=b"a name")
    for id in (begun, "ent_never"):
        with pytest.raises(Absent) as told:
            await redact(await officer(world, SECRET), id, "why")
        assert told.value.facts == {"kind": "entry", "id": id}


async def test_two_officers_say_the_same(world: World) -> None:
    for name in ("ola", "olb"):
        await world.person(name, TOP, ("officer",))
    gate = world.house.gate
    begun = await said(world, SECRET, words=b"a name")
    from casemate.store import Batch

    row = gate.rows.put(gate.directory.access, Put(STATE, "region", StateRecord(two_person=True)))
    await gate.vault.committer.commit(Batch(domain=gate.directory.access.id, puts=[row]))
    path, body = f"/api/ledger/{begun}/redact", {"reason": "a complaint"}
    first = await world.call("ola", "POST", path, body, SECRET)
    assert (first.status, first.json["data"]["waits"]) == (202, True)
    assert (await world.call("ola", "POST", path, body, SECRET)).json.get("rule") == "two-person"
    assert (await world.call("olb", "POST", path, {"reason": "another"}, SECRET)).status == 202
    assert b"a name" in kept(world, SECRET)
    second = await world.call("olb", "POST", path, body, SECRET)
    assert second.json["data"] == {"entry": begun, "redacted": True, "waits": False}
    assert kept(world, SECRET).startswith(b"\nanswer to a name")
    assert (await world.call("olb", "POST", path, {"reason": " "}, SECRET)).status == 400
    assert (await world.call("olb", "POST", "/api/ledger/ent_none/redact", body, SECRET)).status == 404
