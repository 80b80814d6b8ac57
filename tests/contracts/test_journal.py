"""What every Journal promises, tried on each engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from casemate.engines.committer_journal import CommitterJournal
from casemate.engines.postgres import PostgresWriter
from casemate.engines.postgres_read import PostgresReader
from casemate.engines.segment import SegmentJournal
from casemate.engines.segment_fold import Sequencer
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.writer_socket import SocketCommitter, WriterServer
from casemate.errors import Unavailable
from casemate.store import Batch, ClassRow, Journal, Receipt
from tests.contracts.stores import entries, entry
from tests.engines.postgres_server import shared

JOURNALS = ("committer", "segments", "segments-socket", "segments-postgresql")


@dataclass(frozen=True)
class Kept:
    """A journal under test, and the store into which it is folded."""

    journal: Journal
    writer: SqliteWriter | PostgresWriter
    reader: SqliteReader | PostgresReader

    def ids(self, log: str = "class_a") -> list[str]:
        return [each.id for each in self.reader.entries(log, 0, 1 << 40)]


Trial = Callable[[Kept], Awaitable[None]]


@asynccontextmanager
async def kept(engine: str, folder: Path) -> AsyncIterator[Kept]:
    """A fresh journal of that engine in a folder for temporary files."""
    writer: SqliteWriter | PostgresWriter
    reader: SqliteReader | PostgresReader
    with ExitStack() as stack:
        if engine == "segments-postgresql":
            target = stack.enter_context(shared().lent())
            writer = stack.enter_context(closing(PostgresWriter(target)))
            reader = stack.enter_context(closing(PostgresReader(target)))
        else:
            path = folder / "data" / "records.db"
            small = Limits(low_water=0, ballast=0)
            writer = stack.enter_context(closing(SqliteWriter(path, small, durable=False)))
            reader = stack.enter_context(closing(SqliteReader(path)))
        if engine == "committer":
            yield Kept(CommitterJournal(writer), writer, reader)
            return
        sequencer = Sequencer(folder / "segments", writer, reader.marks)
        await sequencer.start()
        server = WriterServer(folder / "run" / "writer.sock", writer, fold=sequencer.fold)
        await server.start()
        client = SocketCommitter(folder / "run" / "writer.sock")
        fold = client.fold if engine == "segments-socket" else sequencer.fold
        journal = SegmentJournal(folder / "segments", fold)
        try:
            yield Kept(journal, writer, reader)
        finally:
            await client.close()
            await server.stop()
            journal.close()
            await sequencer.stop()


@pytest.fixture(params=JOURNALS)
def attempt(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        async def inside() -> None:
            async with kept(request.param, tmp_path) as found:
                await trial(found)

        asyncio.run(inside())

    return run


A, B = ClassRow("class_a", b"label a"), ClassRow("class_b", b"label b")


def test_what_is_durable_and_folded_can_be_read(attempt: Callable[[Trial], None]) -> None:
    async def trial(kept: Kept) -> None:
        row = entry("ent_1", content=b"what was said", expires=7)
        await kept.journal.append(row, A, "class_a")
        await kept.journal.fold()
        [found] = kept.reader.entries("class_a", 0, 9)
        assert (found.id, found.leaf, found.sealed, found.content, found.expires) == (
            row.id,
            row.leaf,
            row.sealed,
            row.content,
            row.expires,
        )
        assert list(kept.reader.classes()) == [A]

    attempt(trial)


def test_entries_stand_in_the_order_in_which_they_were_taken(attempt: Callable[[Trial], None]) -> None:
    async def trial(kept: Kept) -> None:
        names = [f"ent_{number:03d}" for number in range(300)]
        tickets = [kept.journal.append(entry(name), A, "class_a") for name in names]
        others = [kept.journal.append(entry(f"b{name}", "class_b"), B, "class_b") for name in names]
        await asyncio.gather(*tickets, *others)
        await kept.journal.fold()
        assert kept.ids() == names
        assert kept.ids("class_b") == [f"b{name}" for name in names]

    attempt(trial)


def test_each_entry_lands_once_however_often_it_is_folded(attempt: Callable[[Trial], None]) -> None:
    async def trial(kept: Kept) -> None:
        for number in range(5):
            await kept.journal.append(entry(f"ent_{number}"), A, "class_a")
            await asyncio.gather(*(kept.journal.fold() for _ in range(4)))
        assert kept.ids() == [f"ent_{number}" for number in range(5)]

    attempt(trial)


def test_what_a_committer_lands_stands_in_the_same_log(attempt: Callable[[Trial], None]) -> None:
    async def trial(kept: Kept) -> None:
        await kept.journal.append(entry("ent_1"), A, "class_a")
        await kept.writer.commit(entries(entry("ent_2")))
        await kept.journal.append(entry("ent_3"), A, "class_a")
        await kept.journal.fold()
        assert sorted(kept.ids()) == ["ent_1", "ent_2", "ent_3"]
        assert kept.ids().index("ent_1") < kept.ids().index("ent_3")

    attempt(trial)


def test_whoever_gives_up_waiting_takes_nothing_back(attempt: Callable[[Trial], None]) -> None:
    async def trial(kept: Kept) -> None:
        kept.journal.append(entry("ent_1"), A, "class_a").cancel()
        last = kept.journal.append(entry("ent_2"), A, "class_a")
        await last
        await kept.journal.fold()
        assert kept.ids() == ["ent_1", "ent_2"]

    attempt(trial)


def test_what_nobody_awaits_is_folded_too(attempt: Callable[[Trial], None]) -> None:
    async def trial(kept: Kept) -> None:
        kept.journal.append(entry("ent_1"), A, "class_a")
        await kept.journal.append(entry("ent_2"), A, "class_a")
        await kept.journal.fold()
        assert kept.ids() == ["ent_1", "ent_2"]

    attempt(trial)


def test_a_writer_that_folds_nothing_says_so(tmp_path: Path) -> None:
    async def trial() -> None:
        writer = SqliteWriter(tmp_path / "records.db", Limits(low_water=0, ballast=0), durable=False)
        server = WriterServer(tmp_path / "run" / "writer.sock", writer)
        await server.start()
        client = SocketCommitter(tmp_path / "run" / "writer.sock")
        with pytest.raises(Unavailable):
            await client.fold()
        await client.close()
        await server.stop()
        writer.close()

    asyncio.run(trial())


@pytest.mark.parametrize("left", [False, True])
def test_a_committer_that_fails_is_told_to_whoever_asks(tmp_path: Path, left: bool) -> None:
    class Fails:
        async def commit(self, batch: Batch) -> Receipt:
            raise Unavailable(what="store")

    async def trial() -> None:
        journal = CommitterJournal(Fails())
        ticket = journal.append(entry("ent_1"), A, "class_a")
        if left:
            ticket.cancel()
            await journal.fold()
        else:
            with pytest.raises(Unavailable):
                await ticket

    asyncio.run(trial())
