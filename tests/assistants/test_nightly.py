"""The nightly proof: each class by itself, once a night, at its own label, whatever happens in another."""

from __future__ import annotations

import pytest

from casemate.access import Flow
from casemate.assistants import TALLY, Nightly, Prover, Tally
from casemate.assistants.nightly import moment
from casemate.clock import SECOND
from casemate.errors import Damaged
from casemate.knowledge import Library
from casemate.policy import Action
from tests.assistants.test_prove import searches_everything
from tests.assistants.test_prove_all import QUESTIONS, people
from tests.attacks.scene import LOW, SECRET, label_of
from tests.laws.world import World

HOUR = 3600 * SECOND
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("now", "minutes", "planned"),
    [
        (5 * DAY + 3 * HOUR, 180, 5 * DAY + 3 * HOUR),
        (5 * DAY + 4 * HOUR, 180, 5 * DAY + 3 * HOUR),
        (5 * DAY + 3 * HOUR - 1, 180, 4 * DAY + 3 * HOUR),
        (5 * DAY, 0, 5 * DAY),
    ],
)
def test_the_last_planned_moment(now: int, minutes: int, planned: int) -> None:
    assert moment(now, minutes) == planned


def nightly(world: World, questions: list[str] | None = None) -> Nightly:
    """The loop of a region that is proved at three, with the region's own prover."""
    prover = next(p for p in _provers(world))
    return Nightly(world.house.gate, prover, 180, lambda: QUESTIONS if questions is None else questions)


def _provers(world: World) -> list[Prover]:
    for route in world.house.app.table.routes:
        if route.path == "/api/prove/all":
            return [route.handler.__self__._rooms.prover]  # type: ignore[attr-defined]
    return []


def at(world: World, hour: float, day: int = 30_000) -> None:
    world.clock.at = day * DAY + int(hour * HOUR)


async def tallies(world: World, label: str) -> list[Tally]:
    """What lies in the class of a label itself."""
    gate = world.house.gate
    access = gate.classes.of(label_of(world, label))
    flow = await gate.open(gate.service("assistants", access), Action("make", "proof"))
    return [found.value for found in await flow.every(TALLY) if found.ref.class_id == access.id]


async def test_each_class_that_holds_something_once_a_night(world: World) -> None:
    await people(world)
    loop = nightly(world)
    at(world, 2.5)
    assert await loop.step() == 0
    at(world, 3.2)
    assert await loop.step() == 2
    assert await loop.step() == 0
    (low,), (high,) = await tallies(world, LOW), await tallies(world, SECRET)
    assert low.good
    assert high.good
    assert (low.worlds[0].principal, low.worlds[0].acting, low.worlds[0].documents) == ("", LOW, 2)
    assert (high.worlds[0].acting, high.worlds[0].documents, high.worlds[0].classes) == (SECRET, 8, 2)
    assert low.at == high.at == 30_000 * DAY + 3 * HOUR  # how long one took is told by none
    at(world, 3.4)
    assert await nightly(world).step() == 0  # a new process finds what was done
    at(world, 3.1, 30_001)
    assert await loop.step() == 2
    assert len(await tallies(world, LOW)) == 2


async def test_whoever_starts_late_waits_for_the_next_night(world: World) -> None:
    await people(world)
    at(world, 9)
    assert await nightly(world).step() == 0


async def test_a_leak_is_counted_where_it_reached(world: World) -> None:
    await people(world)
    at(world, 3.2)
    with searches_everything():
        assert await nightly(world).step() == 2
    (low,), (high,) = await tallies(world, LOW), await tallies(world, SECRET)
    assert low.worlds[0].unequal
    assert not low.good
    assert high.good


async def test_a_class_that_fails_stops_no_other_and_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await people(world)
    right, loop = Library.ask, nightly(world)

    async def failing(self: Library, flow: Flow, *more: str) -> object:
        if flow.acting is label_of(world, SECRET):
            raise Damaged(what="blob")
        return await right(self, flow, *more)

    monkeypatch.setattr(Library, "ask", failing)
    at(world, 3.2)
    assert await loop.step() == 1
    assert list(loop.problems.values()) == ["damaged"]
    assert len(await tallies(world, LOW)) == 1
    assert await tallies(world, SECRET) == []


async def test_a_file_without_a_question_counts_nothing(world: World) -> None:
    await people(world)
    loop = nightly(world, [])
    at(world, 3.2)
    assert await loop.step() == 0
    assert set(loop.problems.values()) == {"malformed"}
    assert [loop.name for loop in loop.loops()] == ["assistants.prove"]


async def test_no_class_waits_for_what_lies_above_it(world: World) -> None:
    """How long a higher class takes delays no lower one. Killed: the classes by their ids."""
    await people(world)
    order = [access.label for access in nightly(world)._upward()]
    assert {label_of(world, LOW), label_of(world, SECRET)} < set(order)
    assert not [(low, high) for at, high in enumerate(order) for low in order[at + 1 :] if low <= high]
