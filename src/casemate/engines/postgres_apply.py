"""A group of batches as the parameters of one call, and what the call says of each.

The order of things inside a batch is that of SQLite's `apply`; the server's half stands in `postgres_functions`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from psycopg import pq

from casemate.crypto import DIGEST_SIZE, same
from casemate.engines.postgres_link import LONGEST_NAME, Link
from casemate.engines.postgres_wire import BYTEAS, INT8, INT8S, TEXTS, blobs, count, integer, numbers, text, texts
from casemate.errors import BadInput, CasemateError, Conflict, Damaged, Internal, ShareFull, TooLarge
from casemate.store import Batch, Receipt, RowDelete, RowPut, Share, brought, limits, put_digest

__all__ = ["Outcome", "apply", "refused"]

Outcome = Receipt | CasemateError
_CONFLICT, _LONG, _REPLAYED, _FULL = 2, 3, 1, 5
_CALL = b"SELECT * FROM commit_group(" + b",".join(b"$%d" % number for number in range(1, 38)) + b")"
_TYPES = (
    INT8,
    *(TEXTS, TEXTS, INT8S),
    *(TEXTS, BYTEAS),
    *(TEXTS, TEXTS, TEXTS, BYTEAS, BYTEAS, INT8S, INT8S),
    *(TEXTS, BYTEAS, TEXTS, TEXTS, TEXTS),
    *(TEXTS, TEXTS, TEXTS, INT8S),
    *(TEXTS, TEXTS, BYTEAS, BYTEAS, BYTEAS, INT8S),
    *(TEXTS, INT8S),
    *(TEXTS, INT8S, INT8S),
    *(TEXTS, INT8S, INT8S, INT8S),
)


def refused(batch: Batch) -> CasemateError | None:
    """What is wrong with a batch before anybody is asked, or None."""
    for put in batch.puts:
        expected = put_digest(put.class_id, put.kind, put.id, put.sealed)
        if not same(expected, put.digest):
            return Damaged(what=put.kind)
    if any(len(entry.leaf) != DIGEST_SIZE for entry in batch.entries):
        return BadInput(what="leaf")
    return None


def apply(link: Link, fence: int, group: Sequence[Batch], share: Share) -> list[Outcome]:
    """Write them in one transaction, in one round trip; those that are receipts are durable.

    Raises Lost, Failed, and ValueError, TypeError or struct.error for values that no column takes.
    """
    result = link.ask(b"commit_group", _CALL, _TYPES, _packed(fence, group, share))
    if result.ntuples != len(group):
        raise RuntimeError
    return [_outcome(result, row, batch, share) for row, batch in enumerate(group)]


def _packed(fence: int, group: Sequence[Batch], share: Share) -> list[bytes]:
    classes = [row for batch in group for row in batch.classes]
    puts = [row for batch in group for row in batch.puts]
    deletes = [row for batch in group for row in batch.deletes]
    entries = [row for batch in group for row in batch.entries]
    forgets = [row for batch in group for row in batch.forgets]
    marks = [row for batch in group for row in batch.marks]
    places: dict[str, int] = {}
    uses = [_uses(batch, share, places) for batch in group]
    blinds = [pair for put in puts for pair in put.blinds]
    parents = [parent for put in puts for parent in put.parents]
    return [
        count(fence),
        texts([batch.domain for batch in group]),
        texts([batch.key for batch in group]),
        numbers([size for batch, use in zip(group, uses, strict=True) for size in (*_sizes(batch), len(use))]),
        texts([row.id for row in classes]),
        blobs([row.sealed for row in classes]),
        texts([put.class_id for put in puts]),
        texts([put.kind for put in puts]),
        texts([put.id for put in puts]),
        blobs([put.sealed for put in puts]),
        blobs([put.digest for put in puts]),
        numbers([_expected(put) for put in puts]),
        numbers([size for put in puts for size in (len(put.blinds), len(put.parents))]),
        texts([field for field, _ in blinds]),
        blobs([blind for _, blind in blinds]),
        *[texts([parent[place] for parent in parents]) for place in range(3)],
        texts([row.class_id for row in deletes]),
        texts([row.kind for row in deletes]),
        texts([row.id for row in deletes]),
        numbers([_expected(row) for row in deletes]),
        texts([row.log for row in entries]),
        texts([row.id for row in entries]),
        blobs([row.leaf for row in entries]),
        blobs([row.sealed for row in entries]),
        blobs([row.content for row in entries]),
        numbers([row.expires for row in entries]),
        texts([row.log for row in forgets]),
        numbers([row.seq for row in forgets]),
        texts([mark.name for mark in marks]),
        numbers([mark.at for mark in marks]),
        numbers([mark.to for mark in marks]),
        texts(list(places)),
        *[numbers([told[part] for use in uses for told in use]) for part in range(3)],
    ]


def _uses(batch: Batch, share: Share, places: dict[str, int]) -> list[tuple[int, int, int]]:
    """For each class that a batch touches: its place among all of the group, what is brought there, and its limit."""
    found = brought(batch)
    for row in batch.deletes:
        found.setdefault(row.class_id, 0)
    for forget in batch.forgets:
        found.setdefault(forget.log, 0)
    most = limits(batch, share) if batch.puts else {}
    return [(places.setdefault(id, len(places) + 1), more, most.get(id, -1)) for id, more in found.items()]


def _sizes(batch: Batch) -> tuple[int, ...]:
    return (
        len(batch.classes),
        len(batch.puts),
        len(batch.deletes),
        len(batch.entries),
        len(batch.forgets),
        len(batch.marks),
    )


def _expected(row: RowPut | RowDelete) -> int:
    return -1 if row.expect is None else row.expect


def _outcome(result: pq.abc.PGresult, row: int, batch: Batch, share: Share) -> Outcome:
    """Columns: state, what, logs, seqs, versions."""
    state = integer(result.get_value(row, 0) or b"")
    if state == _CONFLICT:
        return Conflict(what=text(result.get_value(row, 1) or b""))
    if state == _LONG:
        return TooLarge(what="name", limit=LONGEST_NAME)
    if state == _FULL:
        return ShareFull(share=share(text(result.get_value(row, 1) or b"")))
    if state > _REPLAYED:
        return Internal()
    seqs, versions = _listed(result.get_value(row, 3)), _listed(result.get_value(row, 4))
    if state == _REPLAYED:
        logs = json.loads(result.get_value(row, 2) or b"[]")
        return Receipt(tuple(zip(logs, seqs, strict=True)), versions, replayed=True)
    return Receipt(tuple(zip([entry.log for entry in batch.entries], seqs, strict=True)), versions)


def _listed(raw: bytes | None) -> tuple[int, ...]:
    return tuple(map(int, raw.split(b","))) if raw else ()
