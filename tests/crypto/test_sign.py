from __future__ import annotations

import pytest

from casemate import crypto
from casemate.errors import Damaged

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


SIZES: dict[crypto.SigningProfile, tuple[int, int, int, str]] = {
    "ed25519": (32, 32, 64, "ed25519-"),
    "cnsa2": (33, 2592, 4627, "mldsa87-"),
    "hybrid": (64, 2624, 4691, "hybrid-"),
}


@pytest.mark.parametrize("profile", SIZES)
def test_the_size_of_the_public_key_names_the_algorithm(profile: crypto.SigningProfile) -> None:
    private = crypto.generate(profile)
    signer = crypto.KeySigner(private)
    signature = signer.sign(b"data")
    assert (len(private), len(signer.public), len(signature)) == SIZES[profile][:3]
    assert signer.key_id.startswith(SIZES[profile][3])
    assert crypto.is_public_key(signer.public)
    assert crypto.public_of(private) == signer.public
    assert crypto.verify(signer.public, b"data", signature)
    assert not crypto.verify(signer.public, b"date", signature)
    for at in (0, 63, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[at] ^= 1
        assert not crypto.verify(signer.public, b"data", bytes(changed))
    for other in (b"", signature[:-1], signature + b"\0"):
        assert not crypto.verify(signer.public, b"data", other)


def test_of_two_signatures_both_must_hold() -> None:
    private = crypto.generate("hybrid")
    one, other = crypto.KeySigner(private), crypto.KeySigner(crypto.generate("hybrid"))
    right, wrong = one.sign(b"data"), other.sign(b"data")
    assert not crypto.verify(one.public, b"data", right[:64] + wrong[64:])
    assert not crypto.verify(one.public, b"data", wrong[:64] + right[64:])
    assert not crypto.verify(one.public, b"data", right[:64])
    assert not crypto.verify(one.public, b"data", right[64:])
    assert crypto.verify(one.public[:32], b"data", right[:64])
    assert crypto.verify(one.public[32:], b"data", right[64:])


@pytest.mark.parametrize("size", [0, 1, 31, 33, 63, 65, 2592])
def test_bytes_of_another_size_are_no_private_key(size: int) -> None:
    with pytest.raises(Damaged):
        crypto.KeySigner(bytes(size))


@pytest.mark.parametrize("size", [0, 31, 2560, 2591, 2593, 2623, 2625])
def test_a_public_key_of_another_size_verifies_nothing(size: int) -> None:
    for signature in (b"", bytes(64), bytes(4627), bytes(4691)):
        assert not crypto.verify(bytes(size), b"data", signature)
    assert not crypto.is_public_key(bytes(size))
    assert crypto.key_id(bytes(size)).startswith("unknown-")
