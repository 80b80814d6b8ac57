"""A PostgreSQL database as one end of a move; see `move`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from casemate.engines.move import CHUNK, TABLES, Table
from casemate.engines.postgres_link import Failed, Link, Lost, Target, told
from casemate.engines.postgres_schema import open_writer, take_lock
from casemate.engines.postgres_tables import COUNTED
from casemate.engines.postgres_wire import (
    BYTEA,
    BYTEAS,
    INT8,
    INT8S,
    TEXT,
    TEXTS,
    blobs,
    count,
    integer,
    numbers,
    text,
    texts,
)
from casemate.errors import Occupied, Unavailable
from casemate.store import Receipt

__all__ = ["PostgresSide"]

_OID = {"t": TEXT, "i": INT8, "b": BYTEA}
_OIDS = {"t": TEXTS, "i": INT8S, "b": BYTEAS}
_READ: dict[str, Callable[[bytes], Any]] = {"t": text, "i": integer, "b": bytes}
_ONE: dict[str, Callable[[Any], bytes]] = {"t": str.encode, "i": count, "b": bytes}
_MANY: dict[str, Callable[[list[Any]], bytes]] = {"t": texts, "i": numbers, "b": blobs}
_KEYS = Table("keys", ("domain", "key", "logs", "seqs", "versions"), "ttttt", 2)
_AS_JSON = "domain, key, array_to_json(logs)::text, array_to_json(seqs)::text, array_to_json(versions)::text"
_LISTED = (
    "(SELECT coalesce(array_agg(w.v{1} ORDER BY w.n), '{{}}') "
    "FROM json_array_elements_text(k.{0}::json) WITH ORDINALITY AS w(v, n))"
)
_INTO_KEYS = (
    "INSERT INTO keys SELECT k.domain, k.key, "
    + ", ".join(_LISTED.format(name, kind) for name, kind in (("l", ""), ("s", "::int8"), ("v", "::int8")))
    + " FROM unnest($1, $2, $3, $4, $5) AS k(domain, key, l, s, v)"
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Receipt).decode


class PostgresSide:
    """It holds the writer's lock. Raises what `open_writer` raises, and Occupied where a region writes there."""

    def __init__(self, target: Target) -> None:
        self._link: Link = open_writer(target)
        try:
            take_lock(self._link, target.seconds)
        except (Failed, Lost, Occupied) as error:
            self._link.close()
            raise (error if isinstance(error, Occupied) else _raised(error)) from None

    def close(self) -> None:
        self._link.close()

    def rows(self, table: Table, after: tuple[Any, ...] | None) -> Iterator[tuple[Any, ...]]:
        while True:
            page = list(self._page(table, after))
            yield from page
            if len(page) < CHUNK:
                return
            after = page[-1][: table.key]

    def _page(self, table: Table, after: tuple[Any, ...] | None) -> Iterator[tuple[Any, ...]]:
        told = _KEYS if table.name == "keys" else table
        key, types = ", ".join(table.columns[: table.key]), table.types[: table.key]
        sql = f"SELECT {_AS_JSON if table.name == 'keys' else ', '.join(table.columns)} FROM {table.name}"
        if after is not None:
            sql += f" WHERE ({key}) > ({', '.join(f'${number}' for number in range(1, table.key + 1))})"
        asked = [] if after is None else [_ONE[kind](value) for kind, value in zip(types, after, strict=True)]
        oids = [] if after is None else [_OID[kind] for kind in types]
        name = f"page-{table.name}-{after is not None}".encode()
        try:
            result = self._link.ask(name, f"{sql} ORDER BY {key} LIMIT {CHUNK}".encode(), oids, asked)
        except (Failed, Lost) as error:
            raise _raised(error) from None
        for row in range(result.ntuples):
            found = tuple(_READ[kind](result.get_value(row, at) or b"") for at, kind in enumerate(told.types))
            yield _receipt(found) if table.name == "keys" else found

    def count(self, table: Table) -> int:
        return int(self._run(f"SELECT count(*) FROM {table.name}")[0][0])

    def begin(self, stamp: str) -> None:
        found = self._run("SELECT value FROM meta WHERE name = 'moving'")
        if found == [(stamp,)]:
            return
        if not found and any(self.count(table) for table in TABLES):
            raise Occupied(what="records")
        names = ", ".join(table.name for table in TABLES)
        self._run(
            f"TRUNCATE {names}; INSERT INTO meta VALUES ('moving', '{stamp}') "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )

    def last(self, table: Table) -> tuple[Any, ...] | None:
        columns = table.columns[: table.key]
        order = ", ".join(f"{column} DESC" for column in columns)
        sql = f"SELECT {', '.join(columns)} FROM {table.name} ORDER BY {order} LIMIT 1"
        try:
            result = self._link.ask(f"last-{table.name}".encode(), sql.encode(), (), ())
        except (Failed, Lost) as error:
            raise _raised(error) from None
        if not result.ntuples:
            return None
        return tuple(_READ[kind](result.get_value(0, at) or b"") for at, kind in enumerate(table.types[: table.key]))

    def put(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        told = table
        if table.name == "keys":
            told, rows = _KEYS, [_parts(row) for row in rows]
        marks = ", ".join(f"${number}" for number in range(1, len(told.columns) + 1))
        sql = f"INSERT INTO {table.name} ({', '.join(told.columns)}) SELECT * FROM unnest({marks})"
        columns = [_MANY[kind]([row[at] for row in rows]) for at, kind in enumerate(told.types)]
        oids = [_OIDS[kind] for kind in told.types]
        try:
            self._link.ask(f"put-{table.name}".encode(), (_INTO_KEYS if told is _KEYS else sql).encode(), oids, columns)
        except (Failed, Lost) as error:
            raise _raised(error) from None

    def spoil(self) -> None:
        self._run("UPDATE meta SET value = '' WHERE name = 'moving'")

    def end(self) -> None:
        self._run("DELETE FROM meta WHERE name = 'moving'")
        self._run("ANALYZE " + ", ".join(table.name for table in TABLES))

    def recount(self) -> None:
        self._run(f"DELETE FROM uses; INSERT INTO uses {COUNTED}")

    def _run(self, sql: str) -> list[tuple[str, ...]]:
        try:
            return self._link.run(sql)
        except (Failed, Lost) as error:
            raise _raised(error) from None


def _raised(error: Failed | Lost) -> Exception:
    return Unavailable(what="records") if isinstance(error, Lost) else told(error)


def _receipt(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A key with its receipt in the bytes in which SQLite keeps it."""
    domain, key, logs, seqs, versions = row
    entries = tuple(zip(json.loads(logs), json.loads(seqs), strict=True))
    return domain, key, _encode(Receipt(entries, tuple(json.loads(versions))))


def _parts(row: tuple[Any, ...]) -> tuple[Any, ...]:
    receipt = _decode(row[2])
    logs, seqs = [log for log, _ in receipt.entries], [seq for _, seq in receipt.entries]
    return row[0], row[1], json.dumps(logs), json.dumps(seqs), json.dumps(list(receipt.versions))
