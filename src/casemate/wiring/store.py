"""The engine behind a region's records, as its settings say: one file, or a database in a PostgreSQL server."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from casemate.engines.key_file import KeyFile
from casemate.errors import Damaged, Misconfigured
from casemate.settings import Settings, StoreSettings
from casemate.store import Committer, Reader, Share
from casemate.wiring.ending import not_synced
from casemate.wiring.folder import Folder

if TYPE_CHECKING:
    from casemate.engines.backup_ship import Shipper
    from casemate.engines.postgres_link import Target

__all__ = ["Records", "Writer", "reader_of", "target_of", "there", "writer_of", "written_in"]


class Writer(Committer, Protocol):
    """A Committer that holds its store until it is closed."""

    def close(self) -> None: ...


class Records(Reader, Protocol):
    """A Reader with what the sequencer asks, and an end."""

    def marks(self) -> Mapping[str, int]: ...

    def close(self) -> None: ...


def writer_of(
    folder: Folder, settings: Settings, share: Share, durable: bool = True, ship: Shipper | None = None
) -> Writer:
    """The one writer. `durable=False` is for laws, and for the file alone. Raises Occupied where another writes.

    `share`: what a class may take. `ship`: what makes backups of a file; a server's records are its own affair.
    """
    if settings.store.kind == "sqlite":
        from casemate.engines.sqlite import SqliteWriter

        lost = not_synced if durable else None
        return SqliteWriter(folder.records, durable=durable, lost=lost, ship=ship, share=share)
    target = target_of(folder, settings.store)
    from casemate.engines.postgres import PostgresWriter

    return PostgresWriter(target, share=share)


def reader_of(folder: Folder, settings: Settings) -> Records:
    """What reads it, in any process."""
    if settings.store.kind == "sqlite":
        from casemate.engines.sqlite_read import SqliteReader

        return SqliteReader(folder.records)
    target = target_of(folder, settings.store)
    from casemate.engines.postgres_read import PostgresReader

    return PostgresReader(target)


def written_in(reader: Reader) -> Callable[[str], bool]:
    """Whether the records know an access class; "": whether they know any at all."""

    def written(class_id: str) -> bool:
        rows = reader.classes()
        return any(row.id == class_id for row in rows) if class_id else bool(rows)

    return written


def there(folder: Folder, settings: Settings) -> None:
    """Raises Damaged where the records should be a file of this folder and are gone."""
    if settings.store.kind == "sqlite" and not folder.records.exists():
        raise Damaged(what=str(folder.records.relative_to(folder.path)))


def target_of(folder: Folder, told: StoreSettings) -> Target:
    """How the server is reached. Raises Misconfigured where it cannot be; a password is read at each connection."""
    try:
        from casemate.engines.postgres_link import Target
    except ImportError:  # the extra `postgresql` is not installed
        raise Misconfigured(
            setting="store.kind", why="kind postgresql needs the package psycopg: pip install casemate[postgresql]"
        ) from None
    if told.ca_file and not (folder.keys / told.ca_file).is_file():
        raise Misconfigured(setting="store.ca_file", why="the file cannot be read")
    reading = told.reader_key_file or told.key_file
    return Target(
        told.host,
        told.port,
        told.dbname,
        told.user,
        told.reader,
        sslmode=told.sslmode,
        ca=str(folder.keys / told.ca_file) if told.ca_file else "",
        seconds=told.seconds,
        password=_Password(folder.keys, told.key_file, "store.key_file"),
        reader_password=_Password(folder.keys, reading, "store.reader_key_file"),
    )


class _Password:
    """What a role's key file says now; "" where there is none, and libpq looks into PGPASSFILE."""

    def __init__(self, keys: Path, name: str, setting: str) -> None:
        self._path = keys / name if name else None
        self._setting = setting

    def __call__(self) -> str:
        if self._path is None:
            return ""
        file = KeyFile(self._path, self._setting)
        line = file.line()
        if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            raise file.wrong("others may read it: chmod 600")
        return line
