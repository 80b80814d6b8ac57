"""The law of search: what is found, and every bit of every score, is a function of the visible passages alone."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from casemate.knowledge.index.analyse import terms
from casemate.knowledge.index.make import build
from casemate.knowledge.index.rank import Floats, Statistics
from casemate.knowledge.index.search import POOL, Asked, Hit, fuse, search
from casemate.knowledge.index.shard import Shard, decode, encode
from casemate.knowledge.index.view import View, statistics
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Element, Label, make_label

WORDS = ("convoy", "harbour", "fuel", "escort", "storm", "signal")
WIDTH = 6


def _label(level: int, *tokens: str) -> Label:
    return make_label({"test": Element(level, f"LEVEL {level}", frozenset(("GROUP", token) for token in tokens))})


LOW, HIGH, SIDE, BOTH = _label(1, "A"), _label(2, "A"), _label(1, "B"), _label(2, "A", "B")
LABELS = (_label(0), LOW, HIGH, SIDE, BOTH)


@dataclass(frozen=True)
class World:
    """Shards as they lie in a store, some of them hidden from whoever acts at `acting`."""

    shards: tuple[Shard, ...]
    acting: Label

    @property
    def visible(self) -> list[Shard]:
        return [shard for shard in self.shards if shard.label <= self.acting]


Vectors = dict[str, bytes]
Searcher = Callable[[tuple[str, ...], Vectors, World, int], Sequence[Hit]]


def honest(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    return search(asked, vectors, world.visible, k)


def _as_it_is(scores: Floats) -> Floats:
    return scores


def _ranked(
    stats: Statistics,
    vectors: Vectors,
    shards: Sequence[Shard],
    k: int,
    worth: Callable[[Floats], Floats] = lambda scores: scores,
) -> Sequence[Hit]:
    """What `search` does, with statistics from somewhere; `worth` looks at cosines, which are left as they are."""
    view = View(shards)
    text, dense = view.bm25(stats), Asked((), vectors).cosines(view)
    lists = [text, *(worth(dense[name]) for name in sorted(dense))]
    return fuse(view, text, dense, [view.best(scores, max(k, POOL)) for scores in lists], k)


def shared_df(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: one table of statistics for the whole knowledge base."""
    return _ranked(statistics(asked, world.shards), vectors, world.visible, k)


def global_df(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: only how many passages hold a term is counted everywhere."""
    own, all_of_it = statistics(asked, world.visible), statistics(asked, world.shards)
    df = tuple((term, min(df, own.count)) for term, df in all_of_it.df)
    return _ranked(Statistics(own.count, own.total, df), vectors, world.visible, k)


def shared_average(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: only the average length is everybody's."""
    own, whole = statistics(asked, world.visible), statistics(asked, world.shards)
    total = max(1, round(whole.total * own.count / max(1, whole.count)))
    return _ranked(Statistics(own.count, total, own.df), vectors, world.visible, k)


def calibrated_floor(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: what is near enough is told by the mean cosine over everything."""
    cosines = [c for found in Asked((), vectors).cosines(View(world.shards)).values() for c in found if c > 0]
    floor = sum(cosines) / len(cosines) if cosines else 0.0

    def worth(scores: Floats) -> Floats:
        return scores * (scores >= floor)

    return _ranked(statistics(asked, world.visible), vectors, world.visible, k, worth)


def post_filtered(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: the best k of everything, and then the check."""
    return [hit for hit in search(asked, vectors, world.shards, k) if hit.label <= world.acting]


def shared_ranks(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: scores of the visible world, but ranked beside the hidden passages."""
    stats = statistics(asked, world.visible)
    if not stats.total:
        stats = Statistics(0, 1, ())
    hits = _ranked(stats, vectors, world.shards, len(WORDS) * 100)
    return [hit for hit in hits if hit.label <= world.acting][:k]


def masked(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: everything is counted, and only what is ranked is restricted to what is visible."""
    view = View(world.shards)
    mask = np.zeros(view.count, dtype=np.bool_)
    for shard, rows in view.places():
        mask[rows] = shard.label <= world.acting
    return Asked(asked, vectors).search(view, k, mask).hits


def mixed_ties(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: equal scores in the order in which the passages lie in the store."""
    laid = {bytes(i): at for at, i in enumerate(i for shard in world.shards for i in shard.ids)}
    hits = search(asked, vectors, world.visible, POOL)
    return sorted(hits, key=lambda hit: (-hit.fused, laid[hit.passage.id.encode()]))[:k]


def arrival_ties(asked: tuple[str, ...], vectors: Vectors, world: World, k: int) -> Sequence[Hit]:
    """Mutant: no order at all among equals but that of the shards handed in."""
    view = View(world.visible)
    scores = view.bm25(view.statistics(asked))
    order = sorted((row for row in range(view.count) if scores[row] > 0), key=lambda row: -scores[row])
    return [Hit(view.passage(row), view.place(row)[0].label, scores[row], 0.0, 0.0) for row in order[:k]]


def observed(hits: Sequence[Hit]) -> bytes:
    """Everything that a caller could see of the hits, floats bit by bit."""
    return msgspec.msgpack.encode(
        [
            (hit.passage, hit.label.text, hit.base, hit.filed, struct.pack("<3d", hit.bm25, hit.cosine, hit.fused))
            for hit in hits
        ]
    )


values = st.integers(-127, 127)
raws = st.lists(values, min_size=WIDTH, max_size=WIDTH).map(lambda ints: struct.pack(f"{WIDTH}b", *ints))
texts = st.lists(st.sampled_from(WORDS), min_size=0, max_size=7).map(" ".join)


@st.composite
def rows(draw: st.DrawFn, labels: Sequence[Label]) -> list[tuple[Label, Passage, bytes]]:
    """Passages with their labels; ids are scattered, so that the order of ids is not the order of arrival."""
    made = draw(st.lists(st.tuples(st.sampled_from(labels), texts, raws | st.just(b"")), max_size=9))
    numbers = draw(st.permutations(range(len(made))))
    tag = "v" if all(label <= LOW for label in labels) else "h"
    out = []
    for (label, text, vector), number in zip(made, numbers, strict=True):
        begin, end = draw(st.sampled_from((("psg_", ""), ("psg_", "x"), ("psg_aaaaaaaa", ""), ("pas", "_"))))
        name = f"{begin}{number:02d}{tag}{end}"
        out.append((label, Passage(name, f"doc_{number}", 0, "", "", "", 0, text), vector))
    return out


@st.composite
def layouts(draw: st.DrawFn, passages: Sequence[tuple[Label, Passage, bytes]]) -> list[Shard]:
    """The passages cut into shards somehow, each of one label and embedder, some of them read back from bytes."""
    groups: dict[tuple[Label, str, int], list[tuple[Passage, bytes]]] = {}
    for label, passage, vector in draw(st.permutations(passages)):
        groups.setdefault((label, embedder_of(passage), draw(st.integers(0, 2))), []).append((passage, vector))
    shards = [
        build(label, [p for p, _ in group], [v for _, v in group], embedder=embedder)
        for (label, embedder, _), group in groups.items()
    ]
    return [decode(*encode(shard), shard.label) if draw(st.booleans()) else shard for shard in shards]


def embedder_of(passage: Passage) -> str:
    """Some documents lie in a base with another embedder."""
    return "two" if passage.document.endswith(("3", "7")) else "one"


cases = st.tuples(
    rows([label for label in LABELS if label <= LOW]),
    rows([label for label in LABELS if not label <= LOW]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(tuple),
    st.dictionaries(st.sampled_from(("one", "two")), raws),
    st.integers(1, 6),
    st.data(),
)


def law(searcher: Searcher, examples: int) -> None:
    """Searched with hidden shards and in any layout, a world gives what its visible passages alone give."""

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(cases)
    def holds(case):  # type: ignore[no-untyped-def]
        seen, hidden, asked, vectors, k, data = case
        alone = World(tuple(data.draw(layouts(seen))), LOW)
        beside = World(tuple(data.draw(st.permutations(data.draw(layouts(seen + hidden))))), LOW)
        assert observed(searcher(asked, vectors, alone, k)) == observed(searcher(asked, vectors, beside, k))

    holds()


def test_the_law_holds() -> None:
    law(honest, 300)


MUTANTS = [
    shared_df, global_df, shared_average, calibrated_floor, post_filtered, masked, shared_ranks, mixed_ties,
    arrival_ties,
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_leak_breaks_the_law(mutant: Searcher) -> None:
    with pytest.raises(AssertionError):
        law(mutant, 300)


# A reference in plain Python, from the formulas and not from the code.


def reference(
    asked: tuple[str, ...], vectors: Vectors, passages: Sequence[tuple[Label, Passage, bytes]], k: int
) -> list[tuple[str, float, float, float]]:
    bags = [Counter(terms(passage.text)) for _, passage, _ in passages]
    count, total = len(bags), sum(bag.total() for bag in bags)
    text = [0.0] * count
    for term in sorted(asked):
        df = sum(1 for bag in bags if bag[term])
        weight = math.log(1 + (count - df + 0.5) / (df + 0.5))
        for at, bag in enumerate(bags):
            if bag[term]:
                relative = bag.total() * count / total
                text[at] += weight * (bag[term] * (1.2 + 1)) / (bag[term] + 1.2 * (1 - 0.75 + 0.75 * relative))
    dense = [_cosine(vectors.get(embedder_of(passage)), raw) for _, passage, raw in passages]
    names = [passage.id for _, passage, _ in passages]
    fused: dict[int, float] = {}
    for scores, embedder in ((text, ""), (dense, "one"), (dense, "two")):
        mine = [at for at in range(count) if embedder in ("", embedder_of(passages[at][1])) and scores[at] > 0]
        best = sorted(mine, key=lambda at: (-scores[at], names[at]))
        for rank, at in enumerate(best[:POOL], start=1):
            fused[at] = fused.get(at, 0.0) + 1 / (60 + rank)
    order = sorted(fused, key=lambda at: (-fused[at], names[at]))[:k]
    return [(names[at], text[at], dense[at], fused[at]) for at in order]


def _cosine(vector: bytes | None, raw: bytes) -> float:
    if vector is None or not any(vector) or not any(raw):
        return 0.0
    a, b = struct.unpack(f"{WIDTH}b", vector), struct.unpack(f"{WIDTH}b", raw)
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b)))


@settings(max_examples=300, deadline=None)
@given(
    rows(LABELS),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(("one", "two")), raws),
    st.data(),
)
def test_scores_equal_a_plain_reference_bit_for_bit(passages, asked, vectors, data) -> None:  # type: ignore[no-untyped-def]
    asked = tuple(terms(" ".join(asked)))
    hits = search(asked, vectors, data.draw(layouts(passages)), 5)
    expected = reference(tuple(set(asked)), vectors, passages, 5)
    assert [(hit.passage.id, hit.bm25, hit.cosine, hit.fused) for hit in hits] == expected


@settings(max_examples=200, deadline=None)
@given(rows(LABELS), st.dictionaries(st.sampled_from(("one", "two")), raws), st.data())
def test_a_mask_restricts_what_is_ranked_and_not_what_is_counted(passages, vectors, data) -> None:  # type: ignore[no-untyped-def]
    """The hits under a mask are those of the whole that it leaves, in their order; each has the score that it had."""
    view = View(data.draw(layouts(passages)))
    kept = data.draw(st.sets(st.sampled_from([passage.id for _, passage, _ in passages] or ["none"])))
    mask = np.array([view.passage(row).id in kept for row in range(view.count)], dtype=np.bool_)
    whole, some = (Asked(WORDS, vectors).search(view, 99, which) for which in (None, mask))
    held = {hit.passage.id: (hit.bm25, hit.cosine) for hit in whole.hits}
    assert {hit.passage.id: (hit.bm25, hit.cosine) for hit in some.hits} == {
        id: score for id, score in held.items() if id in kept
    }
    assert whole.statistics == some.statistics
    assert some.total == sum(1 for id, score in held.items() if id in kept and score[0] > 0)
    for method, place in (("text", 0), ("dense", 1)):
        by = Asked(WORDS, vectors).search(view, 99, mask, method).hits
        assert {hit.passage.id for hit in by} == {id for id, score in held.items() if id in kept and score[place] > 0}
    assert some.total == Asked(WORDS, vectors).search(view, 99, mask, "text").total


def test_by_vectors_alone_no_word_is_looked_up() -> None:
    passage = Passage("psg_a", "doc_a", 0, "", "", "", 0, "convoy")
    shard = build(LOW, [passage], [bytes([1] * WIDTH)], embedder="one")
    found = Asked(("convoy",), {"one": bytes([1] * WIDTH)}).search([shard], 1, method="dense")
    assert [(hit.passage.id, hit.bm25) for hit in found.hits] == [("psg_a", 0.0)]
    assert (found.total, found.statistics.df) == (0, ())


def test_every_result_there_is_is_given() -> None:
    """k visible results if k exist, however few rows a mask leaves and however much better the others are."""
    made = [Passage(f"psg_{at:04d}", "doc", at, "", "", "", 0, "fuel " * (at % 7 + 1)) for at in range(3 * POOL)]
    view, mask = View([build(LOW, made)]), np.zeros(3 * POOL, dtype=np.bool_)
    mask[::40] = True
    found = Asked(("fuel",)).search(view, 100, mask)
    assert sorted(hit.passage.id for hit in found.hits) == [passage.id for passage in made[::40]]
    assert len(Asked(("fuel",)).search(view, POOL + 9).hits) == POOL + 9
    assert Asked(("fuel",)).search(view, 5, np.zeros(3 * POOL, dtype=np.bool_)).hits == ()


def test_more_equals_than_the_pool_are_cut_by_id() -> None:
    made = [Passage(f"psg_{at:04d}", "doc", at, "", "", "", 0, "fuel") for at in range(POOL + 50)]
    halves = [build(LOW, made[::2]), build(LOW, made[1::2])]
    whole = search(("fuel",), {}, [build(LOW, made)], POOL + 10)
    assert observed(whole) == observed(search(("fuel",), {}, halves, POOL + 10))
    assert [hit.passage.id for hit in whole] == [passage.id for passage in made[: POOL + 10]]


def test_an_asked_question_shares_products_and_nothing_else() -> None:
    one = build(LOW, [Passage("psg_a", "d", 0, "", "", "", 0, "fuel convoy")], [bytes([1] * WIDTH)])
    two = build(LOW, [Passage("psg_b", "d", 0, "", "", "", 0, "fuel fuel")], [bytes([3] * WIDTH)])
    asked = Asked(("fuel",), {"": bytes([2] * WIDTH)})
    asked.search([one, two], 5)
    again = asked.search([one], 5)
    assert observed(again.hits) == observed(search(("fuel",), {"": bytes([2] * WIDTH)}, [one], 5))
    assert again.statistics.count == 1


def test_embedders_that_are_not_compared_rank_each_among_their_own() -> None:
    """The best of each stands first, however much nearer the other's seem; none is asked for a vector not its own."""
    near, far = bytes([9] * WIDTH), bytes([9] + [1] * (WIDTH - 1))
    named = [Passage(f"psg_{at}", f"d{at}", 0, "", "", "", 0, "x") for at in range(4)]
    one = build(LOW, named[:2], [near, near], embedder="one")
    two = build(LOW, named[2:], [far, far], embedder="two")
    hits = search((), {"one": near, "two": near}, [one, two], 4)
    assert [hit.passage.id for hit in hits] == ["psg_0", "psg_2", "psg_1", "psg_3"]
    assert [hit.passage.id for hit in search((), {"two": near}, [one, two], 4)] == ["psg_2", "psg_3"]
    assert search((), {"two": near[:3]}, [one, two], 4) == []
    assert search((), {"two": bytes(WIDTH)}, [one, two], 4) == []


def test_an_empty_world_answers_nothing() -> None:
    assert search(("fuel",), {"": bytes([1] * WIDTH)}, [], 5) == []
    assert search(("fuel",), {"": bytes([1] * WIDTH)}, [build(LOW, [])], 5) == []
    assert Asked(("fuel",)).search([], 5).total == 0
