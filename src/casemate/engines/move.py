"""A region's records carried from one engine to another, and the proof that they arrived: table by table, row by row.

Both engines tell a table as the same rows in the same order, so that a SHA-384 over them is the same exactly where they
are equal. A chunk is put in one transaction, in the order of its keys: a move that was cut off goes on behind the last
key that has arrived. What must never happen: that a region stands on records that were not compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from casemate.errors import Damaged
from casemate.store import WEIGHT, Row, check

__all__ = ["CHUNK", "TABLES", "Side", "Sum", "Table", "carry", "stamp", "sums"]

CHUNK = 500
BYTES = 8 << 20
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, of which the first `key` are its key, and their types (t text, i integer, b bytes)."""

    name: str
    columns: tuple[str, ...]
    types: str
    key: int


def _table(name: str, columns: str, types: str, key: int) -> Table:
    return Table(name, tuple(columns.split()), types, key)


TABLES = (
    _table("classes", "id sealed", "tb", 1),
    _table("places", "class_id kind next", "tti", 2),
    _table("rows", "class_id kind seq id version digest sealed", "ttitibb", 3),
    _table("blinds", "class_id kind field blind seq", "tttbi", 5),
    _table("parents", "class_id kind id child_class child_kind child_seq", "ttttti", 6),
    _table("logs", "log size", "ti", 1),
    _table("entries", "log seq id leaf sealed", "titbb", 2),
    _table("contents", "log seq expires content", "tiib", 2),
    _table("keys", "domain key receipt", "ttb", 2),
    _table("marks", "name place", "ti", 1),
    _table("tides", "class_id kind at", "tti", 2),
    _table("uses", "class_id used", "ti", 1),
)


_WEIGHED = {"rows": WEIGHT, "entries": WEIGHT, "contents": 0}
"""What a row of these tables takes beside its last column: `store.share`."""


class Side(Protocol):
    """One end of a move, held by nobody else while it lasts."""

    def rows(self, table: Table, after: tuple[Any, ...] | None) -> Iterator[tuple[Any, ...]]:
        """Its rows behind a key, in the order of keys."""
        ...

    def count(self, table: Table) -> int: ...

    def begin(self, stamp: str) -> None:
        """Be ready to take the records of that stamp: empty, or with a part of them. Raises Occupied for others."""
        ...

    def last(self, table: Table) -> tuple[Any, ...] | None:
        """The last key that has arrived."""
        ...

    def put(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        """All of them, durably."""
        ...

    def spoil(self) -> None:
        """What has arrived is not what was sent: the next try begins anew."""
        ...

    def end(self) -> None:
        """All has arrived and was compared."""
        ...

    def recount(self) -> None:
        """Make what each class takes again from what lies there."""
        ...


@dataclass(frozen=True, slots=True)
class Sum:
    """What a table holds: how many rows, and the SHA-384 (hex) over all of them in order."""

    table: str
    count: int
    digest: str


def sums(side: Side, tell: Callable[[int], None]) -> list[Sum]:
    """Each table read to its end, each row held against its own digest, and what each class takes made again from what
    lies there. Raises Damaged, naming the place."""
    found: list[Sum] = []
    seen = 0
    lies: dict[str, int] = {}
    told: dict[str, int] = {}
    for table in TABLES:
        running = hashlib.sha384()
        count = 0
        for row in side.rows(table, None):
            if table.name == "rows":
                _whole(row)
            if table.name in _WEIGHED:
                lies[row[0]] = lies.get(row[0], 0) + _WEIGHED[table.name] + len(row[-1])
            elif table.name == "uses":
                told[row[0]] = row[1]
            running.update(_encode(row))
            count += 1
            seen += 1
            if seen % CHUNK == 0:
                tell(seen)
        found.append(Sum(table.name, count, running.hexdigest()))
    tell(seen)
    _counted(lies, told)
    return found


def _counted(lies: dict[str, int], told: dict[str, int]) -> None:
    for class_id in sorted({*lies, *told}):
        is_, said = lies.get(class_id, 0), told.get(class_id, 0)
        if is_ != said:
            raise Damaged(what=f"the count of {class_id} ({said} bytes, {is_} lie there; --recount makes it again)")


def _whole(row: tuple[Any, ...]) -> None:
    class_id, kind, seq, id, version, digest, sealed = row
    try:
        check(Row(class_id, kind, id, version, seq, sealed, digest))
    except Damaged:
        raise Damaged(what=f"row {kind} {seq} of {class_id}") from None


def stamp(side: Side) -> str:
    """A name for the state that these records are in: every commit changes it."""
    running = hashlib.sha384()
    for table in TABLES:
        if table.name in ("logs", "marks", "tides"):
            for row in side.rows(table, None):
                running.update(_encode(row))
        running.update(_encode((table.name, side.count(table))))
    return running.hexdigest()


def carry(source: Side, target: Side, tell: Callable[[int], None]) -> None:
    """Everything that has not arrived yet; `tell` is given how many rows have."""
    target.begin(stamp(source))
    arrived = 0
    for table in TABLES:
        last = target.last(table)
        arrived += target.count(table) if last is not None else 0
        chunk: list[tuple[Any, ...]] = []
        size = 0
        for row in source.rows(table, last):
            chunk.append(row)
            size += sum(len(value) for value in row if isinstance(value, bytes))
            if len(chunk) >= CHUNK or size >= BYTES:
                target.put(table, chunk)
                arrived += len(chunk)
                tell(arrived)
                chunk, size = [], 0
        if chunk:
            target.put(table, chunk)
            arrived += len(chunk)
            tell(arrived)
