"""Hunting and aggregation: questions in SQL over every event that was read, in DuckDB over a file of Parquet.

    event -> a line of its unit -> events.parquet -> one SELECT of a file -> one table

The rule pass is not made of this (2,800 queries take it three times as long); what no rule can ask is. A question reads
the events and nothing else: no file, no other library, within memory, time and rows that are bounded. One that fails is
named, and the others go on. What must never happen: that a question reads or writes anything beside the events.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from casemate_cyber.events import who
from casemate_cyber.events.read import Trouble
from casemate_cyber.scan.correlate import seconds

__all__ = ["Answer", "answered", "line", "parquet", "units_of"]

PATIENCE = 120.0
"""Seconds for one question."""
MEMORY = "512MB"
LONGEST = 16 << 20
"""Bytes of one event."""
CELL = 2000
_NAMED = re.compile(r"\s*--\s*name:\s*((?!q[0-9])[a-z][a-z0-9_]{0,39})\s*\n")
COLUMNS = 100
_SHAPE = (
    "{'source': 'VARCHAR', 'at': 'DOUBLE', 'stamp': 'VARCHAR', 'host': 'VARCHAR', 'account': 'VARCHAR', "
    "'file': 'VARCHAR', 'position': 'BIGINT', 'event': 'JSON'}"
)
_KEPT = (
    'source, make_timestamp(CAST(round("at" * 1e6) AS BIGINT)) AS moment, stamp, host, account, file, position, event'
)
_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct):
    """What one question gave. `more`: rows beyond those that are kept."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


def line(source: str, raw: Mapping[str, Any], file: str, position: int) -> bytes:
    """An event as it is kept: when, where and who beside all of its own fields.

    `stamp` is the time as it was written, `moment` in UTC. No name is a word of SQL: `user` would be DuckDB's own.
    """
    time, host, user = who.told(source, raw)
    at = seconds(time)
    told = {"source": source, "at": at, "stamp": time, "host": host, "account": user}
    return _encode({**told, "file": file, "position": position, "event": raw}) + b"\n"


def units_of(folder: Path, number: int) -> Path:
    """Where the events of a unit stand until they are one file."""
    return folder / f"events-{number:06d}.jsonl"


def parquet(units: Sequence[Path], out: Path, scratch: Path) -> None:
    """All events in the order of the inputs, as one file. Raises OSError where there is no room."""
    import duckdb

    with duckdb.connect(str(scratch / "kept.duckdb"), config=_config(scratch)) as base:
        given = [str(unit) for unit in units if unit.exists() and unit.stat().st_size]
        found = (  # of constants alone
            f"SELECT {_KEPT} FROM read_json($units, format = 'newline_delimited', columns = {_SHAPE}, "
            f"maximum_object_size = {LONGEST})"
        )
        if not given:
            names = ("source", "stamp", "host", "account", "file")
            texts = ", ".join(f"NULL::VARCHAR AS {name}" for name in names)
            found = f"SELECT {texts}, NULL::TIMESTAMP AS moment, 0::BIGINT AS position, NULL::JSON AS event LIMIT 0"
        try:
            base.execute(f"CREATE TABLE kept AS {found}", {"units": given} if given else None)
            base.execute("COPY kept TO $out (FORMAT parquet, COMPRESSION zstd)", {"out": str(out)})
        except duckdb.Error as fault:
            raise OSError(f"events are not kept: {_words(fault)}") from None


def answered(
    questions: Sequence[Path], events: Path, scratch: Path, rows: int, patience: float = PATIENCE
) -> Iterator[Answer | Trouble]:
    """The answer of each question in order, or why there is none.

    A question is named by its first line, `-- name: NAME`, or else q1, q2 and so on by its place.
    """
    import duckdb

    with duckdb.connect(":memory:", config=_config(scratch)) as base:
        place = str(events).replace("'", "''")
        base.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{place}')")
        base.execute(f"SET allowed_paths = ['{place}']")
        base.execute("SET enable_external_access = false")
        base.execute("SET lock_configuration = true")
        known: set[str] = set()
        for number, path in enumerate(questions, 1):
            name = f"q{number}"
            try:
                text = path.read_bytes().decode("utf-8")
                named = _NAMED.match(text)
                name = named[1] if named and named[1] not in known else name
                known.add(name)
                yield _one(base, name, text, rows, patience)
            except (duckdb.Error, ValueError) as fault:
                yield Trouble(name, 0, f"the question has no answer: {_words(fault)}")


def _one(base: Any, name: str, text: str, rows: int, patience: float) -> Answer:
    import duckdb

    said = base.extract_statements(text)
    if len(said) != 1 or said[0].type != duckdb.StatementType.SELECT:
        raise ValueError("a question is one SELECT")
    watch = threading.Timer(patience, base.interrupt)
    watch.start()
    try:
        found = base.execute(said[0])
        columns = tuple(str(one[0])[:80] for one in found.description)
        if len(columns) > COLUMNS:
            raise ValueError(f"an answer has at most {COLUMNS} columns")
        held = found.fetchmany(rows + 1)
    except duckdb.InterruptException:
        raise ValueError(f"it was not answered within {patience:g} seconds") from None
    finally:
        watch.cancel()
    return Answer(name, columns, [tuple(map(_plain, row)) for row in held[:rows]], len(held) > rows)


def _plain(value: Any) -> Any:
    """A cell as tables have it."""
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:CELL]


def _config(scratch: Path) -> dict[str, Any]:
    """One thread, so that the same events give the same order; nothing is fetched."""
    return {
        "threads": 1,
        "memory_limit": MEMORY,
        "temp_directory": str(scratch / "duckdb"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }


def _words(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0][:200]
