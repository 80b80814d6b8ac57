"""What ships the records of a running region into a backup, beside their writer, and makes increments of the rest.

    writer's thread   committed(frames)      a commit ends there, now
                      checkpointing(frames)  may the log be carried into the file? only what has been shipped may
    own thread        every few seconds      the frames since the last time, as links of the chain
    any thread        run()                  fold came before; a base where one is due, frames, files, a point

The writer waits a moment at most: where the destination takes nothing, the log grows to its bound, then the chain is
given up and the next increment begins another. What must never happen: that a frame is overwritten which a chain that
goes on has not got.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from casemate.crypto import Recipient, Signer
from casemate.custody.backup import LINK_BYTES, Base, Commit, Head, Point, Span, Table, changed, packs
from casemate.engines import backup_wal
from casemate.engines.backup_chain import Chain, Marked, forget, prune
from casemate.engines.backup_files import body_of, present, sized
from casemate.engines.backup_tables import tables_at
from casemate.engines.backup_wal import Tip, tip
from casemate.errors import CasemateError, Damaged, StorageFull, Unavailable

__all__ = ["Shipper", "Target"]

PATIENCE = 0.25  # seconds that the writer waits for frames to be shipped before it goes on without carrying them


@dataclass(frozen=True, slots=True)
class Target:
    """Where a region's backups go, what they hold, and how often. Seconds, days, and bytes of the log.

    `signer`: the region's own. `note`: what a server that keeps the records calls its state.
    """

    home: Path
    region: Path
    marked: Marked
    recipients: Sequence[Recipient]
    signer: Signer
    now: Callable[[], int]
    every: float = 10.0
    days: int = 7
    keep: int = 2
    bound: int = 256 << 20
    besides: tuple[Path, ...] = ()
    note: Callable[[], str] = str


class Shipper:
    """One per store, beside its writer, which starts and closes it. `records`: None where a server keeps them."""

    def __init__(self, records: Path | None, target: Target) -> None:
        self._records = records
        self._data = target.region / "data"
        self._target = target
        self._chain: Chain | None = None
        self._work = threading.RLock()  # one link at a time
        self._quiet = threading.Lock()  # held while the log is carried into the file, and while that is forbidden
        self._shipped = threading.Condition()
        self._ends: deque[Commit] = deque()  # appended to by the writer, taken from by whoever ships
        self._held = False
        self._poked = threading.Event()
        self._stopping = False
        self._patient_from = 0
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    def start(self) -> None:
        """Go on with the chain that was begun, where that can be. The writer has opened the records, and waits."""
        found = Chain.resume(self._data, self._target.home, self._target.recipients, self._target.signer)
        if found is not None and self._goes_on(found):
            self._chain = found
        else:
            forget(self._data)
        self._thread.start()

    def _goes_on(self, chain: Chain) -> bool:
        """Whether what is in the log follows where the chain ended."""
        state = chain.state
        if self._records is None:
            return not state.salts
        _sync(self._records)
        found = tip(self._records)
        return bool(state.salts) and (found.salts != state.salts or found.frames >= state.frame)

    # ---- the writer's thread ---------------------------------------------------------------------------------------

    def committed(self, frames: int) -> None:
        """A commit is durable that ends with this frame."""
        if self._chain is not None or self._held:
            self._ends.append(Commit(frames, self._target.now()))

    @contextmanager
    def checkpointing(self, frames: int) -> Iterator[bool]:
        """Whether the log may be carried into the file now; nobody forbids it before the end of the block."""
        may = self._may(frames)
        if not may:
            yield False
            return
        with self._quiet:
            yield not self._held

    def close(self) -> bool:
        """Ship what is left. Whether the log may go: no chain needs any of it."""
        self._stopping = True
        self._poked.set()
        if self._thread.is_alive():
            self._thread.join()
        return self._quietly() and self._all_shipped()

    def _may(self, frames: int) -> bool:
        if self._held:
            return self._beyond(frames)
        if self._chain is None or self._all_shipped():
            self._patient_from = 0
            return True
        if frames >= self._patient_from:
            self._patient_from = frames + 1000
            self._poked.set()
            with self._shipped:
                if self._shipped.wait_for(self._all_shipped, PATIENCE):
                    self._patient_from = 0
                    return True
        return self._beyond(frames)

    def _beyond(self, frames: int) -> bool:
        """Whether the log is longer than it may be; the chain is given up then."""
        if self._records is None or backup_wal.size_of(frames, tip(self._records).page) < self._target.bound:
            return False
        self._give_up()
        return not self._held

    def _give_up(self) -> None:
        forget(self._data)
        self._chain = None
        self._ends.clear()
        self.trouble = "given-up"

    def _all_shipped(self) -> bool:
        chain = self._chain
        if chain is None or self._records is None:
            return True
        found = tip(self._records)
        same = found.salts == chain.state.salts
        return found.frames == 0 or (same and chain.state.frame >= found.frames)

    # ---- increments ------------------------------------------------------------------------------------------------

    def run(self, tables: bool = False) -> Head:
        """An increment; `tables`: with what a drill compares. Raises StorageFull, Unavailable, Damaged."""
        with self._work:
            try:
                return self._increment(tables)
            except OSError as error:
                raise self._told(error) from error

    def _increment(self, tables: bool) -> Head:
        now, target = self._target.now(), self._target
        fresh = self._chain is None or self._chain.due(now, target.days)
        if fresh:
            self._begin(now)
        held: dict[str, Table] = {}
        if tables and self._records is not None:
            held = self._compared(self._records)
        else:
            self._ship()
        chain = self._going()
        there = present(target.region, (target.home, *target.besides))
        new, gone = changed(chain.known, there)
        for pack in packs(sized(target.region, new)):
            members, body = body_of(target.region, pack)
            chain.append(target.now(), body, files=members)
        self._going().append(target.now(), (), point=Point(chain.state.commit, gone, held, target.note()))
        chain.note_known(there)
        if fresh:
            prune(target.home, target.keep, chain.state.chain)
        self.trouble = ""
        return chain.state.head

    def _compared(self, records: Path) -> dict[str, Table]:
        """The tables at the end of what is shipped next; then exactly so much is shipped."""
        found, tables, close = tables_at(records)
        try:
            self._ship(found)
            return tables()
        finally:
            close()

    def _begin(self, now: int) -> None:
        """Another chain: the file as it lies, while nothing is carried into it, and the log from where it begins."""
        with self._quiet:
            self._held = True
        try:
            target = self._target
            begun = Chain.begin(self._data, target.home, target.marked, target.recipients, target.signer, now)
            try:
                if self._records is None:
                    begun.append(now, (), base=Base(0, 0))
                else:
                    _base(begun, self._records, now)
            except BaseException:
                shutil.rmtree(begun.home, ignore_errors=True)
                raise
            self._chain = begun
        finally:
            self._held = False

    def _ship(self, upto: Tip | None = None) -> None:
        """The frames that are committed and not in the chain yet."""
        chain = self._going()
        if self._records is None:
            return
        found = upto or tip(self._records)
        state = chain.state
        frame = state.frame if state.salts == found.salts else 0
        if found.frames <= frame:
            return
        with _log(self._records) as log:
            header = backup_wal.header_of(log, found)
            ends = backup_wal.commits(log, frame + 1, found)
            for group in _groups(frame, ends, found.page):
                dated = self._dated(group)
                span = Span(header, frame + 1, group[-1], found.page, chain.state.commit, dated)
                body = backup_wal.frames(log, frame + 1, group[-1], found.page)
                then = {"salts": found.salts, "frame": group[-1], "commit": span.upto}
                made = chain.append(self._target.now(), body, self._alive(chain), wal=span, then=then)
                if made is None:
                    raise Unavailable(what="backup")
                frame = group[-1]
        with self._shipped:
            self._shipped.notify_all()

    def _dated(self, ends: Sequence[int]) -> tuple[Commit, ...]:
        """When these commits were; one that nobody saw, because the process ended, is as old as this shipment."""
        seen: dict[int, int] = {}
        while self._ends and self._ends[0].frame <= ends[-1]:
            each = self._ends.popleft()
            seen[each.frame] = each.at
        now = self._target.now()
        return tuple([Commit(end, seen.get(end, now)) for end in ends])

    def _alive(self, chain: Chain) -> Callable[[], bool]:
        return lambda: self._chain is chain

    def _going(self) -> Chain:
        if self._chain is None:
            raise Unavailable(what="backup")
        return self._chain

    def _told(self, error: OSError) -> CasemateError:
        self.trouble = os.strerror(error.errno) if error.errno else "unreadable"
        return StorageFull() if error.errno in (28, 122) else Unavailable(what="backup")

    # ---- its own thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            self._poked.wait(self._target.every)
            self._poked.clear()
            if not self._stopping:
                self._quietly()

    def _quietly(self) -> bool:
        """Ship for nobody; what went wrong is told by the next increment."""
        try:
            with self._work:
                if self._chain is not None:
                    self._ship()
        except Damaged:
            with self._work:
                self._give_up()
            return False
        except OSError as error:
            self._told(error)
            return False
        except CasemateError:
            return False
        return True


def _base(chain: Chain, records: Path, now: int) -> None:
    """The records' file as the first link. Where the whole log is carried into it, none of the log is needed."""
    found = tip(records)
    carried = found.frames > 0 and found.carried >= found.frames
    with _log(records) as log:
        least = 0 if carried else len(backup_wal.commits(log, 1, found))
    with records.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        then = {"salts": found.salts, "frame": found.frames if carried else 0, "commit": 0}
        chain.append(now, _whole(file.fileno(), size), base=Base(size, least), then=then)


def _groups(frame: int, ends: Sequence[int], page: int) -> Iterator[list[int]]:
    """The commits of one link after the other: about as many as fit, one at least."""
    group: list[int] = []
    for end in ends:
        if group and backup_wal.size_of(end - frame, page) > LINK_BYTES:
            yield group
            frame, group = group[-1], []
        group.append(end)
    if group:
        yield group


@contextmanager
def _log(records: Path) -> Iterator[int]:
    descriptor = os.open(records.with_name(records.name + "-wal"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _whole(descriptor: int, size: int) -> Iterator[bytes]:
    at = 0
    while at < size:
        piece = os.pread(descriptor, min(1 << 20, size - at), at)
        if not piece:
            raise Damaged(what="records")
        yield piece
        at += len(piece)


def _sync(records: Path) -> None:
    """What a killed writer left in the log may not be on the disk yet; what is shipped is."""
    with _log(records) as log:
        os.fsync(log)
