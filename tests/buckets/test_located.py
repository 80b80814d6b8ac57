"""Buckets: made and dropped at their floor, in that label's world alone."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from casemate.access import Flow
from casemate.buckets import Buckets
from casemate.errors import Absent, BadInput, CasemateError, Conflict, NotEmpty, Refused
from casemate.policy import Action
from tests.attacks.scene import flow_of, principal
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket, label_of
from tests.laws.world import World

ALPHA = "agency=EXERCISE + need=ALPHA + us:SECRET//REL=USA"
KNOWS = "agency=EXERCISE + need=ALPHA + need=BRAVO + us:TOP SECRET//REL=USA//SCI=SI"


async def seen(world: World, room: Buckets, label: str) -> list[tuple[str, str, bool]]:
    return [(b.name, b.floor.text, b.dropped) for b in await room.every(await at(world, label, "list", "bucket"))]


async def slug(deed: Awaitable[object]) -> str:
    """How a deed ended."""
    try:
        await deed
    except CasemateError as error:
        return error.slug
    return "done"


async def put(world: World, room: Buckets, label: str, key: str = "k") -> None:
    await room.put(await at(world, label), "plans", key, body(b"x"), PLAIN)


async def test_a_bucket_is_seen_from_its_floor_on(world: World) -> None:
    room = Buckets()
    made = await room.make(await at(world, SECRET, "make", "bucket"), "plans", None, label_of(world, TOP))
    assert (made.floor.text, made.ceiling.text) == (SECRET, TOP)
    assert await room.located(await at(world, TOP, "list", "bucket"), "plans") == made
    assert await seen(world, room, LOW) == []
    with pytest.raises(Absent):
        await room.located(await at(world, LOW, "list", "bucket"), "plans")
    for label in (SECRET, TOP):
        with pytest.raises(Conflict):
            await bucket(world, room, label=label)


async def test_a_name_that_is_hidden_is_free_and_both_are_one_above(world: World) -> None:
    room = Buckets()
    await bucket(world, room, label=SECRET)
    await put(world, room, SECRET)
    assert await slug(bucket(world, room, label=LOW)) == "done"
    await put(world, room, LOW, "low")
    assert await seen(world, room, LOW) == [("plans", LOW, False)]
    assert await seen(world, room, SECRET) == [("plans", SECRET, False)]
    keys = [o.key for o in (await room.listed(await at(world, SECRET, "list"), "plans")).objects]
    assert keys == ["k", "low"]


async def test_writes_lie_between_floor_and_ceiling(world: World) -> None:
    room = Buckets()
    await room.make(await at(world, SECRET, "make", "bucket"), "plans", None, label_of(world, SECRET))
    await put(world, room, SECRET)
    with pytest.raises(Refused) as error:
        await put(world, room, TOP)
    assert error.value.facts["rule"] == "bucket-range"
    with pytest.raises(Absent):
        await put(world, room, LOW)
    for ceiling in (LOW,):
        with pytest.raises(BadInput):
            await room.make(await at(world, SECRET, "make", "bucket"), "other", None, label_of(world, ceiling))
    with pytest.raises(Refused):
        await room.make(await at(world, SECRET, "make", "bucket"), "other", label_of(world, LOW))


async def test_a_drop_tells_nothing_of_what_is_hidden_and_loses_nothing_of_it(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await put(world, room, TOP)
    await put(world, room, LOW)
    low = await at(world, LOW, "drop", "bucket")
    with pytest.raises(NotEmpty):
        await room.drop(low, "plans")
    with pytest.raises(Refused):
        await room.drop(await at(world, SECRET, "drop", "bucket"), "plans")
    await room.remove(await at(world, LOW, "remove"), "plans", "k")
    assert await slug(room.drop(low, "plans")) == "done"
    with pytest.raises(Absent):
        await room.drop(low, "plans")
    assert await seen(world, room, LOW) == await seen(world, room, SECRET) == []
    assert await seen(world, room, TOP) == [("plans", LOW, True)]
    assert (await room.seen(await at(world, TOP, "read"), "plans", "k")).size == 1
    with pytest.raises(Refused) as error:
        await put(world, room, TOP, "more")
    assert error.value.facts["rule"] == "bucket-dropped"
    await bucket(world, room)
    assert await seen(world, room, TOP) == [("plans", LOW, False)]
    await put(world, room, TOP, "more")


async def test_a_bucket_that_was_dropped_is_gone_with_its_last_object(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await put(world, room, TOP)
    await room.drop(await at(world, LOW, "drop", "bucket"), "plans")
    await room.remove(await at(world, TOP, "remove"), "plans", "k")
    assert await seen(world, room, TOP) == []
    await bucket(world, room, label=TOP)
    assert await seen(world, room, TOP) == [("plans", TOP, False)]


@pytest.mark.parametrize(
    "name",
    ["", "ab", "x" * 64, "Upper", "a_b", "-a-", "a-", "a..b", "192.168.0.1", "xn--a", "a-s3alias", "a/b", "é" * 4],
)
async def test_names_that_s3_does_not_allow(world: World, name: str) -> None:
    with pytest.raises(BadInput):
        await bucket(world, Buckets(), name)


@pytest.mark.parametrize("name", ["abc", "a.b", "0-9", "x" * 63, "300.0.0.1"])
async def test_names_that_it_does(world: World, name: str) -> None:
    assert (await bucket(world, Buckets(), name)).name == name


async def knowing(world: World, label: str, verb: str = "put", kind: str = "object") -> Flow:
    return await flow_of(world, principal(world, "nia", KNOWS), Action(verb, kind), label)


async def test_whoever_needs_to_know_makes_buckets_and_uses_those_of_others(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await room.put(await knowing(world, ALPHA), "plans", "secret", body(b"x"), PLAIN)
    made = await room.make(await knowing(world, ALPHA, "make", "bucket"), "own")
    assert made.floor <= made.ceiling
    assert made.ceiling.needs == {"ALPHA"}
    for label in (ALPHA, KNOWS):
        await room.put(await knowing(world, label), "own", "k", body(b"x"), PLAIN)
    seen_by = {
        label: [o.key for o in (await room.listed(await knowing(world, label, "list"), "plans")).objects]
        for label in (SECRET, ALPHA, KNOWS)
    }
    assert seen_by == {SECRET: [], ALPHA: ["secret"], KNOWS: ["secret"]}
    assert await seen(world, room, SECRET) == [("plans", LOW, False)]
    with pytest.raises(Absent):
        await room.put(await knowing(world, SECRET), "own", "k", body(b"x"), PLAIN)


async def test_a_ceiling_bounds_how_high_whoever_needs_to_know(world: World) -> None:
    room = Buckets()
    await room.make(await at(world, SECRET, "make", "bucket"), "plans", None, label_of(world, SECRET))
    await room.put(await knowing(world, ALPHA), "plans", "k", body(b"x"), PLAIN)
    with pytest.raises(Refused) as error:
        await room.put(await knowing(world, KNOWS), "plans", "k", body(b"x"), PLAIN)
    assert error.value.facts["rule"] == "bucket-range"
    with pytest.raises(BadInput):  # an authorization that whoever makes it does not act with
        await room.make(await knowing(world, ALPHA, "make", "bucket"), "own", None, label_of(world, KNOWS))
