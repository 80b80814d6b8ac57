"""What each class takes is counted from the day on which a store is first opened, and can be made again at any time."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from casemate.engines.move import Side, Table, carry, sums
from casemate.engines.postgres import PostgresWriter
from casemate.engines.postgres_link import Link
from casemate.engines.postgres_move import PostgresSide
from casemate.engines.postgres_read import PostgresReader
from casemate.engines.postgres_schema import migrate, open_reader
from casemate.engines.segment_left import WithLeftovers
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_move import SqliteSide
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.sqlite_schema import MIGRATIONS, open_writer
from casemate.errors import Damaged
from casemate.store import Batch, Committer, Forget, Reader, RowDelete
from tests.contracts.stores import entry, put, puts
from tests.engines.postgres_server import shared

FIRST = (Path(__file__).with_name("postgres_first.sql")).read_text()
OLD = """
INSERT INTO rows ({place}class_id, kind, id, version, seq, digest, sealed) VALUES
    ({pk[0]}'class_a', 'document', 'one', 1, 1, {leaf}, {bytes}),
    ({pk[1]}'class_b', 'document', 'one', 1, 1, {leaf}, {bytes});
INSERT INTO entries VALUES ('class_a', 0, 'ent', {leaf}, {bytes}), ('class_c', 0, 'ent', {leaf}, {bytes});
INSERT INTO contents VALUES ('class_a', 0, 0, {bytes});
INSERT INTO logs VALUES ('class_a', 1), ('class_c', 1);
INSERT INTO places VALUES ('class_a', 'document', 2), ('class_b', 'document', 2);
"""
USED = {"class_a": 2 * 256 + 3 * 8, "class_b": 256 + 8, "class_c": 256 + 8, "class_d": 0}


def still(_done: int) -> None:
    return


async def on(committer: Committer, reader: Reader) -> None:
    """What lay there is counted, and counting goes on from there."""
    assert {each: reader.used(each) for each in USED} == USED
    await committer.commit(
        Batch("class_a", deletes=[RowDelete("class_a", "document", "one")], forgets=[Forget("class_a", 0)])
    )
    await committer.commit(puts(put("two", "class_b", sealed=b"x" * 44)))
    assert [reader.used(each) for each in ("class_a", "class_b")] == [256 + 8, 2 * 256 + 8 + 44]


def test_a_file_of_before_is_counted_as_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    with closing(open_writer(path, migrations=MIGRATIONS[:3])) as db:
        db.execute(OLD.format(place="pk, ", pk=("1, ", "2, "), leaf="zeroblob(48)", bytes="zeroblob(8)"))
    with closing(SqliteWriter(path, Limits(low_water=0, ballast=0))) as writer, closing(SqliteReader(path)) as reader:
        asyncio.run(on(writer, reader))


def test_a_database_of_before_is_counted_as_it_is_opened() -> None:
    server = shared()
    target = server.database()
    with closing(Link(target, target.user, "")) as link:
        migrate(link, target.reader, (FIRST,))
        zero = "decode(repeat('00', {}), 'hex')"
        link.run(OLD.format(place="", pk=("", ""), leaf=zero.format(48), bytes=zero.format(8)))
    with closing(PostgresWriter(target)) as writer, closing(PostgresReader(target)) as reader:
        asyncio.run(on(writer, reader))
    server.drop(target)


def test_a_query_that_names_no_class_sees_no_use() -> None:
    with shared().lent() as target:
        with closing(PostgresWriter(target)) as writer:
            asyncio.run(writer.commit(puts(put("one"), put("one", "class_b"))))
        with closing(open_reader(target)) as link:
            assert link.run("SELECT * FROM uses") == []
        with closing(PostgresReader(target)) as reader:
            assert (reader.used("class_a"), reader.used("class_c")) == (256 + 6, 0)
            assert reader._linked().run("SELECT * FROM uses") == []


def test_a_count_that_drifted_is_named_and_made_again(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    with closing(SqliteWriter(path, Limits(low_water=0, ballast=0))) as writer:
        asyncio.run(writer.commit(Batch("class_a", puts=[put("one")], entries=[entry("e", "class_b", b"said")])))
    with shared().lent() as target, closing(SqliteSide(path)) as file, closing(PostgresSide(target)) as server:
        carry(file, server, still)
        server.end()
        assert sums(file, still) == sums(server, still)
        server._run("UPDATE uses SET used = used + 1 WHERE class_id = 'class_b'")
        named(server, "the count of class_b (269 bytes, 268 lie there; --recount makes it again)")
        server.recount()
        assert sums(server, still) == sums(file, still)
    with closing(SqliteSide(path, changes=True)) as file:
        file._db.execute("DELETE FROM uses WHERE class_id = 'class_a'")
        named(file, "the count of class_a (0 bytes, 262 lie there; --recount makes it again)")
        file._db.execute("INSERT INTO uses VALUES ('class_z', 7)")
        file.recount()
        sums(file, still)
        assert [row for row in file.rows(USES, None) if row[1]] == [("class_a", 262), ("class_b", 268)]


def named(side: Side, what: str) -> None:
    with pytest.raises(Damaged) as told:
        sums(side, still)
    assert told.value.facts["what"] == what


USES = Table("uses", ("class_id", "used"), "ti", 1)


def test_a_commit_that_fails_leaves_no_count_behind(tmp_path: Path) -> None:
    """Neither in the file, nor with the writer that goes on."""
    path = tmp_path / "records.db"
    with closing(SqliteWriter(path, Limits(low_water=0, ballast=0), durable=False)) as writer:
        asyncio.run(writer.commit(puts(put("one"))))
        writer._begin()
        writer._one(puts(put("two")))
        writer._undo()
        asyncio.run(writer.commit(puts(put("three"))))
        with closing(SqliteReader(path)) as reader:
            assert reader.used("class_a") == 2 * (256 + 6)
            assert WithLeftovers(reader, tmp_path).used("class_a") == reader.used("class_a")
    with closing(SqliteSide(path)) as side:
        sums(side, still)
