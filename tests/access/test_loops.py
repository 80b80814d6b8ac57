"""What the gate does by itself, step by step: heads are signed, higher logs are told, what was said is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from casemate.access import audit, loops
from casemate.access.loops import CURSOR, Keeper
from casemate.errors import Absent
from casemate.ledger import verify_checkpoint
from tests.access.damage import sealed_flipped, with_rows
from tests.access.test_audit import reader, said
from tests.access.test_flow import at, store
from tests.attacks.scene import LOW, SECRET, TOP, kept, label_of, log
from tests.laws.access_worlds import NOTE
from tests.laws.world import World

DAYS = 86_400


def class_id(world: World, label: str) -> str:
    return world.house.gate.classes.of(label_of(world, label)).id


async def points(world: World, label: str) -> list[Any]:
    return audit.checkpoints(await reader(world, TOP, "ada", "auditor"), class_id(world, label))


@contextmanager
def damaged_entries(world: World, label: str) -> Iterator[None]:
    """One log whose entries cannot be opened."""
    log_id, port = class_id(world, label), world.house.gate.vault.reader._port
    right = port.entries

    def wrong(asked: str, start: int, stop: int) -> Any:
        found = right(asked, start, stop)
        return [sealed_flipped(each) for each in found] if asked == log_id else found

    with patch.object(port, "entries", wrong):
        yield


async def ask(world: World, label: str, id: str, who: str = "ann") -> str:
    """Ask at a label for something that is not seen there; the entry's id."""
    with pytest.raises(Absent) as told:
        await (await at(world, label, who)).read(NOTE, id)
    return told.value.entry


def test_the_loops_by_name() -> None:
    found = {loop.name: loop.every for loop in loops(None)}  # type: ignore[arg-type]
    assert found == {"ledger.checkpoint": 1.0, "ledger.reconcile": 1.0, "ledger.forget": 600.0}


async def test_a_head_is_signed_where_a_log_has_grown(world: World) -> None:
    keeper = Keeper(world.house.gate)
    await said(world, SECRET)
    public = world.house.gate.vault.signer.public
    assert await keeper.checkpoint() == 2  # the owner was made in the ceiling's log
    assert await keeper.checkpoint() == 0
    await said(world, SECRET)
    assert await keeper.checkpoint() == 1
    found = await points(world, SECRET)
    assert [point.size for point in found] == [2, 4]
    assert all(verify_checkpoint(point, public) and point.solo for point in found)


async def test_whoever_starts_again_signs_nothing_twice_and_goes_on(world: World) -> None:
    for _ in range(3):
        await said(world, SECRET)
        await Keeper(world.house.gate).checkpoint()
    with patch("casemate.access.loops.STEP", 2), patch("casemate.access.loops.LEAVES", 2):
        again = Keeper(world.house.gate)
        assert await again.checkpoint() == 0
        await said(world, SECRET)
        assert await again.checkpoint() == 1
    assert [point.size for point in await points(world, SECRET)] == [2, 4, 6, 8]
    flow = await reader(world, SECRET, "ada", "auditor")
    assert {verdict.state for _, verdict in audit.verdicts(flow, audit.heads(flow))} == {"ok"}


async def test_a_log_with_a_gap_is_not_signed_and_stops_no_other(world: World) -> None:
    await said(world, SECRET)
    await said(world, LOW)
    keeper, port, gap = Keeper(world.house.gate), world.house.gate.vault.reader._port, class_id(world, SECRET)
    leaves = port.leaves
    with patch.object(port, "leaves", lambda log, a, b: leaves(log, a, b)[: 1 if log == gap else None]):
        assert await keeper.checkpoint() == 2
    assert keeper.problems == {gap: "damaged"}
    assert await points(world, SECRET) == []
    assert len(await points(world, LOW)) == 1


async def test_what_was_absent_below_is_told_above_with_who_asked(world: World) -> None:
    await store(world, TOP, "hidden")
    asked = await ask(world, LOW, "hidden")
    below, above = len(log(world, LOW)), len(log(world, TOP))
    world.clock.forward(5)
    keeper = Keeper(world.house.gate)
    assert await keeper.reconcile() == 1
    [entry] = log(world, TOP)[above:]
    [original] = [e for e in log(world, LOW) if e.id == asked]
    assert (entry.outcome, entry.rule, entry.action, entry.principal) == (
        "refused",
        "no-read-up",
        "answer.keep",
        "service:ledger",
    )
    assert entry.facts == {
        "acting": LOW,
        "asked": asked,
        "asked_at": original.at,
        "principal": "ann",
        "session": original.session,
    }
    assert entry.subjects == (f"law.note/hidden@{class_id(world, TOP)}",)
    assert len(log(world, LOW)) == below
    assert (original.outcome, original.rule) == ("absent", "absent")


async def test_what_never_was_is_told_nowhere(world: World) -> None:
    await store(world, TOP, "hidden")
    await ask(world, LOW, "never")
    assert await Keeper(world.house.gate).reconcile() == 0


async def test_it_is_told_to_each_class_that_holds_it_and_to_no_other(world: World) -> None:
    await store(world, SECRET, "hidden")
    await store(world, TOP, "hidden")
    await store(world, TOP, "higher")
    await ask(world, LOW, "hidden")
    await ask(world, SECRET, "higher")
    before = {label: len(log(world, label)) for label in (SECRET, TOP)}
    assert await Keeper(world.house.gate).reconcile() == 3
    assert {label: len(log(world, label)) - n for label, n in before.items()} == {SECRET: 1, TOP: 2}


async def test_it_is_told_once_also_after_a_start(world: World) -> None:
    await store(world, TOP, "hidden")
    keeper = Keeper(world.house.gate)
    for _ in range(2):
        await ask(world, LOW, "hidden")
        assert await keeper.reconcile() == 1
        assert await keeper.reconcile() == 0
        assert await Keeper(world.house.gate).reconcile() == 0
    cursors = await (await reader(world, TOP, "ada", "auditor")).every(CURSOR)
    assert (cursors[0].id, cursors[0].value.seq) == (class_id(world, LOW), 2)


async def test_many_entries_are_read_step_by_step(world: World) -> None:
    await store(world, TOP, "hidden")
    for number in range(7):
        await ask(world, LOW, "hidden" if number in (0, 6) else "never")
    with patch("casemate.access.loops.STEP", 3):
        keeper = Keeper(world.house.gate)
        assert [await keeper.reconcile() for _ in range(4)] == [1, 0, 1, 0]
        assert await Keeper(world.house.gate).reconcile() == 0


async def test_a_class_that_comes_later_looks_back_so_far_and_no_further(world: World) -> None:
    await ask(world, LOW, "hidden")
    for _ in range(5):
        await ask(world, LOW, "never")
    await ask(world, LOW, "hidden")
    await store(world, TOP, "hidden")
    with patch("casemate.access.loops.BACK", 3):
        assert await Keeper(world.house.gate).reconcile() == 1


async def test_a_log_that_cannot_be_read_stops_no_other(world: World) -> None:
    await store(world, TOP, "hidden")
    await ask(world, LOW, "hidden")
    await ask(world, SECRET, "hidden")
    keeper = Keeper(world.house.gate)
    with damaged_entries(world, LOW):
        assert await keeper.reconcile() == 1
    assert keeper.problems == {class_id(world, LOW): "damaged"}
    assert await keeper.reconcile() == 1
    assert keeper.problems == {}


async def test_a_cursor_that_cannot_be_read_is_that_class_alone(world: World) -> None:
    await store(world, TOP, "hidden")
    await store(world, SECRET, "hidden")
    await ask(world, LOW, "hidden")
    assert await Keeper(world.house.gate).reconcile() == 2
    await ask(world, LOW, "hidden")
    keeper = Keeper(world.house.gate)
    with with_rows(world, CURSOR.name):
        assert await keeper.reconcile() == 0
    assert await keeper.reconcile() == 2


async def test_what_was_said_is_forgotten_at_its_time_and_the_tree_still_verifies(world: World) -> None:
    begun = await said(world, SECRET, words=b"the question")
    world.clock.forward(20 * DAYS)
    await said(world, SECRET, words=b"later")
    keeper = Keeper(world.house.gate)
    assert await keeper.forget() == 0
    await keeper.checkpoint()
    world.clock.forward(10 * DAYS)
    assert await keeper.forget() == 2
    assert await keeper.forget() == 0
    assert kept(world, SECRET) == b"\n\nlater\nanswer to later"
    flow = await reader(world, SECRET, "ada", "auditor")
    assert not audit.entry(flow, begun).kept
    assert await audit.open_content(flow, begun, "too late") is None
    assert {verdict.state for _, verdict in audit.verdicts(flow, audit.heads(flow))} == {"ok"}
