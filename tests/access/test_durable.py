"""BEGIN is on its way while work goes on; nothing leaves before it is durable, and what fails to be kept is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemate.access import Ceiling, audit
from casemate.access.running import Running
from casemate.errors import Absent, StorageFull
from casemate.labels import Labelled
from tests.access.test_audit import reader
from tests.access.test_flow import at
from tests.attacks.scene import SECRET, TOP, label_of, log
from tests.laws.world import World


class Slow:
    """A journal whose disk waits to be let go, or has no room."""

    def __init__(self, world: World) -> None:
        vault = world.house.gate.vault
        self._right = vault.journal
        self.tickets: list[asyncio.Future[None]] = []
        object.__setattr__(vault, "journal", self)

    def append(self, *given: Any) -> asyncio.Future[None]:
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.tickets.append(ticket)
        return ticket

    async def fold(self) -> None:
        return

    def go(self) -> None:
        for ticket in self.tickets:
            if not ticket.done():
                ticket.set_result(None)

    def fail(self) -> None:
        for ticket in self.tickets:
            ticket.set_exception(StorageFull())


async def turned(work: asyncio.Task[Any]) -> bool:
    """Whether that work is done once it has had its turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return work.done()


async def test_begin_and_an_inside_lend_wait_for_no_disk(world: World) -> None:
    flow, slow = await at(world, SECRET), Slow(world)
    await asyncio.wait_for(flow.begin(b"q"), 5)
    near = Ceiling("near", label_of(world, TOP))
    assert await asyncio.wait_for(flow.lend(Labelled(flow.acting, "said"), near), 5) == "said"
    assert len(slow.tickets) == 1


async def test_an_outside_lend_waits_for_begin_and_its_own_note_together(world: World) -> None:
    flow, slow = await at(world, SECRET), Slow(world)
    await flow.begin(b"q")
    far = Ceiling("far", label_of(world, TOP), outside=True)
    rung = flow.at(flow.acting)  # a part of the request waits for the whole's BEGIN
    work = asyncio.ensure_future(rung.lend(Labelled(flow.acting, "said"), far))
    assert not await turned(work)
    assert len(slow.tickets) == 2
    slow.tickets[1].set_result(None)
    assert not await turned(work)
    slow.go()
    assert await work == "said"


@pytest.mark.parametrize("which", ["release", "commit", "durable"])
async def test_what_leaves_or_stays_waits_for_begin(world: World, which: str) -> None:
    flow, slow = await at(world, SECRET), Slow(world)
    await flow.begin(b"q")
    doing = {"release": lambda: flow.release(b"a"), "commit": flow.commit, "durable": flow.durable}[which]
    work = asyncio.ensure_future(doing())  # type: ignore[operator]
    assert not await turned(work)
    slow.go()
    await work


async def test_where_begin_cannot_be_kept_nothing_is_given(world: World) -> None:
    flow, slow = await at(world, SECRET), Slow(world)
    await flow.begin(b"q")
    work = asyncio.ensure_future(flow.release(b"a"))
    await turned(work)
    slow.fail()
    with pytest.raises(StorageFull):
        await work
    with pytest.raises(StorageFull):
        await flow.durable()


async def test_a_begin_that_failed_is_not_forgotten_behind_one_that_did_not(world: World) -> None:
    flow, slow = await at(world, SECRET), Slow(world)
    await flow.begin(b"q")
    slow.fail()
    work = asyncio.ensure_future(flow.release(b"a"))
    await turned(work)
    slow.go()
    with pytest.raises(StorageFull):
        await work


async def test_whoever_gives_up_ends_it_for_nobody_else(world: World) -> None:
    flow, slow = await at(world, SECRET), Slow(world)
    await flow.begin(b"q")
    one, other = asyncio.ensure_future(flow.durable()), asyncio.ensure_future(flow.durable())
    await turned(one)
    one.cancel()
    await turned(one)
    slow.go()
    await other


async def test_a_verdict_calls_nothing_interrupted_that_ends_while_it_is_made(world: World) -> None:
    flow = await at(world, SECRET)
    begun = await flow.begin(b"q")
    await flow.durable()
    auditor, gate = await reader(world, TOP, "ada", "auditor"), world.house.gate
    with gate.running.held():
        gate.running.end(begun)  # its END is durable elsewhere and not folded yet
        assert {v.state for _, v in await audit.judged(auditor, [])} == {"ok"}
        assert begun in gate.running
    assert gate.running == set()
    states = {access.label.text: v.state for access, v in await audit.judged(auditor, [])}
    assert states[SECRET] == "interrupted"
    assert log(world, SECRET)[-1].id == begun


def test_what_ends_while_two_hold_it_stays_for_both() -> None:
    running = Running()
    running |= {"a", "b"}
    with running.held():
        with running.held():
            running.end("a")
        assert "a" in running
        running.end("none")
    assert running == {"b"}
    running.end("b")
    assert running == set()


async def test_settled_is_durable_and_folded(world: World) -> None:
    flow = await at(world, SECRET)
    begun = await flow.begin(b"q")
    await flow.settled()
    assert log(world, SECRET)[-1].id == begun


async def test_what_one_said_himself_can_be_read_at_once(world: World) -> None:
    """An entry that is not in the log yet is folded first; one that never was is absent then, too."""
    flow = await at(world, SECRET)
    begun = await flow.begin(b"the question")
    journal, folds = world.house.gate.vault.journal, []

    class Watched:
        async def fold(self) -> None:
            folds.append(1)
            await journal.fold()

    object.__setattr__(world.house.gate.vault, "journal", Watched())
    assert await audit.own_content(flow, begun) == b"the question"
    with pytest.raises(Absent):
        await audit.own_content(flow, "ent_none")
    assert 1 <= len(folds) <= 2
