"""The writer on PostgreSQL when something goes wrong: another writer, lost connections, a full disk, strange values."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from casemate.engines.postgres import PostgresLimits, PostgresWriter
from casemate.engines.postgres_link import Target
from casemate.engines.postgres_read import PostgresReader
from casemate.engines.postgres_schema import open_writer
from casemate.errors import BadInput, Conflict, Misconfigured, Occupied, StorageFull, TooLarge, Unavailable
from casemate.store import Batch, Receipt, check
from tests.contracts.stores import entries, entry, put, puts
from tests.engines.postgres_server import gone, impatient, made, shared


@pytest.fixture
def target() -> Iterator[Target]:
    with shared().lent() as lent:
        yield impatient(lent)


@contextmanager
def writing(target: Target, limits: PostgresLimits | None = None) -> Iterator[PostgresWriter]:
    writer = PostgresWriter(target, limits or PostgresLimits(lock=0.0))
    try:
        yield writer
    finally:
        writer.close()


def told(writer: PostgresWriter, *batches: Batch) -> list[Any]:
    """What became of batches that were handed in together."""

    async def all_of_them() -> list[Any]:
        with writer._wake:
            works = [asyncio.ensure_future(writer.commit(batch)) for batch in batches]
            await asyncio.sleep(0)
        return await asyncio.gather(*works, return_exceptions=True)

    return asyncio.run(all_of_them())


def kinds(outcomes: list[Any]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def stored(target: Target) -> list[str]:
    reader = PostgresReader(target)
    rows, _ = reader.scan("document", [], ["class_a"], None, 99)
    reader.close()
    return [check(row).id for row in rows]


def cut(target: Target) -> None:
    """The server ends every session in that database; they are gone, and their locks, when this returns."""
    shared().run(f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{target.dbname}'")


def test_a_second_writer_is_refused_and_may_follow(target: Target) -> None:
    with writing(target), pytest.raises(Occupied):
        PostgresWriter(target, PostgresLimits(lock=0.2))
    with writing(target) as writer:
        assert kinds(told(writer, puts(put("1")))) == [Receipt]


def test_a_lost_connection_is_found_again_and_who_was_cut_off_is_told(target: Target) -> None:
    with writing(target) as writer:
        assert kinds(told(writer, puts(put("1"), key="a"))) == [Receipt]
        cut(target)
        outcomes = told(writer, puts(put("2"), key="b"))
        if kinds(outcomes) == [Unavailable]:  # it may or may not have landed: the same key says
            outcomes = told(writer, puts(put("2"), key="b"))
        assert kinds(outcomes) == [Receipt]
        assert not writer.broken
    assert stored(target) == ["1", "2"]


def test_a_writer_that_lost_its_lock_to_another_never_writes_again(target: Target) -> None:
    with writing(target) as first:
        told(first, puts(put("1")))
        cut(target)
        with writing(target) as second:
            told(second, puts(put("2")))
            assert kinds(told(first, puts(put("3")))) == [Unavailable]
        assert kinds(told(first, puts(put("3")))) == [Unavailable]
        assert kinds(told(first, puts(put("3")))) == [Unavailable]
        assert first.broken
    assert stored(target) == ["1", "2"]


def test_a_lock_that_went_unnoticed_does_not_let_an_old_writer_write(target: Target) -> None:
    """As behind a proxy that lends one connection to many: the server itself refuses the older number."""
    with writing(target) as first:
        assert first._link is not None
        first._link.run("SELECT pg_advisory_unlock_all()")
        with writing(target) as second:
            assert kinds(told(second, puts(put("2")))) == [Receipt]
            assert kinds(told(first, puts(put("1")))) == [Unavailable]
            assert first.broken
            assert kinds(told(second, puts(put("3")))) == [Receipt]
    assert stored(target) == ["2", "3"]


@contextmanager
def refusing(target: Target, state: str) -> Iterator[None]:
    """The server says no with that SQLSTATE to every row of a document named bad."""
    link = open_writer(target)
    link.run(
        f"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.id = 'bad' THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$; "
        "CREATE TRIGGER no BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION no()"
    )
    try:
        yield
    finally:
        link.run("DROP FUNCTION no CASCADE")
        link.close()


@pytest.mark.parametrize(("state", "error"), [("53100", StorageFull), ("58030", Unavailable), ("23514", Conflict)])
def test_what_the_server_refuses_is_that_batchs_alone(target: Target, state: str, error: type) -> None:
    with writing(target) as writer, refusing(target, state):
        outcomes = told(writer, puts(put("1")), puts(put("bad")), entries(entry("e")), puts(put("2")))
        assert kinds(outcomes) == [Receipt, error, Receipt, Receipt]
        assert not writer.broken
    assert stored(target) == ["1", "2"]


@pytest.mark.parametrize(
    ("bad", "error"),
    [("a\0b", BadInput), ("\ud800", None), ("".join(chr(0x4E00 + n) for n in range(3000)), TooLarge)],
)
def test_a_name_that_no_column_takes_is_its_batchs_own(target: Target, bad: str, error: type | None) -> None:
    with writing(target) as writer:
        if error is None:
            batch = entries(msgspec.structs.replace(entry("x"), id=bad))
            outcomes = told(writer, puts(put("1")), batch, puts(put("2")))
            assert kinds(outcomes)[0::2] == [Receipt, Receipt]
            assert kinds(outcomes)[1] is not Receipt
        else:
            outcomes = told(writer, puts(put("1")), puts(put(bad)), puts(put("2")))
            assert kinds(outcomes) == [Receipt, error, Receipt]
    assert stored(target) == ["1", "2"]


def test_a_group_larger_than_a_call_is_written_in_parts(target: Target) -> None:
    with writing(target, PostgresLimits(lock=0.0, size=1000)) as writer:
        outcomes = told(
            writer, *(puts(put(f"{n}", sealed=b"x" * 400)) for n in range(9)), puts(put("b", sealed=b"x" * 9000))
        )
        assert kinds(outcomes) == [Receipt] * 10
    assert len(stored(target)) == 10


def test_a_full_queue_refuses_its_domain_and_leaves_others_their_share(target: Target) -> None:
    with writing(target, PostgresLimits(bound=3, share=1, lock=0.0)) as writer:
        high = [entries(entry(f"h{number}", "high"), domain="high") for number in range(5)]
        low = entries(entry("l", "low"), domain="low")
        assert kinds(told(writer, *high, low)) == [Receipt, Receipt, Receipt, Unavailable, Unavailable, Receipt]


def test_a_server_that_does_not_sync_is_refused(target: Target) -> None:
    server = shared()
    server.run(f"ALTER ROLE {target.user} IN DATABASE {target.dbname} SET synchronous_commit = off")
    try:
        with writing(target) as writer:  # what a role's settings say, the connection says otherwise, and reads it back
            assert writer._link is not None
            assert writer._link.run("SHOW synchronous_commit") == [("on",)]
    finally:
        server.run(f"ALTER ROLE {target.user} IN DATABASE {target.dbname} RESET ALL")


def test_a_server_without_fsync_is_refused() -> None:
    server = made(("fsync=off",))
    try:
        with pytest.raises(Misconfigured) as caught:
            PostgresWriter(server.database())
        assert "fsync" in str(caught.value.facts)
    finally:
        gone(server)


def test_a_server_that_is_not_there_is_unavailable_at_once(target: Target) -> None:
    away = replace(target, host="/nonexistent")
    with pytest.raises(Unavailable):
        PostgresWriter(away)
    with pytest.raises(Unavailable):
        PostgresReader(away)
