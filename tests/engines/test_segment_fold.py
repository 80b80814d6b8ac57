"""The sequencer: each promised entry once, in order, whatever dies; damage is told and never passed over."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.engines import segment_fold
from casemate.engines.segment import SegmentJournal, SegmentLimits
from casemate.engines.segment_file import SegmentFile
from casemate.engines.segment_fold import Sequencer
from casemate.engines.segment_format import HEAD, Known, Said, record
from casemate.engines.segment_left import WithLeftovers
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.errors import CasemateError, Conflict, Damaged, Unavailable
from casemate.store import Batch, ClassRow, Mark, Receipt
from tests.contracts.stores import entries, entry

A = ClassRow("class_a", b"label a")


class Place:
    """A store, a folder of segments, and whoever folds the one into the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "segments"
        self.path = folder / "records.db"
        self.writer = SqliteWriter(self.path, Limits(low_water=0, ballast=0), durable=False)
        self.reader = SqliteReader(self.path)
        self.told: list[tuple[str, str]] = []
        self.sequencer = self.another()

    def another(self, committer: Any = None) -> Sequencer:
        return Sequencer(self.folder, committer or self.writer, self.reader.marks, lambda *what: self.told.append(what))

    def ids(self, log: str = "class_a") -> list[str]:
        return [each.id for each in self.reader.entries(log, 0, 1 << 40)]

    def segment(self, name: str, *groups: tuple[str, ...]) -> SegmentFile:
        """A segment that is still held, with a class and entries of these names."""
        made = SegmentFile(self.folder / f"{name}.seg")
        for number, names in enumerate(groups):
            rows = [entry(each) for each in names]
            said = [record(Said("class_a", r.log, r.id, r.leaf, r.sealed)) for r in rows]
            made.append([record(Known(A.id, A.sealed)), *said] if number == 0 else said)
        return made

    def dead(self, name: str, *groups: tuple[str, ...]) -> Path:
        made = self.segment(name, *groups)
        made.release()
        return made.path

    def close(self) -> None:
        self.reader.close()
        self.writer.close()


Trial = Callable[[Place], Awaitable[None]]


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        async def inside() -> None:
            place = Place(tmp_path)
            try:
                await trial(place)
            finally:
                await place.sequencer.stop()
                place.close()

        asyncio.run(inside())

    return run


def test_what_dead_workers_left_is_folded_at_the_start(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        place.dead("a-00000002", ("ent_3",))
        place.dead("a-00000001", ("ent_1",), ("ent_2",))
        place.dead("b-00000001", ("ent_4",))
        await place.sequencer.start()
        await place.sequencer.fold()
        assert [id for id in place.ids() if id != "ent_4"] == ["ent_1", "ent_2", "ent_3"]
        assert len(place.ids()) == 4
        assert list(place.folder.iterdir()) == []
        assert place.reader.marks() == {}
        assert list(place.reader.classes()) == [A]
        assert place.told == []

    attempt(trial)


def test_a_segment_that_is_written_stays_and_is_folded_as_it_grows(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        live = place.segment("a-00000001", ("ent_1",))
        await place.sequencer.fold()
        assert place.ids() == ["ent_1"]
        row = entry("ent_2")
        live.append([record(Said("class_a", row.log, row.id, row.leaf, row.sealed))])
        await place.sequencer.fold()
        assert place.ids() == ["ent_1", "ent_2"]
        assert live.path.exists()
        assert place.reader.marks() == {"a-00000001": live.size}
        live.release()
        await place.sequencer.fold()
        assert not live.path.exists()

    attempt(trial)


def test_a_later_segment_waits_for_the_one_before_it(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        live = place.segment("a-00000001", ("ent_1",))
        place.dead("a-00000002", ("ent_2",))
        await place.sequencer.fold()
        assert place.ids() == ["ent_1"]
        live.release()
        await place.sequencer.fold()
        assert place.ids() == ["ent_1", "ent_2"]

    attempt(trial)


@pytest.mark.parametrize("cut", [1, 30])
def test_an_unsynced_tail_goes_and_is_told(attempt: Callable[[Trial], None], cut: int) -> None:
    async def trial(place: Place) -> None:
        path = place.dead("a-00000001", ("ent_1",), ("ent_2",))
        os.truncate(path, path.stat().st_size - cut)
        await place.sequencer.fold()
        await place.sequencer.fold()
        assert place.ids() == ["ent_1"]
        assert place.told == [("a-00000001", "torn")]
        assert not path.exists()

    attempt(trial)


def damage(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("live", [False, True])
def test_damage_before_a_later_group_is_told_and_passed_over_by_nobody(
    attempt: Callable[[Trial], None], live: bool
) -> None:
    async def trial(place: Place) -> None:
        made = place.segment("a-00000001", ("ent_1",), ("ent_2",), ("ent_3",))
        if not live:
            made.release()
        first = place.segment("size", ("ent_1",))
        end = first.size
        first.release()
        first.path.unlink()
        damage(made.path, end + 40)
        place.dead("a-00000002", ("ent_4",))
        place.dead("b-00000001", ("ent_5",))
        for _ in range(2):
            with pytest.raises(Damaged, match="a-00000001"):
                await place.sequencer.fold()
        assert sorted(place.ids()) == ["ent_1", "ent_5"]  # another worker's are not kept waiting
        assert made.path.exists()
        assert place.told == [("a-00000001", "damaged")]
        with pytest.raises(Damaged):
            WithLeftovers(place.reader, place.folder)
        if live:
            made.release()

    attempt(trial)


def test_a_damaged_head_is_told(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        path = place.dead("a-00000001", ("ent_1",))
        damage(path, 3)
        with pytest.raises(Damaged, match="a-00000001"):
            await place.sequencer.fold()
        assert path.exists()

    attempt(trial)


def test_a_segment_without_a_head_holds_nothing_and_is_left_alone(attempt: Callable[[Trial], None]) -> None:
    """Its worker may be about to write it: who has made a file and not yet locked it must find it again."""

    async def trial(place: Place) -> None:
        path = place.folder / "a-00000001.seg"
        for data in (b"", b"x" * HEAD):
            path.write_bytes(data)
            await place.sequencer.fold()
            assert WithLeftovers(place.reader, place.folder).sizes() == {}
            assert path.exists()
        assert place.told == []

    attempt(trial)


class Loses:
    """A committer whose answer is lost once: the batch lands, and whoever asked hears that it may not have."""

    def __init__(self, writer: SqliteWriter, lands: bool) -> None:
        self.writer, self.lands, self.lost = writer, lands, False

    async def commit(self, batch: Batch) -> Receipt:
        if self.lost:
            return await self.writer.commit(batch)
        self.lost = True
        if self.lands:
            await self.writer.commit(batch)
        raise Unavailable(what="store")


@pytest.mark.parametrize("lands", [False, True])
def test_an_answer_that_was_lost_doubles_nothing(attempt: Callable[[Trial], None], lands: bool) -> None:
    async def trial(place: Place) -> None:
        place.dead("a-00000001", ("ent_1",), ("ent_2",))
        place.sequencer = place.another(Loses(place.writer, lands))
        with pytest.raises(Unavailable):
            await place.sequencer.fold()
        await place.sequencer.fold()
        assert place.ids() == ["ent_1", "ent_2"]
        assert place.reader.marks() == {}

    attempt(trial)


def test_a_sequencer_that_died_after_any_commit_is_followed_exactly(
    attempt: Callable[[Trial], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_fold, "ENTRIES", 1)

    class Dies(Exception):
        pass

    async def trial(place: Place) -> None:
        names = [(f"ent_{number}",) for number in range(6)]
        place.dead("a-00000001", *names)
        for after in range(7):
            left = after

            async def commit(batch: Batch) -> Receipt:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Dies
                return await place.writer.commit(batch)

            committer = type("Committer", (), {"commit": staticmethod(commit)})()
            dying = place.another(committer)
            with contextlib.suppress(Dies, CasemateError):
                await dying.fold()
        await place.sequencer.start()
        await place.sequencer.fold()
        assert place.ids() == [name for (name,) in names]
        assert place.reader.marks() == {}

    attempt(trial)


def test_a_place_whose_segment_is_gone_is_forgotten_at_the_start(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        await place.writer.commit(Batch(domain="journal", marks=[Mark("gone-00000001", 0, 99)]))
        await place.sequencer.start()
        assert place.reader.marks() == {}

    attempt(trial)


def test_an_entry_that_is_in_the_log_already_is_damage(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        await place.writer.commit(entries(entry("ent_1")))
        place.dead("a-00000001", ("ent_1",))
        with pytest.raises(Damaged):
            await place.sequencer.fold()
        assert place.ids() == ["ent_1"]

    attempt(trial)


def test_a_place_moves_only_from_where_it_stands(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        for mark in (Mark("x", 0, 5), Mark("x", 5, 9)):
            await place.writer.commit(Batch(domain="journal", marks=[mark]))
        for mark in (Mark("x", 0, 5), Mark("x", 5, 0), Mark("y", 1, 2)):
            with pytest.raises(Conflict):
                await place.writer.commit(Batch(domain="journal", entries=[entry("ent_1")], marks=[mark]))
        assert place.reader.marks() == {"x": 9}
        assert place.ids() == []

    attempt(trial)


def test_it_goes_on_by_itself(attempt: Callable[[Trial], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_fold, "EVERY", 0.001)

    async def trial(place: Place) -> None:
        await place.sequencer.start()
        journal = SegmentJournal(place.folder, place.sequencer.fold, SegmentLimits(size=1, pace=0))
        for number in range(3):
            await journal.append(entry(f"ent_{number}"), A, "class_a")
        while len(place.ids()) < 3:  # noqa: ASYNC110 - another thread's work is looked at
            await asyncio.sleep(0.001)
        damage(place.dead("z-00000001", ("ent_9",)), 3)
        while not place.told:  # noqa: ASYNC110 - nobody else can say it
            await asyncio.sleep(0.001)
        journal.close()

    attempt(lambda place: asyncio.wait_for(trial(place), 30))


def test_what_is_left_can_be_read_without_folding(attempt: Callable[[Trial], None]) -> None:
    async def trial(place: Place) -> None:
        await place.writer.commit(entries(entry("ent_0"), entry("ent_1")))
        live = place.segment("a-00000001", ("ent_2",))
        await place.sequencer.fold()
        row = entry("ent_3")
        live.append([record(Said("class_a", row.log, row.id, row.leaf, row.sealed))])
        live.release()
        place.dead("a-00000002", ("ent_4", "ent_5"))
        torn = place.dead("b-00000001", ("ent_6",))
        os.truncate(torn, torn.stat().st_size - 1)
        whole = WithLeftovers(SqliteReader(place.path), place.folder)
        assert whole.left("class_a") == 3
        assert whole.left("class_b") == 0
        before = {
            (start, stop): (
                [(each.seq, each.id, each.leaf) for each in whole.entries("class_a", start, stop)],
                whole.leaves("class_a", start, stop),
            )
            for start in range(8)
            for stop in range(start, 9)
        }
        found = whole.entry("ent_5")
        assert found is not None
        assert (found[0], found[1].seq) == ("class_a", 5)
        known = whole.entry("ent_0")
        assert known is not None
        assert known[1].seq == 0
        assert whole.entry("none") is None
        assert (whole.sizes(), list(whole.classes())) == ({"class_a": 6}, [A])
        assert whole.get("x", "y", ["class_a"]) == []
        assert whole.scan("x", [], ["class_a"], None, 5) == ([], None)
        assert whole.children("class_a", "x", "y", ["class_a"]) == []
        assert whole.expired(1 << 60, ["class_a"], 5) == []
        whole.close()
        assert place.ids() == ["ent_0", "ent_1", "ent_2"]  # nothing was written
        await place.sequencer.fold()
        reader = place.reader
        for (start, stop), (rows, leaves) in before.items():
            assert [(each.seq, each.id, each.leaf) for each in reader.entries("class_a", start, stop)] == rows
            assert reader.leaves("class_a", start, stop) == leaves

    attempt(trial)
