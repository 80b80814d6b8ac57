from __future__ import annotations

import hashlib
import hmac as stdlib_hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate import crypto
from casemate.errors import Damaged

KEY = bytes(range(32))


def test_digest_is_sha384_of_fips_180_4() -> None:
    expected = (
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"  # "abc"
    )
    assert crypto.digest(b"abc").hex() == expected
    assert len(crypto.digest(b"")) == crypto.DIGEST_SIZE


def test_hmac_is_the_vector_of_rfc_4231_case_2() -> None:
    expected = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
    assert crypto.hmac(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_derive_is_hkdf_sha384_without_salt() -> None:
    info = b"casemate key v1" + b"\x00\x00\x00\x04seal" + b"\x00\x00\x00\x01c"
    extracted = stdlib_hmac.digest(b"\x00" * 48, KEY, hashlib.sha384)
    assert crypto.derive(KEY, b"seal", b"c") == stdlib_hmac.digest(extracted, info + b"\x01", hashlib.sha384)[:32]


def test_contexts_that_join_to_the_same_bytes_give_different_keys() -> None:
    assert len({crypto.derive(KEY, b"a", b"bc"), crypto.derive(KEY, b"ab", b"c"), crypto.derive(KEY, b"abc")}) == 3


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_is_sealed_opens_with_the_same_key_and_aad(plaintext: bytes, aad: bytes) -> None:
    assert crypto.decrypt(KEY, crypto.encrypt(KEY, plaintext, aad), aad) == plaintext


def test_every_changed_byte_key_and_aad_is_noticed() -> None:
    sealed = crypto.encrypt(KEY, b"content", b"aad")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Damaged):
            crypto.decrypt(KEY, bytes(changed), b"aad")
    for key, aad in ((bytes(32), b"aad"), (KEY, b"other")):
        with pytest.raises(Damaged):
            crypto.decrypt(key, sealed, aad)


@pytest.mark.parametrize("size", range(29))
def test_what_is_too_short_to_be_sealed_is_damaged(size: int) -> None:
    with pytest.raises(Damaged):
        crypto.decrypt(KEY, crypto.encrypt(KEY, b"", b"")[:size], b"")


def test_sealing_twice_shows_nothing_of_being_the_same() -> None:
    assert crypto.encrypt(KEY, b"same", b"") != crypto.encrypt(KEY, b"same", b"")


def test_a_nonce_that_is_brought_is_used() -> None:
    nonce = b"n" * crypto.NONCE_SIZE
    sealed = crypto.encrypt(KEY, b"same", b"", nonce)
    assert sealed == crypto.encrypt(KEY, b"same", b"", nonce)
    assert sealed[:13] == b"\x01" + nonce


def test_same_compares_whole_values() -> None:
    assert crypto.same(b"abc", b"abc")
    assert not crypto.same(b"abc", b"abd")
    assert not crypto.same(b"abc", b"ab")


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_it_opens_into_memory_of_the_right_size_alone(plaintext: bytes, aad: bytes) -> None:
    cipher = crypto.Cipher(KEY)
    sealed = memoryview(crypto.encrypt(KEY, plaintext, aad))
    into = memoryview(bytearray(len(plaintext)))
    cipher.open_into(sealed, aad, into)
    assert bytes(into) == plaintext
    for wrong in (len(plaintext) + 1, len(plaintext) - 1):
        if wrong >= 0:
            with pytest.raises(Damaged):
                cipher.open_into(sealed, aad, memoryview(bytearray(wrong)))
    for at in (0, 1, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(Damaged):
            cipher.open_into(memoryview(changed), aad, into)
    with pytest.raises(Damaged):
        cipher.open_into(sealed[:28], aad, into)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_mac_kept_at_hand_is_the_same_hmac(key: bytes, data: bytes) -> None:
    kept = crypto.Mac(key)
    assert kept.of(data) == kept.of(data) == crypto.hmac(key, data)
