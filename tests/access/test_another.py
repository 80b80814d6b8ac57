"""To see as another sees: himself, or an auditor who dominates him and says why; told of neither below."""

from __future__ import annotations

import pytest

from casemate.access import Flow
from casemate.errors import Refused
from casemate.objects import Put
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

PROVE = Action("prove", "answer")


async def auditor(world: World, label: str = TOP, *roles: str) -> Flow:
    return await flow_of(world, principal(world, "ada", TOP, *(roles or ("auditor", "user"))), PROVE, label)


async def test_as_oneself_at_ones_own_label_without_a_word(world: World) -> None:
    flow = await auditor(world, SECRET)
    for name in ("", "ada"):
        seen = await flow.as_seen_by(name, None, "")
        assert (seen.session, seen.acting) == (flow.session, flow.acting)
        assert (await flow.as_seen_by(name, label_of(world, LOW), "")).acting is label_of(world, LOW)
    assert log(world, SECRET) == log(world, LOW) == []


@pytest.mark.parametrize("label", [TOP, "agency=EXERCISE + us:SECRET//REL=FRA,USA//SCI=SI"])
async def test_as_oneself_no_higher_than_one_acts(world: World, label: str) -> None:
    flow = await auditor(world, SECRET)
    with pytest.raises(Refused, match="acting-label"):
        await flow.as_seen_by("", label_of(world, label), "")


async def test_an_auditor_with_a_reason_sees_as_another_sees(world: World) -> None:
    await world.person("ben", SECRET)
    for label in (SECRET, TOP):
        await (await at(world, label)).commit(Put(NOTE, "one", Note(label, "ships")))
    flow = await auditor(world)
    seen = await flow.as_seen_by("ben", None, "a complaint")
    assert (seen.session.principal.name, seen.session.on_behalf_of) == ("ben", "ada")
    assert (seen.acting, seen.floor) == (label_of(world, SECRET), label_of(world, LOW))
    assert (seen.asker, seen.domain) == (flow.session, flow.acting)
    assert [f.value.text for f in await seen.every(NOTE)] == [SECRET]
    entry = log(world, TOP)[-1]
    assert (entry.outcome, entry.principal) == ("as-another", "ada")
    assert entry.facts == {"as": "ben", "at": SECRET, "reason": "a complaint"}
    assert (await flow.as_seen_by("ben", label_of(world, LOW), "again")).acting is label_of(world, LOW)


@pytest.mark.parametrize(
    ("name", "roles", "label", "reason"),
    [
        ("nobody", ("auditor", "user"), TOP, "why"),
        ("ben", ("auditor", "user"), TOP, ""),
        ("ben", ("auditor", "user"), TOP, "  "),
        ("ben", ("user",), TOP, "why"),
        ("ben", ("auditor", "user"), LOW, "why"),
        ("officer", ("auditor", "user"), TOP, "why"),
    ],
    ids=["no such name", "no reason", "blank reason", "no auditor", "not above him", "who may not ask"],
)
async def test_whoever_may_not_is_told_one_thing(
    world: World, name: str, roles: tuple[str, ...], label: str, reason: str
) -> None:
    await world.person("ben", SECRET)
    await world.person("officer", SECRET, ("officer",))
    before = len(log(world, label))
    with pytest.raises(Refused) as told:
        await (await auditor(world, label, *roles)).as_seen_by(name, None, reason)
    assert told.value.facts == {"rule": "as-another"}
    [entry] = log(world, label)[before:]
    assert (entry.rule, entry.principal) == ("as-another", "ada")


async def test_another_is_seen_within_his_own_range_only(world: World) -> None:
    await world.person("ben", SECRET)
    with pytest.raises(Refused, match="acting-label"):
        await (await auditor(world)).as_seen_by("ben", label_of(world, TOP), "why")


async def test_what_was_brought_keeps_its_label(world: World) -> None:
    await world.person("ben", SECRET)
    flow = await auditor(world)
    flow.bear(label_of(world, SECRET))
    with pytest.raises(Refused, match="acting-label"):
        await flow.as_seen_by("ben", label_of(world, LOW), "why")
    assert (await flow.as_seen_by("ben", None, "why")).floor is label_of(world, SECRET)


async def test_an_auditor_who_may_not_ask_sees_nothing_as_himself(world: World) -> None:
    with pytest.raises(Refused) as told:
        await (await auditor(world, TOP, "auditor")).as_seen_by("", None, "why")
    assert told.value.facts["rule"] == "role"
