"""Sealed rows, ledger entries and blobs: the shapes that the gate hands down and the ports that engines implement.

No room above `access` sees this one. It knows no label and no key: a class is a name here, content is sealed bytes.
"""

from __future__ import annotations

from casemate.store.batch import Batch, EntryRow, Forget, Mark, Receipt, RowDelete, RowPut
from casemate.store.ports import Blobs, Committer, Journal, Lying, Reader, Sealer, Tiles
from casemate.store.row import ClassRow, Row, StoredEntry, check, put_digest, row_digest
from casemate.store.share import RESERVED, WEIGHT, Share, brought, limits
from casemate.store.snapshot import NotOurs, Snapshot, pack_snapshot, read_snapshot

__all__ = [
    "RESERVED",
    "WEIGHT",
    "Batch",
    "Blobs",
    "ClassRow",
    "Committer",
    "EntryRow",
    "Forget",
    "Journal",
    "Lying",
    "Mark",
    "NotOurs",
    "Reader",
    "Receipt",
    "Row",
    "RowDelete",
    "RowPut",
    "Sealer",
    "Share",
    "Snapshot",
    "StoredEntry",
    "Tiles",
    "brought",
    "check",
    "limits",
    "pack_snapshot",
    "put_digest",
    "read_snapshot",
    "row_digest",
]
