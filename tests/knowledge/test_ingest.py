"""From held bytes to passages: what settles, what waits, what is put aside, and what only has to be tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from casemate.access import HELD
from casemate.errors import Damaged, StorageFull, Unavailable, Unreadable
from casemate.knowledge import DOCUMENT, PART, Compact, Document, Extracted, Ingest, add
from casemate.knowledge.reading.extract import Paragraph, Part
from casemate.knowledge.segments import compact
from casemate.objects import Found
from casemate.policy import Action
from tests.access.damage import flipped, with_rows
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.world import World

ADD = Action("add", "document")


class Reads:
    """An extractor that does what its test says, file by file."""

    def __init__(self, *does: Callable[[bytes], Awaitable[Extracted] | Extracted]) -> None:
        self.does = list(does)
        self.asked: list[tuple[str, bytes, str | None]] = []

    async def extract(self, name: str, data: bytes, domain: str | None = None) -> Extracted:
        self.asked.append((name, data, domain))
        told = (self.does.pop(0) if len(self.does) > 1 else self.does[0])(data)
        return told if isinstance(told, Extracted) else await told


def text(data: bytes) -> Extracted:
    return volume(("", data.decode()))


def volume(*parts: tuple[str, str], outside: str = "") -> Extracted:
    """A file of several documents: title and paragraphs of each."""
    made = tuple(
        Part(title, str(n), (tuple(Paragraph(p) for p in body.split("\n\n") if p),))
        for n, (title, body) in enumerate(parts)
    )
    around = tuple(Paragraph(p) for p in outside.split("\n\n") if p)
    return Extracted("text/plain", made, around)


def raises(error: Exception) -> Callable[[bytes], Extracted]:
    def does(data: bytes) -> Extracted:
        raise error

    return does


async def bring(world: World, data: bytes, label: str = SECRET, **said: Any) -> str:
    flow = await flow_of(world, principal(world, "ann", TOP), ADD, label)
    return (await add(flow, "paper_one.txt", "port", data, **said)).id


async def documents(world: World, label: str = TOP) -> dict[str, Found[Document]]:
    return {found.id: found for found in await (await at(world, label)).every(DOCUMENT)}


def room(world: World, reads: Reads, patience: float | None = None) -> Ingest:
    return Ingest(world.house.gate, reads, None, patience)


async def test_nothing_to_do(world: World) -> None:
    ingesting = room(world, Reads(text))
    with patch.object(type(world.house.gate.classes), "everything", lambda _: []):
        assert await ingesting.step() == 0
    assert await ingesting.step() == 0
    assert {loop.name for loop in ingesting.loops()} == {"knowledge.ingest"}


async def test_a_document_settles_once_and_its_file_is_read_as_its_class(world: World) -> None:
    id = await bring(world, b"(U) One.\n\n(S//NF) Two.")
    reads = Reads(text)
    ingesting = room(world, reads)
    assert [await ingesting.step() for _ in range(2)] == [1, 0]
    high = await at(world, SECRET)
    assert reads.asked == [("paper_one.txt", b"(U) One.\n\n(S//NF) Two.", high.access.id)]
    found = (await documents(world))[id]
    assert (found.value.state, found.value.passages, found.value.added_by) == ("ready", 2, "ann")
    assert await high.blob(high.access.id, found.value.source) == b"(U) One.\n\n(S//NF) Two."
    assert log(world, SECRET)[-1].facts == {"documents": 1, "passages": 2}
    assert await high.every(HELD) == []


async def test_a_name_stays_with_the_whole_and_titles_are_made_of_what_is_seen(world: World) -> None:
    """Whoever named the file knew all of it."""
    id = await bring(world, b"SECRET//NOFORN\n\n(U) Ferry news\n\n(S//NF) Two.\n\nSECRET//NOFORN")
    await room(world, Reads(text)).step()
    low = {part.value.title for part in await (await at(world, LOW)).every(PART)}
    assert all("paper" not in title for title in low)
    plain = await bring(world, b"SECRET//NOFORN\n\nAll of one label.\n\nSECRET//NOFORN")
    await room(world, Reads(text)).step()
    found = await documents(world)
    assert (found[plain].value.title, found[id].value.name) == ("paper one", "paper_one.txt")


async def test_a_volume_is_many_documents(world: World) -> None:
    held = await bring(world, b"volume")
    parts = [("First", "(U) One."), ("Second", "(S//NF) Two."), ("Third", "(U) Three.")]
    await room(world, Reads(lambda _: volume(*parts))).step()
    found = await documents(world)
    assert held not in found
    assert sorted(f.value.title for f in found.values()) == ["First", "Second", "Third"]
    assert {f.label.text for f in found.values()} == {LOW, SECRET}
    assert {f.value.source for f in found.values()} == {""}, "the whole file is nobody's part"
    assert len(await (await at(world, LOW)).every(PART)) == 2


async def test_one_part_that_cannot_be_trusted_keeps_the_whole_file_apart(world: World) -> None:
    held = await bring(world, b"volume")
    await room(world, Reads(lambda _: volume(("First", "(U) One."), ("Second", "(S//BANANA) Two.")))).step()
    found = await documents(world)
    assert {f.value.state for f in found.values()} == {"quarantined"}
    assert (found[held].label.text, found[held].value.reason) == (SECRET, "unknown-marking")
    assert await (await at(world, TOP)).every(PART) == []


async def test_one_unmarked_part_asks_for_the_whole_file(world: World) -> None:
    held = await bring(world, b"volume")
    ingesting = room(world, Reads(lambda _: volume(("First", "(U) One."), ("Second", "No mark."))))
    assert [await ingesting.step() for _ in range(2)] == [1, 0]
    [waits] = await (await at(world, SECRET)).every(HELD)
    assert (waits.id, waits.value.state) == (held, "unmarked")
    assert await documents(world) == {}


@pytest.mark.parametrize("empty", ["", "\n\n"])
async def test_what_holds_no_text_is_unreadable(world: World, empty: str) -> None:
    held = await bring(world, b"scan", stated=SECRET)
    await room(world, Reads(lambda _: volume(("", empty)))).step()
    found = (await documents(world))[held]
    assert (found.value.reason, found.value.facts) == ("unreadable", {"why": "There is no text in it."})


async def test_what_its_parser_refuses_is_put_aside_with_its_reason(world: World) -> None:
    held = await bring(world, b"bomb")
    await room(world, Reads(raises(Unreadable(why="It is a bomb.")))).step()
    found = (await documents(world))[held]
    assert (found.value.state, found.value.reason, found.value.facts) == (
        "quarantined",
        "unreadable",
        {"why": "It is a bomb."},
    )
    assert found.label is label_of(world, SECRET)
    assert log(world, SECRET)[-1].facts == {"reason": "unreadable"}


async def test_bytes_that_were_changed_are_not_read(world: World) -> None:
    held = await bring(world, b"(U) One.")
    files = [file for file in sorted((world.folder / "data" / "blobs").rglob("*")) if file.is_file()]
    files[0].write_bytes(flipped(files[0].read_bytes()))
    reads = Reads(text)
    await room(world, reads).step()
    assert reads.asked == []
    assert (await documents(world))[held].value.reason == "damaged"


async def test_a_defect_puts_one_document_aside(world: World) -> None:
    first = await bring(world, b"(U) One.")
    second = await bring(world, b"(U) Two.")
    await room(world, Reads(raises(ValueError("words of a document")), text)).step()
    found = await documents(world)
    assert (found[first].value.reason, found[second].value.state) == ("defect", "ready")
    assert "words" not in str(found[first].value.facts)


async def test_what_cannot_be_done_now_is_tried_again(world: World) -> None:
    held = await bring(world, b"(U) One.")
    ingesting = room(world, Reads(raises(Unavailable(what="parser")), text))
    access = (await at(world, SECRET)).access.id
    assert await ingesting.step() == 0
    assert ingesting.problems == {access: "unavailable"}
    assert await ingesting.step() == 1
    assert (ingesting.problems, list(await documents(world))) == ({}, [held])


async def test_a_full_disk_leaves_a_document_that_meets_a_defect_where_it_is(world: World) -> None:
    await bring(world, b"(U) One.")
    ingesting = room(world, Reads(raises(ValueError("x"))))
    committer = world.house.gate.vault.committer._port

    async def full(batch: Any) -> Any:
        raise StorageFull

    with patch.object(committer, "commit", full):
        assert await ingesting.step() == 0
    assert list(ingesting.problems.values()) == ["storage-full"]
    assert len(await (await at(world, SECRET)).every(HELD)) == 1
    assert await ingesting.step() == 1


async def test_a_class_whose_records_are_damaged_stops_no_other(world: World) -> None:
    await bring(world, b"(U) One.", SECRET)
    high = await bring(world, b"(U) Two.", TOP)
    broken = (await at(world, SECRET)).access.id

    def damage(row: Any) -> Any:
        return type(row)(row.class_id, row.kind, row.id, 99, 0, b"", row.digest) if row.class_id == broken else row

    ingesting = room(world, Reads(text))
    with with_rows(world, HELD.name, damage):
        assert await ingesting.step() == 1, "what cannot be read is passed over, and remembered"
    assert await ingesting.step() == 1
    assert high in await documents(world)


async def test_each_class_has_its_lane_and_a_slow_one_keeps_none_waiting(world: World) -> None:
    slow, fast = await bring(world, b"(U) Slow.", SECRET), await bring(world, b"(U) Fast.", TOP)
    gate = asyncio.Event()

    async def waits(data: bytes) -> Extracted:
        if data == b"(U) Slow.":
            await gate.wait()
        return text(data)

    ingesting = room(world, Reads(waits), patience=0.2)
    assert await ingesting.step() == 1
    assert list(await documents(world)) == [fast]
    assert await ingesting.step() == 0
    gate.set()
    assert sum([await ingesting.step() for _ in range(3)]) == 1
    assert set(await documents(world)) == {slow, fast}


async def test_what_is_under_way_at_a_stop_is_still_held(world: World) -> None:
    await bring(world, b"(U) Slow.")

    async def waits(data: bytes) -> Extracted:
        await asyncio.Event().wait()
        return text(data)

    ingesting = room(world, Reads(waits), patience=0.1)
    assert await ingesting.step() == 0
    await asyncio.wait_for(ingesting.stop(), 5)
    assert len(await (await at(world, SECRET)).every(HELD)) == 1
    assert await room(world, Reads(text)).step() == 1


async def test_marks_outside_the_documents_count_for_them(world: World) -> None:
    """A banner of the volume stands above what it holds."""
    await bring(world, b"volume", SECRET)
    parts = (("First", "One without a mark."), ("Second", "Two without a mark."))
    await room(world, Reads(lambda _: volume(*parts, outside="SECRET//NOFORN"))).step()
    found = await documents(world)
    assert [(f.value.state, f.label.text) for f in found.values()] == [("ready", SECRET)] * 2
    assert await (await at(world, LOW)).every(PART) == []


async def test_pages_are_counted_but_not_between_marked_portions(world: World) -> None:
    """There a page number would measure what is hidden."""
    pages = ((Paragraph("One."),), (), (Paragraph("Three."),))
    marked = ((Paragraph("(U) One."),), (Paragraph("(S//NF) Two."),), (Paragraph("(U) Three."),))
    reads = Reads(*(lambda _, made=made: Extracted("x", (Part("", "", made),)) for made in (pages, marked)))
    for data, stated in ((b"pages", LOW), (b"marked", "")):
        await bring(world, data, stated=stated)
        await room(world, reads).step()
    found = [passage.page for part in await (await at(world, LOW)).every(PART) for passage in part.value.passages]
    assert sorted(found) == [0, 0, 1, 3]


async def test_segments_that_cannot_be_merged_are_left(world: World) -> None:
    reads = Reads(text)
    ingesting = room(world, reads)
    for number in range(compact.SEGMENTS + 1):
        await bring(world, b"(S//NF) Number %d." % number)
        await ingesting.step()
    compacting = Compact(world.house.gate)
    with patch.object(type(world.house.gate.vault.blobs._port), "_read", raises_damaged):
        assert await compacting.step() == 0
    assert list(compacting.problems.values()) == ["damaged"]
    assert await compacting.step() == 1
    assert (await compacting.step(), compacting.problems) == (0, {})


def raises_damaged(*_: Any) -> bytes:
    raise Damaged(what="blob")


async def test_what_of_a_file_was_not_read_is_told_with_its_one_document(world: World) -> None:
    """Of a file that held several nobody may say which of them it was."""
    note = "1 of 2 pages are pictures of text and were not read."

    def one(data: bytes) -> Extracted:
        return replace(volume(("", "(U) The lantern.")), notes=(note,))

    def two(data: bytes) -> Extracted:
        return replace(volume(("a", "(U) The lantern."), ("b", "(U) The pier.")), notes=(note,))

    await bring(world, b"one")
    await bring(world, b"two")
    assert await room(world, Reads(one, two)).step() == 2
    assert sorted(found.value.notes for found in (await documents(world)).values()) == [(), (), (note,)]


async def test_what_kind_of_file_it_was_is_told_where_the_whole_lies(world: World) -> None:
    """Killed: a kind that rides down with a portion."""
    await bring(world, b"SECRET//NOFORN\n\n(U) The lantern.\n\n(S//NF) The pier.\n\nSECRET//NOFORN")
    await bring(world, b"(U) The quay.")
    assert await room(world, Reads(text)).step() == 2
    kinds = {found.value.passages[0].text: found.value.media for found in await (await at(world, TOP)).every(PART)}
    assert kinds == {"The lantern.": "", "The pier.": "text/plain", "The quay.": "text/plain"}
