"""Products and cosines of integer vectors are exact; shares of a question's weight are what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.knowledge.index import rank
from casemate.knowledge.index.make import build
from casemate.knowledge.index.rank import Statistics, cosine, dots, idf_share, query_vector
from casemate.knowledge.index.search import Asked
from casemate.knowledge.index.view import View
from casemate.knowledge.reading.passage import Passage
from casemate.labels import make_label

OPEN = make_label({})


def test_integers_stay_exact_at_full_width() -> None:
    """384 products of 127 * 127, over more rows than one stretch: a float32 sum that rounded would show."""
    full, odd = bytes([127] * 384), bytes([127] * 383 + [126])
    made = [Passage(f"psg_{at:05d}", "doc", at, "", "", "", 0, "x") for at in range(2500)]
    shard = build(OPEN, made, [full if at % 2 else odd for at in range(2500)])
    found = Asked((), {"": full}).cosines(View([shard]))[""]
    whole, less = 384 * 127 * 127, 383 * 127 * 127 + 127 * 126
    assert set(found[1::2]) == {whole / (math.sqrt(whole) * math.sqrt(whole))}
    assert set(found[0::2]) == {less / (math.sqrt(whole) * math.sqrt(383 * 127 * 127 + 126 * 126))}


@pytest.mark.parametrize("stretch", [1, 40, 1000])
def test_the_stretch_changes_no_bit(stretch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(7).integers(-127, 128, (37, 40)).astype(np.int8)
    vector = query_vector(rows[3].tobytes())
    monkeypatch.setattr(rank, "_STRETCH", stretch)
    out = np.empty(37, dtype=np.float32)
    dots(rows, vector, out, rank.scratch(40))
    assert out.tolist() == (rows.astype(np.int64) @ rows[3].astype(np.int64)).tolist()


@pytest.mark.parametrize("raw", [b"", bytes([128]), bytes(1041)])
def test_a_vector_beyond_its_bounds_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 1040"):
        query_vector(raw)


def test_a_question_without_direction_is_near_nothing() -> None:
    products, roots = np.zeros(2, dtype=np.float32), np.ones(2)
    assert cosine(products, np.zeros(3, dtype=np.float32), roots).tolist() == [0.0, 0.0]


def test_a_share_is_of_the_whole_question() -> None:
    stats = Statistics(10, 50, (("common", 10), ("rare", 1)))
    assert idf_share(["common", "rare"], stats) == 1.0
    assert 0.5 < idf_share(["rare"], stats) < 1.0
    assert idf_share(["other"], stats) == idf_share([], Statistics(0, 0, ())) == 0.0
