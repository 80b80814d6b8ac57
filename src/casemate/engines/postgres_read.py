"""Reads a region's records in PostgreSQL as a role that owns nothing and sees what each question names.

A row on a page that the server cannot read comes back without content, in its place, as one that fails its check.
A connection for each thread that asks. One that is lost is sought again for a bounded time, and the question put once
more; where the server stays away, those who ask next are told at once.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Sequence

from psycopg import pq

from casemate.engines.postgres_link import Failed, Link, Lost, Target, told
from casemate.engines.postgres_schema import open_reader
from casemate.engines.postgres_wire import BYTEAS, INT8, TEXT, TEXTS, blobs, count, integer, text, texts
from casemate.engines.scanning import begin, behind
from casemate.errors import Damaged, Unavailable
from casemate.store import ClassRow, Row, StoredEntry

__all__ = ["PostgresReader"]

_PAUSE = 0.05
_AWAY = 1.0  # seconds for which nobody waits again for a server that was sought in vain
_ARRAY = 20  # bytes of an array's head
_ROW = b"class_id, kind, id, version, seq, sealed, digest"
_SCAN = b"SELECT " + _ROW + b" FROM %b($1, $2, $3, $4, $5, $6)"


class PostgresReader:
    """The Reader port over PostgreSQL. Each question is one statement, and so one moment of the store."""

    def __init__(self, target: Target) -> None:
        """Raises Unavailable where nobody answers or no writer has made the tables yet, Misconfigured, NewerSchema."""
        self._target = target
        self._own = threading.local()
        self._links: list[Link] = []
        self._lock = threading.Lock()
        self._away = 0.0
        self._closed = False
        self._classes: tuple[ClassRow, ...] = ()
        self._linked()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for link in self._links:
                link.close()
            self._links.clear()

    def classes(self) -> Sequence[ClassRow]:
        known = self._classes
        sql = b"SELECT id, sealed FROM classes WHERE (SELECT count(*) FROM classes) <> $1 ORDER BY id"
        result = self._ask(b"classes", sql, (INT8,), count(len(known)))
        if result.ntuples:
            known = tuple(ClassRow(_text(result, row, 0), _raw(result, row, 1)) for row in range(result.ntuples))
            self._classes = known
        return known

    def tides(self, kinds: Sequence[str], class_ids: Sequence[str]) -> list[int]:
        if not kinds or not class_ids:
            return []
        result = self._ask(b"tides", b"SELECT ask_tides($1, $2)", (TEXTS, TEXTS), _names(kinds), _names(class_ids))
        raw = _raw(result, 0, 0)
        return [value for _, value in struct.iter_unpack("!iq", raw[_ARRAY:])]

    def get(self, kind: str, id: str | Sequence[str], class_ids: Sequence[str]) -> list[Row]:
        ids = [id] * len(class_ids) if isinstance(id, str) else id
        sql = b"SELECT " + _ROW + b" FROM ask_get($1, $2, $3)"
        return _rows(self._ask(b"get", sql, (TEXT, TEXTS, TEXTS), _name(kind), _names(ids), _names(class_ids)))

    def scan(
        self, kind: str, blinds: Sequence[tuple[str, bytes]], class_ids: Sequence[str], after: str | None, limit: int
    ) -> tuple[list[Row], str | None]:
        first, place = begin(class_ids, after)
        asked = (
            _name(kind),
            _names([field for field, _ in blinds]),
            blobs([blind for _, blind in blinds]),
            _names(class_ids[first:]),
            count(place),
            count(limit + 1),
        )
        types = (TEXT, TEXTS, BYTEAS, TEXTS, INT8, INT8)
        try:
            rows = _rows(self._ask(b"scan", _SCAN % b"ask_scan", types, *asked))
        except Damaged:  # a page cannot be read: the rows on every other one are served
            rows = _rows(self._ask(b"singly", _SCAN % b"ask_singly", types, *asked))
        if len(rows) <= limit:
            return rows, None
        rows = rows[:limit]
        return rows, behind(rows, after)

    def children(self, class_id: str, kind: str, id: str, class_ids: Sequence[str]) -> list[Row]:
        sql = b"SELECT " + _ROW + b" FROM ask_children($1, $2, $3, $4)"
        asked = (_name(class_id), _name(kind), _name(id), _names(class_ids))
        return _rows(self._ask(b"children", sql, (TEXT, TEXT, TEXT, TEXTS), *asked))

    def entries(self, log: str, start: int, stop: int) -> list[StoredEntry]:
        sql = b"SELECT * FROM ask_entries($1, $2, $3)"
        result = self._ask(b"entries", sql, (TEXT, INT8, INT8), _name(log), count(start), count(stop))
        return [_entry(result, row) for row in range(result.ntuples)]

    def entry(self, id: str) -> tuple[str, StoredEntry] | None:
        result = self._ask(b"entry", b"SELECT * FROM ask_entry($1)", (TEXT,), _name(id))
        return (_text(result, 0, 6), _entry(result, 0)) if result.ntuples else None

    def expired(self, now: int, logs: Sequence[str], limit: int) -> list[tuple[str, int]]:
        sql = b"SELECT * FROM ask_expired($1, $2, $3)"
        result = self._ask(b"expired", sql, (INT8, TEXTS, INT8), count(now), _names(logs), count(limit))
        return [(_text(result, row, 0), integer(_raw(result, row, 1))) for row in range(result.ntuples)]

    def leaves(self, log: str, start: int, stop: int) -> list[bytes]:
        sql = b"SELECT * FROM ask_leaves($1, $2, $3)"
        result = self._ask(b"leaves", sql, (TEXT, INT8, INT8), _name(log), count(start), count(stop))
        return [_raw(result, row, 0) for row in range(result.ntuples)]

    def counts(self, class_id: str) -> dict[str, int]:
        result = self._ask(b"counts", b"SELECT * FROM ask_counts($1)", (TEXTS,), _names([class_id]))
        return {_text(result, row, 0): integer(_raw(result, row, 1)) for row in range(result.ntuples)}

    def sizes(self) -> dict[str, int]:
        return self._numbers(b"sizes", b"SELECT log, size FROM logs ORDER BY log")

    def used(self, class_id: str) -> int:
        return integer(_raw(self._ask(b"used", b"SELECT ask_used($1)", (TEXT,), _name(class_id)), 0, 0))

    def marks(self) -> dict[str, int]:
        """How far each segment of the journal has been folded."""
        return self._numbers(b"marks", b"SELECT name, place FROM marks ORDER BY name")

    def _numbers(self, name: bytes, sql: bytes) -> dict[str, int]:
        result = self._ask(name, sql, ())
        return {_text(result, row, 0): integer(_raw(result, row, 1)) for row in range(result.ntuples)}

    def _ask(self, name: bytes, sql: bytes, types: Sequence[int], *values: bytes) -> pq.abc.PGresult:
        """Put a question; once more where the connection turns out to be lost."""
        try:
            try:
                return self._linked().ask(name, sql, types, values)
            except Lost:
                return self._linked().ask(name, sql, types, values)
        except Lost:
            raise Unavailable(what="records") from None
        except Failed as error:
            raise told(error) from None

    def _linked(self) -> Link:
        """This thread's connection. Raises Unavailable where there is none within the bound."""
        link: Link | None = getattr(self._own, "link", None)
        if link is not None and not link.lost:
            return link
        made = self._sought(self._target.seconds if link is not None else 0.0)
        with self._lock:
            self._links = [each for each in self._links if not each.lost and each is not link]
            self._links.append(made)
        self._own.link = made
        return made

    def _sought(self, patience: float) -> Link:
        until = time.monotonic() + patience
        while not self._closed:
            try:
                made = open_reader(self._target)
            except Unavailable:
                now = time.monotonic()
                if now >= until or now < self._away:
                    self._away = max(self._away, now + _AWAY)
                    raise
                time.sleep(_PAUSE)
            else:
                self._away = 0.0
                return made
        raise Unavailable(what="records")


def _raw(result: pq.abc.PGresult, row: int, column: int) -> bytes:
    return result.get_value(row, column) or b""


def _text(result: pq.abc.PGresult, row: int, column: int) -> str:
    try:
        return text(_raw(result, row, column))
    except UnicodeDecodeError:
        raise Damaged(what="records") from None


def _name(value: str) -> bytes:
    """A name that is sought. What no text column can hold is nowhere, and is sought as what nobody has."""
    return value.replace("\0", "\ufffe").encode(errors="replace")


def _names(values: Sequence[str]) -> bytes:
    return texts([value.replace("\0", "\ufffe") for value in values])


def _rows(result: pq.abc.PGresult) -> list[Row]:
    return [
        Row(
            _text(result, row, 0),
            _text(result, row, 1),
            _text(result, row, 2),
            integer(_raw(result, row, 3)),
            integer(_raw(result, row, 4)),
            _raw(result, row, 5),
            _raw(result, row, 6),
        )
        for row in range(result.ntuples)
    ]


def _entry(result: pq.abc.PGresult, row: int) -> StoredEntry:
    return StoredEntry(
        integer(_raw(result, row, 0)),
        _text(result, row, 1),
        _raw(result, row, 2),
        _raw(result, row, 3),
        _raw(result, row, 4),
        integer(_raw(result, row, 5)),
    )
