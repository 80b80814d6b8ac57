"""What an access class takes of the records, in bytes, and what it may take: the same sum on every engine.

    a row    WEIGHT + its sealed bytes            an entry    WEIGHT + its sealed bytes + the content kept beside it

WEIGHT stands for names, digests and indexes. A part of each share is for what a promise rests on: entries, heads of
logs, what holds something back. Content stops before it, so that it is there when the rest is full.
"""

from __future__ import annotations

from collections.abc import Callable

from casemate.store.batch import Batch

__all__ = ["RESERVED", "WEIGHT", "Share", "brought", "limits"]

Share = Callable[[str], int]
"""The bytes that an access class may take; 0 for no bound."""

WEIGHT = 256
RESERVED = 4  # one part in so many of a share is for what a promise rests on


def brought(batch: Batch) -> dict[str, int]:
    """The bytes that a batch brings to each class that it touches, before what it takes away there."""
    found: dict[str, int] = {}
    for put in batch.puts:
        found[put.class_id] = found.get(put.class_id, 0) + len(put.sealed)
    for entry in batch.entries:
        found[entry.log] = found.get(entry.log, 0) + WEIGHT + len(entry.sealed) + len(entry.content)
    return found


def limits(batch: Batch, share: Share) -> dict[str, int]:
    """Up to where each class may be filled by a batch: those that it puts something into, and does not spare.

    One that takes something away too may use what is reserved: what is removed often leaves a smaller thing behind.
    Entries alone are never kept out here: they have been promised, or come with what is removed.
    """
    found: dict[str, int] = {}
    for put in batch.puts:
        class_id = put.class_id
        if class_id not in found and class_id not in batch.spares and (most := share(class_id)):
            removes = any(each.class_id == class_id for each in batch.deletes)
            found[class_id] = most if removes else most - most // RESERVED
    return found
