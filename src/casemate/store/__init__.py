"""Sealed rows, ledger entries and blobs: the shapes that the gate hands down and the ports that engines implement.

No room above `access` sees this one. It knows no label and no key: a class is a name here, content is sealed bytes.
"""

from __future__ import annotations

from casemate.store.batch import Batch, EntryRow, Forget, Receipt, RowDelete, RowPut
from casemate.store.ports import Blobs, Committer, Reader, Sealer
from casemate.store.row import ClassRow, Row, StoredEntry, check, put_digest, row_digest

__all__ = [
    "Batch",
    "Blobs",
    "ClassRow",
    "Committer",
    "EntryRow",
    "Forget",
    "Reader",
    "Receipt",
    "Row",
    "RowDelete",
    "RowPut",
    "Sealer",
    "StoredEntry",
    "check",
    "put_digest",
    "row_digest",
]
