"""Acting needs: what a request sees, where what it makes comes to rest, and that nobody else notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from casemate.access import HELD, Flow, Hold, need_of
from casemate.errors import Absent, BadInput, Damaged, Refused
from casemate.identity import Session
from casemate.labels import access_class
from casemate.objects import Found, Put, Ref
from casemate.policy import Action, Need
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

ACT, ADD, SETTLE = Action("keep", "answer"), Action("add", "document"), Action("settle", "document")
ALPHA = "agency=EXERCISE + need=ALPHA + us:SECRET//REL=USA"
BRAVO = "agency=EXERCISE + need=BRAVO + us:SECRET//REL=USA"
BOTH = "agency=EXERCISE + need=ALPHA + need=BRAVO + us:SECRET//REL=USA"
A = Note("a", "ships")


def knowing(world: World, clearance: str = BOTH, name: str = "ann", *roles: str) -> Session:
    return principal(world, name, clearance, *roles)


async def at(world: World, acting: str, action: Action = ACT, clearance: str = BOTH) -> Flow:
    return await flow_of(world, knowing(world, clearance), action, acting)


async def seen(world: World, acting: str) -> set[str]:
    return {found.id for found in await (await at(world, acting)).every(NOTE)}


async def placed(world: World, label: str, need: str, id: str) -> Ref:
    """An object in the class of that label and need, put there behind the gate's back."""
    gate = world.house.gate
    access = gate.classes.holding(label_of(world, label), Need.parse(need))
    put = gate.rows.put(access, Put(NOTE, id, A))
    from casemate.store import Batch

    await gate.vault.committer.commit(Batch(domain=access.id, puts=[put], classes=[gate.classes.row(access)]))
    return Ref(NOTE.name, id, access.id)


# ---- with what a request acts ----------------------------------------------------------------------------------------


async def test_a_request_that_says_nothing_acts_with_nothing(world: World) -> None:
    flow = await flow_of(world, knowing(world), ACT)
    assert flow.acting is label_of(world, SECRET)
    assert flow.acting.needs == frozenset()


async def test_but_with_what_its_session_cannot_lay_down(world: World) -> None:
    bound = replace(knowing(world), floor=label_of(world, ALPHA))
    flow = await flow_of(world, bound, ACT)
    assert flow.acting is label_of(world, ALPHA)
    assert flow.take("said").label is label_of(world, ALPHA)
    with pytest.raises(Refused, match="acting-label"):
        await flow_of(world, bound, ACT, SECRET)


async def test_an_authorization_that_one_has_not_is_refused_where_nobody_lower_sees_it(world: World) -> None:
    ann = knowing(world, ALPHA)
    with pytest.raises(Refused) as told:
        await flow_of(world, ann, ACT, BOTH)
    assert told.value.facts == {"rule": "acting-needs", "needs": "BRAVO"}
    assert [entry.rule for entry in log(world, ALPHA)] == ["acting-needs"]
    assert log(world, SECRET) == log(world, LOW) == []


# ---- what it sees ----------------------------------------------------------------------------------------------------


async def test_what_it_writes_is_for_those_who_have_all_that_it_acted_with(world: World) -> None:
    for label in (SECRET, ALPHA, BOTH):
        flow = await at(world, label)
        await flow.commit(Put(NOTE, label, A))
    assert await seen(world, SECRET) == {SECRET}
    assert await seen(world, ALPHA) == {SECRET, ALPHA}
    assert await seen(world, BRAVO) == {SECRET}
    assert await seen(world, BOTH) == {SECRET, ALPHA, BOTH}
    top = await flow_of(world, principal(world, "tom", TOP), ACT)
    assert {found.id for found in await top.every(NOTE)} == {SECRET}, "a clearance is no need to know"


async def test_its_entries_stand_where_it_acts(world: World) -> None:
    flow = await at(world, ALPHA)
    await flow.begin(b"asked")
    await flow.release(b"told")
    with pytest.raises(Absent):
        await flow.read(NOTE, "never")
    await world.house.gate.folded()
    assert [entry.outcome for entry in log(world, ALPHA)] == ["begin", "complete", "absent"]
    assert log(world, SECRET) == log(world, BOTH) == []


async def test_one_of_two_suffices_where_the_class_says_so(world: World) -> None:
    ref = await placed(world, SECRET, "ALPHA|BRAVO", "either")
    await placed(world, SECRET, "ALPHA&(BRAVO|CHARLIE)", "three")
    assert await seen(world, SECRET) == set()
    assert await seen(world, ALPHA) == {"either"}
    assert await seen(world, BRAVO) == {"either"}
    assert await seen(world, BOTH) == {"either", "three"}
    flow = await at(world, SECRET)
    assert flow.access.id != ref.class_id
    with pytest.raises(Absent):
        await flow.read(NOTE, "either")
    assert await flow.read_each(NOTE, "either") == []
    with pytest.raises(Absent):
        await flow.blob(ref.class_id, "0" * 64)
    with pytest.raises(Absent):
        await flow.blob_into(ref.class_id, "0" * 64, lambda size: pytest.fail("asked for memory"))
    assert await flow.children(ref) == []


async def test_what_was_found_bears_that_by_which_it_was_found(world: World) -> None:
    """Whoever acts there finds it again, and what is made of it there may lie there."""
    await placed(world, LOW, "ALPHA|BRAVO", "either")
    whole = await at(world, BOTH)
    for flow, needs in (
        (await at(world, ALPHA), {"ALPHA"}),
        (await at(world, BRAVO), {"BRAVO"}),
        (whole, {"ALPHA"}),
    ):
        found = await flow.read(NOTE, "either")
        assert found.label is label_of(world, LOW).with_needs(needs)
        assert {each.id for each in await flow.at(found.label).every(NOTE)} == {"either"}
    assert await whole.at(label_of(world, SECRET)).every(NOTE) == []


async def test_a_rung_is_a_request_with_fewer(world: World) -> None:
    whole = await at(world, BOTH)
    await whole.commit(Put(NOTE, "both", A))
    assert await whole.at(label_of(world, ALPHA)).every(NOTE) == []
    with pytest.raises(Refused):
        (await at(world, ALPHA)).at(label_of(world, BRAVO))


# ---- one partition ---------------------------------------------------------------------------------------------------


async def test_equal_meanings_make_one_class(world: World) -> None:
    classes = world.house.gate.classes
    secret, alpha = label_of(world, SECRET), label_of(world, ALPHA)
    assert classes.holding(secret, Need.parse("ALPHA")) is classes.of(alpha)
    assert classes.holding(alpha, Need()) is classes.of(alpha)
    assert classes.holding(alpha, Need.parse("ALPHA|BRAVO")) is classes.of(alpha), "whoever has ALPHA satisfies it"
    assert classes.holding(secret, Need.parse("BRAVO&ALPHA")) is classes.of(label_of(world, BOTH))
    one = classes.holding(secret, Need.parse("ALPHA&(CHARLIE|BRAVO)"))
    assert one is classes.holding(alpha, Need.parse("(BRAVO|CHARLIE)&ALPHA"))
    assert (one.label, one.need) == (alpha, "BRAVO|CHARLIE")


async def test_everything_that_is_cut_by_class_is_cut_by_need(world: World) -> None:
    flows = [await at(world, label) for label in (SECRET, ALPHA, BRAVO, BOTH)]
    assert len({flow.access.id for flow in flows}) == 4
    assert len({flow.salt() for flow in flows}) == 4
    assert len({flow.domain for flow in flows}) == 4
    low = flows[3].at(label_of(world, SECRET))
    assert low.salt() == flows[3].salt(), "what a request warms in a rung is its own"


async def test_a_class_that_nobody_can_read_is_damage_and_not_everybodys(world: World) -> None:
    gate = world.house.gate
    wrong = gate.classes.learn(access_class(label_of(world, LOW), "ALPHA&"))
    put = gate.rows.put(wrong, Put(NOTE, "one", A))
    from casemate.store import Batch

    await gate.vault.committer.commit(Batch(domain=wrong.id, puts=[put], classes=[gate.classes.row(wrong)]))
    flow = await at(world, BOTH)
    with pytest.raises(Damaged):
        await flow.every(NOTE)


# ---- who needs to know what is brought -------------------------------------------------------------------------------


async def bring(world: World, acting: str, need: str = "", **said: Any) -> Ref:
    return await (await at(world, acting, ADD)).hold(Hold("a.txt", "law", "digest", need=need, **said), b"bytes")


async def settling(world: World, ref: Ref, acting: str) -> Any:
    gate = world.house.gate
    flow = await gate.open(gate.service("knowledge", gate.classes.of(label_of(world, acting))), SETTLE)
    return flow.settle(await flow.read(HELD, ref.id))


@pytest.mark.parametrize(
    ("acting", "need", "kept", "rests"),
    [
        (SECRET, "", "", (LOW, "")),
        (ALPHA, "", "ALPHA", ("agency=EXERCISE + need=ALPHA", "")),
        (BOTH, "", "ALPHA&BRAVO", ("agency=EXERCISE + need=ALPHA + need=BRAVO", "")),
        (BOTH, "ALPHA", "ALPHA", ("agency=EXERCISE + need=ALPHA", "")),
        (ALPHA, "ALPHA|BRAVO", "ALPHA|BRAVO", (LOW, "ALPHA|BRAVO")),
        (BOTH, "ALPHA&(CHARLIE|BRAVO)", "ALPHA&(BRAVO|CHARLIE)", ("agency=EXERCISE + need=ALPHA", "BRAVO|CHARLIE")),
    ],
)
async def test_it_comes_to_rest_among_those_who_need_to_know(
    world: World, acting: str, need: str, kept: str, rests: tuple[str, str]
) -> None:
    ref = await bring(world, acting, need)
    flow = await at(world, acting)
    assert (await flow.read(HELD, ref.id)).value.need == kept
    settle = await settling(world, ref, acting)
    [landed] = settle.change(label_of(world, LOW), Put(NOTE, "part", A))
    await settle.commit("settled", {})
    access = world.house.gate.classes.by_id(landed.class_id)
    assert (access.label.text, access.need) == rests
    assert "part" in await seen(world, acting)
    if need or acting != SECRET:
        assert "part" not in await seen(world, SECRET)


@pytest.mark.parametrize(("acting", "need"), [(SECRET, "ALPHA"), (ALPHA, "BRAVO"), (ALPHA, "ALPHA&BRAVO")])
async def test_nobody_says_it_who_would_not_know_it_himself(world: World, acting: str, need: str) -> None:
    with pytest.raises(Refused, match="need-stated"):
        await bring(world, acting, need)
    assert [(entry.outcome, entry.rule) for entry in log(world, acting)] == [("refused", "need-stated")]
    with pytest.raises(BadInput):
        await bring(world, acting, "ALPHA&")


async def test_what_cannot_be_read_stays_among_those_who_brought_it(world: World) -> None:
    """Quarantine is at the label at which it was held."""
    ref = await bring(world, BOTH, "ALPHA&(BRAVO|CHARLIE)")
    settle = await settling(world, ref, BOTH)
    [landed] = settle.change(label_of(world, BOTH), Put(NOTE, "whole", A))
    assert landed.class_id == world.house.gate.classes.of(label_of(world, BOTH)).id


async def test_a_part_bears_what_the_session_that_brought_it_cannot_lay_down(world: World) -> None:
    bound = replace(knowing(world), floor=label_of(world, "agency=EXERCISE + need=ALPHA"))
    flow = await flow_of(world, bound, ADD, BOTH)
    ref = await flow.hold(Hold("a.txt", "law", "digest", need="ALPHA|BRAVO"), b"bytes")
    settle = await settling(world, ref, BOTH)
    [landed] = settle.change(label_of(world, LOW), Put(NOTE, "part", A))
    access = world.house.gate.classes.by_id(landed.class_id)
    assert (access.label.needs, access.need) == ({"ALPHA"}, "")


async def test_a_label_that_is_said_later_keeps_the_need(world: World) -> None:
    bound = replace(knowing(world), floor=label_of(world, "agency=EXERCISE + need=ALPHA"))
    flow = await flow_of(world, bound, ADD, ALPHA)
    ref = await flow.hold(Hold("a.txt", "law", "digest"), b"bytes")
    await flow.restate(ref.id, label_of(world, SECRET))
    found: Found[Any] = await flow.read(HELD, ref.id)
    assert found.value.stated == ALPHA
    assert found.value.need == "ALPHA"


async def test_a_need_that_has_become_false_meanwhile_settles_nowhere(world: World) -> None:
    ref = await bring(world, ALPHA, "ALPHA|BRAVO")
    settle = await settling(world, ref, ALPHA)
    with patch.object(settle, "_need", Need.parse("BRAVO|CHARLIE")), pytest.raises(Refused, match="marks-of-origin"):
        settle.change(label_of(world, LOW), Put(NOTE, "part", A))


async def test_who_needs_to_know_by_default(world: World) -> None:
    assert await need_of(await at(world, SECRET), "") == Need()
    assert await need_of(await at(world, BOTH), "") == Need.parse("ALPHA&BRAVO")
    assert await need_of(await at(world, BOTH), "BRAVO") == Need.parse("BRAVO")


# ---- up, down and as another -----------------------------------------------------------------------------------------


async def test_a_deposit_may_go_to_those_who_need_to_know(world: World) -> None:
    low = await at(world, SECRET)
    await low.deposit(label_of(world, ALPHA), Put(NOTE, "given", A))
    assert [f.value for f in await (await at(world, ALPHA)).every(NOTE)] == [A]
    assert await seen(world, SECRET) == set()
    with pytest.raises(Refused, match="no-write-down"):
        await (await at(world, ALPHA)).deposit(label_of(world, SECRET), Put(NOTE, "told", A))
    with pytest.raises(Refused, match="no-write-down"):
        await (await at(world, ALPHA)).deposit(label_of(world, BRAVO), Put(NOTE, "told", A))


async def test_an_auditor_without_the_need_sees_another_as_far_as_he_may_himself(world: World) -> None:
    await world.person("ben", ALPHA)
    await (await at(world, ALPHA)).commit(Put(NOTE, "hidden", A))
    await (await at(world, SECRET)).commit(Put(NOTE, "plain", A))
    ada = await flow_of(world, knowing(world, BOTH, "ada", "auditor", "user"), Action("prove", "answer"), SECRET)
    as_ben = await ada.as_seen_by("ben", None, "a complaint")
    assert {found.id for found in await as_ben.every(NOTE)} == {"plain"}
    with pytest.raises(Refused, match="acting-label"):
        await ada.as_seen_by("ben", label_of(world, ALPHA), "a complaint")
    more = await flow_of(world, knowing(world, BOTH, "ada", "auditor", "user"), Action("prove", "answer"), BOTH)
    as_ben = await more.as_seen_by("ben", label_of(world, ALPHA), "a complaint")
    assert {found.id for found in await as_ben.every(NOTE)} == {"plain", "hidden"}
    with pytest.raises(Refused, match="acting-needs"):
        await more.as_seen_by("ben", label_of(world, BOTH), "a complaint")


async def test_what_really_lay_there_is_told_to_those_who_need_to_know(world: World) -> None:
    """A class with an expression reads the logs below it, and nobody reads its own as if requests acted there."""
    await placed(world, LOW, "ALPHA|BRAVO", "either")
    await placed(world, SECRET, "", "unused")
    with pytest.raises(Absent):
        await (await at(world, LOW)).read(NOTE, "either")
    await world.step("ledger.reconcile")
    gate = world.house.gate
    await gate.folded()
    access = gate.classes.holding(label_of(world, LOW), Need.parse("ALPHA|BRAVO"))
    stored = gate.vault.reader.entries(access.id, 0, 99)
    [told] = [gate.recorder.open(access.id, each) for each in stored]
    assert (told.outcome, told.rule, told.facts["principal"]) == ("refused", "need", "ann")
    assert all(entry.outcome != "refused" for entry in log(world, SECRET))


async def test_which_of_the_two_was_missing_is_told_above(world: World) -> None:
    for label in (ALPHA, TOP):
        flow = await flow_of(world, principal(world, "tom", label), ACT, label)
        await flow.commit(Put(NOTE, f"at {label}", A))
    for label in (ALPHA, TOP):
        with pytest.raises(Absent):
            await (await at(world, SECRET)).read(NOTE, f"at {label}")
    await world.step("ledger.reconcile")
    await world.house.gate.folded()
    assert [entry.rule for entry in log(world, ALPHA) if entry.outcome == "refused"] == ["need"]
    assert [entry.rule for entry in log(world, TOP) if entry.outcome == "refused"] == ["no-read-up"]
