"""A SQLite file as one end of a move; see `move`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

from casemate.engines.move import TABLES, Table
from casemate.engines.sqlite_schema import COUNTED, damaged, open_reader, open_writer
from casemate.errors import Damaged, Unavailable

__all__ = ["SqliteSide"]

_MOVING = "moving"
_FROM = {
    "parents": (
        "(SELECT p.class_id, p.kind, p.id, p.child_class, r.kind AS child_kind, r.seq AS child_seq "
        "FROM parents p JOIN rows r ON r.pk = p.child)"
    )
}
_PK = "(SELECT pk FROM rows WHERE class_id = {} AND kind = {} AND seq = {})"
_INTO = {
    "blinds": f"INSERT INTO blinds VALUES (?1, ?2, ?3, ?4, ?5, {_PK.format('?1', '?2', '?5')})",
    "parents": f"INSERT INTO parents VALUES (?1, ?2, ?3, ?4, {_PK.format('?4', '?5', '?6')})",
}


class SqliteSide:
    """`new`: a file that is made here, to be renamed when all has arrived. `changes`: it is written to."""

    def __init__(self, path: Path, new: bool = False, changes: bool = False) -> None:
        self._db = open_writer(path) if new or changes else open_reader(path)
        if not new:
            self._db.execute("PRAGMA checksum_verification = ON")

    def close(self) -> None:
        self._db.close()

    def rows(self, table: Table, after: tuple[Any, ...] | None) -> Iterator[tuple[Any, ...]]:
        key = ", ".join(table.columns[: table.key])
        sql = f"SELECT {', '.join(table.columns)} FROM {_FROM.get(table.name, table.name)}"
        if after is not None:
            sql += f" WHERE ({key}) > ({', '.join('?' * table.key)})"
        try:
            yield from self._db.execute(f"{sql} ORDER BY {key}", after or ())
        except (apsw.Error, UnicodeDecodeError) as error:
            raise (Damaged(what=table.name) if damaged(error) else Unavailable(what="records")) from None

    def count(self, table: Table) -> int:
        found: int = self._db.execute(f"SELECT count(*) FROM {table.name}").get
        return found

    def begin(self, stamp: str) -> None:
        """The file is made for this move alone, so what is there came from an earlier try."""
        with self._db:
            if self._db.execute("SELECT value FROM meta WHERE name = ?", (_MOVING,)).get == stamp:
                return
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table.name}")
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_MOVING, stamp))

    def last(self, table: Table) -> tuple[Any, ...] | None:
        columns = table.columns[: table.key]
        order = ", ".join(f"{column} DESC" for column in columns)
        source = _FROM.get(table.name, table.name)
        sql = f"SELECT {', '.join(columns)} FROM {source} ORDER BY {order} LIMIT 1"
        found: tuple[Any, ...] | None = self._db.execute(sql).fetchone()
        return found

    def put(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join(f"?{number}" for number in range(1, len(table.columns) + 1))
        sql = _INTO.get(table.name, f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})")
        with self._db:
            self._db.executemany(sql, rows)

    def spoil(self) -> None:
        with self._db:
            self._db.execute("UPDATE meta SET value = '' WHERE name = ?", (_MOVING,))

    def end(self) -> None:
        with self._db:
            self._db.execute("DELETE FROM meta WHERE name = ?", (_MOVING,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def recount(self) -> None:
        with self._db:
            self._db.execute(f"DELETE FROM uses; INSERT INTO uses {COUNTED}")
