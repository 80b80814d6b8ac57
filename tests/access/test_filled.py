"""A label whose share of the records is used up: what goes on there, what does not begin, and what nobody else sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from casemate.access import Flow, Hold, redact
from casemate.errors import Absent, CasemateError, ShareFull
from casemate.labels import Labelled
from casemate.objects import Delete, Put
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import HIDDEN, LOW, SECRET, TOP, bring, flow_of, label_of, log, principal
from tests.laws.access_worlds import ACT, NOTE, Note
from tests.laws.world import World, a_world

MB = 1 << 20
REMOVE, REDACT = Action("remove", "document"), Action("redact", "ledger")
BIG = Note("x" * 200_000, "ships")


@pytest.fixture
def small(runner: asyncio.Runner) -> Iterator[World]:
    """A region in which each label may take one MiB."""
    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(a_world(3, ("us",), "[records]\nshare_mb = 1\n")))
    runner.run(stack.aclose())


async def content(world: World, label: str) -> None:
    """All that content may take: three quarters of the share."""
    flow = await at(world, label)
    with pytest.raises(ShareFull) as told:  # noqa: PT012 - it is full at some turn or other
        for number in range(9):
            await flow.commit(Put(NOTE, f"big{number}", BIG))
    assert told.value.facts == {"share": MB}
    assert 3 * MB // 4 - len(BIG.text) < used(world, label) <= 3 * MB // 4


async def full(world: World, label: str) -> Flow:
    """Nothing more begins there. A request that has begun."""
    await content(world, label)
    begun = await at(world, label)
    await begun.begin(b"q" * 500_000)
    await begun.durable()
    assert used(world, label) > MB
    world.clock.forward(1)
    return begun


async def slug(work: Awaitable[Any]) -> str:
    """How it ended."""
    try:
        await work
    except CasemateError as error:
        return error.slug
    return "done"


def used(world: World, label: str) -> int:
    found: int = world.house.gate.vault.reader.used(world.house.gate.classes.of(label_of(world, label)).id)
    return found


async def test_where_content_is_full_people_are_answered_and_all_of_it_is_recorded(small: World) -> None:
    await content(small, SECRET)
    flow = await at(small, SECRET)
    assert (await flow.read(NOTE, "big0")).value == BIG
    begun = await flow.begin(b"what is known of ships?")
    await flow.release(b"nothing")
    with pytest.raises(Absent):
        await (await at(small, SECRET)).read(NOTE, "never")
    assert [entry.outcome for entry in log(small, SECRET)[-3:]] == ["begin", "complete", "absent"]
    assert log(small, SECRET)[-2].ref == begun


async def test_where_nothing_can_be_written_down_nothing_begins(small: World) -> None:
    await full(small, SECRET)
    before = len(log(small, SECRET))
    told = [await slug((await at(small, SECRET)).begin(b"one more"))]
    told.append(await slug((await at(small, SECRET)).release(b"what is not recorded")))
    told.append(await slug((await at(small, SECRET)).read(NOTE, "never")))
    told.append(await slug(flow_of(small, principal(small, "ann", SECRET), Action("launch", "missile"), SECRET)))
    assert told == ["share-full"] * 4
    assert len(log(small, SECRET)) == before
    assert (await (await at(small, SECRET)).read(NOTE, "big0")).value == BIG


async def test_what_has_begun_is_written_to_its_end(small: World) -> None:
    """A failure, too: whoever began heard nothing of a share."""
    begun = await full(small, SECRET)
    told = [await slug(begun.commit(Put(NOTE, "n", BIG), at=label_of(small, LOW)))]
    told += [await slug(begun.read(NOTE, "never")), await slug(begun.release(b"answer"))]
    assert told == ["refused", "absent", "done"]
    assert [entry.outcome for entry in log(small, SECRET)[-3:]] == ["refused", "absent", "complete"]


async def test_what_is_removed_redacted_or_revoked_goes_on_and_makes_room(small: World) -> None:
    begun = (await full(small, SECRET)).begun
    remover = await flow_of(small, principal(small, "ann", SECRET), REMOVE, SECRET)
    assert await slug(remover.commit(Put(NOTE, "tomb", Note("a stone", "ships")))) == "done"
    await remover.commit(Delete(NOTE, "big1"))
    await remover.release(b"gone")
    flow = await at(small, SECRET)
    await flow.commit(Delete(NOTE, "big0"))
    await flow.release(b"gone too")
    officer = await flow_of(small, principal(small, "ola", TOP, "officer"), REDACT, SECRET)
    assert await redact(officer, begun, "a complaint")
    assert used(small, SECRET) < MB // 2
    small.clock.forward(1)
    await (await at(small, SECRET)).begin(b"once more")
    await (await at(small, SECRET)).commit(Put(NOTE, "big0", BIG))


async def test_a_label_that_is_full_is_noticed_by_nobody_below(small: World) -> None:
    await full(small, SECRET)
    low = await at(small, LOW)
    assert await slug(low.deposit(label_of(small, SECRET), Put(NOTE, "up", BIG))) == "done"
    await low.begin(b"asked below")
    await low.commit(Put(NOTE, "own", BIG))
    assert await low.release(b"answered")
    assert low.look(Labelled(low.floor, 1)) == 1
    await content(small, TOP)


async def test_the_loops_and_the_doors_go_on_where_a_label_is_full(small: World) -> None:
    """Heads of logs, and people who come and go, are never content."""
    await small.person("ann", TOP)
    await full(small, SECRET)
    size = used(small, SECRET)
    await small.step("ledger.checkpoint", "ledger.reconcile")
    assert used(small, SECRET) > size, "a head was signed"
    seen = await small.call("ann", "POST", "/api/ask", {"question": "ships?"}, SECRET)
    assert (seen.status, "share-full" in str(seen.json)) == (507, True)
    assert (await bring(small, "ann", HIDDEN, LOW)).status == 202
    await small.person("ben", SECRET)


async def test_who_sees_a_label_is_told_what_it_takes_and_may_take(small: World) -> None:
    await small.person("op", TOP, ("operator",))
    for label in (SECRET, TOP):
        await content(small, label)
    for label, seen in ((LOW, set()), (SECRET, {SECRET}), (TOP, {SECRET, TOP})):
        takes = {each: used(small, each) for each in seen}
        told = (await small.call("op", "GET", "/api/store/classes", acting=label)).json["data"]
        assert {each["label"] for each in told} - {LOW} == seen
        found = {each["label"]: (each["records_used"], each["records_share"]) for each in told}
        assert all(found[each] == (takes[each], MB) for each in seen)


async def test_a_marking_has_a_share_of_its_own() -> None:
    async with a_world(3, ("us",), '[records]\nshare_mb = 4\n[records.shares]\n"SECRET//NOFORN" = 9\n') as world:
        share, of = world.house.gate.vault.share, world.house.gate.classes.of
        assert [share(of(label_of(world, each)).id) >> 20 for each in (LOW, SECRET, TOP)] == [4, 9, 4]


async def test_without_shares_nobody_looks_at_what_is_used() -> None:
    async with a_world(3, ("us",)) as world:
        world.calls.clear()
        flow = await at(world, SECRET)
        assert flow.action.name == ACT.name
        await flow.begin(b"asked")
        assert not [call for call in world.calls if "used" in call]


def test_what_is_raised_into_a_full_label_is_told_as_into_an_empty_one(runner: asyncio.Runner) -> None:
    """Its bytes are a blob above, where a share may be used up: its sender learns nothing of that."""

    async def told(filled: bool) -> str:
        async with a_world(3, ("us",), "[blobs]\nshare_mb = 1\n") as world:
            above = await at(world, SECRET)
            if filled:
                with pytest.raises(ShareFull):  # noqa: PT012 - it is full at some turn or other
                    for number in range(9):
                        await above.pour(b"%d" % number + b"x" * 200_000)
            below = await flow_of(world, principal(world, "ann", TOP), Action("relabel", "document"), LOW)
            held = Hold("a.txt", "law", "digest", marks="text")
            return await slug(held.raised(below, label_of(world, SECRET), b"y" * 400_000))

    assert runner.run(told(False)) == runner.run(told(True)) == "done"
