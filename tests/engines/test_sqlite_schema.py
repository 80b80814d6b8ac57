from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from casemate.engines import sqlite_schema
from casemate.engines.sqlite_schema import MIGRATIONS, open_reader, open_writer
from casemate.errors import Damaged, Misconfigured, NewerSchema, Unavailable


def test_a_durable_store_syncs_every_commit_in_wal_mode(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "records.db")
    assert db.execute("PRAGMA synchronous").get == 2
    assert db.execute("PRAGMA journal_mode").get == "wal"
    assert db.execute("SELECT value FROM meta WHERE name = 'durability'").get == "full"


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        db = open_writer(tmp_path / "records.db")
        assert db.execute("SELECT value FROM meta WHERE name = 'schema'").get == str(len(MIGRATIONS))
        db.close()


def test_a_pragma_that_does_not_take_is_refused(tmp_path: Path) -> None:
    """A store in memory cannot have a WAL: SQLite says nothing, the reading back does."""
    db = apsw.Connection(":memory:")
    with pytest.raises(Misconfigured) as caught:
        sqlite_schema._demand(db, "journal_mode", "WAL", "wal")
    assert caught.value.facts["setting"] == "journal_mode"


def test_undurable_is_refused_outside_a_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    with pytest.raises(Misconfigured):
        open_writer(tmp_path / "records.db", durable=False)
    assert not (tmp_path / "records.db").exists()


@pytest.mark.parametrize("first", [True, False])
def test_a_store_is_never_reopened_with_the_other_durability(tmp_path: Path, first: bool) -> None:
    open_writer(tmp_path / "records.db", durable=first).close()
    with pytest.raises(Misconfigured):
        open_writer(tmp_path / "records.db", durable=not first)
    open_writer(tmp_path / "records.db", durable=first).close()


def test_migrations_go_forward_and_keep_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    old = ("CREATE TABLE things (name TEXT)",)
    db = open_writer(path, migrations=old)
    db.execute("INSERT INTO things VALUES ('kept')")
    db.close()
    db = open_writer(path, migrations=(*old, "ALTER TABLE things ADD COLUMN size INTEGER DEFAULT 7"))
    assert db.execute("SELECT name, size FROM things").fetchall() == [("kept", 7)]
    db.close()
    with pytest.raises(NewerSchema) as caught:
        open_writer(path, migrations=old)
    assert caught.value.facts == {"found": 2, "known": 1}


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    open_writer(path).close()
    with pytest.raises(Unavailable):
        open_writer(path, migrations=(*MIGRATIONS, "CREATE TABLE extra (x)", "nonsense"))
    db = open_writer(path)
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").get == 0


def test_a_reader_refuses_a_newer_store_and_waits_for_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    with pytest.raises(Unavailable):
        open_reader(path)
    open_writer(path, migrations=()).close()
    with pytest.raises(Unavailable):
        open_reader(path)
    open_writer(path, migrations=(*MIGRATIONS, "CREATE TABLE later (x)")).close()
    with pytest.raises(NewerSchema):
        open_reader(path)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_writer(tmp_path / "records.db").close()
    db = open_reader(tmp_path / "records.db")
    with pytest.raises(apsw.ReadOnlyError):
        db.execute("DELETE FROM rows")


def test_an_empty_file_has_no_schema_yet(tmp_path: Path) -> None:
    (tmp_path / "records.db").touch()
    with pytest.raises(Unavailable):
        open_reader(tmp_path / "records.db")


def test_a_file_that_is_no_store_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    for attempt in (open_writer, open_reader):
        with pytest.raises(Damaged):
            attempt(path)


def test_a_schema_version_that_is_no_number_is_damaged(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "records.db")
    db.execute("UPDATE meta SET value = 'x' WHERE name = 'schema'")
    db.close()
    for attempt in (open_writer, open_reader):
        with pytest.raises(Damaged):
            attempt(tmp_path / "records.db")
