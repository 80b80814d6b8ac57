"""The tables of data/records.db, how they came to be, and how a connection to them is opened.

A migration is SQL that only goes forward; the number of those applied is the schema's version, kept in `meta`. A file
of a later version is refused. Durability is set and then read back: a library default may not be what it says.

Every page ends with a checksum of SQLite's own layer for that (cksumvfs). The writer checks each page that it reads, so
that it never writes a damaged one anew under a good sum; readers do not: each row has a digest of its own, and the
damage of one must not keep its neighbours on the page from being served. `store check` reads with checksums.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import apsw
from apsw import sqlite_extra

from casemate.errors import Damaged, Misconfigured, NewerSchema, Unavailable

__all__ = ["COUNTED", "MIGRATIONS", "damaged", "open_reader", "open_writer", "summed", "summing"]

COUNTED = """
    SELECT class_id, sum(bytes) FROM (
        SELECT class_id, sum(256 + length(sealed)) AS bytes FROM rows GROUP BY class_id
        UNION ALL SELECT log, sum(256 + length(sealed)) FROM entries GROUP BY log
        UNION ALL SELECT log, sum(length(content)) FROM contents GROUP BY log) AS w GROUP BY class_id
"""
"""What each class takes, made from what lies there: `store.share` in SQL."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE classes (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE places (class_id TEXT, kind TEXT, next INTEGER NOT NULL,
        PRIMARY KEY (class_id, kind)) STRICT, WITHOUT ROWID;
    CREATE TABLE rows (pk INTEGER PRIMARY KEY, class_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
        version INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL, sealed BLOB NOT NULL,
        UNIQUE (class_id, kind, id), UNIQUE (class_id, kind, seq)) STRICT;
    CREATE TABLE blinds (class_id TEXT, kind TEXT, field TEXT, blind BLOB, seq INTEGER, pk INTEGER NOT NULL,
        PRIMARY KEY (class_id, kind, field, blind, seq)) STRICT, WITHOUT ROWID;
    CREATE INDEX blinds_of ON blinds (pk);
    CREATE TABLE parents (class_id TEXT, kind TEXT, id TEXT, child_class TEXT, child INTEGER,
        PRIMARY KEY (class_id, kind, id, child_class, child)) STRICT, WITHOUT ROWID;
    CREATE INDEX parents_of ON parents (child);
    CREATE TABLE logs (log TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (log TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, leaf BLOB NOT NULL,
        sealed BLOB NOT NULL, UNIQUE (log, seq), UNIQUE (id, log)) STRICT;
    CREATE TABLE contents (log TEXT NOT NULL, seq INTEGER NOT NULL, expires INTEGER NOT NULL, content BLOB NOT NULL,
        UNIQUE (log, seq)) STRICT;
    CREATE INDEX contents_expire ON contents (log, expires) WHERE expires > 0;
    CREATE TABLE keys (domain TEXT, key TEXT, receipt BLOB NOT NULL,
        PRIMARY KEY (domain, key)) STRICT, WITHOUT ROWID;
    """,
    "CREATE TABLE marks (name TEXT PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE tides (class_id TEXT, kind TEXT, at INTEGER NOT NULL,
        PRIMARY KEY (class_id, kind)) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE uses (class_id TEXT PRIMARY KEY, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO uses {COUNTED};
    """,
)
_META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"
_FULL, _OFF = 2, 0
_WAIT_MS = 5000
_SUMMED, _SUM = "cksmvfs", 8


def open_writer(path: Path, durable: bool = True, migrations: Sequence[str] = MIGRATIONS) -> apsw.Connection:
    """The connection that writes: WAL, every commit synced before it returns, schema brought up to date.

    `durable=False` is for tests: it syncs nothing, works below the machine's folder for temporary files only, and
    marks the file, so that neither kind can ever be opened as the other.
    """
    if not durable and not _temporary(path):
        raise Misconfigured(setting="durable", why="only a store in a folder for temporary files may be undurable")
    try:
        summing()
        db = apsw.Connection(str(path))
        db.set_busy_timeout(_WAIT_MS)
        _sum_pages(db, path)
        _demand(db, "journal_mode", "WAL", "wal")
        _demand(db, "synchronous", *(("FULL", _FULL) if durable else ("OFF", _OFF)))
        _demand(db, "wal_autocheckpoint", "0", 0)
        for quiet in ("temp_store = MEMORY", "secure_delete = ON", "trusted_schema = OFF", "cache_size = -16384"):
            db.execute(f"PRAGMA {quiet}")
        _verify_pages(db, True)
        _migrate(db, durable, migrations)
    except apsw.Error as error:
        raise _told(error) from error
    _sync_folder(path.parent)
    return db


def open_reader(path: Path) -> apsw.Connection:
    """A connection that cannot write. Raises Unavailable where the writer has not made the store yet."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        db.set_busy_timeout(_WAIT_MS)
        db.execute("PRAGMA query_only = ON")
        db.execute("PRAGMA trusted_schema = OFF")
        found = _version(db)
        _verify_pages(db, False)
    except apsw.Error as error:
        raise _told(error) from error
    if found > len(MIGRATIONS):
        raise NewerSchema(found=found, known=len(MIGRATIONS))
    if found < len(MIGRATIONS):
        raise Unavailable(what="records")
    return db


def summed(db: apsw.Connection) -> bool:
    """Whether pages bear checksums here: the layer is there, and the file was made with room for them."""
    return bool(db.execute("PRAGMA checksum_verification").get)


def summing() -> None:
    """Put the layer for checksums below the connections of this process; where it was not built, there is none."""
    if _SUMMED in apsw.vfs_names() or sqlite_extra.has("cksumvfs") != "extension":
        return
    with apsw.Connection(":memory:") as db:
        sqlite_extra.load(db, "cksumvfs")


def _sum_pages(db: apsw.Connection, path: Path) -> None:
    """Leave room for a checksum in each page of a new file."""
    if path.stat().st_size == 0 and db.execute("PRAGMA checksum_verification").get is not None:
        room = ctypes.c_int(_SUM)
        db.file_control("main", apsw.SQLITE_FCNTL_RESERVE_BYTES, ctypes.addressof(room))


def _verify_pages(db: apsw.Connection, verify: bool) -> None:
    db.execute(f"PRAGMA checksum_verification = {'ON' if verify else 'OFF'}")


def _demand(db: apsw.Connection, pragma: str, value: str, read_back: str | int) -> None:
    """Set a pragma and insist that it took."""
    db.execute(f"PRAGMA {pragma} = {value}")
    found = db.execute(f"PRAGMA {pragma}").get
    if found != read_back:
        raise Misconfigured(setting=pragma, why=f"asked for {value}, the file system gives {found}")


def _migrate(db: apsw.Connection, durable: bool, migrations: Sequence[str]) -> None:
    """Apply what is missing, all of it or none of it."""
    with db:
        db.execute(_META)
        found = _version(db)
        if found > len(migrations):
            raise NewerSchema(found=found, known=len(migrations))
        for step in migrations[found:]:
            db.execute(step)
        _note(db, "schema", str(len(migrations)))
        promise = "full" if durable else "none"
        kept = db.execute("SELECT value FROM meta WHERE name = 'durability'").get
        if kept not in (None, promise):
            raise Misconfigured(setting="durable", why=f"this store was made with durability {kept}")
        _note(db, "durability", promise)


def _version(db: apsw.Connection) -> int:
    try:
        found = db.execute("SELECT value FROM meta WHERE name = 'schema'").get
    except apsw.SQLError:  # no table yet: an empty file
        return 0
    try:
        return int(found or 0)
    except ValueError:
        raise Damaged(what="schema version") from None


def _note(db: apsw.Connection, name: str, value: str) -> None:
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value))


def _temporary(path: Path) -> bool:
    return path.resolve().is_relative_to(Path(tempfile.gettempdir()).resolve())


def _told(error: apsw.Error) -> Damaged | Unavailable:
    wrong = damaged(error) or damaged(error.__context__ or error)  # an undoing that fails hides what went wrong
    return Damaged(what="records") if wrong else Unavailable(what="records")


def damaged(error: BaseException) -> bool:
    """Whether that says that what is in the file is not what was written: its form, a checksum, a text."""
    data = getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA
    return data or isinstance(error, apsw.CorruptError | apsw.NotADBError | UnicodeDecodeError)


def _sync_folder(folder: Path) -> None:
    """The new file's name must survive a power cut too; SQLite syncs the folder for its WAL only."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
