"""Objects at labels: a write lands at its own, a read gives the highest, and nothing is half there."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from casemate.buckets import Buckets, Condition, NewObject
from casemate.errors import Absent, Ambiguous, BadInput, ConditionFailed, Refused
from tests.buckets.scene import BESIDE, BOTH, LOW, PLAIN, SECRET, TOP, at, body, bucket, gathered
from tests.laws.world import World

PIECE = 8 << 20


async def keep(world: World, room: Buckets, label: str, key: str, data: bytes, **more: object) -> object:
    return await room.put(await at(world, label), "plans", key, body(data), PLAIN, **more)  # type: ignore[arg-type]


async def test_an_object_is_read_as_it_was_put(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    data = bytes(range(256)) * (PIECE // 256) + b"tail"
    new = NewObject("text/x", {"cache-control": "no-store"}, {"a": "b"}, {"t": "u"})
    put = await room.put(await at(world, SECRET), "plans", "a/b", body(data[:5], data[5:-1], data[-1:]), new)
    flow = await at(world, SECRET, "read")
    seen = await room.seen(flow, "plans", "a/b")
    assert seen == put
    assert (seen.size, seen.etag) == (len(data), hashlib.md5(data).hexdigest())
    assert (seen.media, seen.headers, seen.metadata, seen.tags) == (new.media, new.headers, new.metadata, new.tags)
    assert len(seen.pieces) == 2
    assert await gathered(room.read(flow, seen)) == data
    for start, stop in ((0, 1), (PIECE - 1, PIECE + 1), (PIECE, len(data)), (7, 7), (3, 10**12)):
        assert await gathered(room.read(flow, seen, start, stop)) == data[start:stop]


async def test_a_read_gives_the_highest_and_removing_it_shows_the_lower_one(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    for label, data in ((LOW, b"low"), (TOP, b"top"), (SECRET, b"secret")):
        await keep(world, room, label, "k", data)
    for label, data in ((LOW, b"low"), (SECRET, b"secret"), (TOP, b"top")):
        flow = await at(world, label, "read")
        assert await gathered(room.read(flow, await room.seen(flow, "plans", "k"))) == data
    assert await room.remove(await at(world, SECRET, "remove"), "plans", "k")
    flow = await at(world, SECRET, "read")
    assert (await room.seen(flow, "plans", "k")).size == 3
    with pytest.raises(Refused) as error:
        await room.remove(await at(world, SECRET, "remove"), "plans", "k")
    assert error.value.facts["rule"] == "no-write-down"
    assert await room.remove(await at(world, TOP, "remove"), "plans", "k")
    assert not await room.remove(await at(world, LOW, "remove"), "plans", "never")


async def test_two_labels_of_which_none_is_above_are_refused_by_name(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await keep(world, room, TOP, "k", b"one")
    await keep(world, room, BESIDE, "k", b"other")
    flow = await at(world, BOTH, "read")
    with pytest.raises(Ambiguous) as error:
        await room.seen(flow, "plans", "k")
    assert error.value.facts == {"key": "k", "labels": f"{TOP}; {BESIDE}"}
    [seen] = (await room.listed(flow, "plans")).objects
    assert [label.text for label in (seen.label, *seen.others)] == [TOP, BESIDE]
    await keep(world, room, BOTH, "k", b"above both")
    assert (await room.seen(flow, "plans", "k")).size == 10


async def test_what_is_hidden_is_answered_like_what_never_was(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await keep(world, room, TOP, "hidden", b"x")
    told = []
    for key in ("hidden", "never!"):
        world.calls.clear()
        with pytest.raises(Absent):
            await room.seen(await at(world, SECRET, "read"), "plans", key)
        told.append([call.replace(key, "KEY") for call in world.calls])
    assert told[0] == told[1]


async def test_conditions_are_of_what_the_acting_label_sees(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await keep(world, room, TOP, "k", b"hidden")
    new = Condition(if_none_match=("*",))
    first = await keep(world, room, SECRET, "k", b"first", condition=new)
    with pytest.raises(ConditionFailed):
        await keep(world, room, SECRET, "k", b"second", condition=new)
    with pytest.raises(ConditionFailed):  # what lies lower is what a read at TOP gives without its own
        await keep(world, room, TOP, "k2", b"x", condition=Condition(if_match=("*",)))
    etag = first.etag  # type: ignore[attr-defined]
    await keep(world, room, SECRET, "k", b"second", condition=Condition(if_match=(etag,)))
    with pytest.raises(ConditionFailed):
        await room.remove(await at(world, SECRET, "remove"), "plans", "k", Condition(if_match=(etag,)))


async def test_a_stream_that_breaks_leaves_nothing_to_see(world: World) -> None:
    room = Buckets()
    await bucket(world, room)

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * (PIECE + 1)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await room.put(await at(world, SECRET), "plans", "k", broken(), PLAIN)
    assert (await room.listed(await at(world, SECRET, "list"), "plans")).objects == ()
    await keep(world, room, SECRET, "k", b"before")
    with pytest.raises(ConnectionResetError):
        await room.put(await at(world, SECRET), "plans", "k", broken(), PLAIN)
    assert (await room.seen(await at(world, SECRET, "read"), "plans", "k")).size == 6


async def test_a_copy_lands_at_the_acting_label_and_names_where_it_came_from(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    await keep(world, room, SECRET, "from", b"content")
    flow = await at(world, TOP)
    copy = await room.copy(flow, ("plans", "from"), ("plans", "to"))
    assert (copy.label.text, copy.size, copy.media) == (TOP, 7, "text/plain")
    source = await room.seen(flow, "plans", "from")
    made = await flow.children(
        __import__("casemate.objects").objects.Ref("bucket.object", "plans/from", source.class_id)
    )
    assert [ref.id for ref in made] == ["plans/to"]
    with pytest.raises(Absent):
        await room.seen(await at(world, SECRET, "read"), "plans", "to")


async def test_tags_change_and_the_rest_stays(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    before = await room.put(await at(world, SECRET), "plans", "k", body(b"x"), NewObject("a/b", metadata={"m": "n"}))
    await room.tag(await at(world, SECRET), "plans", "k", {"one": "1"})
    seen = await room.seen(await at(world, SECRET, "read"), "plans", "k")
    assert await room.tags(await at(world, TOP, "read"), "plans", "k") == {"one": "1"}
    assert (seen.etag, seen.metadata, seen.at) == (before.etag, before.metadata, before.at)
    with pytest.raises(Refused):
        await room.tag(await at(world, TOP), "plans", "k", {})
    with pytest.raises(Absent):
        await room.tag(await at(world, TOP), "plans", "never", {})


@pytest.mark.parametrize("key", ["", "x" * 1025, "é" * 513, "a\x00b", "\ud800"])
async def test_keys_that_cannot_be(world: World, key: str) -> None:
    room = Buckets()
    await bucket(world, room)
    with pytest.raises(BadInput):
        await keep(world, room, SECRET, key, b"x")


async def test_a_label_that_is_not_the_acting_one_is_refused(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    for label in (LOW, TOP):
        with pytest.raises(Refused) as error:
            await room.put(await at(world, SECRET), "plans", "k", body(b"x"), NewObject(label=label))
        assert error.value.facts["rule"] == "no-write-down"
    assert (await room.put(await at(world, SECRET), "plans", "k", body(), NewObject(label=SECRET))).size == 0
    with pytest.raises(BadInput):
        await room.put(await at(world, SECRET), "plans", "k", body(), NewObject(metadata={"a": "x" * 20_000}))
