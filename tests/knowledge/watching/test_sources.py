"""Sources: who may order what, what comes of a file, and what a look leaves as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest

from casemate.access import HELD
from casemate.errors import Absent, BadInput, Refused, Unavailable
from casemate.knowledge import Connector, Connectors, Ingest, Listed, Place, Poll, add_source, remove_source
from casemate.knowledge.documents.document import DOCUMENT, PART
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.documents.remove import remove
from casemate.knowledge.watching.poll import SIZE
from casemate.knowledge.watching.source import sources
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.knowledge.test_ingest import Reads, text
from tests.laws.world import World

ADD, REMOVE = Action("add", "source"), Action("remove", "source")


@dataclass
class Shelf:
    """A place that holds what its test says."""

    name: str = "shelf"
    files: dict[str, tuple[str, bytes | Exception]] = field(default_factory=dict)
    fails: Exception | None = None
    asked: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    async def list(self) -> Sequence[Listed]:
        if self.fails:
            raise self.fails
        return [Listed(key, version, self.sizes.get(key, 1)) for key, (version, _) in self.files.items()]

    async def fetch(self, key: str) -> bytes:
        self.asked.append(key)
        found = self.files[key][1]
        if isinstance(found, Exception):
            raise found
        return found


def connectors(world: World, shelf: Connector, label: str = LOW) -> Connectors:
    place = Place("press", "shelf", label_of(world, label))
    return Connectors({"press": place}, {"shelf": lambda place, under, domain: shelf})


async def ordered(world: World, found: Connectors, label: str = SECRET, floor: str = LOW, **said: Any) -> str:
    if world.house.gate.directory.named("ann") is None:
        await world.person("ann", TOP)
    session = principal(world, "ann", TOP)
    flow = await flow_of(world, session, ADD, label)
    flow.bear(label_of(world, floor))
    asked = {"base": "port", "place": "press", "under": "", "stated": "", "marks": "read", "every": 60} | said
    return (await add_source(flow, found, **asked))[0]


@dataclass
class Room:
    world: World
    poll: Poll
    ingest: Ingest

    async def look(self, forward: float = 61) -> int:
        self.world.clock.forward(forward)
        moved = await self.poll.step()
        await self.ingest.step()
        return moved


def room(world: World, found: Connectors) -> Room:
    return Room(world, Poll(world.house.gate, found, None), Ingest(world.house.gate, Reads(text), None, None))


async def texts(world: World, label: str = TOP) -> list[str]:
    flow = await at(world, label)
    removed = await gone(flow)
    parts = [part for part in await flow.every(PART) if not removed.rules(part.id, part.label, part.value.by)]
    return sorted(passage.text for part in parts for passage in part.value.passages)


async def test_what_lies_there_comes_and_rests_by_its_marks(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.\n\n(S//NF) Two."), "in/b.txt": ("1", b"(U) Three.")})
    found = connectors(world, shelf)
    id = await ordered(world, found)
    looking = room(world, found)
    assert [await looking.look() for _ in range(2)] == [2, 0]
    assert shelf.asked == ["a.txt", "in/b.txt"], "what is the same is not fetched again"
    assert (await texts(world, LOW), await texts(world, SECRET)) == (["One.", "Three."], ["One.", "Three.", "Two."])
    high = await (await at(world, SECRET)).every(DOCUMENT)
    assert {(each.value.name, each.value.added_by, each.value.origin) for each in high} == {
        ("a.txt", "ann", "press:#a.txt"),
        ("b.txt", "ann", "press:#in/b.txt"),
    }
    low = await (await at(world, LOW)).every(PART)
    assert {part.value.origin for part in low} == {""}, "a file's name was chosen by somebody who knew all of it"
    [(source, told)] = await sources(await at(world, SECRET))
    assert (source.id, source.label.text, told.files, told.failed, told.problem) == (id, SECRET, 2, 0, "")
    assert await sources(await at(world, LOW)) == []


async def test_what_changed_takes_the_place_of_the_old_and_what_vanished_is_gone(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.\n\n(S//NF) Two."), "b.txt": ("1", b"(U) Three.")})
    found = connectors(world, shelf)
    await ordered(world, found)
    looking = room(world, found)
    await looking.look()
    shelf.files["a.txt"] = ("2", b"(U) Newer.\n\n(S//NF) Two.")
    del shelf.files["b.txt"]
    assert await looking.look() == 2
    assert (await texts(world, LOW), await texts(world, SECRET)) == (["Newer."], ["Newer.", "Two."])
    shelf.files.clear()
    assert await looking.look() == 1
    assert await texts(world) == []
    shelf.files["a.txt"] = ("1", b"(U) One.\n\n(S//NF) Two.")
    assert await looking.look() == 1
    assert await texts(world) == ["One.", "Two."], "what comes back is brought again"


async def test_what_changes_or_vanishes_before_it_is_read_never_lands(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One."), "b.txt": ("1", b"(U) Two.")})
    found = connectors(world, shelf)
    await ordered(world, found)
    looking = room(world, found)
    world.clock.forward(61)
    assert await looking.poll.step() == 2
    shelf.files = {"a.txt": ("2", b"(U) Newer.")}
    world.clock.forward(61)
    assert await looking.poll.step() == 2
    await looking.ingest.step()
    assert await texts(world) == ["Newer."]
    assert await (await at(world, TOP)).every(HELD) == []


async def test_it_is_asked_by_the_clock_alone(world: World) -> None:
    shelf = Shelf()
    found = connectors(world, shelf)
    await ordered(world, found, every=30)
    looking = room(world, found)
    shelf.files["a.txt"] = ("1", b"(U) One.")
    assert [await looking.look(step) for step in (1, 20, 5, 10)] == [1, 0, 0, 0]
    shelf.files["b.txt"] = ("1", b"(U) Two.")
    assert [await looking.look(step) for step in (1, 20, 10)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("fails", "problem"),
    [(Unavailable(what="folder"), "unavailable"), (BadInput(what="x"), "malformed"), (ValueError("words"), "defect")],
)
async def test_what_goes_wrong_is_told_once_and_is_its_own(world: World, fails: Exception, problem: str) -> None:
    shelf = Shelf(fails=fails)
    found = connectors(world, shelf)
    await ordered(world, found)
    looking = room(world, found)
    for _ in range(3):
        assert await looking.look() == 0
    [(_, told)] = await sources(await at(world, SECRET))
    assert told.problem == problem
    said = [entry for entry in log(world, SECRET) if "problem" in entry.facts]
    assert [entry.facts["problem"] for entry in said] == [problem]
    shelf.fails, shelf.files = None, {"a.txt": ("1", b"(U) One.")}
    assert await looking.look() == 1
    [(_, told)] = await sources(await at(world, SECRET))
    assert (told.problem, told.files) == ("", 1)


async def test_a_file_that_cannot_be_had_stops_no_other(world: World) -> None:
    shelf = Shelf(
        files={
            "a.txt": ("1", Unavailable(what="file")),
            "b\n.txt": ("1", b"(U) A name that cannot be."),
            "c.txt": ("1", b""),
            "d.txt": ("1", b"(U) Good."),
            "e.txt": ("1", b"(U) Too large."),
        },
        sizes={"e.txt": SIZE + 1},
    )
    found = connectors(world, shelf)
    await ordered(world, found)
    looking = room(world, found)
    assert await looking.look() == 1
    [(_, told)] = await sources(await at(world, SECRET))
    assert (told.files, told.failed) == (5, 4)
    assert await texts(world) == ["Good."]
    assert "e.txt" not in shelf.asked


async def test_a_place_that_the_settings_no_longer_allow_is_not_looked_at(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.")})
    await ordered(world, connectors(world, shelf))
    looking = room(world, Connectors())
    assert await looking.look() == 0
    [(_, told)] = await sources(await at(world, SECRET))
    assert (told.problem, shelf.asked) == ("unknown-place", [])
    assert looking.poll.loops() == []
    assert [loop.name for loop in room(world, connectors(world, shelf)).poll.loops()] == ["knowledge.sources"]


@pytest.mark.parametrize(("lies", "floor"), [(SECRET, LOW), (LOW, SECRET), (SECRET, SECRET)])
async def test_nothing_that_is_brought_rests_below_its_place_or_its_floor(world: World, lies: str, floor: str) -> None:
    """The label of a place is what lies there; a mark in a file cannot lower it."""
    found = connectors(world, Shelf(files={"a.txt": ("1", b"(U) One.")}), lies)
    await ordered(world, found, TOP, floor=floor)
    await room(world, found).look()
    assert (await texts(world, LOW), await texts(world, SECRET)) == ([], ["One."])


async def test_a_place_above_the_acting_label_is_none(world: World) -> None:
    found = connectors(world, Shelf(), SECRET)
    told = []
    for place in ("press", "never"):
        with pytest.raises((Absent, Refused)) as error:
            await ordered(world, found, LOW, place=place)
        told.append((type(error.value), error.value.facts.get("kind")))
    assert told[0] == told[1] == (Absent, "place")


@pytest.mark.parametrize(
    "said",
    [
        {"every": 5},
        {"every": 10**6},
        {"under": "u" * 513},
        {"under": "a\nb"},
        {"marks": "poem"},
        {"marks": "text"},
        {"base": "all"},
    ],
)
async def test_what_is_no_order(world: World, said: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await ordered(world, connectors(world, Shelf()), **said)


async def test_a_label_is_stated_within_what_the_source_may(world: World) -> None:
    found = connectors(world, Shelf(files={"a.txt": ("1", b"No mark.")}), LOW)
    with pytest.raises(Refused):
        await ordered(world, found, SECRET, stated="TOP SECRET//SI//NOFORN")
    await ordered(world, found, SECRET, stated="SECRET//NOFORN", marks="text")
    await room(world, found).look()
    assert (await texts(world, LOW), await texts(world, SECRET)) == ([], ["No mark."])


async def test_no_connector_of_that_kind(world: World) -> None:
    found = Connectors({"press": Place("press", "poem", label_of(world, LOW))}, {})
    with pytest.raises(BadInput):
        await ordered(world, found)


async def test_only_whoever_ordered_it_takes_it_back_and_what_came_stays(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.")})
    found = connectors(world, shelf)
    id = await ordered(world, found)
    looking = room(world, found)
    await looking.look()
    ben = await flow_of(world, principal(world, "ben", TOP), REMOVE, SECRET)
    ann = await flow_of(world, principal(world, "ann", TOP), REMOVE, SECRET)
    higher = await flow_of(world, principal(world, "ann", TOP), REMOVE, TOP)
    with pytest.raises(Absent):
        await remove_source(ben, id)
    with pytest.raises(Refused):
        await remove_source(higher, id)
    assert await remove_source(ann, id) == 1
    with pytest.raises(Absent):
        await remove_source(ann, id)
    shelf.files.clear()
    assert await looking.look() == 0
    assert await texts(world) == ["One."]


async def test_a_source_that_hangs_keeps_no_other_class_waiting(world: World) -> None:
    class Hangs(Shelf):
        async def list(self) -> Sequence[Listed]:
            await asyncio.Event().wait()
            return []

    quick = Shelf(files={"a.txt": ("1", b"(U) One.")})
    label = label_of(world, LOW)
    found = Connectors(
        {"slow": Place("slow", "slow", label), "press": Place("press", "shelf", label)},
        {"slow": lambda *_: Hangs(), "shelf": lambda *_: quick},
    )
    await ordered(world, found, SECRET, place="slow")
    await ordered(world, found, TOP)
    poll = Poll(world.house.gate, found, 0.1)
    world.clock.forward(61)
    assert await poll.step() == 1
    await poll.stop()


async def test_a_class_whose_sources_cannot_be_read_is_told_and_stops_no_other(world: World) -> None:
    found = connectors(world, Shelf(files={"a.txt": ("1", b"(U) One.")}))
    await ordered(world, found, SECRET)
    await ordered(world, found, TOP)
    looking = room(world, found)
    world.clock.forward(61)

    def refuse(id: str) -> Any:
        raise Unavailable(what="records")

    real = type(world.house.gate).service
    broken = (await at(world, SECRET)).access.id

    def service(self: Any, room: str, access: Any) -> Any:
        return refuse(access.id) if access.id == broken else real(self, room, access)

    with patch.object(type(world.house.gate), "service", service):
        assert await looking.poll.step() == 1
    assert looking.poll.problems == {broken: "unavailable"}
    assert await looking.poll.step() == 1
    assert looking.poll.problems == {}


async def test_what_vanishes_after_it_was_removed_is_only_forgotten(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.")})
    found = connectors(world, shelf)
    await ordered(world, found)
    looking = room(world, found)
    await looking.look()
    low = await flow_of(world, principal(world, "ann", TOP), Action("remove", "document"), LOW)
    [part] = await low.every(PART)
    await remove(low, part.id)
    shelf.files.clear()
    assert await looking.look() == 1
    assert [await texts(world), await (await at(world, TOP)).every(HELD)] == [[], []]
