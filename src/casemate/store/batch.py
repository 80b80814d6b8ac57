"""What is asked of the writer: data, never a callback, so that it crosses a socket as it is.

Everything in a batch is already sealed by the gate; the writer sees class ids, kinds, ids, blinded index values and
leaf hashes, and no content.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from casemate.store.row import ClassRow

__all__ = ["Batch", "EntryRow", "Forget", "Mark", "Receipt", "RowDelete", "RowPut"]


class RowPut(msgspec.Struct, frozen=True):
    """Store `sealed` under (class, kind, id). `digest` is `store.put_digest` of those four.

    `blinds` are the (field, blinded value) pairs under which it can be found; `parents` are (class, kind, id) of what
    it was made from. `expect` is the version that must be there: 0 for none, None for any.
    """

    class_id: str
    kind: str
    id: str
    sealed: bytes
    digest: bytes
    blinds: Sequence[tuple[str, bytes]] = ()
    parents: Sequence[tuple[str, str, str]] = ()
    expect: int | None = None


class RowDelete(msgspec.Struct, frozen=True):
    """Remove the row; what is absent is no error where `expect` is None."""

    class_id: str
    kind: str
    id: str
    expect: int | None = None


class EntryRow(msgspec.Struct, frozen=True):
    """A ledger entry: `sealed` is its canonical text sealed, `leaf` the RFC 6962 leaf hash of that text (48 bytes).

    `content` is what the entry is about (a request, an answer), sealed; it may be forgotten after `expires`
    (microseconds; 0 = never) without touching the tree. b"" is no content.
    """

    log: str
    id: str
    leaf: bytes
    sealed: bytes
    content: bytes = b""
    expires: int = 0


class Forget(msgspec.Struct, frozen=True):
    """Remove the content kept beside an entry; the entry itself stays."""

    log: str
    seq: int


class Mark(msgspec.Struct, frozen=True):
    """How far something outside has been taken in: the place `name` stands at `at` (0 = nowhere) and moves to `to`.

    It moves in the batch's own transaction, so that what the batch takes in is taken in once. Where it stands anywhere
    else the batch is a Conflict. `to` = 0 forgets the place.
    """

    name: str
    at: int
    to: int


class Batch(msgspec.Struct, frozen=True):
    """All of it or nothing of it, durable before the receipt.

    `key` names the batch within `domain`: a second batch of the same key gives the first one's receipt and changes
    nothing ("" = no key). `domain` is the class id of the acting label: it has its own bounded queue and its own
    share of each group that the writer makes durable together. `spares` names classes of whose share nobody asks here:
    what a promise rests on goes there, or what comes from below, where nobody may learn how full they are.
    """

    domain: str
    key: str = ""
    puts: Sequence[RowPut] = ()
    deletes: Sequence[RowDelete] = ()
    entries: Sequence[EntryRow] = ()
    classes: Sequence[ClassRow] = ()
    forgets: Sequence[Forget] = ()
    marks: Sequence[Mark] = ()
    spares: Sequence[str] = ()


class Receipt(msgspec.Struct, frozen=True):
    """What became of a batch: (log, sequence) of each entry, the version of each put, in the batch's order."""

    entries: tuple[tuple[str, int], ...] = ()
    versions: tuple[int, ...] = ()
    replayed: bool = False
