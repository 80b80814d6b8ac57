"""Listings: the order of UTF-8 bytes, prefixes, tokens, and thousands of keys in stretches."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.access import Flow
from casemate.buckets import Buckets, Listing, order
from casemate.buckets.kinds import CHANGE, KEYS, MAP, OBJECT, ObjectRecord, Said
from casemate.buckets.listing import lowest_behind
from casemate.errors import Absent, Conflict
from casemate.objects import Put
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket
from tests.laws.world import World

ODD = ["a", "a/", "a/b", "a/b/c", "a0", "é", "z", "\U0001f600", "\ufffd", "\ud7ff/x", "%", " "]


async def keep(world: World, room: Buckets, label: str, *keys: str) -> None:
    for key in keys:
        await room.put(await at(world, label), "plans", key, body(key.encode()), PLAIN)


def told(listing: Listing) -> list[str]:
    return sorted([*(seen.key for seen in listing.objects), *listing.prefixes], key=str.encode)


async def all_of(room: Buckets, flow: Flow, limit: int = 2, **asked: Any) -> list[str]:
    """Page by page."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await room.listed(flow, "plans", after=after, limit=limit, **asked)
        assert len(page.objects) + len(page.prefixes) <= limit
        found += told(page)
        after = page.next
    return found


async def test_keys_come_in_the_order_of_their_bytes_and_roll_up(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await keep(world, room, SECRET, *ODD[::2])
    await keep(world, room, LOW, *ODD[1::2])
    flow = await at(world, SECRET, "list")
    in_order = sorted(ODD, key=str.encode)
    for limit in (1, 2, 5, 1000):
        assert await all_of(room, flow, limit) == in_order
        rolled = sorted({key.partition("/")[0] + "/" * ("/" in key) for key in ODD}, key=str.encode)
        assert await all_of(room, flow, limit, delimiter="/") == rolled
        assert await all_of(room, flow, limit, delimiter="/", prefix="a/") == ["a/", "a/b", "a/b/"]
        assert await all_of(room, flow, limit, prefix="a") == [key for key in in_order if key.startswith("a")]
    assert told(await room.listed(flow, "plans", after="a/b")) == in_order[in_order.index("a/b") + 1 :]
    assert told(await room.listed(flow, "plans", limit=0)) == []
    assert await all_of(room, await at(world, LOW, "list")) == sorted(ODD[1::2], key=str.encode)
    with pytest.raises(Absent):
        await room.listed(flow, "never")


@given(st.text(max_size=4), st.text(max_size=4))
def test_what_begins_with_a_prefix_lies_between_it_and_what_is_behind(prefix: str, more: str) -> None:
    behind = lowest_behind(prefix)
    if behind is None:
        assert set(prefix) <= {"\U0010ffff"}
        return
    assert prefix + more < behind
    assert not behind.startswith(prefix)


async def test_changes_are_folded_and_nothing_is_lost_or_told_twice(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    keys = [f"{n % 7}/{n:04d}" for n in range(300)]
    with patch.object(order, "STRETCH", 16):
        await keep(world, room, SECRET, *keys)
        for key in keys[::3]:
            assert await room.remove(await at(world, SECRET, "remove"), "plans", key)
    flow = await at(world, SECRET, "list")
    left = sorted(set(keys) - set(keys[::3]))
    assert await all_of(room, flow, 50) == left
    assert await all_of(room, flow, 3, delimiter="/") == [f"{n}/" for n in range(7)]
    assert len(await flow.every(CHANGE)) < order.FOLD + order.CHECK
    shards = (await flow.read(MAP, "plans")).value.shards
    assert len(shards) > 4
    assert {found.id for found in await flow.every(KEYS)} == {shard.id for shard in shards}
    assert await order.fold(await at(world, SECRET), "plans", 1) > 0
    assert await all_of(room, flow, 50) == left
    assert await flow.every(CHANGE) == []


async def test_a_listing_goes_on_while_the_order_is_rewritten(world: World) -> None:
    """Every stretch that a lane has not read yet is replaced between two of its questions."""
    room = Buckets()
    await bucket(world, room)
    keys = [f"{n:03d}" for n in range(120)]
    with patch.object(order, "STRETCH", 8):
        await keep(world, room, SECRET, *keys)
        await order.fold(await at(world, SECRET), "plans", 1)
        flow, found, after = await at(world, SECRET, "list"), list[str](), 0
        [(class_id, _)] = [(f.ref.class_id, f) for f in await flow.read_each(MAP, "plans")]
        lane = order.Lane(flow, class_id, "plans", [])
        lane.take((await flow.read(MAP, "plans")).value.shards)
        low = ""
        while (key := await lane.next(low)) is not None:
            found.append(key)
            low = f"{key}\x00"
            after += 1
            if after % 10 == 0:
                near = [min(int(key[:3]) + step, 119) for step in (1, 9, 17)]
                await keep(world, room, SECRET, *(f"{number:03d}-{after}" for number in near))
                await order.fold(await at(world, SECRET), "plans", 1)
    assert [key for key in found if "-" not in key] == keys


async def test_writers_who_fold_at_once_lose_nothing(world: World) -> None:
    rooms = [Buckets() for _ in range(4)]
    await bucket(world, rooms[0])
    with patch.object(order, "CHECK", 2), patch.object(order, "FOLD", 4):
        await asyncio.gather(
            *(keep(world, room, SECRET, *(f"{n}-{m}" for m in range(25))) for n, room in enumerate(rooms))
        )
    flow = await at(world, SECRET, "list")
    assert await all_of(rooms[0], flow, 1000) == sorted(f"{n}-{m}" for n in range(4) for m in range(25))
    version = (await flow.read(MAP, "plans")).version
    with pytest.raises(Conflict):
        await flow.commit(Put(MAP, "plans", (await flow.read(MAP, "plans")).value, expect=version - 1))


async def test_thousands_of_keys_are_not_read_for_a_page(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    keys = [f"year/{n:05d}" for n in range(4000)]
    writer = await at(world, SECRET)
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        puts = [Put(OBJECT, f"plans/{k}", ObjectRecord("plans", k, "0" * 32, 0, Said("a/b"), 1, ())) for k in some]
        await writer.commit(*puts, *(order.noted("plans", k, there=True) for k in some))
        await order.fold(writer, "plans", 1)
    flow = await at(world, SECRET, "list")
    world.calls.clear()
    page = await room.listed(flow, "plans", after="year/02000", limit=10)
    assert told(page) == keys[2001:2011]
    assert len(world.calls) < 100, len(world.calls)
    world.calls.clear()
    assert (await room.listed(flow, "plans", delimiter="/")).prefixes == ("year/",)
    assert len(world.calls) < 100, len(world.calls)


async def test_what_is_hidden_is_in_no_count_prefix_or_token(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await keep(world, room, SECRET, "b", "d/1")
    before = await room.listed(await at(world, SECRET, "list"), "plans", delimiter="/", limit=1)
    await keep(world, room, TOP, "a", "b", "c/hidden", "d/0", "z")
    after = await room.listed(await at(world, SECRET, "list"), "plans", delimiter="/", limit=1)
    assert after == before
    assert after.next == "b"
    rest = await room.listed(await at(world, SECRET, "list"), "plans", delimiter="/", after="b")
    assert (told(rest), rest.next) == (["d/"], None)
