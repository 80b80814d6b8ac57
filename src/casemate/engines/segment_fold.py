"""The sequencer: folds the segments of every worker into the logs, through the one writer, each entry once.

    data/segments/WORKER-NUMBER.seg   in order of WORKER's numbers, group by group
      -> one Batch: classes, entries and the place in the segment, in one transaction
      -> at the end of a segment that nobody holds any more: the file is removed, then its place is forgotten

How far a segment is folded stands in the store itself, so a kill at any instant loses and doubles nothing. The tail
that a dead worker left unsynced is promised to nobody and goes, and is told. Anything else that cannot be read is
Damaged: it stays where it lies, stops its own worker's segments and no other's, and is told at each fold. What must
never happen: that an entry which was promised is passed over in silence.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from casemate.engines.segment import SUFFIX
from casemate.engines.segment_file import finished, sync_folder
from casemate.engines.segment_format import HEAD, Group, begins_later, read_group, read_head
from casemate.errors import CasemateError, Conflict, Damaged
from casemate.store import Batch, ClassRow, Committer, EntryRow, Mark

__all__ = ["DOMAIN", "Sequencer", "segments"]

DOMAIN = "journal"
EVERY = 0.1
ENTRIES = 256
BYTES = 4 << 20


@dataclass(slots=True)
class _Open:
    """A segment under way: `place` is where the store says that it stands, `at` where to read on."""

    path: Path
    descriptor: int
    id: bytes
    place: int
    at: int


def segments(folder: Path) -> dict[str, list[Path]]:
    """The segments of each worker, in the order in which it wrote them."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        found.setdefault(path.stem.partition("-")[0], []).append(path)
    return found


class Sequencer:
    """One per store, beside its writer. `places` asks the store how far each segment is folded.

    `tell` is given a segment's name and what is wrong with it (`damaged`, `torn`), once for each.
    """

    def __init__(
        self,
        folder: Path,
        committer: Committer,
        places: Callable[[], Mapping[str, int]],
        tell: Callable[[str, str], None] = lambda _name, _what: None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._committer = committer
        self._places = places
        self._tell = tell
        self._told: set[tuple[str, str]] = set()
        self._open: dict[str, _Open] = {}
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fold what earlier workers left, forget places of segments that are gone, then go on by itself."""
        there = {path.stem for paths in segments(self._folder).values() for path in paths}
        gone = [Mark(name, place, 0) for name, place in self._places().items() if name not in there]
        if gone:
            await self._committer.commit(Batch(domain=DOMAIN, marks=gone))
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Fold what is there, and let go of it."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        await self._quietly()
        for each in self._open.values():
            os.close(each.descriptor)
        self._open.clear()

    async def fold(self) -> None:
        """Everything that was durable when this was called is in its log. Raises what kept anything from it.

        Those who ask while others are served share the next pass.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after())
            self._next.add_done_callback(_seen)
        await asyncio.shield(self._next)

    async def _after(self) -> None:
        async with self._turn:
            self._next = None
            await self._pass()

    async def _run(self) -> None:
        while True:
            await self._quietly()
            await asyncio.sleep(EVERY)

    async def _quietly(self) -> None:
        """A pass for nobody: what is damaged has been told, and what did not answer is asked again."""
        try:
            await self.fold()
        except CasemateError:
            return

    async def _pass(self) -> None:
        works = [self._worker(paths) for paths in segments(self._folder).values()]
        for outcome in await asyncio.gather(*works, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _worker(self, paths: list[Path]) -> None:
        """A segment of a worker only after those that it wrote before."""
        for path in paths:
            if not await self._segment(path):
                return

    async def _segment(self, path: Path) -> bool:
        """Whether it was folded to its end and is gone."""
        try:
            found = self._open.get(path.stem) or self._opened(path)
        except Damaged:
            raise self._damaged(path.stem) from None
        if found is None:
            return False
        while True:
            ended = finished(found.descriptor)
            if await self._groups(found) or await asyncio.to_thread(self._later, found):
                continue
            if not ended:
                return False
            await self._remove(found)
            return True

    def _later(self, found: _Open) -> bool:
        """Whether more has come whole meanwhile. Raises Damaged where what was on the disk cannot be read."""
        if os.fstat(found.descriptor).st_size <= found.at or not begins_later(found.descriptor, found.id, found.at):
            return False
        if not isinstance(read_group(found.descriptor, found.id, found.at), Group):
            raise self._damaged(found.path.stem)
        return True

    def _opened(self, path: Path) -> _Open | None:
        """None where its worker has not begun to write: there is nothing in it."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            id = read_head(descriptor)
        except Damaged:
            os.close(descriptor)
            raise
        if id is None:
            os.close(descriptor)
            return None
        place = self._places().get(path.stem, 0)
        found = self._open[path.stem] = _Open(path, descriptor, id, place, max(place, HEAD))
        return found

    async def _groups(self, found: _Open) -> bool:
        """Fold some groups; whether there were any."""
        if os.fstat(found.descriptor).st_size <= found.at:
            return False
        groups = await asyncio.to_thread(_some, found.descriptor, found.id, found.at)
        if not groups:
            return False
        end = groups[-1].end
        classes: list[ClassRow] = [row for group in groups for row in group.classes]
        entries: list[EntryRow] = [row for group in groups for row in group.entries]
        mark = Mark(found.path.stem, found.place, end)
        try:
            await self._committer.commit(Batch(domain=DOMAIN, entries=entries, classes=classes, marks=[mark]))
        except Conflict:
            place = self._places().get(found.path.stem, 0)
            if place == found.place:  # an entry that is in the log already did not come from here
                raise self._damaged(found.path.stem) from None
            found.place = found.at = place  # an earlier answer was lost: that batch had landed
            return True
        found.place = found.at = end
        return True

    async def _remove(self, found: _Open) -> None:
        """A segment that nobody holds, read to its last whole group."""
        name = found.path.stem
        if os.fstat(found.descriptor).st_size > found.at:
            self._say(name, "torn")
        await asyncio.to_thread(_unlinked, found.path)
        os.close(self._open.pop(name).descriptor)
        if found.place:
            await self._committer.commit(Batch(domain=DOMAIN, marks=[Mark(name, found.place, 0)]))

    def _damaged(self, name: str) -> Damaged:
        self._say(name, "damaged")
        return Damaged(what=f"journal segment {name}")

    def _say(self, name: str, what: str) -> None:
        if (name, what) not in self._told:
            self._told.add((name, what))
            self._tell(name, what)


def _some(descriptor: int, id: bytes, at: int) -> list[Group]:
    """Whole groups from a place on: at least one where there is one, and about as many as fit one transaction."""
    groups: list[Group] = []
    begun, entries = at, 0
    while entries < ENTRIES and at - begun < BYTES:
        group = read_group(descriptor, id, at)
        if not isinstance(group, Group):
            break
        groups.append(group)
        at, entries = group.end, entries + len(group.entries)
    return groups


def _unlinked(path: Path) -> None:
    path.unlink()
    sync_folder(path.parent)


def _seen(task: asyncio.Task[None]) -> None:
    """Whoever asked may have left; what went wrong has been told."""
    if not task.cancelled():
        task.exception()
