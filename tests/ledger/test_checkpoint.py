from __future__ import annotations

import msgspec
import pytest

from casemate.crypto import generate, public_of
from casemate.ledger import EMPTY, Checkpoint, Head, sign_checkpoint, verify_checkpoint
from tests.ledger.histories import PUBLIC, SIGNER

SIGNED = sign_checkpoint(SIGNER, "log", 7, EMPTY, 123, solo=True)


def test_a_checkpoint_verifies_under_its_key_alone() -> None:
    assert verify_checkpoint(SIGNED, PUBLIC)
    assert not verify_checkpoint(SIGNED, public_of(generate()))
    assert SIGNED.head == Head("log", 7, EMPTY.hex())


@pytest.mark.parametrize(
    "change",
    [
        {"log": "gol"},
        {"size": 8},
        {"root": "00"},
        {"at": 124},
        {"solo": False},
        {"key_id": "ed25519-other"},
        {"signature": ""},
        {"signature": "zz"},
        {"signature": SIGNED.signature.upper()},
        {"signature": SIGNED.signature[:-2]},
        {"signature": "00" * 64},
    ],
)
def test_no_field_can_be_changed(change: dict[str, object]) -> None:
    changed: Checkpoint = msgspec.structs.replace(SIGNED, **change)
    assert not verify_checkpoint(changed, PUBLIC)


def test_fields_cannot_be_shifted_into_each_other() -> None:
    assert Checkpoint("a\n1", 2, "r", 3, "k").body() != Checkpoint("a", 1, "2", 3, "k").body()
