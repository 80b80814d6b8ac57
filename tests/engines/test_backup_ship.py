"""Backups of a running store: any commit can be brought back, and whatever goes wrong is seen or made good."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.custody.backup import Table
from casemate.engines import backup_chain, backup_ship
from casemate.engines.backup_link import name_of
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.errors import NotEmpty, StorageFull
from tests.engines.backing import Place, batch


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_increments_hold_all_of_it_and_show_none_of_it(place: Place) -> None:
    writer, shipper = place.open()
    place.blob("one", b"first blob")
    try:
        for turn in range(30):
            await writer.commit(batch(f"a{turn}", 2, salt=b"HARBOUR LANTERN" * 40))
        first = await asyncio.to_thread(shipper.run)
        place.blob("two", b"second blob")
        (place.region / "data" / "blobs" / "c" / "aa" / "one").unlink()
        for turn in range(200):
            await writer.commit(batch(f"b{turn}", 2))
        last = await asyncio.to_thread(shipper.run, True)
    finally:
        writer.close()
    assert place.records.stat().st_size > 100_000, "the log was carried into the file meanwhile"
    verdict = place.verdict(last)
    assert verdict.whole
    assert last.number > first.number
    back = place.back("back")
    assert place.held("back") == place.tables() == dict(verdict.titles[-1].point.tables)  # type: ignore[union-attr]
    kept = {str(p.relative_to(back)) for p in back.rglob("*") if p.is_file() and not p.name.startswith("records")}
    assert kept == {"casemate.toml", "keys/region.key", "data/blobs/c/aa/two"}
    assert (back / "data/blobs/c/aa/two").read_bytes() == b"second blob"
    folder, face = place.chain()
    assert folder.name.startswith("SECRET--NOFORN.")
    assert face.marking == "SECRET//NOFORN"
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for word in (b"HARBOUR", b"LANTERN", b"blob", b"SQLite", b"region.key", b"locked as it lies", b"CREATE"):
        assert word not in everything
    assert {path.suffix for path in folder.iterdir()} == {".link", ".json"}


STEPS = ("put", "put", "big", "delete", "run", "again", "kill")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=14))
def test_each_commit_is_brought_back_as_it_was(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Random histories with restarts, clean and not: the states after all commits are the model's, in their order."""
    place = Place(tmp_path_factory.mktemp("history"))
    model: list[dict[str, Table]] = []

    def seen(tables: dict[str, Table], states: list[dict[str, Table]]) -> None:
        if not states or states[-1] != tables:
            states.append(tables)  # a start may write again what is there already

    async def live() -> None:
        writer, shipper = place.open(checkpoint=12)
        await asyncio.to_thread(shipper.run)
        seen(place.tables(), model)
        for number, step in enumerate([*steps, "run"]):
            if step == "run":
                await asyncio.to_thread(shipper.run)
            elif step in ("again", "kill"):
                writer.close() if step == "again" else crashed(writer, shipper)
                writer, shipper = place.open(checkpoint=12)
            else:
                size, puts = (3000, 30) if step == "big" else (500, 1)
                delete = f"s{number - 1}-0" if step == "delete" else ""
                await writer.commit(batch(f"s{number}", puts, size, delete))
            seen(place.tables(), model)
        writer.close()

    asyncio.run(live())
    verdict = place.verdict()
    assert verdict.whole
    reached = max((title.wal.upto for title in verdict.titles if title.wal is not None), default=0)
    base = verdict.titles[0].base
    assert base is not None
    states: list[dict[str, Table]] = []
    for count in range(base.least, reached + 1):
        place.back(f"at-{count}", after=count, verdict=verdict)
        seen(place.held(f"at-{count}"), states)
    assert states == model, steps


def crashed(writer: SqliteWriter, shipper: backup_ship.Shipper) -> None:
    """As a kill leaves it: nothing shipped at the end, nothing carried, the log where it was."""
    with (
        patch.object(shipper, "close", lambda: False),
        patch.object(shipper, "_ship", lambda *_: None),
    ):
        shipper._stopping = True
        shipper._poked.set()
        shipper._thread.join()
        writer.close()


async def test_under_load_each_point_is_some_commit(place: Place) -> None:
    """Clients write while the base is copied and the increments are made: what comes back is one exact state."""
    writer, shipper = place.open(checkpoint=30, every=0.05)
    going = True

    async def client(name: int) -> None:
        turn = 0
        while going:
            await writer.commit(batch(f"{name}-{turn}", 1 + turn % 3))
            turn += 1

    clients = [asyncio.create_task(client(name)) for name in range(8)]
    try:
        for _ in range(4):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(shipper.run, True)
    finally:
        going = False
        await asyncio.gather(*clients)
        writer.close()
    points = [title.point for title in place.verdict().titles if title.point is not None]
    assert len(points) == 4
    for point in points:
        place.back(f"p{point.commit}", after=point.commit)
        assert place.held(f"p{point.commit}") == dict(point.tables)


async def test_a_writer_that_ships_nothing_ends_the_chain(place: Place) -> None:
    writer, shipper = place.open()
    await writer.commit(batch("one"))
    await asyncio.to_thread(shipper.run)
    writer.close()
    plain = SqliteWriter(place.records, Limits(low_water=0, ballast=0))
    await plain.commit(batch("two"))
    plain.close()
    writer, shipper = place.open()
    await asyncio.to_thread(shipper.run)
    writer.close()
    assert len(backup_chain.chains(place.home)) == 2
    place.back("back")
    assert place.held("back") == place.tables()


async def test_a_destination_that_takes_nothing_stops_no_writer(place: Place) -> None:
    """The log grows to its bound, then the chain is given up; when there is room again another one begins."""
    writer, shipper = place.open(checkpoint=20, bound=1 << 20)
    try:
        await writer.commit(batch("first"))
        await asyncio.to_thread(shipper.run)
        full = OSError(errno.ENOSPC, "full")
        with patch.object(backup_chain, "write_link", side_effect=full), patch.object(backup_ship, "PATIENCE", 0.01):
            with pytest.raises(StorageFull):
                await asyncio.to_thread(shipper.run)
            for turn in range(120):
                await writer.commit(batch(f"full-{turn}", 4, 3000))
            assert shipper.trouble
            with pytest.raises(StorageFull):
                await asyncio.to_thread(shipper.run)
        log = place.records.with_name("records.db-wal").stat().st_size
        assert log < 3 << 20, "the log is bounded"
        await asyncio.to_thread(shipper.run)
    finally:
        writer.close()
    assert len(backup_chain.chains(place.home)) == 2
    assert place.verdict().whole
    place.back("back")
    assert place.held("back") == place.tables()


async def test_what_is_not_shipped_waits_in_the_log_for_the_next_start(place: Place) -> None:
    writer, shipper = place.open()
    await writer.commit(batch("one"))
    await asyncio.to_thread(shipper.run)
    await writer.commit(batch("two"))
    with patch.object(backup_chain, "write_link", side_effect=OSError(errno.EIO, "away")):
        writer.close()
    assert place.records.with_name("records.db-wal").stat().st_size > 0
    writer, shipper = place.open()
    await asyncio.to_thread(shipper.run)
    writer.close()
    assert len(backup_chain.chains(place.home)) == 1
    place.back("back")
    assert place.held("back") == place.tables()


async def test_old_chains_go_once_a_new_one_has_come_to_a_point(place: Place) -> None:
    writer, shipper = place.open(days=1, keep=2)
    try:
        for day in range(4):
            await writer.commit(batch(f"day-{day}"))
            await asyncio.to_thread(shipper.run)
            place.clock += 86_400 * 1_000_000
            (place.home / "somebody's").mkdir(exist_ok=True)
    finally:
        writer.close()
    assert len(backup_chain.chains(place.home)) == 2
    assert (place.home / "somebody's").exists()


async def test_what_lies_there_is_not_what_was_noted(place: Place) -> None:
    """Another destination, an older copy of it, or a link that is gone: the chain is not gone on with."""
    writer, shipper = place.open()
    await writer.commit(batch("one"))
    head = await asyncio.to_thread(shipper.run)
    writer.close()
    folder, _ = place.chain()
    state = backup_chain.Chain.resume(place.region / "data", place.home, (), place.signer)
    assert state is not None
    (folder / name_of(state.state.names, head.number)).unlink()
    writer, shipper = place.open()
    await asyncio.to_thread(shipper.run)
    writer.close()
    assert len(backup_chain.chains(place.home)) == 2
    assert not place.verdict(head, 0).whole, "and the old one is told to be cut"


async def test_into_a_folder_that_holds_anything_nothing_is_restored(place: Place) -> None:
    writer, shipper = place.open()
    await asyncio.to_thread(shipper.run)
    writer.close()
    (place.path / "full").mkdir()
    (place.path / "full" / "mine").write_text("mine")
    with pytest.raises(NotEmpty):
        place.back("full")
    assert [path.name for path in (place.path / "full").iterdir()] == ["mine"]


async def test_where_a_server_keeps_the_records_the_files_are_kept_with_its_mark(place: Place) -> None:
    """No base and no log: what its own tools bring back, and where they were, is noted in the point."""
    marked = backup_chain.Marked("us:SECRET", "SECRET//NOFORN")
    target = backup_ship.Target(
        place.home, place.region, marked, (place.keeper.recipient,), place.signer, place.now, note=lambda: "0/16B3748"
    )
    for turn in range(2):  # the second goes on with the chain
        shipper = backup_ship.Shipper(None, target)
        shipper.start()
        place.blob(f"b{turn}", b"blob")
        head = await asyncio.to_thread(shipper.run, True)
        assert shipper.close()
    verdict = place.verdict(head)
    assert [title.point.note for title in verdict.titles if title.point is not None] == ["0/16B3748"] * 2
    back = place.back("back")
    assert not (back / "data" / "records.db").exists()
    assert sorted(path.name for path in (back / "data" / "blobs" / "c" / "aa").iterdir()) == ["b0", "b1"]
