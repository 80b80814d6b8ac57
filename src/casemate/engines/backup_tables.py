"""What the records hold, as a count and a digest for each table: by it a restored state is compared with its source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import apsw
import msgspec

from casemate.crypto import same
from casemate.custody.backup import Table
from casemate.engines.backup_wal import Tip, tip
from casemate.engines.sqlite_schema import summing
from casemate.errors import Damaged, Unavailable
from casemate.store import put_digest, row_digest

__all__ = ["damaged_rows", "tables_at", "tables_of"]

_TRIES = 500
_encode = msgspec.msgpack.Encoder().encode


def tables_at(records: Path) -> tuple[Tip, Callable[[], dict[str, Table]], Callable[[], None]]:
    """A state of the running records: where in the log it is, what gives its tables, and what lets go of it.

    A read transaction that began while the log stood still sees exactly what is committed up to there; while it is
    open the log does not begin anew. Raises Unavailable where the log never stands still.
    """
    db = _opened(records)
    for _ in range(_TRIES):
        before = tip(records)
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        after = tip(records)
        if (before.salts, before.frames) == (after.salts, after.frames):
            return after, lambda: _tables(db), db.close
        db.execute("ROLLBACK")
    db.close()
    raise Unavailable(what="records")


def tables_of(records: Path) -> dict[str, Table]:
    """The tables of records that nobody writes. Raises Damaged."""
    db = _opened(records)
    try:
        return _tables(db)
    except apsw.Error:
        raise Damaged(what="records") from None
    finally:
        db.close()


def damaged_rows(records: Path) -> list[str]:
    """The places of rows that are not what their own digests say."""
    db = _opened(records)
    wrong: list[str] = []
    try:
        for pk, *row in db.execute("SELECT pk, class_id, kind, id, sealed, version, seq, digest FROM rows"):
            class_id, kind, id, sealed, version, seq, digest = cast("tuple[str, str, str, bytes, int, int, bytes]", row)
            if not same(row_digest(put_digest(class_id, kind, id, sealed), version, seq), digest):
                wrong.append(f"row {pk}")
    except apsw.Error:
        raise Damaged(what="records") from None
    finally:
        db.close()
    return wrong


def _opened(records: Path) -> apsw.Connection:
    summing()  # a page that is not as it was written is no state to compare with
    db = apsw.Connection(str(records), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(5000)
    return db


def _tables(db: apsw.Connection) -> dict[str, Table]:
    names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    found: dict[str, Table] = {}
    for name in [str(row[0]) for row in names.fetchall()]:
        running, rows = hashlib.sha384(), 0
        for row in db.execute(f'SELECT * FROM "{name}" ORDER BY {_order(db, name)}'):
            running.update(_encode(row))
            rows += 1
        found[name] = Table(rows, running.hexdigest())
    return found


def _order(db: apsw.Connection, table: str) -> str:
    """Every column, in the order in which they stand."""
    return ", ".join(f'"{row[1]}"' for row in db.execute(f'PRAGMA table_info("{table}")'))
