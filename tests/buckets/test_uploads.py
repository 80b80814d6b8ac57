"""Uploads in parts: at the label at which they were begun, seen by nobody before the end."""

from __future__ import annotations

import asyncio
import hashlib
from unittest.mock import patch

import pytest

from casemate.buckets import Buckets, Condition, uploads
from casemate.buckets.kinds import PART, UPLOAD
from casemate.errors import Absent, BadInput, BadPart, ConditionFailed, Refused
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket, gathered
from tests.laws.world import World

ONE, TWO = b"1" * 70, b"2" * 30


async def test_parts_become_an_object_with_the_etag_of_s3(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    id = await room.begin(await at(world, SECRET), "plans", "k", PLAIN)
    upload = await room.upload(await at(world, TOP, "read"), id)
    assert (upload.label.text, upload.key, upload.new.media) == (SECRET, "k", "text/plain")
    second = await room.part(await at(world, SECRET), id, 2, body(TWO))
    await room.part(await at(world, SECRET), id, 1, body(b"replaced"))
    first = await room.part(await at(world, SECRET), id, 1, body(ONE))
    reader = await at(world, SECRET, "list")
    assert (await room.listed(reader, "plans")).objects == ()
    assert [part.number for part in await room.parts(reader, id)] == [1, 2]
    assert [each.id for each in await room.uploads(reader, "plans")] == [id]
    with patch.object(uploads, "LEAST", 50):
        seen = await room.complete(await at(world, SECRET), id, [(1, f'"{first}"'), (2, second)])
    whole = hashlib.md5(hashlib.md5(ONE).digest() + hashlib.md5(TWO).digest()).hexdigest()
    assert (seen.etag, seen.parts, seen.lengths, seen.size) == (f"{whole}-2", 2, (70, 30), 100)
    assert await gathered(room.read(reader, seen)) == ONE + TWO
    assert (await reader.every(PART), await reader.every(UPLOAD)) == ([], [])
    with pytest.raises(Absent):
        await room.complete(await at(world, SECRET), id, [(1, first)])


async def test_an_upload_is_of_its_own_label_alone(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    id = await room.begin(await at(world, SECRET), "plans", "k", PLAIN)
    with pytest.raises(Refused):
        await room.part(await at(world, TOP), id, 1, body(ONE))
    for deed in (room.part(await at(world, LOW), id, 1, body(ONE)), room.upload(await at(world, LOW), id)):
        with pytest.raises(Absent):
            await deed
    assert await room.uploads(await at(world, LOW, "list"), "plans") == []


async def test_parts_that_are_not_as_they_were_said_to_be(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    id = await room.begin(await at(world, SECRET), "plans", "k", PLAIN)
    one = await room.part(await at(world, SECRET), id, 1, body(ONE))
    two = await room.part(await at(world, SECRET), id, 2, body(TWO))
    for parts in ([], [(2, two), (1, one)], [(1, one), (1, one)], [(1, two)], [(3, one)], [(1, one), (2, two)]):
        with pytest.raises(BadPart):  # the last: every part but the last has five megabytes
            await room.complete(await at(world, SECRET), id, parts)
    for number in (0, 10_001, -1):
        with pytest.raises(BadInput):
            await room.part(await at(world, SECRET), id, number, body(ONE))
    await room.put(await at(world, SECRET), "plans", "k", body(b"x"), PLAIN)
    with pytest.raises(ConditionFailed):
        await room.complete(await at(world, SECRET), id, [(1, one)], Condition(if_none_match=("*",)))
    assert (await room.complete(await at(world, SECRET), id, [(1, one)])).size == 70


async def test_an_upload_that_ends_while_a_part_comes_in_keeps_nothing(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    id = await room.begin(await at(world, SECRET), "plans", "k", PLAIN)
    await room.part(await at(world, SECRET), id, 1, body(ONE))

    async def ends() -> None:
        await room.abort(await at(world, SECRET), id)

    async def slowly() -> object:
        yield TWO
        await ends()

    with pytest.raises(Absent):
        await room.part(await at(world, SECRET), id, 2, slowly())  # type: ignore[arg-type]
    flow = await at(world, SECRET, "list")
    assert (await flow.every(PART), await flow.every(UPLOAD)) == ([], [])


async def test_of_two_who_complete_one_succeeds(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    id = await room.begin(await at(world, SECRET), "plans", "k", PLAIN)
    one = await room.part(await at(world, SECRET), id, 1, body(ONE))
    done = await asyncio.gather(
        *[room.complete(await at(world, SECRET), id, [(1, one)]) for _ in range(4)], return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["Absent", "Absent", "Absent", "Seen"]
