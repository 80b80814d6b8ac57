from __future__ import annotations

import asyncio
import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.hashing import HashingEmbedder, hashed


def values(text: str) -> np.ndarray:
    return np.frombuffer(hashed(text), np.int8).astype(int)


def cosine(left: str, right: str) -> float:
    one, other = values(left), values(right)
    return float(one @ other / math.sqrt((one @ one) * (other @ other)))


@given(st.text(max_size=200))
def test_a_vector_is_384_integers_in_bounds_and_of_its_text_alone(text: str) -> None:
    vector = values(text)
    assert vector.shape == (384,)
    assert np.abs(vector).max() <= 127
    assert hashed(text) == hashed(text)


def test_it_never_changes() -> None:
    # Vectors are stored: another digest here means that stored ones no longer match the questions.
    digest = hashlib.sha256(hashed("The convoy reached the river. Le dépôt brûle."))
    assert digest.hexdigest() == "2f3a4a3f09e5ba008458a7d1596ebef46e872bc87e64a5a4cf5dd0360ab4f28a"


@given(st.lists(st.sampled_from(["convoy", "river", "depot", "lake", "fever"]), min_size=1, max_size=30))
def test_the_length_is_that_of_a_model(words: list[str]) -> None:
    assert 375 <= math.sqrt(sum(values(" ".join(words)) ** 2)) <= 390


@given(st.permutations(["convoy", "river", "depot", "lake"]))
def test_order_case_and_punctuation_do_not_count(words: list[str]) -> None:
    assert hashed(", ".join(words).upper() + "!") == hashed("convoy river depot lake")


def test_shared_words_are_nearness() -> None:
    question = "fuel at the airfield"
    near, far = "The airfield has fuel for nine days", "Bidders show three years of accounts"
    assert cosine(question, near) > 0.4
    assert abs(cosine(question, far)) < 0.3
    assert cosine(question, question) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", " \n", "?!…"])
def test_a_text_without_words_is_zero(text: str) -> None:
    assert hashed(text) == bytes(384)


def test_half_a_surrogate_pair_is_a_text_too() -> None:
    assert len(hashed("a\ud800b")) == 384


def test_the_face_keeps_the_order() -> None:
    embedder = HashingEmbedder()
    assert asyncio.run(embedder.embed(["river", "", "lake"])) == [hashed("river"), bytes(384), hashed("lake")]
    assert (embedder.name, embedder.state) == ("hashing", "none")
