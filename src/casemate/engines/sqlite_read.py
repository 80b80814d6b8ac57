"""Reads data/records.db without ever writing to it: any process may hold one of these beside the writer.

A row that SQLite cannot read comes back without content, in its place, as one that fails its check: the rows beside it
are given as ever. Where the way to the rows is damaged, the whole question is Damaged.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from casemate.engines.scanning import begin, behind
from casemate.engines.sqlite_schema import damaged, open_reader
from casemate.errors import Damaged, Unavailable
from casemate.store import ClassRow, Row, StoredEntry

__all__ = ["SqliteReader"]

KEPT = 256  # questions after tides that are remembered

_ROW = "r.class_id, r.kind, r.id, r.version, r.seq, r.sealed, r.digest"
_ENTRY = (
    "SELECT e.seq, e.id, e.leaf, e.sealed, coalesce(c.content, x''), coalesce(c.expires, 0), e.log "
    "FROM entries e LEFT JOIN contents c ON c.log = e.log AND c.seq = e.seq "
)
_BEARS = (
    " AND EXISTS (SELECT 1 FROM blinds o WHERE o.class_id = {0}.class_id AND o.kind = {0}.kind"
    " AND o.field = ? AND o.blind = ? AND o.seq = {0}.seq)"
)
_STORED = (int, str, bytes, bytes, bytes, int)


class SqliteReader:
    """The Reader port over a read-only connection. One question at a time; each sees one moment of the store."""

    def __init__(self, path: Path) -> None:
        self._db = open_reader(path)
        self._lock = threading.RLock()
        self._classes: tuple[ClassRow, ...] = ()
        self._tides: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], tuple[int, list[int]]] = OrderedDict()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def classes(self) -> Sequence[ClassRow]:
        with self._moment():
            if self._ask("SELECT count(*) FROM classes")[0][0] != len(self._classes):
                self._classes = tuple(ClassRow(*r) for r in self._ask("SELECT id, sealed FROM classes ORDER BY id"))
            return self._classes

    def tides(self, kinds: Sequence[str], class_ids: Sequence[str]) -> list[int]:
        """Asked at nearly every read, of all visible classes: looked up once for each state of the store.

        SQLite says at once whether anybody has committed since (`data_version`). It is asked first, so that a commit
        that comes between makes what is kept old, never what is given.
        """
        asked = tuple(kinds), tuple(class_ids)
        with self._lock:
            state = self._ask("PRAGMA data_version")[0][0]
            kept = self._tides.pop(asked, None)
            if kept is None or kept[0] != state:
                kept = state, self._looked_up(kinds, class_ids)
            self._tides[asked] = kept
            if len(self._tides) > KEPT:
                self._tides.popitem(last=False)
            return list(kept[1])

    def _looked_up(self, kinds: Sequence[str], class_ids: Sequence[str]) -> list[int]:
        sql = (
            "SELECT coalesce(t.at, 0) FROM json_each(?) k CROSS JOIN json_each(?) c "
            "LEFT JOIN tides t ON t.class_id = c.value AND t.kind = k.value ORDER BY k.key, c.key"
        )
        return [row[0] for row in self._ask(sql, (json.dumps(list(kinds)), json.dumps(list(class_ids))))]

    def get(self, kind: str, id: str | Sequence[str], class_ids: Sequence[str]) -> list[Row]:
        ids = [id] * len(class_ids) if isinstance(id, str) else id
        found: list[Row] = []
        with self._moment():
            for class_id, own in zip(class_ids, ids, strict=True):
                sql = f"SELECT {_ROW} FROM rows r WHERE r.class_id = ? AND r.kind = ? AND r.id = ?"
                found.extend(Row(*row) for row in self._ask(sql, (class_id, kind, own)))
        return found

    def scan(
        self, kind: str, blinds: Sequence[tuple[str, bytes]], class_ids: Sequence[str], after: str | None, limit: int
    ) -> tuple[list[Row], str | None]:
        first, place = begin(class_ids, after)
        rows: list[Row] = []
        with self._moment():
            for class_id in class_ids[first:]:
                asked = kind, blinds, class_id, place, limit + 1 - len(rows)
                try:
                    rows.extend(self._stretch(*asked))
                except Damaged:
                    rows.extend(self._one_by_one(*asked))
                place = 0
                if len(rows) > limit:
                    rows = rows[:limit]
                    return rows, behind(rows, after)
        return rows, None

    def _stretch(
        self, kind: str, blinds: Sequence[tuple[str, bytes]], class_id: str, place: int, limit: int
    ) -> list[Row]:
        """Rows of one class beyond a place. The first blind leads, so that what it does not match is never read."""
        values: list[Any] = [class_id, kind]
        if blinds:
            source = "blinds b CROSS JOIN rows r ON r.pk = b.pk"
            where, order = "b.class_id = ? AND b.kind = ? AND b.field = ? AND b.blind = ? AND b.seq > ?", "b.seq"
            values.extend(blinds[0])
        else:
            source, where, order = "rows r", "r.class_id = ? AND r.kind = ? AND r.seq > ?", "r.seq"
        values.append(place)
        for pair in blinds[1:]:
            where += _BEARS.format("r")
            values.extend(pair)
        sql = f"SELECT {_ROW} FROM {source} WHERE {where} ORDER BY {order} LIMIT ?"
        return [Row(*row) for row in self._ask(sql, (*values, limit))]

    def _one_by_one(
        self, kind: str, blinds: Sequence[tuple[str, bytes]], class_id: str, place: int, limit: int
    ) -> list[Row]:
        """The same, where one of the rows cannot be read: their places from the index, then each by itself."""
        name, values = ("blinds" if blinds else "rows"), [class_id, kind, place]
        where = "p.class_id = ? AND p.kind = ? AND p.seq > ?"
        for at, pair in enumerate(blinds):
            where += " AND p.field = ? AND p.blind = ?" if at == 0 else _BEARS.format("p")
            values.extend(pair)
        sql = f"SELECT p.seq FROM {name} p WHERE {where} ORDER BY p.seq LIMIT ?"
        return [self._single(class_id, kind, found[0]) for found in self._ask(sql, (*values, limit))]

    def _single(self, class_id: str, kind: str, seq: int) -> Row:
        sql = f"SELECT {_ROW} FROM rows r WHERE r.class_id = ? AND r.kind = ? AND r.seq = ?"
        try:
            [found] = self._ask(sql, (class_id, kind, seq))
        except (Damaged, ValueError):
            return Row(class_id, kind, "", 0, seq, b"", b"")
        return Row(*found)

    def children(self, class_id: str, kind: str, id: str, class_ids: Sequence[str]) -> list[Row]:
        sql = (
            f"SELECT {_ROW} FROM parents p CROSS JOIN rows r ON r.pk = p.child "
            "WHERE p.class_id = ? AND p.kind = ? AND p.id = ? AND p.child_class = ? ORDER BY r.kind, r.seq"
        )
        found: list[Row] = []
        with self._moment():
            for visible in class_ids:
                found.extend(Row(*row) for row in self._ask(sql, (class_id, kind, id, visible)))
        return found

    def entries(self, log: str, start: int, stop: int) -> list[StoredEntry]:
        sql = _ENTRY + "WHERE e.log = ? AND e.seq >= ? AND e.seq < ? ORDER BY e.seq"
        return [_stored(row) for row in self._ask(sql, (log, start, stop))]

    def entry(self, id: str) -> tuple[str, StoredEntry] | None:
        for row in self._ask(_ENTRY + "WHERE e.id = ? ORDER BY e.log LIMIT 1", (id,)):
            return row[6], _stored(row)
        return None

    def expired(self, now: int, logs: Sequence[str], limit: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        sql = (
            "SELECT log, seq FROM contents WHERE log = ? AND expires > 0 AND expires <= ? ORDER BY expires, seq LIMIT ?"
        )
        with self._moment():
            for log in logs:
                found.extend(self._ask(sql, (log, now, limit - len(found))))
        return found

    def leaves(self, log: str, start: int, stop: int) -> list[bytes]:
        sql = "SELECT leaf FROM entries WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq"
        return [row[0] for row in self._ask(sql, (log, start, stop))]

    def counts(self, class_id: str) -> dict[str, int]:
        return dict(self._ask("SELECT kind, count(*) FROM rows WHERE class_id = ? GROUP BY kind", (class_id,)))

    def sizes(self) -> dict[str, int]:
        return dict(self._ask("SELECT log, size FROM logs ORDER BY log"))

    def used(self, class_id: str) -> int:
        found = self._ask("SELECT used FROM uses WHERE class_id = ?", (class_id,))
        return int(found[0][0]) if found else 0

    def marks(self) -> dict[str, int]:
        """How far each segment of the journal has been folded."""
        return dict(self._ask("SELECT name, place FROM marks ORDER BY name"))

    @contextmanager
    def _moment(self) -> Iterator[None]:
        """Several questions, one state of the store."""
        with self._lock:
            self._ask("BEGIN")
            try:
                yield
            finally:
                self._ask("COMMIT")

    def _ask(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except (apsw.Error, UnicodeDecodeError) as error:
                raise Damaged(what="records") if damaged(error) else Unavailable(what="records") from None


def _stored(row: tuple[Any, ...]) -> StoredEntry:
    """Whatever a flipped bit made of a column's type, what goes on from here is of ours. Raises Damaged."""
    if not all(isinstance(value, kind) for value, kind in zip(row, _STORED, strict=False)):
        raise Damaged(what="ledger")
    return StoredEntry(*row[:6])
