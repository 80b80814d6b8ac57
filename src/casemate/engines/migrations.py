"""What bringing a store's schema up to date would do: each step is run in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from casemate.engines import postgres_schema, sqlite_schema
from casemate.engines.postgres_link import Failed, Link, Lost, Target, told
from casemate.errors import Damaged, NewerSchema, Unavailable

__all__ = ["Step", "postgres_steps", "sqlite_steps"]

_OBJECTS = """
    SELECT 'table ' || c.relname || ' (' || string_agg(a.attname, ', ' ORDER BY a.attnum) || ')'
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = to_regnamespace('casemate') AND c.relkind = 'r' GROUP BY c.relname
    UNION SELECT 'index ' || relname FROM pg_class WHERE relnamespace = to_regnamespace('casemate') AND relkind = 'i'
    UNION SELECT 'function ' || proname || ' ' || md5(prosrc) FROM pg_proc
        WHERE pronamespace = to_regnamespace('casemate')
    UNION SELECT 'policy ' || polname || ' on ' || polrelid::regclass FROM pg_policy
        WHERE polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('casemate'))
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A migration that is missing: its number, its SQL, and what it makes (+) and takes away (-)."""

    number: int
    sql: str
    changes: tuple[str, ...]


def sqlite_steps(path: Path, migrations: Sequence[str] | None = None) -> list[Step]:
    """What is missing in a file that no region writes. Raises NewerSchema, Damaged, Unavailable."""
    known = sqlite_schema.MIGRATIONS if migrations is None else migrations
    try:
        sqlite_schema.summing()  # whoever closes last carries the log into the file, and its pages bear checksums
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            db.execute("BEGIN IMMEDIATE")
            steps = _sqlite(db, known)
            db.execute("ROLLBACK")
        finally:
            db.close()
    except apsw.Error as error:
        raise (Damaged(what="records") if sqlite_schema.damaged(error) else Unavailable(what="records")) from None
    return steps


def _sqlite(db: apsw.Connection, known: Sequence[str]) -> list[Step]:
    has = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get
    text = db.execute("SELECT value FROM meta WHERE name = 'schema'").get if has else None
    found = int(text) if text and text.isdigit() else 0
    if found > len(known):
        raise NewerSchema(found=found, known=len(known))
    steps: list[Step] = []
    for number, sql in enumerate(known[found:], found + 1):
        before = {row[0] for row in db.execute("SELECT coalesce(sql, name) FROM sqlite_schema")}
        db.execute(sql)
        after = {row[0] for row in db.execute("SELECT coalesce(sql, name) FROM sqlite_schema")}
        steps.append(Step(number, sql, _changes(before, after)))
    return steps


def postgres_steps(target: Target, migrations: Sequence[str] | None = None) -> list[Step]:
    """What is missing in a database. Raises NewerSchema, Misconfigured, Unavailable."""
    known = postgres_schema.MIGRATIONS if migrations is None else migrations
    try:
        link = Link(target, target.user, target.password())
        try:
            found = postgres_schema.version(link)
            if found > len(known):
                raise NewerSchema(found=found, known=len(known))
            return [_tried(link, target.reader, known, number) for number in range(found + 1, len(known) + 1)]
        finally:
            link.close()
    except Lost:
        raise Unavailable(what="records") from None
    except Failed as error:
        raise told(error) from None


def _tried(link: Link, reader: str, known: Sequence[str], number: int) -> Step:
    """All steps up to this one, undone again: what the last of them changes."""
    seen: list[set[str]] = []
    for upto in (number - 1, number):
        postgres_schema.migrate(link, reader, known[:upto], keep=False, look=lambda: seen.append(_objects(link)))
    return Step(number, known[number - 1], _changes(*seen))


def _objects(link: Link) -> set[str]:
    return {row[0] for row in link.run(_OBJECTS)}


def _changes(before: set[str], after: set[str]) -> tuple[str, ...]:
    made = [f"+ {' '.join(each.split())}" for each in sorted(after - before)]
    return (*made, *(f"- {' '.join(each.split())}" for each in sorted(before - after)))
