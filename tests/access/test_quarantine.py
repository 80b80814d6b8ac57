"""Damaged rows: named to an operator who may know, written down, in nobody's way, and silent below."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.access import QUARANTINED, Gate, damaged, quarantined
from casemate.access.quarantine import write
from casemate.errors import Damaged, Unavailable
from casemate.objects import Kind, Put
from tests.access.damage import sealed_flipped, with_rows
from tests.access.test_flow import at, store
from tests.attacks.scene import LOW, SECRET, TOP, log
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

replace = msgspec.structs.replace


def one(name: str) -> Any:
    """Damage to the row that is called so, whatever the store calls it."""

    def change(row: Any) -> Any:
        return sealed_flipped(row) if row.seq == int(name) else row

    return change


async def places(world: World, label: str) -> list[tuple[str, int]]:
    return [(place.kind, place.number) for place, _ in await quarantined(await at(world, label))]


async def test_a_listing_serves_every_other_row_and_remembers_the_damaged_one(world: World) -> None:
    for name in ("one", "two", "three"):
        await store(world, SECRET, name, f"said {name}")
    flow = await at(world, SECRET)
    with with_rows(world, NOTE.name, one("2")):
        assert [each.value.text for each in await flow.every(NOTE)] == ["said one", "said three"]
        assert [each.value.text for each in (await flow.scan(NOTE, limit=2)).items] == ["said one"]
        await world.step("store.quarantine")
        [(place, whole)] = await quarantined(flow)
        assert (place.kind, place.number, place.class_id, whole) == (NOTE.name, 2, flow.access.id, False)
    assert [whole for _, whole in await quarantined(flow)] == [True]
    assert len(await flow.every(NOTE)) == 3


async def test_pages_reach_the_end_over_damaged_rows(world: World) -> None:
    for number in range(7):
        await store(world, SECRET, f"n{number}", f"{number}")
    flow, found, after = await at(world, SECRET), [], None
    with with_rows(world, NOTE.name, lambda row: sealed_flipped(row) if row.seq % 2 else row):
        while True:
            page = await flow.scan(NOTE, after=after, limit=2)
            found += [each.value.text for each in page.items]
            after = page.after
            if after is None:
                break
    assert found == ["1", "3", "5"]


async def test_it_is_written_down_where_the_reader_acts_and_silent_below(world: World) -> None:
    """A high reader of a low row leaves nothing low; a high row's damage is nothing to those below."""
    await store(world, LOW, "one", "low")
    await store(world, TOP, "two", "high")
    low, high = await at(world, LOW), await at(world, TOP)
    before = log(world, LOW)
    with with_rows(world, NOTE.name):
        assert await high.every(NOTE) == []
        await world.step("store.quarantine")
        assert await places(world, TOP) == [(NOTE.name, 1), (NOTE.name, 1)]
        assert await places(world, LOW) == []
        assert log(world, LOW) == before
        with pytest.raises(Damaged):
            await low.read(NOTE, "one")
        await world.step("store.quarantine")
        assert await places(world, LOW) == [(NOTE.name, 1)]
        assert len(await places(world, TOP)) == 2  # two readers met it: it stands there once


async def test_the_list_outlives_the_process_and_an_entry_names_the_place(world: World) -> None:
    await store(world, SECRET, "one")
    flow = await at(world, SECRET)
    with with_rows(world, NOTE.name):
        await flow.every(NOTE)
        await world.step("store.quarantine")
        await world.step("store.quarantine")
        again = Gate(world.house.gate.vault)
        again.damages.met(NOTE.name, flow.access.id, "", 1, flow.access)
        assert await write(again) == 1
    assert await places(world, SECRET) == [(NOTE.name, 1)]
    told = [entry for entry in log(world, SECRET) if entry.action == "store.quarantine"]
    assert [entry.subjects for entry in told] == [(f"{NOTE.name}/1@{flow.access.id}",)]
    assert told[0].outcome == "damaged"


async def test_what_holds_something_back_is_not_passed_over(world: World) -> None:
    held = Kind(NOTE.name, Note, indexed=NOTE.indexed, withholds=True)
    await store(world, SECRET, "one")
    flow = await at(world, SECRET)
    with with_rows(world, NOTE.name), pytest.raises(Damaged):
        await flow.every(held)


async def test_what_cannot_be_written_down_waits_and_there_is_an_end_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, access = world.house.gate, (await at(world, SECRET)).access
    monkeypatch.setattr(damaged, "MOST", 2)
    for number in (1, 2, 3):
        gate.damages.met("note", access.id, "", number, access)
    gate.damages.met("note", access.id, None, None, access)  # type: ignore[arg-type] # as a flipped bit makes them

    async def away(_: object) -> None:
        raise Unavailable(what="store")

    with monkeypatch.context() as patched:
        patched.setattr(gate.vault.committer, "commit", away)
        assert await write(gate) == 0
    assert await write(gate) == 2
    assert await places(world, SECRET) == [("note", 1), ("note", 2)]


async def test_no_damage_above_keeps_what_was_met_below_from_being_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, low, high = world.house.gate, (await at(world, SECRET)).access, (await at(world, TOP)).access
    monkeypatch.setattr(damaged, "MOST", 2)
    for number in (1, 2, 3):
        gate.damages.met("note", high.id, "", number, high)
    gate.damages.met("note", low.id, "", 1, low)
    assert await write(gate) == 3
    assert await places(world, SECRET) == [("note", 1)]


async def test_the_directory_goes_on_without_a_record_that_nobody_can_read(world: World) -> None:
    """One flipped bit in a key's record must not keep the snapshot of everybody's from being made."""
    stored = world.house.gate.directory.stored
    several = stored.principals()
    with with_rows(world, "directory.principal", one("1")):
        assert len(stored.principals()) == len(several) - 1
        await world.step("store.quarantine")
    ceiling = world.house.gate.vault.region.ceiling.text
    found = [place for place, _ in await quarantined(await at(world, ceiling, clearance=ceiling))]
    assert [(place.kind, place.class_id) for place in found] == [("directory.principal", stored.access.id)]
    assert await (await at(world, SECRET)).every(QUARANTINED) == []


async def test_a_row_is_served_again_once_it_is_put_anew(world: World) -> None:
    await store(world, SECRET, "one", "first")
    flow = await at(world, SECRET)
    with with_rows(world, NOTE.name):
        await flow.every(NOTE)
    await (await at(world, SECRET)).commit(Put(NOTE, "one", Note("second", "ships")))
    assert [each.value.text for each in await flow.every(NOTE)] == ["second"]
