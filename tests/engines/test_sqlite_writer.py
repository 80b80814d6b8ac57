"""The writer when something goes wrong: full and failing disks, full queues, a second writer, a closed loop."""

from __future__ import annotations

import asyncio
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from casemate.engines import sqlite as engine
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_apply import apply as applied
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.sqlite_uses import Uses
from casemate.errors import CasemateError, Conflict, Internal, Occupied, StorageFull, Unavailable
from casemate.store import Batch, Receipt, RowDelete, check
from tests.contracts.stores import entries, entry, put, puts

SMALL = Limits(low_water=1000, ballast=8192)
BIG = b"x" * 400_000


class Disk:
    """A disk with as much room as the test says."""

    def __init__(self, left: int = 1 << 40) -> None:
        self.left = left

    def __call__(self) -> int:
        return self.left


@contextmanager
def writing(tmp_path: Path, disk: Disk | None = None, limits: Limits = SMALL) -> Iterator[SqliteWriter]:
    writer = SqliteWriter(tmp_path / "records.db", limits, durable=False, free=disk or Disk())
    try:
        yield writer
    finally:
        writer.close()


def told(writer: SqliteWriter, *batches: Batch) -> list[Any]:
    """What became of batches that were handed in together."""

    async def all_of_them() -> list[Any]:
        with held(writer):
            works = [asyncio.ensure_future(writer.commit(batch)) for batch in batches]
            await asyncio.sleep(0)
        return await asyncio.gather(*works, return_exceptions=True)

    return asyncio.run(all_of_them())


@contextmanager
def held(writer: SqliteWriter) -> Iterator[None]:
    """The writer's thread takes no group while this lasts: what is offered meanwhile is one group."""
    with writer._wake:
        yield


def kinds(outcomes: list[Any]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def test_below_the_low_water_mark_new_objects_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    disk = Disk()
    with writing(tmp_path, disk) as writer:
        assert kinds(told(writer, puts(put("doc_1")))) == [Receipt]
        disk.left = 999
        delete = Batch(domain="class_a", deletes=[RowDelete("class_a", "document", "doc_1")])
        outcomes = told(writer, puts(put("doc_2")), entries(entry("ent_1")), delete)
        assert kinds(outcomes) == [StorageFull, Receipt, Receipt]
        reader = SqliteReader(writer.path)
        assert reader.get("document", "doc_1", ["class_a"]) == []
        disk.left = 1 << 40
        assert kinds(told(writer, puts(put("doc_2")))) == [Receipt]


def pages(writer: SqliteWriter, spare: int) -> None:
    """A full disk, for SQLite: no page more than `spare`."""
    used = writer._db.execute("PRAGMA page_count").get
    writer._db.execute(f"PRAGMA max_page_count = {used + spare}")


def test_a_full_disk_fails_the_batch_that_fills_it_and_no_other_of_its_group(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        told(writer, puts(put("doc_1")))
        pages(writer, 20)
        outcomes = told(
            writer,
            entries(entry("ent_1")),
            puts(put("doc_2", sealed=BIG)),
            puts(put("doc_1", expect=9)),
            puts(put("d")),
        )
        assert kinds(outcomes) == [Receipt, StorageFull, Conflict, Receipt]
        reader = SqliteReader(writer.path)
        assert reader.get("document", "doc_2", ["class_a"]) == []
        assert [check(row).id for row in reader.scan("document", [], ["class_a"], None, 9)[0]] == ["doc_1", "d"]
        assert not writer.broken
        assert (tmp_path / "ballast").exists()


def test_on_a_full_disk_the_ballast_goes_so_that_records_and_deletes_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(tmp_path) as writer:
        told(writer, puts(put("doc_1", sealed=BIG)))
        drop = writer._room.drop

        def drop_and_make_room() -> bool:
            writer._db.execute("PRAGMA max_page_count = 1000000")
            return drop()

        monkeypatch.setattr(writer._room, "drop", drop_and_make_room)
        pages(writer, 0)
        assert kinds(told(writer, entries(entry("ent_1", content=BIG)))) == [Receipt]
        assert not (tmp_path / "ballast").exists()


def test_when_the_ballast_is_gone_too_it_says_full_and_lives_on(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        told(writer, puts(put("doc_1")))
        pages(writer, 0)
        assert kinds(told(writer, entries(entry("ent_1", content=BIG)))) == [StorageFull]
        writer._db.execute("PRAGMA max_page_count = 1000000")
        assert kinds(told(writer, entries(entry("ent_1", content=BIG)))) == [Receipt]


def test_after_a_failed_write_nothing_more_is_promised_until_a_restart(tmp_path: Path) -> None:
    """A limit on file sizes makes the kernel refuse the write, as a failing disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with writing(tmp_path) as writer:
        told(writer, puts(put("doc_1")))
        wal = tmp_path / "records.db-wal"
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 10_000, before[1]))
        try:
            outcomes = told(writer, puts(put("doc_2", sealed=BIG)), entries(entry("ent_1")))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert kinds(outcomes) == [Unavailable, Unavailable]
        assert writer.broken
        assert kinds(told(writer, puts(put("doc_3")))) == [Unavailable]
    with writing(tmp_path) as writer:
        assert kinds(told(writer, puts(put("doc_3")))) == [Receipt]
        reader = SqliteReader(writer.path)
        assert [check(row).id for row in reader.scan("document", [], ["class_a"], None, 9)[0]] == ["doc_1", "doc_3"]


def failing(monkeypatch: pytest.MonkeyPatch, failures: dict[str, BaseException]) -> None:
    """Batches of these keys fail in this way while they are written."""
    real = applied

    def apply(db: apsw.Cursor, batch: Batch, uses: Uses) -> Receipt:
        if batch.key in failures:
            raise failures[batch.key]
        return real(db, batch, uses)

    monkeypatch.setattr(engine, "apply", apply)


def test_a_defect_in_one_batch_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(tmp_path) as writer:
        failing(monkeypatch, {"type": TypeError(), "constraint": apsw.ConstraintError()})
        outcomes = told(writer, puts(put("1"), key="type"), puts(put("2"), key="constraint"), puts(put("3")))
        assert kinds(outcomes) == [Internal, Conflict, Receipt]


def test_what_stops_a_group_is_tried_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(tmp_path) as writer:
        failing(monkeypatch, {"busy": apsw.BusyError()})
        assert kinds(told(writer, puts(put("1")), puts(put("2"), key="busy"), puts(put("3")))) == [
            Receipt,
            Unavailable,
            Receipt,
        ]
        assert not writer.broken


def test_a_disk_that_fails_while_batches_are_tried_alone_breaks_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(tmp_path) as writer:
        real, seen = applied, []

        def apply(db: apsw.Cursor, batch: Batch, uses: Uses) -> Receipt:
            seen.append(batch.key)
            if batch.key == "bad":
                raise apsw.BusyError if seen.count("bad") == 1 else apsw.IOError
            return real(db, batch, uses)

        monkeypatch.setattr(engine, "apply", apply)
        outcomes = told(writer, puts(put("1")), puts(put("2"), key="bad"), puts(put("3")))
        assert kinds(outcomes) == [Receipt, Unavailable, Unavailable]
        assert writer.broken


def test_what_nobody_foresaw_leaves_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(tmp_path) as writer:
        failing(monkeypatch, {"odd": RuntimeError()})
        assert kinds(told(writer, puts(put("1"), key="odd"), puts(put("2")))) == [Unavailable, Unavailable]
        assert writer.broken


def test_a_full_queue_refuses_its_domain_and_leaves_others_their_share(tmp_path: Path) -> None:
    limits = Limits(bound=3, share=1, low_water=0, ballast=0)
    with writing(tmp_path, limits=limits) as writer:
        high = [entries(entry(f"h{number}", "high"), domain="high") for number in range(5)]
        low = entries(entry("l", "low"), domain="low")
        assert kinds(told(writer, *high, low)) == [Receipt, Receipt, Receipt, Unavailable, Unavailable, Receipt]


def test_a_second_writer_is_refused_and_may_follow(tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(Occupied):
        SqliteWriter(tmp_path / "records.db", SMALL, durable=False)
    with writing(tmp_path) as writer:
        assert kinds(told(writer, puts(put("1")))) == [Receipt]


def test_a_writer_that_cannot_open_its_store_lets_go_of_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(CasemateError):
        SqliteWriter(path, SMALL, durable=False)
    path.unlink()
    with writing(tmp_path) as writer:
        assert kinds(told(writer, puts(put("1")))) == [Receipt]


def test_closing_writes_what_waits_and_refuses_what_comes_after(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "records.db", SMALL, durable=False)

    async def close_while_waiting() -> list[Any]:
        with held(writer):
            works = [asyncio.ensure_future(writer.commit(entries(entry(f"{number}")))) for number in range(9)]
            await asyncio.sleep(0)
        await asyncio.to_thread(writer.close)
        with pytest.raises(Unavailable):
            await writer.commit(entries(entry("late")))
        return await asyncio.gather(*works)

    receipts = asyncio.run(close_while_waiting())
    assert [receipt.entries for receipt in receipts] == [(("class_a", number),) for number in range(9)]
    writer.close()


def test_a_client_that_no_longer_waits_stops_nobody(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:

        async def give_up() -> None:
            with held(writer):
                work = asyncio.ensure_future(writer.commit(entries(entry("1"))))
                await asyncio.sleep(0)
                work.cancel()
                await asyncio.sleep(0)
            assert (await writer.commit(entries(entry("2")))).entries == (("class_a", 1),)

        asyncio.run(give_up())


def test_a_loop_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        loop = asyncio.new_event_loop()
        with held(writer):
            work = loop.create_task(writer.commit(entries(entry("1"))))
            loop.run_until_complete(asyncio.sleep(0))
            work.cancel()
            loop.run_until_complete(asyncio.gather(work, return_exceptions=True))
            loop.close()
        outcome = told(writer, entries(entry("2")))[0]
        assert outcome.entries == (("class_a", 1),)


def test_a_reader_sees_whole_batches_alone_while_the_writer_writes(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        reader = SqliteReader(writer.path)
        stop, halves = threading.Event(), []

        def watch() -> None:
            while not stop.is_set():
                leaves = len(reader.leaves("class_a", 0, 1 << 40))
                if leaves % 3:
                    halves.append(leaves)

        watching = threading.Thread(target=watch)
        watching.start()
        for turn in range(40):
            told(writer, entries(*(entry(f"{turn}_{number}") for number in range(3))))
        stop.set()
        watching.join()
        reader.close()
        assert halves == []


def test_entries_of_one_batch_stand_in_their_order_in_each_log_and_a_double_is_named(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        mixed = [
            entry("ent_1", content=b"said"),
            entry("ent_2", log="class_b"),
            entry("ent_3"),
            entry("ent_4", log="class_b"),
        ]
        later, double = entries(entry("ent_5")), entries(entry("ent_6"), entry("ent_3"), entry("ent_7"))
        first, last, refused, after = told(writer, entries(*mixed), later, double, entries(entry("ent_6")))
        assert first.entries == (("class_a", 0), ("class_b", 0), ("class_a", 1), ("class_b", 1))
        assert last.entries == (("class_a", 2),)
        assert isinstance(refused, Conflict)
        assert refused.facts == {"what": "entry ent_3"}
        assert after.entries == (("class_a", 3),)
        reader = SqliteReader(writer.path)
        said = [(each.id, each.content) for each in reader.entries("class_a", 0, 2)]
        assert said == [("ent_1", b"said"), ("ent_3", b"")]
        assert reader.sizes() == {"class_a": 4, "class_b": 2}
