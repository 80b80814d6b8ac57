from __future__ import annotations

import pytest

from casemate import crypto

PRIVATE = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")  # RFC 8032, 7.1, test 1


def test_signing_gives_the_vector_of_rfc_8032() -> None:
    assert crypto.public_of(PRIVATE).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert crypto.sign(PRIVATE, b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )


def test_a_signature_holds_for_its_key_and_data_alone() -> None:
    signature = crypto.sign(PRIVATE, b"data")
    public = crypto.public_of(PRIVATE)
    assert crypto.verify(public, b"data", signature)
    assert not crypto.verify(public, b"date", signature)
    assert not crypto.verify(crypto.public_of(crypto.generate()), b"data", signature)


@pytest.mark.parametrize(("public", "signature"), [(b"short", bytes(64)), (bytes(32), b""), (bytes(32), bytes(64))])
def test_a_malformed_key_or_signature_is_a_no(public: bytes, signature: bytes) -> None:
    assert not crypto.verify(public, b"data", signature)


def test_a_signer_signs_under_the_name_of_its_key() -> None:
    signer: crypto.Signer = crypto.KeySigner(PRIVATE)
    assert signer.public == crypto.public_of(PRIVATE)
    assert signer.key_id == crypto.key_id(signer.public)
    assert signer.key_id.startswith("ed25519-")
    assert crypto.verify(signer.public, b"x", signer.sign(b"x"))


def test_fresh_keys_differ() -> None:
    assert crypto.generate() != crypto.generate()
    assert crypto.key_id(crypto.public_of(crypto.generate())) != crypto.key_id(crypto.public_of(crypto.generate()))
