"""Public keys as others publish them: which types are taken, and that no key is used as another."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemate.crypto import foreign
from tests.identity.provider import Provider

RIGHT = Provider()


def spki(private: object) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("private", "type", "algorithm"),
    [
        (rsa.generate_private_key(65537, 2048), "RSA", "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), "P-256", "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "P-384", "ES384"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", "EdDSA"),
    ],
    ids=["RSA", "P-256", "P-384", "Ed25519"],
)
def test_keys_that_are_taken(private: object, type: str, algorithm: str) -> None:
    key = foreign.spki_key(spki(private))
    assert (key.type, key.algorithm, key.spki) == (type, algorithm, spki(private))


@pytest.mark.parametrize(
    "der",
    [
        spki(ec.generate_private_key(ec.SECP521R1())),
        spki(ed448.Ed448PrivateKey.generate()),
        spki(dsa.generate_private_key(2048)),
        spki(rsa.generate_private_key(65537, 1024)),
        spki(rsa.generate_private_key(3, 2048)),
        b"",
        b"x",
    ],
    ids=range(7),
)
def test_keys_that_are_not(der: bytes) -> None:
    with pytest.raises(ValueError):
        foreign.spki_key(der)


@pytest.mark.parametrize("signs", sorted(foreign.ALGORITHMS))
@pytest.mark.parametrize("read", [*sorted(foreign.ALGORITHMS), "HS256", "none", ""])
def test_a_signature_is_of_one_algorithm(signs: str, read: str) -> None:
    key = foreign.spki_key(spki(RIGHT.keys[signs]))
    made = RIGHT.sign(signs, b"data")
    assert foreign.signed_by(key, read, b"data", made) is (signs == read)
    assert not foreign.signed_by(key, read, b"other", made)


def test_a_point_of_another_curve() -> None:
    with pytest.raises(ValueError):
        foreign.curve_key("P-521", bytes(66), bytes(66))
    with pytest.raises(ValueError):
        foreign.curve_key("P-256", bytes(32), bytes(32))
