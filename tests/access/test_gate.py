"""Admission to a flow: who acts where, and what is recorded of whoever may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.errors import Absent, Refused, Unauthenticated
from casemate.policy import ACTIONS, Action, Refuse, Target
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import ACT
from tests.laws.world import World


async def test_a_flow_acts_at_its_ceiling_unless_told_otherwise(world: World) -> None:
    ann = principal(world, "ann", SECRET)
    assert (await flow_of(world, ann, ACT)).acting is label_of(world, SECRET)
    low = await flow_of(world, ann, ACT, LOW)
    assert low.acting is low.label is low.domain is label_of(world, LOW)
    assert low.access.label is label_of(world, LOW)


@pytest.mark.parametrize("acting", [TOP, "agency=OTHER", "agency=EXERCISE + us:SECRET//REL=FRA,USA + agency=OTHER"])
async def test_nobody_acts_outside_his_session_and_that_stands_at_his_ceiling(world: World, acting: str) -> None:
    """At his floor it would tell those below that the session was active."""
    ann = principal(world, "ann", SECRET)
    with pytest.raises(Refused) as told:
        await flow_of(world, ann, ACT, acting)
    assert told.value.facts["rule"] == "acting-label"
    [entry] = log(world, SECRET)
    assert (entry.id, entry.outcome, entry.rule) == (told.value.entry, "refused", "acting-label")
    assert entry.session == ann.id
    assert log(world, LOW) == []


async def test_a_session_above_its_clearance_does_nothing(world: World) -> None:
    ann = replace(principal(world, "ann", SECRET), ceiling=label_of(world, TOP))
    with pytest.raises(Refused, match="acting-label"):
        await flow_of(world, ann, ACT, LOW)


async def test_an_action_that_no_rule_knows_is_refused(world: World) -> None:
    everything = principal(world, "ann", SECRET, "user", "officer", "auditor", "operator", "releaser", "service")
    with pytest.raises(Refused) as told:
        await flow_of(world, everything, Action("launch", "missile"))
    assert told.value.facts == {"rule": "no-rule", "action": "missile.launch"}
    assert [entry.rule for entry in log(world, SECRET)] == ["no-rule"]


@pytest.mark.parametrize("name", sorted(ACTIONS))
async def test_whoever_holds_no_role_may_do_nothing(world: World, name: str) -> None:
    kind, _, verb = name.rpartition(".")
    nobody = principal(world, "ann", SECRET)
    nobody = replace(nobody, principal=replace(nobody.principal, roles=frozenset()))
    with pytest.raises(Refused) as told:
        await flow_of(world, nobody, Action(verb, kind))
    assert (told.value.facts["rule"], told.value.facts["action"]) == ("role", name)


async def test_what_is_anothers_looks_as_if_it_never_was(world: World) -> None:
    ann, gate = principal(world, "ann", SECRET), world.house.gate
    with pytest.raises(Absent) as told:
        await gate.open(ann, Action("revoke", "key"), None, Target(owner="ben"))
    assert told.value.facts == {"kind": "key", "id": ""}
    assert [(entry.outcome, entry.rule) for entry in log(world, SECRET)] == [("absent", "absent")]
    officer = principal(world, "ona", SECRET, "officer")
    assert await gate.open(officer, Action("revoke", "key"), None, Target(owner="ben"))


async def test_a_refusal_that_is_an_absence_names_what_was_asked(world: World) -> None:
    """The rule stays inside: outward it is the answer for an id that never was."""
    ann = principal(world, "ann", SECRET)
    with pytest.raises(Absent) as told:
        await world.house.gate.refuse(ann, ann.ceiling, ACT, Refuse("no-read-up", {"id": "ans_x"}, face="absent"))
    assert told.value.facts == {"kind": "answer", "id": "ans_x"}
    assert "no-read-up" not in str(log(world, SECRET))


async def test_a_room_acts_as_itself_and_at_one_class(world: World) -> None:
    gate = world.house.gate
    service = gate.service("knowledge", gate.classes.of(label_of(world, SECRET)))
    assert (service.floor, service.ceiling) == (label_of(world, SECRET), label_of(world, SECRET))
    flow = await gate.open(service, Action("settle", "document"))
    assert flow.session.principal.roles == {"service"}
    with pytest.raises(Refused, match="acting-label"):
        await gate.open(service, Action("settle", "document"), label_of(world, LOW))
    with pytest.raises(Refused, match="role"):
        await gate.open(service, Action("ask", "answer"))


async def test_what_a_service_may_do_no_person_may(world: World) -> None:
    people = principal(world, "ann", SECRET, "user", "officer", "auditor", "operator", "releaser")
    for verb, kind in (("settle", "document"), ("reconcile", "ledger"), ("checkpoint", "ledger")):
        with pytest.raises(Refused, match="role"):
            await flow_of(world, people, Action(verb, kind))


async def test_a_stranger_is_recorded_where_nobody_learns_of_it(world: World) -> None:
    """Nobody knows how high the session is that he failed to open; his queue is the strangers' own."""
    gate, error = world.house.gate, Unauthenticated()
    world.calls.clear()
    entry = await gate.record_stranger(ACT, error)
    assert [call for call in world.calls if "reader" not in call] == ["journal.append(EntryRow,ClassRow,strangers)"]
    last = log(world, gate.vault.region.ceiling.text)[-1]
    assert (last.id, last.outcome, last.rule, last.principal) == (
        entry,
        "unauthenticated",
        "unauthenticated",
        "stranger",
    )
    assert error.entry == entry
