"""One batch in SQL, inside a transaction that its caller holds. Raises, and leaves the undoing to the caller."""

from __future__ import annotations

import apsw
import msgspec

from casemate.crypto import DIGEST_SIZE, same
from casemate.errors import BadInput, Conflict, Damaged
from casemate.store import Batch, EntryRow, Receipt, RowDelete, RowPut, put_digest, row_digest

__all__ = ["apply"]

_decode = msgspec.msgpack.Decoder(Receipt).decode
_encode = msgspec.msgpack.Encoder().encode


def apply(db: apsw.Connection, batch: Batch) -> Receipt:
    """Write the batch, or find that its key was used before and give that receipt."""
    if batch.key:
        earlier = db.execute("SELECT receipt FROM keys WHERE domain = ? AND key = ?", (batch.domain, batch.key)).get
        if earlier is not None:
            return msgspec.structs.replace(_decode(earlier), replayed=True)
    for known in batch.classes:
        db.execute("INSERT INTO classes VALUES (?, ?) ON CONFLICT DO NOTHING", (known.id, known.sealed))
    versions = tuple([_put(db, put) for put in batch.puts])
    for delete in batch.deletes:
        _delete(db, delete)
    entries = tuple([_enter(db, entry) for entry in batch.entries])
    for forget in batch.forgets:
        db.execute("DELETE FROM contents WHERE log = ? AND seq = ?", (forget.log, forget.seq))
    receipt = Receipt(entries, versions)
    if batch.key:
        db.execute("INSERT INTO keys VALUES (?, ?, ?)", (batch.domain, batch.key, _encode(receipt)))
    return receipt


def _find(db: apsw.Connection, row: RowPut | RowDelete) -> tuple[int, int, int] | None:
    """(pk, version, seq) of what lies there; Conflict where it is not what was expected."""
    found: tuple[int, int, int] | None = db.execute(
        "SELECT pk, version, seq FROM rows WHERE class_id = ? AND kind = ? AND id = ?", (row.class_id, row.kind, row.id)
    ).fetchone()
    if row.expect is not None and row.expect != (found[1] if found else 0):
        raise Conflict(what=f"{row.kind} {row.id}")
    return found


def _put(db: apsw.Connection, put: RowPut) -> int:
    digest = put_digest(put.class_id, put.kind, put.id, put.sealed)
    if not same(digest, put.digest):
        raise Damaged(what=put.kind)
    found = _find(db, put)
    if found is None:
        version = 1
        seq = db.execute(
            "INSERT INTO places VALUES (?, ?, 2) ON CONFLICT DO UPDATE SET next = next + 1 RETURNING next - 1",
            (put.class_id, put.kind),
        ).get
        db.execute(
            "INSERT INTO rows (class_id, kind, id, version, seq, digest, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (put.class_id, put.kind, put.id, version, seq, row_digest(digest, version, seq), put.sealed),
        )
        pk = db.last_insert_rowid()
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


def _delete(db: apsw.Connection, delete: RowDelete) -> None:
    found = _find(db, delete)
    if found is not None:
        db.execute("DELETE FROM rows WHERE pk = ?", (found[0],))
        _untie(db, found[0])


def _untie(db: apsw.Connection, pk: int) -> None:
    db.execute("DELETE FROM blinds WHERE pk = ?", (pk,))
    db.execute("DELETE FROM parents WHERE child = ?", (pk,))


def _enter(db: apsw.Connection, entry: EntryRow) -> tuple[str, int]:
    if len(entry.leaf) != DIGEST_SIZE:
        raise BadInput(what="leaf")
    seq = db.execute(
        "INSERT INTO logs VALUES (?, 1) ON CONFLICT DO UPDATE SET size = size + 1 RETURNING size - 1", (entry.log,)
    ).get
    try:
        db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", (entry.log, seq, entry.id, entry.leaf, entry.sealed))
    except apsw.ConstraintError:
        raise Conflict(what=f"entry {entry.id}") from None
    if entry.content:
        db.execute("INSERT INTO contents VALUES (?, ?, ?, ?)", (entry.log, seq, entry.expires, entry.content))
    return entry.log, seq
