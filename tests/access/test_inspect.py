"""Marks in what comes in: they raise the floor, or the request goes no further and the mark is named."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from casemate.access import inspect
from casemate.access.threads import Threads
from casemate.errors import BadInput, Refused
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, label_of, log
from tests.laws.world import World, a_world


@pytest.mark.parametrize(
    ("text", "floor"),
    [
        ("What caused the fever?", LOW),
        ("", LOW),
        ("(U) What caused the fever?", LOW),
        ("(S//NF) What caused the fever?", SECRET),
        ("first line\n   SECRET//NOFORN   \nlast line", SECRET),
        ("first line\r\n(S//NF) second", SECRET),
        ("(U) one\n\n(S//NF) two\n\n(U) three", SECRET),
        ("He said that it is SECRET//NOFORN, they say.", LOW),
        ("a list (S//NF) in the middle", LOW),
    ],
)
async def test_a_mark_at_its_place_raises_the_floor(world: World, text: str, floor: str) -> None:
    flow = await at(world, TOP)
    await flow.inspect([text])
    assert flow.floor is label_of(world, floor)
    assert flow.take("x").label is label_of(world, floor)
    assert log(world, TOP) == []


async def test_marks_of_all_texts_count_together(world: World) -> None:
    flow = await at(world, TOP)
    await flow.inspect(["(S//NF) one", "plain", "(U) two"])
    await flow.inspect(["(U) three"])
    assert flow.floor is label_of(world, SECRET)


async def test_a_mark_above_the_acting_label_ends_the_request(world: World) -> None:
    flow = await at(world, SECRET)
    with pytest.raises(Refused) as told:
        await flow.inspect(["(U) one\n(TS//SI//NF) two"])
    assert told.value.facts["rule"] == "mark-above"
    assert "TS" in str(told.value.facts["mark"])
    [entry] = log(world, SECRET)
    assert (entry.id, entry.rule) == (told.value.entry, "mark-above")
    assert log(world, TOP) == []


async def test_a_mark_that_nobody_can_read_ends_the_request(world: World) -> None:
    flow = await at(world, TOP)
    with pytest.raises(Refused) as told:
        await flow.inspect(["(S//BANANA) one"])
    assert told.value.facts["rule"] == "mark-unreadable"
    assert "BANANA" in str(told.value.facts["mark"])
    assert told.value.facts["why"]
    assert [entry.rule for entry in log(world, TOP)] == ["mark-unreadable"]


async def test_a_mark_with_several_readings_is_as_high_as_all_of_them() -> None:
    async with a_world(0, ("us", "fr")) as world:
        ceiling = world.house.gate.vault.region.ceiling.text
        flow = await at(world, ceiling, clearance=ceiling)
        readings = world.policies.read_banner("SECRET")
        assert len(readings) > 1
        await flow.inspect(["SECRET"])
        assert all(reading.label <= flow.floor for reading in readings)


async def test_too_many_lines_are_not_read_and_long_texts_not_on_the_loop(world: World) -> None:
    flow = await at(world, TOP)
    with patch.object(inspect, "MOST_LINES", 3):
        await flow.inspect(["a\nb\nc", "d\n"])
        with pytest.raises(BadInput, match="at most 3 lines"):
            await flow.inspect(["a\nb\n\rc", "d\n"])
    beside: list[Any] = []
    thread = Threads.run

    async def watched(self: Threads, domain: str, *args: Any) -> Any:
        beside.append((domain, args[0]))
        return await thread(self, domain, *args)

    with patch.object(Threads, "run", watched):
        await flow.inspect(["short", "(S//NF) " + "long " * inspect.LONG])
    assert beside == [(flow.access.id, inspect.marks)]
    assert flow.floor is label_of(world, SECRET)
