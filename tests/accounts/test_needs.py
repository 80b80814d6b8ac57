"""Authorizations are given like clearances: by an officer, an authority's signature, a binding. A key narrows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from casemate.accounts import KeyRequest, PersonRequest, add_person, change_person, issue, keys, people
from casemate.accounts.bindings import BindingRequest, bind
from casemate.errors import BadInput, Conflict, Refused, Unauthenticated
from casemate.identity import Bearer, Peer, Session
from casemate.identity.attributes import Subject
from casemate.policy import Action
from tests.access.outside import ANN, CLEARED, GRANT, admit, believe, nobody, officer, put
from tests.attacks.scene import SECRET, TOP, flow_of, label_of, log
from tests.laws.world import World

ADD, ISSUE, LIST = Action("add", "principal"), Action("issue", "key"), Action("list", "key")
ALPHA = "agency=EXERCISE + need=ALPHA + us:SECRET//REL=USA"
BOTH = "agency=EXERCISE + need=ALPHA + need=BRAVO + us:SECRET//REL=USA"


async def person(world: World, name: str = "ann", needs: tuple[str, ...] = ("ALPHA",), **more: Any) -> str:
    made = await add_person(await officer(world, ADD), PersonRequest(name, SECRET, needs=needs, **more))
    assert made is not None
    return made.id


async def local(world: World, *needs: str, uid: str = "1000") -> Session:
    await person(world, needs=needs, uid=uid)
    return world.house.gate.admit(Peer(int(uid)))


async def test_an_officer_says_who_needs_to_know_and_need_not_know_it(world: World) -> None:
    id = await person(world, needs=("BRAVO", "ALPHA"))
    found = world.house.gate.directory.principal(id)
    assert found is not None
    assert found.clearance is label_of(world, BOTH)
    [listed] = [p.value for p in await people(await officer(world, Action("list", "principal"))) if p.id == id]
    assert listed.clearance == BOTH
    entry = log(world, world.house.gate.vault.region.ceiling.text)[-1]
    assert entry.facts["clearance"] == BOTH, "a grant is on record"


async def test_a_clearance_may_say_it_too_and_both_count(world: World) -> None:
    made = await add_person(await officer(world, ADD), PersonRequest("ann", ALPHA, needs=("BRAVO",)))
    assert made is not None
    assert made.clearance == BOTH


async def test_nobody_gets_a_higher_clearance_by_it(world: World) -> None:
    flow = await officer(world, ADD, SECRET)
    with pytest.raises(Refused, match="clearance"):
        await add_person(flow, PersonRequest("ann", TOP, needs=("ALPHA",)))


async def test_nobody_says_it_of_himself(world: World) -> None:
    flow = await officer(world, GRANT)
    with pytest.raises(Refused, match="self-grant"):
        await change_person(flow, flow.session.principal.id, PersonRequest("owner", SECRET, needs=("ALPHA",)))


@pytest.mark.parametrize("wrong", ["two words", "", "A + need=B", "x" * 65])
async def test_an_authorization_that_cannot_be_written_is_refused(world: World, wrong: str) -> None:
    with pytest.raises(BadInput):
        await person(world, needs=(wrong,))


async def test_it_is_taken_back_and_what_stood_on_it_opens_nothing(world: World) -> None:
    ann = await local(world, "ALPHA")
    _, secret = await issue(await flow_of(world, ann, ISSUE, ALPHA), KeyRequest(needs=("ALPHA",)))
    _, plain = await issue(await flow_of(world, ann, ISSUE), KeyRequest())
    assert world.house.gate.admit(Bearer(secret)).ceiling is label_of(world, ALPHA)
    await change_person(await officer(world), ann.principal.id, PersonRequest("ann", SECRET))
    assert world.house.gate.admit(Peer(1000)).ceiling is label_of(world, SECRET)
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(secret))
    world.house.gate.admit(Bearer(plain))


# ---- keys ------------------------------------------------------------------------------------------------------------


async def test_a_key_has_those_that_it_names(world: World) -> None:
    ann = await local(world, "ALPHA", "BRAVO")
    key, secret = await issue(await flow_of(world, ann, ISSUE, BOTH), KeyRequest(needs=("ALPHA",), ceiling=SECRET))
    admitted = world.house.gate.admit(Bearer(secret))
    assert (key.floor, key.ceiling) == (ALPHA, ALPHA)
    assert admitted.floor is admitted.ceiling is admitted.usual is label_of(world, ALPHA)
    assert admitted.principal.clearance is label_of(world, BOTH)


async def test_a_key_that_names_none_has_none(world: World) -> None:
    ann = await local(world, "ALPHA")
    _, secret = await issue(await flow_of(world, ann, ISSUE), KeyRequest())
    assert world.house.gate.admit(Bearer(secret)).ceiling is label_of(world, SECRET)


async def test_a_key_with_a_range_may_lay_them_down(world: World) -> None:
    ann = await local(world, "ALPHA")
    asked = KeyRequest(floor=SECRET, ceiling=SECRET, needs=("ALPHA",))
    _, secret = await issue(await flow_of(world, ann, ISSUE, ALPHA), asked)
    session = world.house.gate.admit(Bearer(secret))
    assert (session.floor, session.ceiling) == (label_of(world, SECRET), label_of(world, ALPHA))
    assert session.usual is label_of(world, SECRET)


async def test_nobody_makes_himself_a_key_with_more_than_he_acts_with(world: World) -> None:
    ann = await local(world, "ALPHA", "BRAVO")
    for acting, needs in ((SECRET, ("ALPHA",)), (ALPHA, ("BRAVO",)), (BOTH, ("CHARLIE",))):
        with pytest.raises(Refused, match="clearance"):
            await issue(await flow_of(world, ann, ISSUE, acting), KeyRequest(needs=needs))
        own = KeyRequest(needs=needs, principal="ann")
        with pytest.raises(Refused, match="clearance"):
            await issue(await flow_of(world, ann, ISSUE, acting), own)


async def test_a_key_is_seen_by_those_who_act_with_what_it_was_made_with(world: World) -> None:
    ann = await local(world, "ALPHA")
    key, _ = await issue(await flow_of(world, ann, ISSUE, ALPHA), KeyRequest(needs=("ALPHA",)))
    assert [each.id for each in await keys(await flow_of(world, ann, LIST, ALPHA))] == [key.id]
    assert await keys(await flow_of(world, ann, LIST)) == []
    owner = await flow_of(world, world.house.gate.admit(Peer(0)), LIST)
    assert key.id not in [each.id for each in await keys(owner)]
    assert key.id not in str(log(world, SECRET))


async def test_a_key_cannot_lie_below_the_session_that_makes_it(world: World) -> None:
    ann = replace(await local(world, "ALPHA"), floor=label_of(world, ALPHA))
    with pytest.raises(Refused, match="key-floor"):
        await issue(await flow_of(world, ann, ISSUE), KeyRequest(floor=SECRET, ceiling=SECRET, needs=("ALPHA",)))


async def test_an_officer_makes_anothers_key_with_what_that_one_has(world: World) -> None:
    await person(world)
    flow = await officer(world, ISSUE)
    _, secret = await issue(flow, KeyRequest(principal="ann", needs=("ALPHA",), ceiling=SECRET))
    assert world.house.gate.admit(Bearer(secret)).ceiling is label_of(world, ALPHA)
    with pytest.raises(Refused, match="clearance"):
        await issue(await officer(world, ISSUE), KeyRequest(principal="ann", needs=("BRAVO",), ceiling=SECRET))
    with pytest.raises(Refused, match="clearance"):
        await issue(await officer(world, ISSUE), KeyRequest(needs=("ALPHA",), ceiling=SECRET))


# ---- from outside ----------------------------------------------------------------------------------------------------


async def test_a_binding_gives_what_its_principal_has_and_may_give_less(world: World) -> None:
    believe(world.house.gate)
    id = await person(world)
    await bind(await officer(world), id, ANN)
    assert admit(world).ceiling is label_of(world, ALPHA)


async def test_a_binding_without_it(world: World) -> None:
    believe(world.house.gate)
    id = await person(world)
    await bind(
        await officer(world), id, BindingRequest(ANN.certificate, ANN.scheme, ANN.issuer, ANN.subject, ceiling=SECRET)
    )
    assert admit(world).ceiling is label_of(world, SECRET)


async def test_a_binding_with_more_is_refused(world: World) -> None:
    believe(world.house.gate)
    id = await person(world)
    asked = BindingRequest(ANN.certificate, ANN.scheme, ANN.issuer, ANN.subject, ceiling=BOTH)
    with pytest.raises(Refused, match="clearance"):
        await bind(await officer(world), id, asked)


def cleared(*needs: str, **more: Any) -> Subject:
    return Subject(CLEARED.issuer, CLEARED.subject, CLEARED.clearance, CLEARED.agencies, needs=needs, **more)


async def test_an_authority_says_it_where_its_own_ceiling_names_it(world: World) -> None:
    region = world.house.gate.vault.region
    believe(world.house.gate, ceiling=region.ceiling.with_needs(["ALPHA"]))
    await put(world, cleared("ALPHA"))
    session = admit(world)
    assert session.ceiling.needs == session.floor.needs == {"ALPHA"}
    with pytest.raises(Refused, match="clearance"):
        await put(world, cleared("ALPHA", "BRAVO"), number=2)


async def test_an_authority_that_lost_it_is_believed_no_longer(world: World) -> None:
    region = world.house.gate.vault.region
    believe(world.house.gate, ceiling=region.ceiling.with_needs(["ALPHA"]))
    await put(world, cleared("ALPHA"))
    believe(world.house.gate)
    nobody(world)


async def test_a_stated_floor_lets_him_lay_it_down(world: World) -> None:
    region = world.house.gate.vault.region
    believe(world.house.gate, ceiling=region.ceiling.with_needs(["ALPHA"]))
    await put(world, cleared("ALPHA", floor="agency=EXERCISE"))
    session = admit(world)
    assert (session.floor.needs, session.usual.needs, session.ceiling.needs) == (frozenset(), frozenset(), {"ALPHA"})


async def test_names_stay_one_persons(world: World) -> None:
    await person(world)
    with pytest.raises(Conflict):
        await person(world, needs=("BRAVO",))
