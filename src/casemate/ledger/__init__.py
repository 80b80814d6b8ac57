"""The record: entries, one RFC 6962 tree per access class, signed checkpoints, proofs, and the verdict over all of it.

Pure: bytes in, values out. It keeps no log, reads no file, holds no key and knows no label; a log is named by its
access class. Whoever has an export, the public key and a remembered head can check it with this room alone.
"""

from __future__ import annotations

from casemate.ledger.bundle import ENTRY_BOUND, bundle, entries_of, packed, unpacked
from casemate.ledger.checkpoint import Checkpoint, Head, sign_checkpoint, verify_checkpoint
from casemate.ledger.cosign import Cosignature, cosign, verify_cosignature
from casemate.ledger.entry import Entry, canonical, fitted, parse
from casemate.ledger.evidence import Evidence, check_evidence, read_evidence, write_evidence
from casemate.ledger.export import Export, read_export, verify_export, write_export, write_part
from casemate.ledger.folder import Files, verify_folder
from casemate.ledger.note import Note, origin_of, read_note, sign_note, was_cut
from casemate.ledger.paper import Paper, print_paper, read_paper
from casemate.ledger.part import Part, part_of
from casemate.ledger.proof import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from casemate.ledger.rising import MOST_PROOFS, Risen, Rising, judged_rising, read_rising, write_rising
from casemate.ledger.tiles import (
    CHECKPOINT_FILE,
    WIDTH,
    Place,
    Read,
    Tiled,
    cut,
    entries_path,
    grown,
    path_of,
    places,
)
from casemate.ledger.tree import (
    EMPTY,
    PROFILES,
    SHA256,
    SHA384,
    Frontier,
    Profile,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_of,
)
from casemate.ledger.verify import Record, State, Verdict, verify, worst

__all__ = [
    "CHECKPOINT_FILE",
    "EMPTY",
    "ENTRY_BOUND",
    "MOST_PROOFS",
    "PROFILES",
    "SHA256",
    "SHA384",
    "WIDTH",
    "Checkpoint",
    "Cosignature",
    "Entry",
    "Evidence",
    "Export",
    "Files",
    "Frontier",
    "Head",
    "Note",
    "Paper",
    "Part",
    "Place",
    "Profile",
    "Read",
    "Record",
    "Risen",
    "Rising",
    "State",
    "Tiled",
    "Verdict",
    "bundle",
    "canonical",
    "check_evidence",
    "consistency_proof",
    "cosign",
    "cut",
    "entries_of",
    "entries_path",
    "fitted",
    "grown",
    "inclusion_proof",
    "judged_rising",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "origin_of",
    "packed",
    "parse",
    "part_of",
    "path_of",
    "places",
    "print_paper",
    "read_evidence",
    "read_export",
    "read_note",
    "read_paper",
    "read_rising",
    "root_of",
    "sign_checkpoint",
    "sign_note",
    "unpacked",
    "verify",
    "verify_checkpoint",
    "verify_consistency",
    "verify_cosignature",
    "verify_export",
    "verify_folder",
    "verify_inclusion",
    "was_cut",
    "worst",
    "write_evidence",
    "write_export",
    "write_part",
    "write_rising",
]
