"""Attribute files: signed for one region by one key, and read in one way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from casemate.crypto import KeySigner, generate
from casemate.crypto.foreign import PublicKey
from casemate.errors import BadInput
from casemate.identity import attributes
from casemate.identity.attributes import Statement, Subject
from casemate.identity.strict import from_base64url, to_base64url

SIGNER = KeySigner(generate())
KEY = attributes.authority_key(attributes.public_text(SIGNER))
ANN = Subject("https://login.test", "ann", "SECRET", ("EXERCISE",))


def said(*subjects: Subject, **more: Any) -> Statement:
    fields = {"authority": "hq", "region": "north", "number": 1, "not_after": "2027-01-01T00:00:00Z", **more}
    return Statement(subjects=subjects or (ANN,), **fields)


def test_what_was_signed_is_what_is_read() -> None:
    raw = attributes.sign(said(), SIGNER)
    assert attributes.opened(raw, KEY) == said()
    assert msgspec.json.decode(raw)["key"] == attributes.fingerprint(KEY)


def test_json_and_toml_say_the_same() -> None:
    text = b"""
authority = "hq"
region = "north"
number = 1
not_after = "2027-01-01T00:00:00Z"
[[subjects]]
issuer = "https://login.test"
subject = "ann"
clearance = "SECRET"
agencies = ["EXERCISE"]
"""
    assert attributes.statement(text) == said() == attributes.statement(msgspec.json.encode(said()))


def test_ecdsa_signs_too() -> None:
    private = ec.generate_private_key(ec.SECP384R1())
    payload = msgspec.json.encode(said())
    r, s = decode_dss_signature(private.sign(b"casemate attributes v1\x00" + payload, ec.ECDSA(hashes.SHA384())))
    seal = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    raw = msgspec.json.encode({"payload": to_base64url(payload), "signature": to_base64url(seal), "key": ""})
    assert attributes.opened(raw, PublicKey("P-384", private.public_key())) == said()


def test_another_key_or_byte_is_refused() -> None:
    raw = attributes.sign(said(), SIGNER)
    with pytest.raises(BadInput):
        attributes.opened(raw, attributes.authority_key(attributes.public_text(KeySigner(generate()))))
    parts = msgspec.json.decode(raw)
    more = from_base64url(parts["payload"]).replace(b"SECRET", b"TOP SECRET")
    undomained = SIGNER.sign(from_base64url(parts["payload"]))
    for changed in (
        {**parts, "payload": to_base64url(more)},
        {**parts, "signature": to_base64url(undomained)},
        {**parts, "signature": ""},
        {**parts, "payload": "="},
        {**parts, "extra": 1},
        {"payload": parts["payload"]},
    ):
        with pytest.raises(BadInput):
            attributes.opened(msgspec.json.encode(changed), KEY)
    for wrong in (b"", b"[]", b" " * (3 << 20), raw[:-1] + b',"key":"x"}'):
        with pytest.raises(BadInput):
            attributes.opened(wrong, KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        said(number=0),
        said(number=1 << 60),
        said(ANN, ANN),
        said(msgspec.structs.replace(ANN, roles=("officer",))),
        said(msgspec.structs.replace(ANN, roles=("releaser",))),
        said(msgspec.structs.replace(ANN, roles=())),
        said(msgspec.structs.replace(ANN, scheme="fingerprint")),
        said(*(msgspec.structs.replace(ANN, subject=str(n)) for n in range(2001))),
    ],
    ids=range(8),
)
def test_statements_that_cannot_be(wrong: Statement) -> None:
    with pytest.raises(BadInput):
        attributes.sign(wrong, SIGNER)


@pytest.mark.parametrize(
    "text", ["", "AAAA", "x=", attributes.public_text(SIGNER)[:-4]], ids=["none", "short", "padded", "cut"]
)
def test_keys_that_cannot_be(text: str) -> None:
    with pytest.raises(BadInput):
        attributes.authority_key(text)


@pytest.mark.parametrize("text", [b"\xff", b"{", b"x = 1", b'{"authority":"a"}'])
def test_drafts_that_cannot_be(text: bytes) -> None:
    with pytest.raises(BadInput):
        attributes.statement(text)
