"""What lies in the store, as a reader finds it, and the digest that says whether it is still what was written."""

from __future__ import annotations

import msgspec

from casemate.crypto import digest, same
from casemate.errors import Damaged

__all__ = ["ClassRow", "Row", "StoredEntry", "check", "put_digest", "row_digest"]

_PARTS = b"%b" * 7


class Row(msgspec.Struct, frozen=True):
    """A stored object: `seq` is its place in its class and kind, given when it was first put."""

    class_id: str
    kind: str
    id: str
    version: int
    seq: int
    sealed: bytes
    digest: bytes


class ClassRow(msgspec.Struct, frozen=True):
    """An access class that this region knows: its id, and its label, need and originator, sealed."""

    id: str
    sealed: bytes


class StoredEntry(msgspec.Struct, frozen=True):
    """A ledger entry as stored; `seq` is its leaf index in its log's tree, from 0. `content` is b"" once forgotten."""

    seq: int
    id: str
    leaf: bytes
    sealed: bytes
    content: bytes
    expires: int


def put_digest(class_id: str, kind: str, id: str, sealed: bytes) -> bytes:
    """SHA-384 over where a row lies and its sealed bytes; each name is prefixed with its length."""
    a, b, c = class_id.encode(), kind.encode(), id.encode()
    return digest(
        _PARTS % (len(a).to_bytes(4, "big"), a, len(b).to_bytes(4, "big"), b, len(c).to_bytes(4, "big"), c, sealed)
    )


def row_digest(put: bytes, version: int, seq: int) -> bytes:
    """What the writer keeps beside a row: the put's digest, with the version and place that the writer gave."""
    return digest(put + version.to_bytes(8, "big") + seq.to_bytes(8, "big"))


def check(row: Row) -> Row:
    """The row itself, or Damaged where any of it is not what was written. Every reader calls this before it opens."""
    try:
        if not 0 <= row.version < 1 << 63 or not 0 <= row.seq < 1 << 63:
            raise Damaged(what=row.kind)
        put = put_digest(row.class_id, row.kind, row.id, row.sealed)
        if not same(row_digest(put, row.version, row.seq), row.digest):
            raise Damaged(what=row.kind)
    except (TypeError, AttributeError):  # a flipped bit makes a number of a text, too
        raise Damaged(what="row") from None
    return row
