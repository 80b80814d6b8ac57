from __future__ import annotations

import msgspec
import pytest

from casemate.crypto import KeySigner, generate, public_of
from casemate.ledger import Checkpoint, Evidence, check_evidence, inclusion_proof, read_evidence, write_evidence
from tests.ledger.histories import LOG, PUBLIC, checkpoint, history

RECORDS = history(11)
LEAVES = [each.leaf for each in RECORDS]


def evidence(index: int, point: Checkpoint | None = None) -> Evidence:
    path = tuple(each.hex() for each in inclusion_proof(LEAVES, index))
    text = (RECORDS[index].data or b"").decode()
    return Evidence(point or checkpoint(RECORDS), text, index, path, PUBLIC.hex())


FILE = write_evidence(evidence(4))


def test_a_proof_is_checked_alone() -> None:
    for index in range(11):
        verdict, entry = check_evidence(write_evidence(evidence(index)), PUBLIC)
        assert (verdict.state, verdict.log, verdict.seq) == ("ok", LOG, index)
        assert entry is not None
        assert entry.id == f"ent_{index}"
    assert check_evidence(FILE)[0].state == "ok"
    assert read_evidence(FILE) == evidence(4)


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_every_byte_changed_in_turn_is_tampering(mask: int) -> None:
    for place in range(len(FILE)):
        changed = bytearray(FILE)
        changed[place] ^= mask
        assert check_evidence(bytes(changed), PUBLIC)[0].state == "tampered", place
    assert check_evidence(FILE[:-1], PUBLIC)[0].state == "tampered"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"index": 5}, "proof"),
        ({"path": ()}, "proof"),
        ({"entry": (RECORDS[5].data or b"").decode()}, "proof"),
        ({"entry": "{}"}, "entry"),
        ({"path": ("zz",)}, "entry"),
        ({"public": "00"}, "key"),
        ({"checkpoint": checkpoint(RECORDS, log="class_b")}, "log"),
        ({"checkpoint": msgspec.structs.replace(checkpoint(RECORDS), at=1)}, "signature"),
        ({"casemate_proof": 2}, "line"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], why: str) -> None:
    changed = msgspec.structs.replace(evidence(4), **change)
    verdict, entry = check_evidence(write_evidence(changed), PUBLIC)
    assert (verdict.state, verdict.why, entry) == ("tampered", why, None)


def test_another_key_is_tampering() -> None:
    assert check_evidence(FILE, public_of(generate()))[0].why == "key"
    own = KeySigner(generate())
    forged = write_evidence(msgspec.structs.replace(evidence(4), public=own.public.hex()))
    assert check_evidence(forged)[0].why == "signature"
