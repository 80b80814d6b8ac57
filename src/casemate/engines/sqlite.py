"""The one writer of data/records.db: a thread that takes a group of batches, writes each and syncs once for all.

    commit() -> queue of its domain -> [thread] BEGIN -> SAVEPOINT per batch -> COMMIT (synced) -> receipts

A batch that fails is undone to its savepoint and the group goes on. Where the whole transaction fails (a full disk),
it is undone and each batch is tried alone, so that one batch's trouble is not another's. Where the disk did not write,
nothing more is written until a restart. Where it did not sync, `lost` is called before anybody is told anything: what
a later sync would promise could be false, so that process must end. Checkpoints are made here and not by SQLite itself,
which says nothing where their sync fails; they come after the receipts, and nobody waits for them. Where backups are
made, only what has been shipped is carried into the file.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

from casemate.engines.backup_chain import forget
from casemate.engines.backup_ship import Shipper
from casemate.engines.group_writer import GroupWriter, Outcome
from casemate.engines.sqlite_apply import apply
from casemate.engines.sqlite_room import Room
from casemate.engines.sqlite_schema import damaged, open_writer
from casemate.engines.sqlite_uses import Uses
from casemate.errors import CasemateError, Conflict, Damaged, Internal, Occupied, StorageFull, Unavailable
from casemate.store import Batch, Receipt, Share

__all__ = ["Limits", "SqliteWriter"]

_REFUSED = frozenset((apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_WRITE))
"""A read or a write that the disk refused. Whatever else it says is taken for a sync that failed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`bound`: batches that may wait per domain. `share`: batches of one domain in one group.

    `checkpoint`: pages in the write-ahead log from which on they are carried into the file. The rest in bytes.
    """

    bound: int = 1024
    share: int = 64
    low_water: int = 64 << 20
    ballast: int = 16 << 20
    checkpoint: int = 1000


class SqliteWriter(GroupWriter):
    """The Committer port over SQLite. One per store: a second one is refused by a lock beside the file.

    `durable=False` and `free` are for tests; `open_writer` refuses the first outside a temporary folder.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        durable: bool = True,
        free: Callable[[], int] | None = None,
        lost: Callable[[str], None] | None = None,
        ship: Shipper | None = None,
        share: Share = lambda _class_id: 0,
    ) -> None:
        """`lost` is told which file was not synced, in the writer's thread; wiring ends the process there.

        `ship` makes backups; without one no chain of them can be gone on with. `share`: what a class may take.
        """
        limits = limits or Limits()
        super().__init__(limits.bound, limits.share)
        self.path = path
        self._lost = lost
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = _hold(path)
        try:
            self._db = open_writer(path, durable)
            if ship is None:
                forget(path.parent)
            else:
                ship.start()
        except BaseException:
            os.close(self._held)
            raise
        self._ship = ship
        self._pages = 0
        self._checkpoint_at = limits.checkpoint
        self._db.set_wal_hook(self._grown)
        self._cursor = self._db.cursor()
        self._uses = Uses(share)
        self._room = Room(path.parent, limits.low_water, limits.ballast, free)
        self._room.low()
        self._thread.start()

    def _release(self) -> None:
        if self._ship is not None and self._held >= 0 and not self._ship.close():
            self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # the log waits for the next start
        self._db.close()
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _together(self, group: list[Batch]) -> list[Outcome] | None:
        """One transaction for all, or None where it came to nothing and each must be tried alone."""
        if self.broken:
            return [Unavailable(what="store") for _ in group]
        low = self._room.low()
        try:
            self._begin()
            outcomes = [StorageFull() if low and batch.puts else self._one(batch) for batch in group]
            self._commit()
        except apsw.Error as error:
            self._undo()
            if isinstance(error, apsw.IOError) and not damaged(error):
                self._failed(error)
                return [Unavailable(what="store") for _ in group]
            return None
        return outcomes

    def _begin(self) -> None:
        self._uses.begun()
        self._cursor.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        """What was written, and what it takes, durable together."""
        self._uses.noted(self._cursor)
        self._cursor.execute("COMMIT")
        self._uses.kept()

    def _one(self, batch: Batch) -> Outcome:
        """One batch within the group. Raises what ends the whole transaction."""
        self._cursor.execute("SAVEPOINT batch")
        try:
            outcome: Outcome = apply(self._cursor, batch, self._uses)
        except CasemateError as error:
            outcome = error
        except apsw.ConstraintError:
            outcome = Conflict(what="batch")
        except (TypeError, ValueError, OverflowError):  # values that no column takes
            outcome = Internal()
        if not isinstance(outcome, Receipt):
            self._cursor.execute("ROLLBACK TO batch")
        self._cursor.execute("RELEASE batch")
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
            self._begin()
            outcome = self._one(batch)
            self._commit()
        except apsw.FullError:
            self._undo()
            return StorageFull()
        except apsw.Error as error:
            self._undo()
            if damaged(error):
                return Damaged(what="records")
            if isinstance(error, apsw.IOError):
                self._failed(error)
            return Unavailable(what="store")
        return outcome

    def _failed(self, error: apsw.IOError) -> None:
        """The disk did not do as it was told."""
        self.broken = True
        if getattr(error, "extendedresult", 0) not in _REFUSED and self._lost is not None:
            self._lost(self.path.name)

    def _grown(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        """SQLite tells how long its log is, at each commit."""
        self._pages = pages
        if self._ship is not None:
            self._ship.committed(pages)
        return apsw.SQLITE_OK

    def _written(self) -> None:
        """Carry the log into the file once it is long; what a reader still needs stays for another time."""
        if self._pages < self._checkpoint_at or self.broken:
            return
        if self._ship is None:
            self._carry()
            return
        with self._ship.checkpointing(self._pages) as may:
            if may:
                self._carry()

    def _carry(self) -> None:
        self._pages = 0
        try:
            self._db.wal_checkpoint()
        except apsw.Error as error:
            if isinstance(error, apsw.IOError) and not damaged(error):
                self._failed(error)
            # a full disk, a damaged page, or somebody is reading: the log holds all of it

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
