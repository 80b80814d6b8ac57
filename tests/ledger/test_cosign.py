from __future__ import annotations

import msgspec
import pytest

from casemate.crypto import KeySigner
from casemate.ledger import EMPTY, Cosignature, Head, cosign, verify_cosignature
from tests.ledger.histories import LOG, PUBLIC

WITNESS = KeySigner(bytes(range(64)))
HEAD = Head(LOG, 4, EMPTY.hex())
GIVEN = cosign(WITNESS, PUBLIC, HEAD, 99)


def test_a_cosignature_stands_for_one_head_of_one_region() -> None:
    assert verify_cosignature(GIVEN, PUBLIC, WITNESS.public)
    assert GIVEN.head == HEAD
    assert not verify_cosignature(GIVEN, WITNESS.public, WITNESS.public)
    assert not verify_cosignature(GIVEN, PUBLIC, PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        *({name: "x"} for name in ("of", "log", "root", "by", "signature")),
        {"size": 5},
        {"at": 1},
        {"signature": ""},
        {"signature": GIVEN.signature.upper()},
    ],
)
def test_no_field_can_be_changed(change: dict[str, object]) -> None:
    changed: Cosignature = msgspec.structs.replace(GIVEN, **change)
    assert not verify_cosignature(changed, PUBLIC, WITNESS.public)
