"""Group commit measured: the region's own writer under 64 clients, on a slow disk, on this, and through the gate."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw
import msgspec

from bench.parts.shelves import Shelves
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.identity import Principal, Session
from casemate.labels import Policies
from casemate.ledger import leaf_hash
from casemate.objects import Kind, Put
from casemate.policy import Action
from casemate.store import Batch, EntryRow, RowPut, put_digest

__all__ = ["commit_ratios", "gate_cpu_us"]

CLIENTS, SLOW = 64, 0.003
GROUP = Limits(low_water=0, ballast=0)
SINGLE = Limits(low_water=0, ballast=0, share=1)  # one domain: one batch in each transaction


class Record(msgspec.Struct, frozen=True):
    """An object of the size of a small document's record."""

    title: str
    text: str


RECORD = Kind("bench.record", Record, indexed=("title",))


class _SlowFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002 - SQLite's name
        time.sleep(SLOW)


class _SlowVfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("slow", "unix")

    def xOpen(self, name: Any, flags: list[int]) -> _SlowFile:  # noqa: N802 - SQLite's name
        return _SlowFile(name, flags)


@contextmanager
def _slow_disk() -> Iterator[None]:
    """Every sync takes 3 ms, and nothing else does."""
    connection, vfs = apsw.Connection, _SlowVfs()

    def connect(path: str) -> Any:
        db = connection(path, vfs="slow")
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # such a layer has no shared memory
        return db

    with patch.object(apsw, "Connection", connect):
        yield
    del vfs


def _batch(name: str) -> Batch:
    sealed = name.encode() * 30
    row = RowPut("class_a", "document", name, sealed, put_digest("class_a", "document", name, sealed))
    return Batch("class_a", name, [row], entries=[EntryRow("class_a", name, leaf_hash(name.encode()), sealed)])


def _rate(limits: Limits, durable: bool, count: int) -> float:
    """Batches per second of wall time, `CLIENTS` at once, each waiting for its receipt."""
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as place:
        writer = SqliteWriter(Path(place) / "records.db", limits, durable)

        async def client(number: int) -> None:
            for turn in range(count // CLIENTS):
                await writer.commit(_batch(f"{number}_{turn}"))

        async def all_of_them() -> float:
            began = time.perf_counter()
            await asyncio.gather(*(client(number) for number in range(CLIENTS)))
            return count / (time.perf_counter() - began)

        try:
            return asyncio.run(all_of_them())
        finally:
            writer.close()


def commit_ratios(rounds: int = 3, count: int = 6400) -> dict[str, float]:
    """Best of some rounds, taken in turn: another's work on the same machine hits both sides."""
    slow, single, bare, off = [], [], [], []
    for _ in range(rounds):
        with _slow_disk():
            slow.append(_rate(GROUP, True, count))
            single.append(_rate(SINGLE, True, CLIENTS * 4))
        bare.append(_rate(GROUP, True, count))
        off.append(_rate(GROUP, False, count))
    return {
        "group_commit_vs_full_slow_disk": max(slow) / max(single),
        "group_commit_vs_off": max(a / b for a, b in zip(bare, off, strict=True)),
        "slow_group_per_s": max(slow),
        "slow_single_per_s": max(single),
        "bare_group_per_s": max(bare),
        "bare_off_per_s": max(off),
    }


def gate_cpu_us(count: int = 12_800) -> float:
    """CPU of all threads for one audited, sealed, idempotent change through the gate, 64 clients; best of three.

    The collector is set as `wiring.process` sets it in every process of a region.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    policies = Policies.load(["us"])
    ceiling = policies.top(["OWNER0"])
    label = policies.parse("us:SECRET//REL=USA", ["OWNER0"])
    best = float("inf")
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="casemate-bench-") as place:
            shelves = Shelves.at(Path(place), policies, ceiling)
            session = Session("bench", Principal("ann", "ann", ceiling, frozenset({"user"})), label, ceiling)

            async def client(number: int, shelves: Shelves = shelves, session: Session = session) -> None:
                for turn in range(count // CLIENTS):
                    flow = await shelves.gate.open(session, Action("keep", "answer"), label)
                    put = Put(RECORD, f"{number}/{turn}", Record(f"paper {turn}", "what was said of it " * 20))
                    await flow.commit(put, key=f"{number}/{turn}")

            async def all_of_them() -> float:
                began = time.process_time()
                await asyncio.gather(*(client(number) for number in range(CLIENTS)))
                return (time.process_time() - began) / count * 1e6

            best = min(best, asyncio.run(all_of_them()))
            shelves.writer.close()
    return best
