"""Identifiers: unguessable, of one form, and drawn by scope."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from casemate.ids import DerivedEntropy, SystemEntropy, fresh, short

SCOPE = st.text(max_size=20)


@given(st.binary(max_size=64))
def test_short_text_is_base32_without_its_padding(raw: bytes) -> None:
    text = short(raw)
    assert base64.b32decode(text.upper() + "=" * (-len(text) % 8)) == raw
    assert text == text.lower()


def test_sixteen_bytes_are_twenty_six_characters() -> None:
    assert len(short(bytes(16))) == 26
    assert fresh("doc", DerivedEntropy(b"seed"), "a").startswith("doc_")
    assert len(fresh("doc", SystemEntropy(), "a")) == len("doc_") + 26


@given(st.binary(max_size=8), st.lists(st.tuples(SCOPE, st.integers(0, 100)), max_size=8))
def test_what_is_derived_can_be_derived_again(seed: bytes, draws: list[tuple[str, int]]) -> None:
    one, two = DerivedEntropy(seed), DerivedEntropy(seed)
    for scope, size in draws:
        drawn = one.draw(scope, size)
        assert drawn == two.draw(scope, size)
        assert len(drawn) == size


@given(st.lists(SCOPE, max_size=8), SCOPE)
def test_what_one_scope_draws_shifts_no_other(others: list[str], scope: str) -> None:
    """So that a hidden operation cannot change what a visible one gets."""
    alone, among = DerivedEntropy(b"seed"), DerivedEntropy(b"seed")
    for other in others:
        if other != scope:
            among.draw(other)
    assert alone.draw(scope) == among.draw(scope)
    assert alone.draw(scope) != among.draw(scope, 15)


def test_no_two_draws_are_alike() -> None:
    for entropy in (SystemEntropy(), DerivedEntropy(b"seed")):
        assert len({entropy.draw(scope, 40) for scope in "ab" for _ in range(50)}) == 100
    assert DerivedEntropy(b"a").draw("s") != DerivedEntropy(b"b").draw("s")
