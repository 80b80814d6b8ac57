"""Small logs to check: entries, their records, and a signer that always has the same key."""

from __future__ import annotations

from collections.abc import Sequence

from casemate.crypto import KeySigner
from casemate.ledger import Checkpoint, Entry, Record, canonical, leaf_hash, root_of, sign_checkpoint

SIGNER = KeySigner(bytes(range(32)))
PUBLIC = SIGNER.public
LOG = "class_a"


def entry(number: int, outcome: str = "done", ref: str = "", log: str = LOG, principal: str = "ada") -> Entry:
    return Entry(
        id=f"ent_{number}",
        log=log,
        at=1_000_000 + number,
        session="ses_1",
        principal=principal,
        action="ask",
        outcome=outcome,
        rule="dominance",
        facts={"found": number, "what": "é\u2028"},
        subjects=("document/doc_1@class_a",),
        content="ab" * 48,
        ref=ref,
    )


def record(seq: int, each: Entry) -> Record:
    data = canonical(each)
    return Record(seq, leaf_hash(data), data)


def history(count: int, principal: str = "ada") -> list[Record]:
    return [record(number, entry(number, principal=principal)) for number in range(count)]


def checkpoint(records: Sequence[Record], size: int | None = None, solo: bool = False, log: str = LOG) -> Checkpoint:
    size = len(records) if size is None else size
    root = root_of(each.leaf for each in records[:size])
    return sign_checkpoint(SIGNER, log, size, root, 2_000_000 + size, solo)
