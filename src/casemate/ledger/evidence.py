"""One entry with the path to a signed head: a file that proves, alone, that the entry stands in its log."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from casemate.crypto import is_public_key
from casemate.errors import Damaged
from casemate.ledger.checkpoint import Checkpoint, verify_checkpoint
from casemate.ledger.entry import Entry, parse
from casemate.ledger.proof import verify_inclusion
from casemate.ledger.tree import leaf_hash
from casemate.ledger.verify import Verdict

__all__ = ["Evidence", "check_evidence", "read_evidence", "write_evidence"]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`entry` is its canonical text, `index` its place in the log, `path` the hashes from the leaf up (hex)."""

    checkpoint: Checkpoint
    entry: str
    index: int
    path: tuple[str, ...]
    public: str
    casemate_proof: int = 1


_encode = msgspec.json.Encoder(order="sorted").encode


def write_evidence(evidence: Evidence) -> bytes:
    """The file: one line of canonical JSON."""
    return _encode(evidence) + b"\n"


def read_evidence(data: bytes) -> Evidence | None:
    """What stands in the file; None where it is not exactly what `write_evidence` writes."""
    try:
        found = msgspec.json.decode(data, type=Evidence)
    except (msgspec.DecodeError, ValueError):
        return None
    return found if write_evidence(found) == data and found.casemate_proof == 1 else None


def check_evidence(data: bytes, public: bytes = b"") -> tuple[Verdict, Entry | None]:
    """The verdict on a proof and the entry that it proves; under the key in the file where none is given."""
    evidence = read_evidence(data)
    if evidence is None:
        return Verdict("tampered", "", why="line"), None
    point = evidence.checkpoint
    wrong = Verdict("tampered", point.log, seq=evidence.index, solo=point.solo)
    try:
        held, root, *path = (_bytes(each) for each in (evidence.public, point.root, *evidence.path))
        entry = parse(evidence.entry.encode())
    except (ValueError, Damaged):
        return replace(wrong, why="entry"), None
    if not is_public_key(held) or (public and held != public):
        return replace(wrong, why="key"), None
    if not verify_checkpoint(point, held):
        return replace(wrong, why="signature"), None
    if entry.log != point.log:
        return replace(wrong, why="log"), None
    if not verify_inclusion(leaf_hash(evidence.entry.encode()), evidence.index, point.size, path, root):
        return replace(wrong, why="proof"), None
    return Verdict("ok", point.log, evidence.index + 1, entry.at, seq=evidence.index, solo=point.solo), entry


def _bytes(text: str) -> bytes:
    """Lower case hex; ValueError where it is written in another way."""
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError("not lower case")
    return found
