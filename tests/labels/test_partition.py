"""Access classes: interned, and named by what they are made of."""

from __future__ import annotations

import base64
import hashlib

import pytest

from casemate.labels import Element, access_class, make_label

LABEL = make_label({"us": Element(2, "SECRET")}, ["EXERCISE"])


def test_the_id_is_a_digest_of_the_three() -> None:
    made = access_class(LABEL, "project=OSPREY", "EXERCISE")
    digest = hashlib.sha256(b"class\0" + LABEL.text.encode() + b"\0project=OSPREY\0EXERCISE").digest()
    assert made.id == base64.b32encode(digest).decode().lower()[:26]
    assert (made.label, made.need, made.originator) == (LABEL, "project=OSPREY", "EXERCISE")


def test_classes_are_interned_and_distinct() -> None:
    plain = access_class(LABEL)
    assert access_class(LABEL) is plain
    assert access_class(LABEL, "x") is (held := access_class(LABEL, "x"))
    assert held.need == "x"
    others = [access_class(make_label({})), access_class(LABEL, "x"), access_class(LABEL, "", "x")]
    assert len({plain.id, *(each.id for each in others)}) == 4
    assert plain not in others


def test_two_classes_cannot_be_spelled_alike() -> None:
    for need, originator in (("a\0b", ""), ("", "a\0b")):
        with pytest.raises(ValueError, match="NUL"):
            access_class(LABEL, need, originator)
