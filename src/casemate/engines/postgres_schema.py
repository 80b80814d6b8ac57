"""The schema `casemate` of a PostgreSQL database: how it came to be, and how a connection to it is opened.

A migration is SQL that only goes forward, in one transaction with the number that it leaves in `meta`: one that is
killed half-way was never begun. A schema of a later version is refused. Durability is set and read back, at the server
too: a server that does not sync would make every acknowledgement false.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from casemate.engines.postgres_functions import ASKS, COMMIT
from casemate.engines.postgres_link import Failed, Link, Lost, Target, told
from casemate.engines.postgres_tables import SEEN, TABLES, USES
from casemate.errors import Damaged, Misconfigured, NewerSchema, Occupied, Unavailable

__all__ = ["LOCK", "MIGRATIONS", "open_reader", "open_writer", "take_lock", "version"]

MIGRATIONS: tuple[str, ...] = (TABLES + SEEN + ASKS, USES + COMMIT)
LOCK = 0x636173656D617465  # "casemate": the advisory lock of whoever writes
_PAUSE = 0.05
_META = "CREATE TABLE IF NOT EXISTS meta (name text PRIMARY KEY, value text NOT NULL)"
_SET_VERSION = "INSERT INTO meta VALUES ('schema', '{}') ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_READ = "classes, places, rows, blinds, parents, tides, logs, entries, contents, marks, meta, uses"


def open_writer(target: Target, migrations: Sequence[str] | None = None) -> Link:
    """A connection of the owner: every commit synced before it is told, schema brought up to date.

    Raises Unavailable where nobody answers, Misconfigured where the server cannot keep its word, NewerSchema, Damaged.
    """
    link = _linked(target, target.user, target.password())
    try:
        link.run("SET synchronous_commit = on")
        for setting in ("synchronous_commit", "fsync", "full_page_writes"):
            found = link.run(f"SHOW {setting}")[0][0]
            if found != "on":
                raise Misconfigured(setting=f"store ({setting})", why=f"it has to be on, the server says {found}")
        encoding = link.run("SHOW server_encoding")[0][0]
        if encoding != "UTF8":
            raise Misconfigured(setting="store.dbname", why=f"the database's encoding is {encoding}, not UTF8")
        migrate(link, target.reader, MIGRATIONS if migrations is None else migrations)
    except (Failed, Lost) as error:
        link.close()
        raise _opened(error) from None
    except BaseException:
        link.close()
        raise
    return link


def open_reader(target: Target) -> Link:
    """A connection of the reader's role, which owns nothing and is bound by the policies of every table."""
    link = _linked(target, target.reader, target.reader_password())
    try:
        link.run("SET default_transaction_read_only = on")
        found = version(link)
        if found > len(MIGRATIONS):
            raise NewerSchema(found=found, known=len(MIGRATIONS))
        if found < len(MIGRATIONS):
            raise Unavailable(what="records")
        bound = link.run("SELECT bool_and(row_security_active(t)) FROM unnest(ARRAY['rows', 'entries', 'blinds']) AS t")
        if bound != [("t",)]:
            raise Misconfigured(setting="store.reader", why="this role is not bound by row-level security")
    except (Failed, Lost) as error:
        link.close()
        raise _opened(error) from None
    except BaseException:
        link.close()
        raise
    return link


def migrate(
    link: Link,
    reader: str,
    migrations: Sequence[str],
    keep: bool = True,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Apply what is missing, all of it or none of it; with `keep` false, none of it in the end, after a `look`."""
    link.run("BEGIN")
    try:
        link.run("SELECT pg_advisory_xact_lock(7163384)")
        if not link.run("SELECT 1 FROM pg_namespace WHERE nspname = 'casemate'"):
            link.run("CREATE SCHEMA casemate")
        link.run(_META)
        found = version(link)
        if found > len(migrations):
            raise NewerSchema(found=found, known=len(migrations))
        for step in migrations[found:]:
            link.run(step)
        if found < len(migrations):
            link.run(_SET_VERSION.format(len(migrations)))
        if link.run("SELECT to_regclass('casemate.rows') IS NOT NULL") == [("t",)]:
            _let_read(link, reader)
        look()
    except BaseException:
        if not link.lost:
            link.run("ROLLBACK")
        raise
    link.run("COMMIT" if keep else "ROLLBACK")


def _let_read(link: Link, reader: str) -> None:
    """Give the reader's role what it needs, where it has not got it: SELECT on what it is asked about, and no more."""
    quoted, name = reader.replace("'", "''"), reader.replace('"', '""')
    named = f"unnest(string_to_array('{_READ}', ', ')) AS t(name)"
    lacking = f"to_regclass(name) IS NOT NULL AND NOT has_table_privilege('{quoted}', to_regclass(name), 'SELECT')"
    ((tables,),) = link.run(f"SELECT string_agg(name, ', ') FROM {named} WHERE {lacking}")
    if tables:
        link.run(f'GRANT USAGE ON SCHEMA casemate TO "{name}"')
        link.run(f'GRANT SELECT ON {tables} TO "{name}"')


def take_lock(link: Link, patience: float) -> None:
    """Be the one who writes. Raises Occupied; a server may need a moment to see that the one before is gone."""
    until = time.monotonic() + patience
    while link.run(f"SELECT pg_try_advisory_lock({LOCK})") != [("t",)]:
        if time.monotonic() >= until:
            raise Occupied(what="records")
        time.sleep(_PAUSE)


def version(link: Link) -> int:
    """How many migrations this schema has seen; 0 where there is none."""
    if link.run("SELECT to_regclass('casemate.meta') IS NOT NULL") != [("t",)]:
        return 0
    rows = link.run("SELECT value FROM meta WHERE name = 'schema'")
    try:
        return int(rows[0][0]) if rows else 0
    except ValueError:
        raise Damaged(what="schema version") from None


def _linked(target: Target, role: str, password: str) -> Link:
    try:
        return Link(target, role, password)
    except (Failed, Lost) as error:
        raise _opened(error) from None


def _opened(error: Failed | Lost) -> Exception:
    """Why there is no connection, as far as it is ours to say."""
    if isinstance(error, Lost):
        return Unavailable(what="records")
    if error.state.startswith("42"):  # a right or an object is missing: an operator has to make it
        return Misconfigured(setting="store", why=error.said)
    return told(error)


def described(target: Target) -> dict[str, str]:
    """What the server says of itself, for an operator."""
    link = open_reader(target)
    try:
        names = ("server_version", "data_checksums", "fsync", "synchronous_commit", "ssl")
        return {name: link.run(f"SHOW {name}")[0][0] for name in names}
    except (Failed, Lost) as error:
        raise _opened(error) from None
    finally:
        link.close()
