"""One batch in SQL, inside a transaction that its caller holds. Raises, and leaves the undoing to the caller.

All of it goes through one cursor: to make one for each statement costs more than most of the statements. A counter is
moved and then read: RETURNING, which keeps what it returns in a table of its own, costs more than both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw
import msgspec

from casemate.crypto import DIGEST_SIZE, same
from casemate.engines.sqlite_uses import Uses
from casemate.errors import BadInput, Conflict, Damaged
from casemate.store import (
    WEIGHT,
    Batch,
    EntryRow,
    Forget,
    Mark,
    Receipt,
    RowDelete,
    RowPut,
    brought,
    limits,
    put_digest,
    row_digest,
)

__all__ = ["apply"]

_decode = msgspec.msgpack.Decoder(Receipt).decode
_encode = msgspec.msgpack.Encoder().encode


def apply(db: apsw.Cursor, batch: Batch, uses: Uses) -> Receipt:
    """Write the batch, or find that its key was used before and give that receipt."""
    if batch.key:
        earlier = db.execute("SELECT receipt FROM keys WHERE domain = ? AND key = ?", (batch.domain, batch.key)).get
        if earlier is not None:
            return msgspec.structs.replace(_decode(earlier), replayed=True)
    for known in dict.fromkeys(batch.classes):
        db.execute("INSERT INTO classes VALUES (?, ?) ON CONFLICT DO NOTHING", (known.id, known.sealed))
    moved = brought(batch)
    versions = tuple([_put(db, put, moved) for put in batch.puts])
    for delete in batch.deletes:
        _delete(db, delete, moved)
    changed = [(p.class_id, p.kind) for p in batch.puts] + [(d.class_id, d.kind) for d in batch.deletes]
    for class_id, kind in dict.fromkeys(changed):
        db.execute("INSERT INTO tides VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET at = at + 1", (class_id, kind))
    entries = _enter(db, batch.entries) if batch.entries else ()
    for forget in batch.forgets:
        _forget(db, forget, moved)
    for mark in batch.marks:
        _move(db, mark)
    receipt = Receipt(entries, versions)
    if batch.key:
        db.execute("INSERT INTO keys VALUES (?, ?, ?)", (batch.domain, batch.key, _encode(receipt)))
    uses.charged(db, moved, limits(batch, uses.share) if batch.puts else {})
    return receipt


def _find(db: apsw.Cursor, row: RowPut | RowDelete) -> tuple[int, int, int, int] | None:
    """(pk, version, seq, weight) of what lies there; Conflict where it is not what was expected."""
    found: tuple[int, int, int, int] | None = db.execute(
        "SELECT pk, version, seq, 256 + length(sealed) FROM rows WHERE class_id = ? AND kind = ? AND id = ?",
        (row.class_id, row.kind, row.id),
    ).fetchone()
    if row.expect is not None and row.expect != (found[1] if found else 0):
        raise Conflict(what=f"{row.kind} {row.id}")
    return found


def _put(db: apsw.Cursor, put: RowPut, moved: dict[str, int]) -> int:
    digest = put_digest(put.class_id, put.kind, put.id, put.sealed)
    if not same(digest, put.digest):
        raise Damaged(what=put.kind)
    found = _find(db, put)
    moved[put.class_id] += WEIGHT - (found[3] if found else 0)
    if found is None:
        version = 1
        place = (put.class_id, put.kind)
        db.execute("INSERT INTO places VALUES (?, ?, 2) ON CONFLICT DO UPDATE SET next = next + 1", place)
        seq = db.execute("SELECT next - 1 FROM places WHERE class_id = ? AND kind = ?", place).get
        db.execute(
            "INSERT INTO rows (class_id, kind, id, version, seq, digest, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (put.class_id, put.kind, put.id, version, seq, row_digest(digest, version, seq), put.sealed),
        )
        pk = db.connection.last_insert_rowid()
    else:
        pk, version, seq = found[0], found[1] + 1, found[2]
        db.execute(
            "UPDATE rows SET version = ?, digest = ?, sealed = ? WHERE pk = ?",
            (version, row_digest(digest, version, seq), put.sealed, pk),
        )
        _untie(db, pk)
    for field, blind in put.blinds:
        db.execute(
            "INSERT INTO blinds VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (put.class_id, put.kind, field, blind, seq, pk),
        )
    for parent in put.parents:
        db.execute("INSERT INTO parents VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", (*parent, put.class_id, pk))
    return version


def _delete(db: apsw.Cursor, delete: RowDelete, moved: dict[str, int]) -> None:
    found = _find(db, delete)
    if found is not None:
        moved[delete.class_id] = moved.get(delete.class_id, 0) - found[3]
        db.execute("DELETE FROM rows WHERE pk = ?", (found[0],))
        _untie(db, found[0])


def _untie(db: apsw.Cursor, pk: int) -> None:
    db.execute("DELETE FROM blinds WHERE pk = ?", (pk,))
    db.execute("DELETE FROM parents WHERE child = ?", (pk,))


def _forget(db: apsw.Cursor, forget: Forget, moved: dict[str, int]) -> None:
    place = (forget.log, forget.seq)
    gone = db.execute("SELECT length(content) FROM contents WHERE log = ? AND seq = ?", place).get
    if gone is not None:
        moved[forget.log] = moved.get(forget.log, 0) - gone
        db.execute("DELETE FROM contents WHERE log = ? AND seq = ?", place)


def _enter(db: apsw.Cursor, entries: Sequence[EntryRow]) -> tuple[tuple[str, int], ...]:
    """The places of the entries, behind those that their logs hold, in the order in which they came."""
    if any(len(entry.leaf) != DIGEST_SIZE for entry in entries):
        raise BadInput(what="leaf")
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.log] = counts.get(entry.log, 0) + 1
    free = {log: _reserve(db, log, count) for log, count in counts.items()}
    placed: list[tuple[str, int]] = []

    def rows() -> Iterator[tuple[str, int, str, bytes, bytes]]:
        for entry in entries:
            seq = free[entry.log]
            free[entry.log] = seq + 1
            placed.append((entry.log, seq))
            yield entry.log, seq, entry.id, entry.leaf, entry.sealed

    try:
        db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows())
    except apsw.ConstraintError:
        raise Conflict(what=f"entry {entries[len(placed) - 1].id}") from None
    said = [(*place, e.expires, e.content) for place, e in zip(placed, entries, strict=True) if e.content]
    if said:
        db.executemany("INSERT INTO contents VALUES (?, ?, ?, ?)", said)
    return tuple(placed)


def _reserve(db: apsw.Cursor, log: str, count: int) -> int:
    """The first of so many places in a log."""
    db.execute("INSERT INTO logs VALUES (?1, ?2) ON CONFLICT DO UPDATE SET size = size + ?2", (log, count))
    first: int = db.execute("SELECT size - ? FROM logs WHERE log = ?", (count, log)).get
    return first


def _move(db: apsw.Cursor, mark: Mark) -> None:
    """A place stands where the batch says, and moves with it."""
    if (db.execute("SELECT place FROM marks WHERE name = ?", (mark.name,)).get or 0) != mark.at:
        raise Conflict(what=f"place {mark.name}")
    if mark.to:
        sql = "INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET place = excluded.place"
        db.execute(sql, (mark.name, mark.to))
    else:
        db.execute("DELETE FROM marks WHERE name = ?", (mark.name,))
