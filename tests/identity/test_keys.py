"""The form of an API key, and the digest that stays of it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Unauthenticated
from casemate.identity import KeyText, digest_of, make_key, split_key


@given(st.binary(min_size=48, max_size=48))
def test_a_key_is_taken_apart_as_it_was_made(raw: bytes) -> None:
    key = make_key(raw)
    assert split_key(key.text) == key
    assert (len(key.id), len(key.secret)) == (26, 52)


@given(st.binary(min_size=48, max_size=48), st.integers(0, 47))
def test_every_byte_counts(raw: bytes, place: int) -> None:
    other = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
    one, two = make_key(raw), make_key(other)
    assert (one.id != two.id, digest_of(one.secret) != digest_of(two.secret)) == (place < 16, place >= 16)


@pytest.mark.parametrize("text", ["", "cm", "cm_a", "cm_a_b_c", "sk_a_b", "cm_é_b", "cm_a_" + "b" * 200])
def test_anything_else_is_nobodys(text: str) -> None:
    with pytest.raises(Unauthenticated):
        split_key(text)


def test_a_key_does_not_show_its_secret() -> None:
    assert "hidden" not in repr(KeyText("a", "hidden"))
    assert digest_of("hidden") == hashlib.sha384(b"hidden").hexdigest()
