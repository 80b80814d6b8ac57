"""Records carried to PostgreSQL and back: the same rows, in the same order, to the last byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from casemate.engines.move import TABLES, carry, stamp, sums
from casemate.engines.postgres import PostgresWriter
from casemate.engines.postgres_link import Target
from casemate.engines.postgres_move import PostgresSide
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_move import SqliteSide
from casemate.engines.sqlite_schema import open_writer
from casemate.errors import Damaged, Misconfigured, Occupied
from casemate.store import Batch, ClassRow, Forget, Mark, RowDelete
from tests.contracts.stores import entry, put
from tests.engines.postgres_server import shared


def still(done: int) -> None:
    del done


def filled(path: Path, rows: int = 40) -> None:
    """A store in which every table holds something."""
    writer = SqliteWriter(path, Limits(low_water=0, ballast=0), durable=False)

    async def fill() -> None:
        for number in range(rows):
            class_id = f"class_{number % 3}"
            name = f"doc_{number} é\u00e9\U0001f512"
            parents = [("class_0", "source", f"src_{number % 5}")]
            row = put(
                name, class_id, sealed=bytes([number]) * number, blinds=[("name", bytes([number]))], parents=parents
            )
            await writer.commit(
                Batch(
                    domain=class_id,
                    key=f"key {number}" if number % 2 else "",
                    puts=[row],
                    entries=[entry(f"ent_{number}", class_id, b"said" if number % 4 else b"", number)],
                    classes=[ClassRow(class_id, b"label")],
                    marks=[Mark(f"segment-{number}", 0, 1 << 40)],
                )
            )
        await writer.commit(
            Batch(domain="class_0", deletes=[RowDelete("class_0", "document", "doc_0 é\u00e9\U0001f512")])
        )
        await writer.commit(Batch(domain="class_0", key="empty", forgets=[Forget("class_1", 0)]))

    asyncio.run(fill())
    writer.close()


@pytest.fixture
def target() -> Iterator[Target]:
    with shared().lent() as lent:
        yield lent


def test_every_table_of_both_engines_is_carried(tmp_path: Path, target: Target) -> None:
    with open_writer(tmp_path / "records.db") as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert names == {table.name for table in TABLES} | {"meta"}
    side = PostgresSide(target)
    found = {name for (name,) in side._run("SELECT tablename FROM pg_tables WHERE schemaname = 'casemate'")}
    side.close()
    assert found == names


def test_there_and_back_is_the_same(tmp_path: Path, target: Target) -> None:
    filled(tmp_path / "records.db")
    first = SqliteSide(tmp_path / "records.db")
    wanted = sums(first, still)
    assert all(each.count for each in wanted)
    there = PostgresSide(target)
    carry(first, there, still)
    assert sums(there, still) == wanted
    there.end()
    back = SqliteSide(tmp_path / "again.db", new=True)
    carry(there, back, still)
    back.end()
    assert sums(back, still) == wanted
    assert stamp(back) == stamp(first) == stamp(there)
    for side in (first, there, back):
        side.close()


class Cut(Exception):
    pass


@pytest.mark.parametrize("after", [1, 30, 77])
def test_a_move_that_was_cut_off_goes_on_where_it_stood(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("casemate.engines.move.CHUNK", 7)
    filled(tmp_path / "records.db")
    first, there = SqliteSide(tmp_path / "records.db"), PostgresSide(target)

    def cut(done: int) -> None:
        if done >= after:
            raise Cut

    with pytest.raises(Cut):
        carry(first, there, cut)
    there.close()
    with pytest.raises(Misconfigured):
        PostgresWriter(target)
    there = PostgresSide(target)
    arrived: list[int] = []
    carry(first, there, arrived.append)
    assert arrived[0] > after
    assert sums(there, still) == sums(first, still)
    first.close()
    there.close()


def test_a_part_of_an_older_state_is_begun_anew_and_another_regions_records_are_left_alone(
    tmp_path: Path, target: Target
) -> None:
    filled(tmp_path / "one.db", 10)
    filled(tmp_path / "two.db", 12)
    one, two, there = SqliteSide(tmp_path / "one.db"), SqliteSide(tmp_path / "two.db"), PostgresSide(target)
    carry(one, there, still)
    carry(two, there, still)
    assert sums(there, still) == sums(two, still)
    there.end()
    with pytest.raises(Occupied):
        carry(one, there, still)
    assert sums(there, still) == sums(two, still)
    for side in (one, two, there):
        side.close()


def test_one_changed_bit_is_a_difference(tmp_path: Path, target: Target) -> None:
    filled(tmp_path / "records.db")
    first, there = SqliteSide(tmp_path / "records.db"), PostgresSide(target)
    carry(first, there, still)
    there._run(
        "UPDATE contents SET content = set_bit(content, 3, 1 - get_bit(content, 3)) WHERE log = 'class_1' AND seq = 2"
    )
    differ = [a.table for a, b in zip(sums(first, still), sums(there, still), strict=True) if a != b]
    assert differ == ["contents"]
    there._run("UPDATE rows SET version = version + 1 WHERE class_id = 'class_1' AND seq = 2")
    with pytest.raises(Damaged) as caught:
        sums(there, still)
    assert caught.value.facts == {"what": "row document 2 of class_1"}
    first.close()
    there.close()


def test_a_damaged_row_does_not_move_unseen(tmp_path: Path) -> None:
    filled(tmp_path / "records.db")
    db = apsw.Connection(str(tmp_path / "records.db"))
    db.execute("UPDATE rows SET sealed = x'00' WHERE class_id = 'class_2' AND seq = 3")
    db.close()
    side = SqliteSide(tmp_path / "records.db")
    with pytest.raises(Damaged):
        sums(side, still)
    side.close()
