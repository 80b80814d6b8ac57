"""Integrity in a region that lists it: what was let in unverified changes nothing, whoever is made to ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from casemate.accounts import KeyRequest, PersonRequest, add_person, issue
from casemate.errors import Refused
from casemate.identity import Bearer, Peer
from casemate.policy import Action, trusted
from casemate.policy.trust import distrust
from tests.attacks.scene import flow_of, label_of
from tests.laws.world import World, a_world

ADD, ISSUE, ASK = Action("add", "principal"), Action("issue", "key"), Action("ask", "answer")
SECRET = "us:SECRET//NOFORN"
UNTRUSTED = "integrity:UNTRUSTED"


@asynccontextmanager
async def a_region() -> AsyncIterator[World]:
    async with a_world(0, ("us", "integrity")) as world:
        yield world


@pytest.fixture
def region(runner: asyncio.Runner) -> Iterator[World]:
    """A region whose documents may be of doubtful origin."""
    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(a_region()))
    runner.run(stack.aclose())


async def test_the_owner_founds_it_and_grants_on_verified_grounds(region: World) -> None:
    gate = region.house.gate
    owner = gate.admit(Peer(0))
    assert distrust(owner.ceiling) == 2
    asking, granting = await gate.open(owner, ASK), await gate.open(owner, ADD)
    assert asking.acting is owner.ceiling
    assert granting.acting is trusted(owner.ceiling)
    assert await add_person(granting, PersonRequest("ann", SECRET)) is not None


async def test_whoever_says_that_he_acts_on_distrusted_grounds_is_refused(region: World) -> None:
    gate = region.house.gate
    owner = gate.admit(Peer(0))
    with pytest.raises(Refused, match="integrity"):
        await gate.open(owner, ADD, owner.ceiling)


async def test_a_session_that_cannot_lay_its_distrust_down_grants_nothing(region: World) -> None:
    """An assistant or tool whose floor says what it has let in."""
    gate = region.house.gate
    owner = gate.admit(Peer(0))
    bound = replace(owner, floor=owner.floor | label_of(region, UNTRUSTED))
    assert (await gate.open(bound, ASK)).acting is owner.ceiling
    with pytest.raises(Refused) as told:
        await gate.open(bound, ADD)
    assert told.value.facts["rule"] == "integrity"


async def test_others_may_be_let_see_what_is_less_trusted(region: World) -> None:
    """It is no secret: whoever acts on trusted grounds gives it as far as his own session goes."""
    gate = region.house.gate
    asked = PersonRequest("ann", f"{SECRET} + {UNTRUSTED}")
    made = await add_person(await gate.open(gate.admit(Peer(0)), ADD), asked)
    assert made is not None
    _, secret = await issue(await gate.open(gate.admit(Peer(0)), ISSUE), KeyRequest(principal="ann"))
    ann = gate.admit(Bearer(secret))
    assert distrust(ann.ceiling) == distrust(ann.floor) == 2
    with pytest.raises(Refused, match="integrity"):
        await gate.open(ann, ISSUE)
    ranged = KeyRequest(principal="ann", floor="us:UNCLASSIFIED", ceiling=f"{SECRET} + {UNTRUSTED}")
    _, secret = await issue(await gate.open(gate.admit(Peer(0)), ISSUE), ranged)
    ann = gate.admit(Bearer(secret))
    key, _ = await issue(await gate.open(ann, ISSUE), KeyRequest())
    assert distrust(label_of(region, key.ceiling)) == 2


async def test_what_he_gives_lies_no_higher_than_he_acts(region: World) -> None:
    gate = region.house.gate
    flow = await flow_of(region, gate.admit(Peer(0)), ADD, "agency=EXERCISE")
    assert distrust(flow.gives) == 2
    assert trusted(flow.gives) is flow.acting
    for clearance in (SECRET, f"{SECRET} + {UNTRUSTED}"):
        with pytest.raises(Refused, match="clearance"):
            await add_person(flow, PersonRequest("ann", clearance))


async def test_an_answer_made_of_what_is_not_trusted_is_no_more_trusted(region: World) -> None:
    gate = region.house.gate
    owner = gate.admit(Peer(0))
    flow = await gate.open(owner, ASK)
    released = await flow.release(b"told")
    assert distrust(released.label) == 2
    low = flow.at(trusted(owner.ceiling))
    assert distrust(low.label) == 0
