"""The law of search: what is found, and every bit of every score, is a function of the visible passages alone."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from casemate.knowledge.analyse import terms
from casemate.knowledge.passage import Passage
from casemate.knowledge.rank import bm25, cosines, query_vector, statistics
from casemate.knowledge.search import POOL, Asked, Hit, fuse, search
from casemate.knowledge.shard import Shard, build, decode, encode
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


Searcher = Callable[[tuple[str, ...], bytes | None, World, int], Sequence[Hit]]


def honest(asked: tuple[str, ...], vector: bytes | None, world: World, k: int) -> Sequence[Hit]:
    return search(asked, vector, world.visible, k)


def shared_df(asked: tuple[str, ...], vector: bytes | None, world: World, k: int) -> Sequence[Hit]:
    """Mutant: one table of statistics for the whole knowledge base."""
    stats = statistics(asked, world.shards)
    return fuse(world.visible, [bm25(s, stats) for s in world.visible], _dense(world.visible, vector), k)


def post_filtered(asked: tuple[str, ...], vector: bytes | None, world: World, k: int) -> Sequence[Hit]:
    """Mutant: the best k of everything, and then the check."""
    return [hit for hit in search(asked, vector, world.shards, k) if hit.label <= world.acting]


def shared_ranks(asked: tuple[str, ...], vector: bytes | None, world: World, k: int) -> Sequence[Hit]:
    """Mutant: scores of the visible world, but ranked beside the hidden passages."""
    stats = statistics(asked, world.visible)
    text = [bm25(shard, stats) for shard in world.shards] if stats.total else [_zeros(s) for s in world.shards]
    hits = fuse(world.shards, text, _dense(world.shards, vector), len(WORDS) * 100)
    return [hit for hit in hits if hit.label <= world.acting][:k]


def mixed_ties(asked: tuple[str, ...], vector: bytes | None, world: World, k: int) -> Sequence[Hit]:
    """Mutant: equal scores in the order in which the passages lie in the store."""
    laid = {bytes(i): at for at, i in enumerate(i for shard in world.shards for i in shard.ids)}
    hits = search(asked, vector, world.visible, POOL)
    return sorted(hits, key=lambda hit: (-hit.fused, laid[hit.passage.id.encode()]))[:k]


def arrival_ties(asked: tuple[str, ...], vector: bytes | None, world: World, k: int) -> Sequence[Hit]:
    """Mutant: no order at all among equals but that of the shards handed in."""
    stats = statistics(asked, world.visible)
    scored = [
        (-float(score), shard.passage(row), shard.label)
        for shard in world.visible
        for row, score in enumerate(bm25(shard, stats))
        if score > 0
    ]
    scored.sort(key=lambda one: one[0])
    return [Hit(passage, label, -score, 0.0, 0.0) for score, passage, label in scored[:k]]


def _zeros(shard: Shard):  # type: ignore[no-untyped-def]
    return bm25(shard, statistics((), [shard]))


def _dense(shards: Sequence[Shard], vector: bytes | None):  # type: ignore[no-untyped-def]
    if vector is None:
        return [_zeros(shard) for shard in shards]
    return [cosines(shard, query_vector(vector)) for shard in shards]


def observed(hits: Sequence[Hit]) -> bytes:
    """Everything that a caller could see of the hits, floats bit by bit."""
    return msgspec.msgpack.encode(
        [(hit.passage, hit.label.text, struct.pack("<3d", hit.bm25, hit.cosine, hit.fused)) for hit in hits]
    )


values = st.integers(-127, 127)
vectors = st.lists(values, min_size=WIDTH, max_size=WIDTH).map(lambda ints: struct.pack(f"{WIDTH}b", *ints))
texts = st.lists(st.sampled_from(WORDS), min_size=0, max_size=7).map(" ".join)


@st.composite
def rows(draw: st.DrawFn, labels: Sequence[Label]) -> list[tuple[Label, Passage, bytes]]:
    """Passages with their labels; ids are scattered, so that the order of ids is not the order of arrival."""
    made = draw(st.lists(st.tuples(st.sampled_from(labels), texts, vectors | st.just(b"")), max_size=9))
    numbers = draw(st.permutations(range(len(made))))
    tag = "v" if all(label <= LOW for label in labels) else "h"
    out = []
    for (label, text, vector), number in zip(made, numbers, strict=True):
        name = f"psg_{number:02d}{tag}" if draw(st.booleans()) else f"psg_{number:02d}{tag}x"
        out.append((label, Passage(name, f"doc_{number}", 0, "", "", "", 0, text), vector))
    return out


@st.composite
def layouts(draw: st.DrawFn, passages: Sequence[tuple[Label, Passage, bytes]]) -> list[Shard]:
    """The passages cut into shards somehow, each of one label, some of them read back from bytes."""
    groups: dict[tuple[Label, int], list[tuple[Passage, bytes]]] = {}
    for label, passage, vector in draw(st.permutations(passages)):
        groups.setdefault((label, draw(st.integers(0, 2))), []).append((passage, vector))
    shards = [build(label, [p for p, _ in group], [v for _, v in group]) for (label, _), group in groups.items()]
    return [decode(encode(shard), shard.label) if draw(st.booleans()) else shard for shard in shards]


cases = st.tuples(
    rows([label for label in LABELS if label <= LOW]),
    rows([label for label in LABELS if not label <= LOW]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(tuple),
    vectors | st.none(),
    st.integers(1, 6),
    st.data(),
)


def law(searcher: Searcher, examples: int) -> None:
    """Searched with hidden shards and in any layout, a world gives what its visible passages alone give."""

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(cases)
    def holds(case):  # type: ignore[no-untyped-def]
        seen, hidden, asked, vector, k, data = case
        alone = World(tuple(data.draw(layouts(seen))), LOW)
        beside = World(tuple(data.draw(st.permutations(data.draw(layouts(seen + hidden))))), LOW)
        assert observed(searcher(asked, vector, alone, k)) == observed(searcher(asked, vector, beside, k))

    holds()


def test_the_law_holds() -> None:
    law(honest, 300)


@pytest.mark.parametrize("mutant", [shared_df, post_filtered, shared_ranks, mixed_ties, arrival_ties])
def test_a_leak_breaks_the_law(mutant: Searcher) -> None:
    with pytest.raises(AssertionError):
        law(mutant, 300)


# A reference in plain Python, from the formulas and not from the code.


def reference(
    asked: tuple[str, ...], vector: bytes | None, passages: Sequence[tuple[Label, Passage, bytes]], k: int
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
    dense = [_cosine(vector, raw) for _, _, raw in passages]
    names = [passage.id for _, passage, _ in passages]
    fused: dict[int, float] = {}
    for scores in (text, dense):
        best = sorted((at for at in range(count) if scores[at] > 0), key=lambda at: (-scores[at], names[at]))
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
    rows(LABELS), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(tuple), vectors | st.none(), st.data()
)
def test_scores_equal_a_plain_reference_bit_for_bit(passages, asked, vector, data) -> None:  # type: ignore[no-untyped-def]
    asked = tuple(terms(" ".join(asked)))
    hits = search(asked, vector, data.draw(layouts(passages)), 5)
    expected = reference(tuple(set(asked)), vector, passages, 5)
    assert [(hit.passage.id, hit.bm25, hit.cosine, hit.fused) for hit in hits] == expected


def test_integers_stay_exact_at_full_width() -> None:
    """384 products of 127 * 127, over more rows than one stretch: a float32 sum that rounded would show."""
    full, odd = bytes([127] * 384), bytes([127] * 383 + [126])
    names = [f"psg_{at:05d}" for at in range(2500)]
    made = [Passage(name, "doc", at, "", "", "", 0, "x") for at, name in enumerate(names)]
    shard = build(LOW, made, [full if at % 2 else odd for at in range(2500)])
    found = cosines(shard, query_vector(full))
    whole, less = 384 * 127 * 127, 383 * 127 * 127 + 127 * 126
    assert set(found[1::2]) == {whole / (math.sqrt(whole) * math.sqrt(whole))}
    assert set(found[0::2]) == {less / (math.sqrt(whole) * math.sqrt(383 * 127 * 127 + 126 * 126))}


def test_more_equals_than_the_pool_are_cut_by_id() -> None:
    made = [Passage(f"psg_{at:04d}", "doc", at, "", "", "", 0, "fuel") for at in range(POOL + 50)]
    halves = [build(LOW, made[::2]), build(LOW, made[1::2])]
    whole = search(("fuel",), None, [build(LOW, made)], POOL + 10)
    assert observed(whole) == observed(search(("fuel",), None, halves, POOL + 10))
    assert [hit.passage.id for hit in whole] == [passage.id for passage in made[: POOL + 10]]


def test_an_asked_question_shares_cosines_and_nothing_else() -> None:
    one = build(LOW, [Passage("psg_a", "d", 0, "", "", "", 0, "fuel convoy")], [bytes([1] * WIDTH)])
    two = build(LOW, [Passage("psg_b", "d", 0, "", "", "", 0, "fuel fuel")], [bytes([3] * WIDTH)])
    asked = Asked(("fuel",), bytes([2] * WIDTH))
    asked.search([one, two], 5)
    again = asked.search([one], 5)
    assert observed(again.hits) == observed(search(("fuel",), bytes([2] * WIDTH), [one], 5))
    assert again.statistics.count == 1


@pytest.mark.parametrize("raw", [b"", bytes([128]), bytes(1041)])
def test_a_vector_beyond_its_bounds_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 1040"):
        query_vector(raw)


def test_an_empty_world_answers_nothing() -> None:
    assert search(("fuel",), bytes([1] * WIDTH), [], 5) == []
    assert search(("fuel",), bytes([1] * WIDTH), [build(LOW, [])], 5) == []
