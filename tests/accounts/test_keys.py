"""Keys and console sessions from inside: their ranges, their ends, and whose they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from casemate.accounts import KeyRequest, close_console, issue, keys, open_console, revoke
from casemate.clock import SECOND
from casemate.errors import Absent, BadInput, Refused, Unauthenticated
from casemate.identity import Bearer, Peer, Session
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log
from tests.laws.world import World

ISSUE, LIST, REVOKE, OPEN, CLOSE = (
    Action(verb, kind)
    for verb, kind in (
        ("issue", "key"),
        ("list", "key"),
        ("revoke", "key"),
        ("open", "session"),
        ("close", "session"),
    )
)
DAY = 86_400 * SECOND


async def session(world: World, clearance: str = SECRET, *roles: str, name: str = "ann") -> Session:
    await world.person(name, clearance, roles or ("user",))
    return world.house.gate.admit(Bearer(world.keys[name]))


async def test_a_key_is_of_its_range_and_lives_so_many_days(world: World) -> None:
    ann = await session(world)
    key, secret = await issue(await flow_of(world, ann, ISSUE), KeyRequest(floor=LOW, ceiling=SECRET, days=3, name="k"))
    assert (key.owner_name, key.client, key.floor, key.ceiling, key.name) == ("ann", "openai", LOW, SECRET, "k")
    assert key.expires == world.clock.now() + 3 * DAY
    admitted = world.house.gate.admit(Bearer(secret))
    assert (admitted.floor.text, admitted.ceiling.text, admitted.principal.name) == (LOW, SECRET, "ann")
    assert log(world, SECRET)[-1].facts == {"key": key.id}
    assert secret not in str(log(world, SECRET))


@pytest.mark.parametrize("days", [0, -1, 367])
@pytest.mark.parametrize("client", ["openai", "anthropic", "boto3", "telnet"])
async def test_days_and_clients_have_bounds(world: World, client: str, days: int) -> None:
    flow = await flow_of(world, await session(world), ISSUE)
    with pytest.raises(BadInput):
        await issue(flow, KeyRequest(client, days=days))
    if client != "telnet":
        key, _ = await issue(flow, KeyRequest(client, days=366))
        assert key.expires == world.clock.now() + 366 * DAY


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"ceiling": TOP}, "clearance"),
        ({"floor": TOP, "ceiling": TOP}, "clearance"),
        ({"floor": TOP}, "clearance"),
        ({"ceiling": "agency=EXERCISE + us:SECRET//REL=USA//SCI=SI"}, "clearance"),
    ],
)
async def test_no_key_is_above_its_owner(world: World, asked: dict[str, Any], rule: str) -> None:
    flow = await flow_of(world, await session(world), ISSUE)
    with pytest.raises(Refused) as told:
        await issue(flow, KeyRequest(**asked))
    assert told.value.facts["rule"] == rule


async def test_no_key_is_above_the_label_at_which_it_is_made(world: World) -> None:
    flow = await flow_of(world, await session(world, TOP), ISSUE, LOW)
    with pytest.raises(Refused, match="clearance"):
        await issue(flow, KeyRequest(ceiling=SECRET))
    key, _ = await issue(flow, KeyRequest())
    assert (key.floor, key.ceiling) == (LOW, LOW)


async def test_no_key_has_a_floor_below_that_of_the_session_that_makes_it(world: World) -> None:
    """What a client sends back would come down through it."""
    ann = replace(await session(world), floor=label_of(world, SECRET))
    flow = await flow_of(world, ann, ISSUE)
    with pytest.raises(Refused) as told:
        await issue(flow, KeyRequest(floor=LOW, ceiling=SECRET))
    assert told.value.facts["rule"] == "key-floor"


async def test_a_floor_lies_below_its_ceiling(world: World) -> None:
    flow = await flow_of(world, await session(world), ISSUE)
    with pytest.raises(BadInput):
        await issue(flow, KeyRequest(floor=SECRET, ceiling=LOW))


async def test_an_officer_makes_a_key_for_another_and_no_higher_than_both(world: World) -> None:
    await world.person("ben", SECRET)
    flow = await flow_of(world, await session(world, TOP, "officer", name="ona"), ISSUE)
    key, secret = await issue(flow, KeyRequest(principal="ben"))
    assert (key.owner_name, key.ceiling) == ("ben", SECRET)
    assert world.house.gate.admit(Bearer(secret)).principal.name == "ben"
    with pytest.raises(Refused, match="clearance"):
        await issue(flow, KeyRequest(principal="ben", ceiling=TOP))
    low = await session(world, LOW, "officer", name="odo")
    key, _ = await issue(await flow_of(world, low, ISSUE), KeyRequest(principal="ben"))
    assert key.ceiling == LOW


async def test_for_whom_nobody_may_is_as_absent_as_nobody(world: World) -> None:
    await world.person("ben", SECRET)
    flow = await flow_of(world, await session(world), ISSUE)
    for name in ("ben", "nobody"):
        with pytest.raises(Absent) as told:
            await issue(flow, KeyRequest(principal=name))
        assert told.value.facts == {"kind": "principal", "id": name}
    assert (await issue(flow, KeyRequest(principal="ann")))[0].owner_name == "ann"


async def test_a_key_is_listed_to_whom_it_concerns(world: World) -> None:
    ann, ben = await session(world), await session(world, name="ben")
    key, _ = await issue(await flow_of(world, ann, ISSUE), KeyRequest(name="mine"))
    assert [k.id for k in await keys(await flow_of(world, ann, LIST))] == [key.id]
    assert await keys(await flow_of(world, ben, LIST)) == []
    assert await keys(await flow_of(world, ann, LIST, LOW)) == []
    officer = await session(world, TOP, "officer", name="ona")
    assert key.id in {k.id for k in await keys(await flow_of(world, officer, LIST))}


async def test_a_key_is_revoked_by_its_owner_or_an_officer_where_it_lies(world: World) -> None:
    ann, ben = await session(world), await session(world, name="ben")
    officer = await session(world, SECRET, "officer", name="ona")
    higher = await session(world, TOP, "officer", name="odo")
    for who in (ann, officer):
        key, secret = await issue(await flow_of(world, ann, ISSUE), KeyRequest())
        for other, acting in ((ben, SECRET), (higher, TOP), (ann, LOW)):
            with pytest.raises(Absent) as told:
                await revoke(await flow_of(world, other, REVOKE, acting), key.id)
            assert told.value.facts == {"kind": "key", "id": key.id}
        world.house.gate.admit(Bearer(secret))
        await revoke(await flow_of(world, who, REVOKE, SECRET), key.id)
        with pytest.raises(Unauthenticated):
            world.house.gate.admit(Bearer(secret))
        assert log(world, SECRET)[-1].facts == {"revoked": key.id}


async def test_a_console_session_lies_within_the_session_that_opens_it(world: World) -> None:
    ann = await session(world)
    flow = await flow_of(world, ann, OPEN)
    text = await open_console(flow, label_of(world, LOW), label_of(world, SECRET), "fr")
    admitted = world.house.gate.admit(Bearer(text, "console"))
    assert (admitted.floor.text, admitted.ceiling.text, admitted.language) == (LOW, SECRET, "fr")
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(text))
    for floor, ceiling in ((LOW, TOP), (SECRET, LOW), ("bottom", SECRET)):
        with pytest.raises(Refused, match="clearance"):
            await open_console(flow, label_of(world, floor), label_of(world, ceiling), "en")


async def test_a_console_session_ends_by_the_clock_and_with_its_key(world: World) -> None:
    ann = await session(world)
    text = await open_console(await flow_of(world, ann, OPEN), ann.floor, ann.ceiling, "en")
    world.clock.forward(8 * 3600 - 1)
    world.house.gate.admit(Bearer(text, "console"))
    world.clock.forward(1)
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(text, "console"))
    short, secret = await issue(await flow_of(world, ann, ISSUE), KeyRequest(days=1))
    world.clock.forward(86_400 - 60)
    inner = world.house.gate.admit(Bearer(secret))
    text = await open_console(await flow_of(world, inner, OPEN), inner.floor, inner.ceiling, "en")
    found = world.house.gate.directory.credential(world.house.gate.admit(Bearer(text, "console")).id)
    assert (found.expires, found.under) == (short.expires, short.id)


async def test_the_owner_on_the_local_socket_opens_one_without_a_key(world: World) -> None:
    owner = world.house.gate.admit(Peer(0))
    text = await open_console(await flow_of(world, owner, OPEN), owner.floor, owner.ceiling, "en")
    found = world.house.gate.directory.credential(world.house.gate.admit(Bearer(text, "console")).id)
    assert (found.under, found.expires) == ("", world.clock.now() + 8 * 3600 * SECOND)


async def test_signing_out_ends_the_console_session_and_no_key(world: World) -> None:
    ann = await session(world)
    text = await open_console(await flow_of(world, ann, OPEN), ann.floor, ann.ceiling, "en")
    console = world.house.gate.admit(Bearer(text, "console"))
    await close_console(await flow_of(world, ann, CLOSE))
    world.house.gate.admit(Bearer(world.keys["ann"]))
    await close_console(await flow_of(world, console, CLOSE))
    with pytest.raises(Unauthenticated):
        world.house.gate.admit(Bearer(text, "console"))
    assert log(world, SECRET)[-1].facts == {"closed": console.id}
