"""A view: shards end to end; what it remembers of a question changes nothing of the next answer."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from casemate.knowledge.index import view as viewed
from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.view import View, statistics
from casemate.knowledge.reading.passage import Passage
from casemate.labels import make_label

OPEN = make_label({})
TEXTS = ("fuel storm fuel", "a convoy", "fuel", "storm signal", "", "harbour fuel")


def shards(size: int = 2) -> list[Shard]:
    made = [Passage(f"psg_{at}", f"d{at}", 0, "", "", "", 0, text) for at, text in enumerate(TEXTS)]
    vectors = [bytes([at, 1]) if at % 2 else b"" for at in range(len(made))]
    return [
        build(OPEN, made[at : at + size], vectors[at : at + size], embedder=f"e{at // 4}")
        for at in range(0, len(made), size)
    ]


def test_rows_are_those_of_the_shards_in_turn() -> None:
    view = View(shards())
    assert (view.count, view.starts, view.total) == (6, (0, 2, 4, 6), 9)
    assert [view.passage(row).text for row in range(6)] == list(TEXTS)
    assert view.ids(np.array([5, 0, 3])).tolist() == [b"psg_5", b"psg_0", b"psg_3"]
    assert [(shard is view.shards[at], rows) for at, (shard, rows) in enumerate(view.places())] == [
        (True, slice(0, 2)), (True, slice(2, 4)), (True, slice(4, 6)),
    ]  # fmt: skip
    assert view.embedders == ("e0", "e1")
    assert view.roots.tolist() == pytest.approx([1, 2**0.5, 1, 10**0.5, 1, 26**0.5])
    assert view.lengths.tolist() == [3, 1, 1, 2, 0, 2]


def test_statistics_are_those_of_the_shards_together() -> None:
    for size in (1, 2, 6):
        stats = statistics(("storm", "fuel", "none", "fuel"), shards(size))
        assert (stats.count, stats.total, stats.df) == (6, 9, (("fuel", 3), ("none", 0), ("storm", 2)))
    assert statistics(("fuel",), []).df == (("fuel", 0),)


def test_what_was_asked_before_changes_no_bit() -> None:
    """Terms are remembered, and forgotten where there are too many; a view of the same shards gives the same."""
    with patch.object(viewed, "_LEAST", 0), patch.object(viewed, "_CELLS", 0.5):
        view = View(shards())
        for asked in (("fuel",), ("fuel", "storm"), ("storm", "signal", "fuel"), ("fuel",), ()):
            again = View(shards(3))
            assert view.bm25(view.statistics(asked)).tolist() == again.bm25(again.statistics(asked)).tolist()
            assert view.kept <= 3


def test_scores_follow_the_statistics_that_are_given() -> None:
    view, own = View(shards()), View(shards()[:1]).statistics(("fuel",))
    first = view.bm25(view.statistics(("fuel",)))
    assert view.bm25(own).tolist() != first.tolist()
    assert view.bm25(view.statistics(("fuel",))).tolist() == first.tolist()
