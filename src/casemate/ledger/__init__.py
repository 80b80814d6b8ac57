"""The record: entries, one RFC 6962 tree per access class, signed checkpoints, proofs, and the verdict over all of it.

Pure: bytes in, values out. It keeps no log, reads no file, holds no key and knows no label; a log is named by its
access class. Whoever has an export, the public key and a remembered head can check it with this room alone.
"""

from __future__ import annotations

from casemate.ledger.checkpoint import Checkpoint, Head, sign_checkpoint, verify_checkpoint
from casemate.ledger.entry import Entry, canonical, parse
from casemate.ledger.export import Export, read_export, verify_export, write_export
from casemate.ledger.proof import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from casemate.ledger.tree import EMPTY, Frontier, leaf_hash, node_hash, root_of
from casemate.ledger.verify import Record, State, Verdict, verify

__all__ = [
    "EMPTY",
    "Checkpoint",
    "Entry",
    "Export",
    "Frontier",
    "Head",
    "Record",
    "State",
    "Verdict",
    "canonical",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "parse",
    "read_export",
    "root_of",
    "sign_checkpoint",
    "verify",
    "verify_checkpoint",
    "verify_consistency",
    "verify_export",
    "verify_inclusion",
    "write_export",
]
