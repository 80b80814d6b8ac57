"""The scrub: every damaged blob found, mended or named; nothing swept that anybody names."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

import casemate
from casemate.access import Flow
from casemate.buckets import Buckets
from casemate.custody.scrub import DAMAGED, Scrub, Stretch
from casemate.errors import BadInput, Damaged
from casemate.objects import Kind
from casemate.policy import Action
from casemate.wiring.naming import NAMING
from tests.access.damage import sealed_flipped, with_rows
from tests.buckets.scene import PLAIN, SECRET, at, body, bucket, label_of
from tests.laws.world import World

SCRUB = Action("scrub", "store")
BLOB_LIKE = re.compile(r"blob|piece|vectors|content|^source$|^good$|^bad$|segment|shard")
NAMED_OTHERWISE = {
    ("bucket.map", "shards"): "stretches of keys, in rows",
    ("release.request", "content"): "a digest",
    ("release.request", "source"): "a label",
    ("release", "source"): "a label",
    ("release", "content"): "a digest",
    ("source.item", "source"): "an identifier",
    ("job_definition", "source"): "the name of an input",
    ("transfer.channel", "source"): "the name of the region that sends",
    ("mission-watch", "source"): "the name of a bucket or a dataset",
    ("frozen", "blobs"): "what is not served: the object that is frozen names it",
}


def kinds() -> dict[str, Kind[Any]]:
    """Every kind of the house."""
    found: dict[str, Kind[Any]] = {}
    for module in pkgutil.walk_packages(casemate.__path__, "casemate."):
        if module.name.endswith("__main__") or ".engines." in module.name:
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError:  # something that is not installed here
            continue
        found |= {value.name: value for value in vars(loaded).values() if isinstance(value, Kind)}
    return found


def fields(type_: Any, seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """The names of all fields, also of what is inside."""
    if type_ in seen:
        return
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        for name, inner in get_type_hints(type_).items():
            if name in type_.__struct_fields__:
                yield name
                yield from fields(inner, seen | {type_})
    for inner in get_args(type_):
        yield from fields(inner, seen)


def test_every_kind_with_what_looks_like_a_blob_says_which_it_names() -> None:
    silent = Kind("x", int).blobs
    saying = {name for name, kind in kinds().items() if kind.blobs is not silent}
    assert saying == {kind.name for kind in NAMING}
    for name, kind in kinds().items():
        like = {each for each in fields(kind.type) if BLOB_LIKE.search(each)}
        unsaid = {each for each in like if (name, each) not in NAMED_OTHERWISE}
        assert not unsaid or name in saying, f"{name} says nothing of {unsaid}: give it `blobs`, or say why not here"


async def serve(world: World, label: str = SECRET) -> Flow:
    gate = world.house.gate
    return await gate.open(gate.service("custody", gate.classes.of(label_of(world, label))), SCRUB)


async def run(world: World, scrub: Scrub | None = None, label: str = SECRET) -> dict[str, int]:
    """Stretch by stretch to the end: the sums."""
    scrub, flow, after, sums = scrub or Scrub(NAMING, 1), await serve(world, label), "", dict[str, int]()
    while True:
        found: Stretch = await scrub.stretch(flow, after)
        for name, count in msgspec.structs.asdict(found).items():
            if isinstance(count, int):
                sums[name] = sums.get(name, 0) + count
        after = found.after
        if not after:
            return sums


def files(world: World, label: str = SECRET) -> list[Path]:
    gate = world.house.gate
    top = world.folder / "data" / "blobs" / gate.classes.of(label_of(world, label)).id
    return sorted(path for path in top.rglob("*") if path.is_file())


async def objects(world: World, count: int) -> Buckets:
    room = Buckets()
    await bucket(world, room)
    for number in range(count):
        await room.put(await at(world, SECRET), "plans", f"k{number}", body(b"content %d" % number), PLAIN)
    return room


async def test_what_nobody_names_goes_and_what_somebody_names_stays(world: World) -> None:
    room = await objects(world, 6)
    await world.call("owner", "POST", "/api/documents?name=a.txt&base=law", b"A document.", SECRET)
    lost = await (await at(world, SECRET)).pour(b"named by nobody")
    before = len(files(world))
    assert (await run(world, Scrub(NAMING)))["swept"] == 0  # it is young
    await room.remove(await at(world, SECRET, "remove"), "plans", "k0")
    sums = await run(world)
    assert (sums["swept"], len(files(world))) == (2, before - 2)
    assert lost not in {path.name for path in files(world)}
    flow = await at(world, SECRET, "read")
    for number in range(1, 6):
        seen = await room.seen(flow, "plans", f"k{number}")
        assert b"".join([p async for p in room.read(flow, seen)]) == b"content %d" % number
    await world.step("knowledge.ingest")
    assert (await run(world))["damaged"] == (await run(world))["missing"] == 0


async def test_every_flipped_bit_is_found_named_and_never_served(world: World) -> None:
    room = await objects(world, 12)
    draw, hurt = random.Random(5), files(world)[:8]
    for path in hurt[:-1]:
        raw = bytearray(path.read_bytes())
        place = draw.randrange(len(raw))
        raw[place] ^= 1 << draw.randrange(8)
        path.write_bytes(raw)
    hurt[-1].unlink()
    sums = await run(world)
    assert (sums["damaged"], sums["missing"], sums["mended"]) == (7, 1, 0)
    flow = await serve(world)
    found = {each.id: each.value for each in await flow.every(DAMAGED)}
    assert set(found) == {path.name for path in hurt}
    keys = {each.objects[0].removeprefix("bucket.object/plans/") for each in found.values()}
    reader = await at(world, SECRET, "read")
    for number in range(12):
        seen = await room.seen(reader, "plans", f"k{number}")
        if seen.key in keys:
            with pytest.raises(Damaged):
                _ = [p async for p in room.read(reader, seen)]
        else:
            assert [p async for p in room.read(reader, seen)] == [b"content %d" % number]
    for number in range(12):  # writing it again heals it, and the list forgets it
        await room.put(await at(world, SECRET), "plans", f"k{number}", body(b"content %d" % number), PLAIN)
    await run(world)
    assert await flow.every(DAMAGED) == []


async def test_a_lower_world_is_left_alone(world: World) -> None:
    await objects(world, 2)
    files(world)[0].write_bytes(b"")
    top = label_of(world, "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=SI").text
    assert (await run(world, label=top))["looked"] == 0
    flow = await serve(world)
    assert await flow.every(DAMAGED) == []
    with pytest.raises(BadInput):
        await Scrub(NAMING).stretch(flow, "../..")


async def test_where_a_row_is_damaged_nothing_is_swept(world: World) -> None:
    """It may name any of them; once it is whole again, what nobody names goes as before."""
    room = await objects(world, 3)
    await (await serve(world)).pour(b"named by nobody")
    lie = files(world)
    with with_rows(world, "bucket.object", lambda row: sealed_flipped(row) if row.seq == 2 else row):
        assert (await run(world))["swept"] == 0
    assert files(world) == lie
    assert (await run(world))["swept"] == 1
    reader = await at(world, SECRET, "read")
    for number in range(3):
        got = [p async for p in room.read(reader, await room.seen(reader, "plans", f"k{number}"))]
        assert got == [b"content %d" % number]


async def test_an_upload_that_ends_while_rows_are_read_keeps_its_parts(world: World) -> None:
    """Its blobs are named by parts at first and by an object then; parts are read first."""
    room = await objects(world, 1)
    id = await room.begin(await at(world, SECRET), "plans", "big", PLAIN)
    one = await room.part(await at(world, SECRET), id, 1, body(b"a part"))
    flow, ended = await serve(world), False

    class Ends(type(flow)):  # type: ignore[misc]
        __slots__ = ()

        async def scan(self, kind: Any, *args: Any, **named: Any) -> Any:
            nonlocal ended
            found = await super().scan(kind, *args, **named)
            if kind.name in ("bucket.part", "bucket.object") and not ended:
                ended = True
                await room.complete(await at(world, SECRET), id, [(1, one)])
            return found

    flow.__class__ = Ends
    assert (await Scrub(NAMING, 1).stretch(flow)).swept == 0
    reader = await at(world, SECRET, "read")
    assert [p async for p in room.read(reader, await room.seen(reader, "plans", "big"))] == [b"a part"]


async def test_writers_and_the_scrub_at_once(world: World) -> None:
    """Objects come, are copied, overwritten and removed while everything old is swept at once: none loses a byte."""
    room, scrub = await objects(world, 4), Scrub(NAMING, 60_000_000)

    async def writes(number: int) -> None:
        draw = random.Random(number)
        for turn in range(8):
            key = f"k{draw.randrange(4)}"
            await room.put(await at(world, SECRET), "plans", key, body(b"content %d" % draw.randrange(4)), PLAIN)
            if turn % 3 == 0:
                await room.remove(await at(world, SECRET, "remove"), "plans", f"k{draw.randrange(4)}")

    async def scrubs() -> None:
        for _ in range(4):
            await run(world, scrub)

    await asyncio.gather(*(writes(number) for number in range(4)), scrubs())
    assert (await run(world))["missing"] == 0
    reader = await at(world, SECRET, "read")
    for seen in (await room.listed(reader, "plans")).objects:
        assert [p async for p in room.read(reader, seen)]


async def test_the_loop_goes_through_every_class_once_a_day(world: World) -> None:
    await objects(world, 2)
    files(world)[0].write_bytes(b"")
    for _ in range(4):
        await world.step("custody.scrub")
    assert len(await (await serve(world)).every(DAMAGED)) == 1
