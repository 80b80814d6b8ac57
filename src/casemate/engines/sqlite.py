"""The one writer of data/records.db: a thread that takes a group of batches, writes each and syncs once for all.

    commit() -> queue of its domain -> [thread] BEGIN -> SAVEPOINT per batch -> COMMIT (synced) -> receipts

A batch that fails is undone to its savepoint and the group goes on. Where the whole transaction fails (a full disk),
it is undone and each batch is tried alone, so that one batch's trouble is not another's. Where the disk does not say
whether it wrote, nothing more is written until a restart: what a later sync would promise could be false.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

from casemate.engines.sqlite_apply import apply
from casemate.engines.sqlite_queue import Queues
from casemate.engines.sqlite_room import Room
from casemate.engines.sqlite_schema import open_writer
from casemate.errors import CasemateError, Conflict, Internal, Occupied, StorageFull, Unavailable
from casemate.store import Batch, Receipt

__all__ = ["Limits", "SqliteWriter"]

Outcome = Receipt | CasemateError


@dataclass(frozen=True, slots=True)
class Limits:
    """`bound`: batches that may wait per domain. `share`: batches of one domain in one group. The rest in bytes."""

    bound: int = 1024
    share: int = 64
    low_water: int = 64 << 20
    ballast: int = 16 << 20


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Receipt]


class SqliteWriter:
    """The Committer port over SQLite. One per store: a second one is refused by a lock beside the file.

    `durable=False` and `free` are for tests; `open_writer` refuses the first outside a temporary folder.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        durable: bool = True,
        free: Callable[[], int] | None = None,
    ) -> None:
        limits = limits or Limits()
        self.path = path
        self.broken = False
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = _hold(path)
        try:
            self._db = open_writer(path, durable)
        except BaseException:
            os.close(self._held)
            raise
        self._room = Room(path.parent, limits.low_water, limits.ballast, free)
        self._room.low()
        self._queues: Queues[_Waiting] = Queues(limits.bound, limits.share)
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def commit(self, batch: Batch) -> Receipt:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(batch, loop, loop.create_future())
        with self._wake:
            if self._stopping or not self._queues.offer(batch.domain, waiting):
                raise Unavailable(what="store")
            self._wake.notify()
        return await waiting.future

    def close(self) -> None:
        """Write what waits, then stop. Safe to call twice."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()
        self._db.close()
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queues and not self._stopping:
                    self._wake.wait()
                group = self._queues.take()
            if not group:
                return
            _deliver(group, self._write([waiting.batch for waiting in group]))

    def _write(self, group: list[Batch]) -> list[Outcome]:
        """The outcome of each batch; those that are receipts are durable."""
        try:
            outcomes = self._together(group)
            return [self._alone(batch) for batch in group] if outcomes is None else outcomes
        except Exception:  # noqa: BLE001 - a defect of ours: nobody may wait for ever because of it
            self.broken = True
            return [Unavailable(what="store") for _ in group]

    def _together(self, group: list[Batch]) -> list[Outcome] | None:
        """One transaction for all, or None where it came to nothing and each must be tried alone."""
        if self.broken:
            return [Unavailable(what="store") for _ in group]
        low = self._room.low()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [StorageFull() if low and batch.puts else self._one(batch) for batch in group]
            self._db.execute("COMMIT")
        except apsw.Error as error:
            self._undo()
            if isinstance(error, apsw.IOError):
                self.broken = True
                return [Unavailable(what="store") for _ in group]
            return None
        return outcomes

    def _one(self, batch: Batch) -> Outcome:
        """One batch within the group. Raises what ends the whole transaction."""
        self._db.execute("SAVEPOINT batch")
        try:
            outcome: Outcome = apply(self._db, batch)
        except CasemateError as error:
            outcome = error
        except apsw.ConstraintError:
            outcome = Conflict(what="batch")
        except (TypeError, ValueError, OverflowError):  # values that no column takes
            outcome = Internal()
        if not isinstance(outcome, Receipt):
            self._db.execute("ROLLBACK TO batch")
        self._db.execute("RELEASE batch")
        return outcome

    def _alone(self, batch: Batch) -> Outcome:
        """One batch in its own transaction; on a full disk without the ballast, where it brings no new objects."""
        outcome = self._try(batch)
        if isinstance(outcome, StorageFull) and not batch.puts and self._room.drop():
            return self._try(batch)
        return outcome

    def _try(self, batch: Batch) -> Outcome:
        if self.broken:
            return Unavailable(what="store")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcome = self._one(batch)
            self._db.execute("COMMIT")
        except apsw.FullError:
            self._undo()
            return StorageFull()
        except apsw.Error as error:
            self._undo()
            self.broken = self.broken or isinstance(error, apsw.IOError)
            return Unavailable(what="store")
        return outcome

    def _undo(self) -> None:
        """SQLite ends the transaction itself after some errors and not after others."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _hold(path: Path) -> int:
    """The lock that says who writes; it goes with the process that holds it."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Occupied(what=path.name) from None
    return descriptor


def _deliver(group: list[_Waiting], outcomes: list[Outcome]) -> None:
    """Hand the outcomes to the loops that wait, one call for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Outcome]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, pairs)
        except RuntimeError:  # that loop is closed: nobody waits there any more
            continue


def _settle(pairs: list[tuple[asyncio.Future[Receipt], Outcome]]) -> None:
    for future, outcome in pairs:
        if future.done():
            continue
        if isinstance(outcome, Receipt):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
