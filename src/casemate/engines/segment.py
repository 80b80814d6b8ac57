"""The journal of one worker: entries go to its own append-only segment, and one thread syncs once for many of them.

    append() -> queue of its domain -> [thread] one group: write, fdatasync -> whoever awaits
                                                     segment_fold -> the logs

Nothing is awaited on the way in, so a request goes on while the disk writes. Queues and shares are by label domain:
each has its own bound of what may wait for the disk, and of what may lie there unfolded; a domain that has used up its
own is refused, and no other notices. Where the disk does not say whether it wrote, nothing more is taken until a
restart; where it did not sync, `lost` is called first, and that process must end. What must never happen: that somebody
is told `durable` before the sync of his group has returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from casemate.crypto import DIGEST_SIZE
from casemate.engines.segment_file import NotSynced, SegmentFile
from casemate.engines.segment_format import Known, Said, record
from casemate.errors import BadInput, CasemateError, StorageFull, Unavailable
from casemate.store import ClassRow, EntryRow

__all__ = ["SUFFIX", "SegmentJournal", "SegmentLimits"]

SUFFIX = ".seg"


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """`bound`: entries of a domain that may wait for the disk. `group`, `stretch`: entries and bytes of it in one sync.

    `pace`: seconds between the beginnings of two syncs, so that under load many entries share one; the first does not
    wait. `share`: bytes of a domain that may lie unfolded, in this worker. A segment ends at `size` bytes, or `age`
    seconds after it began: what retention has ended in the store must not stay here.
    """

    bound: int = 1024
    group: int = 256
    stretch: int = 1 << 20
    pace: float = 0.001
    share: int = 128 << 20
    size: int = 8 << 20
    age: float = 60.0


@dataclass(slots=True)
class _Waiting:
    domain: str
    access: ClassRow
    data: bytes
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]
    since: float


@dataclass(slots=True)
class _Written:
    """A segment, what it knows, and how many bytes of each domain lie in it."""

    file: SegmentFile
    since: float
    known: set[str] = field(default_factory=set)
    bytes: dict[str, int] = field(default_factory=dict)


class SegmentJournal:
    """The Journal port over segments in a folder. `fold` asks whoever folds them. Its name is new at each start."""

    def __init__(
        self,
        folder: Path,
        fold: Callable[[], Awaitable[None]],
        limits: SegmentLimits | None = None,
        lost: Callable[[str], None] | None = None,
    ) -> None:
        """`lost` is told which segment was not synced, in the journal's thread; wiring ends the process there."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.broken = False
        self._lost = lost
        self.watch: Callable[[str, float], None] | None = None
        """Told each domain of a group that is durable, and the seconds that its first entry took; in the thread."""
        self._folder = folder
        self._fold = fold
        self._limits = limits or SegmentLimits()
        self._name = os.urandom(8).hex()
        self._number = 0
        self._now: _Written | None = None
        self._ended: list[_Written] = []
        self._held: dict[str, int] = {}
        self._queues: dict[str, deque[_Waiting]] = {}
        self._wake = threading.Condition(threading.Lock())
        self._idle = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, row: EntryRow, access: ClassRow, domain: str) -> asyncio.Future[None]:
        if len(row.leaf) != DIGEST_SIZE:
            raise BadInput(what="leaf")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        data = record(Said(domain, row.log, row.id, row.leaf, row.sealed, row.content, row.expires))
        waiting = _Waiting(domain, access, data, loop, future, time.monotonic())
        with self._wake:
            refused = self._refused(waiting)
            if self._idle:
                self._idle = False
                self._wake.notify()
        if refused is not None:
            _settle([future], refused)
        return future

    async def fold(self) -> None:
        await self._fold()

    def backlog(self, domain: str) -> int:
        """How many entries of that domain wait for the disk."""
        return len(self._queues.get(domain, ()))

    def close(self) -> None:
        """Write what waits, then stop. Safe to call twice."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _refused(self, waiting: _Waiting) -> CasemateError | None:
        """Queue it, or say why not. A share that is used up is looked at again by the thread."""
        if self._stopping or self.broken:
            return Unavailable(what="journal")
        held = self._held.get(waiting.domain, 0) + len(waiting.data)
        if held > self._limits.share:
            return StorageFull()
        queue = self._queues.get(waiting.domain)
        if queue is None:
            queue = self._queues[waiting.domain] = deque()
        if len(queue) >= self._limits.bound:
            return Unavailable(what="journal")
        queue.append(waiting)
        self._held[waiting.domain] = held
        return None

    def _take(self) -> list[_Waiting]:
        """The next group: of each domain its share, in entries and in bytes, whatever the others bring."""
        group: list[_Waiting] = []
        for domain, queue in list(self._queues.items()):
            taken, size = 0, 0
            while queue and taken < self._limits.group and size < self._limits.stretch:
                waiting = queue.popleft()
                group.append(waiting)
                taken, size = taken + 1, size + len(waiting.data)
            if not queue:
                del self._queues[domain]
        return group

    def _run(self) -> None:
        due = 0.0
        while True:
            with self._wake:
                if not self._queues and not self._stopping:
                    self._idle = True
                    self._wake.wait(self._patience())
                    self._idle = False
            early = due - time.monotonic()
            if early > 0 and not self._stopping:
                time.sleep(early)
            with self._wake:
                group, stopping = self._take(), self._stopping
            if group:
                due = time.monotonic() + self._limits.pace
                error = self._write(group)
                _deliver(group, error)
                if self.watch is not None and error is None:
                    _told(self.watch, group)
            elif stopping:
                break
            self._turn(self._limits.age)
        self._turn(-1.0)

    def _patience(self) -> float | None:
        """Seconds until the segment of now is old; what waits to be folded away is looked at meanwhile."""
        left = None if self._now is None else max(0.0, self._now.since + self._limits.age - time.monotonic())
        return left if not self._ended else min(1.0, left if left is not None else 1.0)

    def _write(self, group: list[_Waiting]) -> CasemateError | None:
        """None once all of it is on the disk."""
        if self.broken:
            error: CasemateError = Unavailable(what="journal")
        else:
            try:
                self._append(group)
            except StorageFull as full:
                error = full
            except Exception as failed:  # noqa: BLE001 - the disk, or a defect of ours: nobody may wait for ever for it
                self.broken = True
                if isinstance(failed, NotSynced) and self._lost is not None:
                    self._lost("journal segment")
                error = Unavailable(what="journal")
            else:
                return None
        with self._wake:
            for waiting in group:
                self._give_back(waiting.domain, len(waiting.data))
        return error

    def _append(self, group: list[_Waiting]) -> None:
        now = self._now or self._begin()
        records: list[bytes] = []
        new: set[str] = set()
        for waiting in group:
            if waiting.access.id not in now.known and waiting.access.id not in new:
                new.add(waiting.access.id)
                records.append(record(Known(waiting.access.id, waiting.access.sealed)))
            records.append(waiting.data)
        now.file.append(records)
        now.known |= new
        for waiting in group:
            now.bytes[waiting.domain] = now.bytes.get(waiting.domain, 0) + len(waiting.data)

    def _begin(self) -> _Written:
        self._number += 1
        file = SegmentFile(self._folder / f"{self._name}-{self._number:08d}{SUFFIX}")
        self._now = _Written(file, time.monotonic())
        return self._now

    def _turn(self, age: float) -> None:
        """End the segment where it is large or old; what has been folded away no longer counts."""
        now = self._now
        if now is not None and (
            self.broken or now.file.size >= self._limits.size or time.monotonic() - now.since >= age
        ):
            self._now = None
            self._ended.append(now)
            with contextlib.suppress(OSError):  # what was promised is synced; nothing else is owed
                now.file.release()
        gone = [each for each in self._ended if not each.file.path.exists()]
        if gone:
            self._ended = [each for each in self._ended if each not in gone]
            with self._wake:
                for each in gone:
                    for domain, size in each.bytes.items():
                        self._give_back(domain, size)

    def _give_back(self, domain: str, size: int) -> None:
        left = self._held[domain] - size
        if left:
            self._held[domain] = left
        else:
            del self._held[domain]


def _deliver(group: list[_Waiting], error: CasemateError | None) -> None:
    """Tell the loops that wait, one call for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiting in group:
        by_loop.setdefault(waiting.loop, []).append(waiting.future)
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, futures, error)
        except RuntimeError:  # that loop is closed: nobody waits there any more
            continue


def _told(watch: Callable[[str, float], None], group: list[_Waiting]) -> None:
    now, first = time.monotonic(), {waiting.domain: waiting.since for waiting in reversed(group)}
    for domain, since in first.items():
        watch(domain, now - since)


def _settle(futures: list[asyncio.Future[None]], error: CasemateError | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(type(error)(**error.facts))
            future.exception()  # whoever never asks whether it was durable was never told that it was
