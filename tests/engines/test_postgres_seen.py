"""Row-level security, the second belt: the reader's role sees what a question names, else nothing at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from casemate.engines.postgres import PostgresLimits, PostgresWriter
from casemate.engines.postgres_link import Failed, Target
from casemate.engines.postgres_read import PostgresReader
from casemate.engines.postgres_schema import MIGRATIONS, migrate, open_reader, open_writer
from casemate.errors import Damaged, Misconfigured, NewerSchema, Unavailable
from casemate.store import Batch, ClassRow
from tests.contracts.stores import entry, put
from tests.engines.postgres_server import impatient, shared

TABLES = ("rows", "places", "blinds", "parents", "tides", "entries", "contents")


@pytest.fixture
def target() -> Iterator[Target]:
    """Two classes, each with something in every table."""
    with shared().lent() as lent:
        writer = PostgresWriter(lent, PostgresLimits(lock=0.0))
        for class_id in ("low", "high"):
            row = put("doc", class_id, blinds=[("name", b"x")], parents=[("low", "source", "src")])
            said = entry(f"ent_{class_id}", class_id, b"said", 5)
            batch = Batch(domain=class_id, key="k", puts=[row], entries=[said], classes=[ClassRow(class_id, b"l")])
            asyncio.run(writer.commit(batch))
        writer.close()
        yield impatient(lent)


@pytest.mark.parametrize("table", TABLES)
def test_a_query_that_forgets_to_name_classes_sees_nothing(target: Target, table: str) -> None:
    link = open_reader(target)
    column = {"parents": "child_class", "entries": "log", "contents": "log"}.get(table, "class_id")
    assert link.run(f"SELECT {column} FROM {table}") == []
    link.run("BEGIN; SELECT set_config('casemate.classes', '{low}', true)")
    assert link.run(f"SELECT {column} FROM {table}") == [("low",)]
    link.run("COMMIT")
    assert link.run(f"SELECT {column} FROM {table}") == []
    link.close()


def test_what_one_question_named_is_not_seen_by_the_next(target: Target) -> None:
    reader = PostgresReader(target)
    assert [row.class_id for row in reader.get("document", "doc", ["low", "high"])] == ["low", "high"]
    assert reader._linked().run("SELECT class_id FROM rows") == []
    assert reader.get("document", "doc", []) == []
    assert reader.children("low", "source", "src", ["low"])[0].class_id == "low"
    assert reader.scan("document", [("name", b"x")], ["low"], None, 9)[0][0].class_id == "low"
    assert reader._linked().run("SELECT class_id FROM rows") == []
    reader.close()


def test_the_reader_writes_nothing_and_sees_no_key(target: Target) -> None:
    link = open_reader(target)
    for sql in (
        "DELETE FROM rows",
        "UPDATE meta SET value = '9' WHERE name = 'epoch'",
        "INSERT INTO classes VALUES ('x', '')",
        "SELECT * FROM keys",
        "ALTER TABLE rows DISABLE ROW LEVEL SECURITY",
        "DROP POLICY seen ON rows",
        "SELECT put_row('low', 'document', 'doc', '', '', -1)",
    ):
        with pytest.raises(Failed):
            link.run(f"SET default_transaction_read_only = off; {sql}")
    link.close()


def test_a_role_that_no_policy_binds_is_no_reader(target: Target) -> None:
    with pytest.raises(Misconfigured):
        open_reader(replace(target, reader=target.user))
    server = shared()
    server.run("CREATE ROLE sees_all LOGIN BYPASSRLS; GRANT casemate_reader TO sees_all")
    try:
        with pytest.raises(Misconfigured):
            open_reader(replace(target, reader="sees_all"))
    finally:
        server.run("DROP ROLE sees_all")


def test_a_reader_comes_back_after_its_connection_was_ended(target: Target) -> None:
    reader = PostgresReader(target)
    ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{target.dbname}'"
    shared().run(ending)
    assert len(reader.get("document", "doc", ["low"])) == 1
    reader.close()
    with pytest.raises(Unavailable):
        reader.get("document", "doc", ["low"])


def test_each_thread_has_a_connection_of_its_own(target: Target) -> None:
    reader = PostgresReader(target)
    seen: list[int] = []

    def ask() -> None:
        seen.extend(len(reader.get("document", "doc", ["low", "high"])) for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [2] * 200
    reader.close()


def test_migrations_go_forward_all_or_nothing_and_a_later_schema_is_refused() -> None:
    server = shared()
    target = server.database()
    with pytest.raises(Unavailable):
        open_reader(target)
    old = ("CREATE TABLE things (name text)",)
    open_writer(target, old).close()
    more = (*old, "ALTER TABLE things ADD COLUMN size int8 DEFAULT 7")
    with pytest.raises(Misconfigured):
        open_writer(target, (*more, "nonsense"))
    killed = (*more, "SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(Unavailable):
        open_writer(target, killed)
    assert server.run("SELECT value FROM casemate.meta WHERE name = 'schema'", target.dbname) == [("1",)]
    link = open_writer(target, more)
    assert link.run("SELECT column_default FROM information_schema.columns WHERE column_name = 'size'") == [("7",)]
    link.close()
    with pytest.raises(NewerSchema):
        open_writer(target, old)
    server.run("UPDATE casemate.meta SET value = 'x' WHERE name = 'schema'", target.dbname)
    with pytest.raises(Damaged):
        open_writer(target, more)
    server.drop(target)


def test_a_reader_refuses_a_newer_schema(target: Target) -> None:
    server = shared()
    server.run(f"UPDATE casemate.meta SET value = '{len(MIGRATIONS) + 1}' WHERE name = 'schema'", target.dbname)
    try:
        with pytest.raises(NewerSchema):
            open_reader(target)
    finally:
        server.run(f"UPDATE casemate.meta SET value = '{len(MIGRATIONS)}' WHERE name = 'schema'", target.dbname)


def test_a_dry_run_leaves_nothing() -> None:
    server = shared()
    target = server.database()
    link = open_writer(target, ())
    migrate(link, target.reader, MIGRATIONS, keep=False)
    assert link.run("SELECT to_regclass('casemate.rows') IS NULL") == [("t",)]
    link.close()
    server.drop(target)
