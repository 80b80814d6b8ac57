"""The store as it will be once what lies in the segments is folded: for whoever reads a region that does not run.

It writes nothing. What the journal holds beyond the store is put behind each log, worker by worker, each worker's in
the order in which it is folded (among workers any order is right); an unsynced tail is promised to nobody and is not
shown. What must never happen: that entries which wait in the folder look as if they had never been made.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from casemate.engines.segment_fold import segments
from casemate.engines.segment_format import HEAD, Group, begins_later, read_group, read_head
from casemate.errors import Damaged
from casemate.store import Batch, ClassRow, EntryRow, Reader, Row, StoredEntry, brought

__all__ = ["WithLeftovers"]


class Held(Reader, Protocol):
    """A Reader that says how far segments have been folded."""

    def marks(self) -> Mapping[str, int]: ...

    def close(self) -> None: ...


class WithLeftovers:
    """The Reader port over a store and the segments beside it. Raises Damaged where a segment cannot be read."""

    def __init__(self, reader: Held, folder: Path) -> None:
        self._reader = reader
        self._classes: dict[str, ClassRow] = {row.id: row for row in reader.classes()}
        self._sizes = reader.sizes()
        self._left: dict[str, list[EntryRow]] = {}
        places = reader.marks()
        for paths in segments(folder).values():
            for path in paths:
                for group in _groups(path, places.get(path.stem, 0)):
                    self._take(group)
        self._all = tuple(self._classes[id] for id in sorted(self._classes))

    def left(self, log: str) -> int:
        """How many entries of a log wait to be folded."""
        return len(self._left.get(log, ()))

    def _take(self, group: Group) -> None:
        for known in group.classes:
            self._classes.setdefault(known.id, known)
        for row in group.entries:
            self._left.setdefault(row.log, []).append(row)

    def classes(self) -> Sequence[ClassRow]:
        return self._all

    def tides(self, kinds: Sequence[str], class_ids: Sequence[str]) -> list[int]:
        return self._reader.tides(kinds, class_ids)

    def get(self, kind: str, id: str | Sequence[str], class_ids: Sequence[str]) -> list[Row]:
        return self._reader.get(kind, id, class_ids)

    def scan(
        self, kind: str, blinds: Sequence[tuple[str, bytes]], class_ids: Sequence[str], after: str | None, limit: int
    ) -> tuple[list[Row], str | None]:
        return self._reader.scan(kind, blinds, class_ids, after, limit)

    def children(self, class_id: str, kind: str, id: str, class_ids: Sequence[str]) -> list[Row]:
        return self._reader.children(class_id, kind, id, class_ids)

    def entries(self, log: str, start: int, stop: int) -> list[StoredEntry]:
        return self._reader.entries(log, start, stop) + self._behind(log, start, stop)

    def entry(self, id: str) -> tuple[str, StoredEntry] | None:
        for log in self._left:
            for found in self._behind(log, 0, 1 << 62):
                if found.id == id:
                    return log, found
        return self._reader.entry(id)

    def expired(self, now: int, logs: Sequence[str], limit: int) -> list[tuple[str, int]]:
        return self._reader.expired(now, logs, limit)

    def leaves(self, log: str, start: int, stop: int) -> list[bytes]:
        return self._reader.leaves(log, start, stop) + [each.leaf for each in self._behind(log, start, stop)]

    def counts(self, class_id: str) -> Mapping[str, int]:
        return self._reader.counts(class_id)

    def sizes(self) -> dict[str, int]:
        logs = sorted({*self._sizes, *self._left})
        return {log: self._sizes.get(log, 0) + len(self._left.get(log, ())) for log in logs}

    def used(self, class_id: str) -> int:
        left = self._left.get(class_id, ())
        return self._reader.used(class_id) + brought(Batch("", entries=left)).get(class_id, 0)

    def close(self) -> None:
        self._reader.close()

    def _behind(self, log: str, start: int, stop: int) -> list[StoredEntry]:
        """What waits, at the places that it will have."""
        size = self._sizes.get(log, 0)
        rows = self._left.get(log, [])[max(0, start - size) : max(0, stop - size)]
        first = max(start, size)
        return [
            StoredEntry(first + number, row.id, row.leaf, row.sealed, row.content, row.expires)
            for number, row in enumerate(rows)
        ]


def _groups(path: Path, place: int) -> list[Group]:
    """The whole groups behind a place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        id = read_head(descriptor)
        groups: list[Group] = []
        if id is None:
            return groups
        at = max(place, HEAD)
        while isinstance(group := read_group(descriptor, id, at), Group):
            groups.append(group)
            at = group.end
        if begins_later(descriptor, id, at):
            raise Damaged(what=f"journal segment {path.stem}")
        return groups
    finally:
        os.close(descriptor)
