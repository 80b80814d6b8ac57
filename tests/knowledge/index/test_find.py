"""The law of finding: hits, snippets, totals, facets and suggestions are functions of the visible passages alone.

The histories are those of the law of the visible world (tests/laws): documents of five labels in two bases, with
vectors of two embedders, updated, removed, raised and merged. The leaks here are those that finding itself could open.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from casemate.engines.hashing import hashed
from casemate.knowledge.index.analyse import terms
from casemate.knowledge.index.facets import NAMES, Facet, Matched, count
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.find import Finding, Wanted, find
from casemate.knowledge.index.make import build
from casemate.knowledge.index.mask import matching
from casemate.knowledge.index.query import Query, parse
from casemate.knowledge.index.search import Asked, Method
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.snippet import snippet
from casemate.knowledge.index.suggest import suggest
from casemate.knowledge.index.tokens import Tokens
from casemate.knowledge.index.view import View
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Label
from tests.laws.index_worlds import LABELS, generate, told

LOW = LABELS[1]
MARKS = {label: f"({'UCSTV'[at]})" for at, label in enumerate(LABELS)}
DAY = 86_400_000_000


@dataclass(frozen=True)
class World:
    """Shards as they lie in a store, some of them hidden from whoever acts at `acting`."""

    shards: tuple[Shard, ...]
    acting: Label = LOW

    @property
    def visible(self) -> list[Shard]:
        return [shard for shard in self.shards if shard.label <= self.acting]

    @property
    def hidden(self) -> list[Shard]:
        return [shard for shard in self.shards if not shard.label <= self.acting]


Finder = Callable[[str, dict[str, bytes], World, Wanted], Finding]


def _asked(query: Query, vectors: dict[str, bytes]) -> Asked:
    return Asked(terms(query.text), vectors if query.text.strip() else {})


def honest(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    query = parse(text)
    return find(query, _asked(query, vectors), View(world.visible), wanted)


def shared_facets(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: facets over all shards."""
    query = parse(text)
    everything = find(query, _asked(query, vectors), View(world.shards), wanted)
    return replace(honest(text, vectors, world, wanted), facets=everything.facets)


def shared_titles(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: right numbers, but a document's title is looked up wherever it lies."""
    found = honest(text, vectors, world, wanted)
    titles = {each.document: each.title for shard in world.shards for each in shard.filed}
    return replace(found, facets=tuple(_retitled(facet, titles) for facet in found.facets))


def _retitled(facet: Facet, titles: dict[str, str]) -> Facet:
    if facet.name != "document":
        return facet
    return Facet(facet.name, tuple(msgspec.structs.replace(v, told=titles[str(v.value)]) for v in facet.values))


def shared_total(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: how many there are in all."""
    query = parse(text)
    everything = find(query, _asked(query, vectors), View(world.shards), wanted)
    return replace(honest(text, vectors, world, wanted), total=everything.total)


def shared_words(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: suggestions from the vocabulary of all shards."""
    return replace(honest(text, vectors, world, wanted), suggestions=suggest(parse(text).text, world.shards))


def known_words(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: visible words are suggested, but none for a word that a hidden passage holds."""
    found = honest(text, vectors, world, wanted)
    known = [s for s in found.suggestions if not any(shard.df(terms(s.word)[0]) for shard in world.hidden)]
    return replace(found, suggestions=tuple(known))


def lenient_phrases(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: a phrase that stands nowhere is dropped, and nowhere means in no shard at all."""
    query = parse(text)
    for need in query.needs:
        alone = Query("", (need,))
        if not find(alone, Asked(()), View(world.shards), Wanted(1)).hits:
            query = replace(query, needs=tuple(each for each in query.needs if each is not need))
    return find(query, _asked(query, vectors), View(world.visible), wanted)


def post_filtered(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: the best k of everything that the masks leave, and then the check."""
    query = parse(text)
    found = find(query, _asked(query, vectors), View(world.shards), wanted)
    kept = tuple(shown for shown in found.hits if shown.hit.label <= world.acting)
    return replace(honest(text, vectors, world, wanted), hits=kept)


def shared_snippets(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: only words that are rare everywhere are highlighted."""
    found = honest(text, vectors, world, wanted)
    asked = [term for term in terms(parse(text).text) if sum(shard.df(term) for shard in world.shards) < 3]
    return replace(
        found,
        hits=tuple(replace(s, snippet=snippet(s.hit.passage.text, asked, Tokens())) for s in found.hits),
    )


def left_behind(text: str, vectors: dict[str, bytes], world: World, wanted: Wanted) -> Finding:
    """Mutant: facets count by what was once filed, each document in every shard once more."""
    found = honest(text, vectors, world, wanted)
    matched = [Matched(shard, matching(shard, (), None), {"base": shard.base}) for shard in world.shards]
    return replace(found, facets=(*found.facets, *count(matched, ("language",))))


def observed(found: Finding) -> bytes:
    """Everything that a caller could see, floats bit by bit."""
    hits = [
        (
            shown.hit.passage,
            shown.hit.label.text,
            struct.pack("<3d", shown.hit.bm25, shown.hit.cosine, shown.hit.fused),
            shown.hit.base,
            shown.hit.filed,
            shown.snippet,
        )
        for shown in found.hits
    ]
    stats = (found.statistics.count, found.statistics.total, found.statistics.df)
    told = (hits, found.total, found.facets, found.suggestions, stats)
    return msgspec.msgpack.encode(told, order="deterministic")


questions = (
    "{0}",
    "{0} {1}",
    "{0} {1} {2}",
    '"{0} {1}"',
    '{2} "{0} {1}"',
    "{0} -{1}",
    "{0} title:{1}",
    "{0} base:port",
)


def question(seed: int) -> str:
    """Words of the law's own, some with a slip of the pen, and an operator now and then."""
    rng = random.Random(seed)
    said = list(told(3, rng))
    if rng.random() < 0.4:
        said[0] = said[0][:-1] + "x"
    return rng.choice(questions).format(*said)


def law(finder: Finder, examples: int) -> list[bool]:
    """Beside hidden shards, removals and in any layout, a world gives what its visible passages alone give.

    Says of each case whether something hidden holds a word of its question while something visible was found.
    """
    telling: list[bool] = []

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.integers(0, 1 << 30), st.integers(1, 6), st.sampled_from(["hybrid", "text", "dense"]))
    def holds(seed: int, k: int, method: Method) -> None:
        history, text = generate(seed), question(seed)
        wanted = Wanted(k, facets=NAMES, method=method, marks=MARKS)
        vectors = {"hashing": hashed(text), "other": hashed(text[::-1])} if seed % 3 else {}
        alone = finder(text, vectors, World(tuple(history.alone()), history.acting), wanted)
        beside = finder(text, vectors, World(tuple(history.everything()), history.acting), wanted)
        telling.append(bool(alone.hits) and history.telling(re.findall(r"\w+", text)))
        assert observed(alone) == observed(beside)

    holds()
    return telling


def test_the_law_holds_of_worlds_in_which_there_is_something_to_leak() -> None:
    telling = law(honest, 300)
    assert sum(telling) >= 0.3 * len(telling)


MUTANTS = (
    shared_facets,
    shared_titles,
    shared_total,
    shared_words,
    lenient_phrases,
    post_filtered,
    shared_snippets,
    left_behind,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_leak_breaks_the_law(mutant: Finder) -> None:
    with pytest.raises(AssertionError):
        law(mutant, 1000)


def _shard(*said: tuple[str, str], filed: Sequence[Filed] = (), base: str = "port") -> Shard:
    made = [
        Passage(f"psg_{at:03d}", f"doc_{at}" if not filed else filed[0].document, at, "", heading, "", 0, text)
        for at, (heading, text) in enumerate(said)
    ]
    return build(LOW, made, (), filed, "", base)


def test_that_a_hidden_passage_holds_a_word_is_not_told_by_silence() -> None:
    """A hidden convox: what is suggested for it is what would be if it stood nowhere."""
    seen = _shard(("", "convoy"))
    hidden = build(LABELS[2], [Passage("psg_h", "doc_h", 0, "", "", "", 0, "convox")], (), (), "", "port")
    alone, beside = World((seen,), LOW), World((seen, hidden), LOW)
    for finder, same in ((honest, True), (known_words, False)):
        told = [observed(finder("convox", {}, world, Wanted())) for world in (alone, beside)]
        assert (told[0] == told[1]) is same
    assert [s.instead for s in honest("convox", {}, beside, Wanted()).suggestions] == ["convoy"]


def texts(text: str, *shards: Shard, k: int = 10) -> list[str]:
    return [shown.hit.passage.text for shown in honest(text, {}, World(shards), Wanted(k, marks=MARKS)).hits]


def test_k_visible_results_come_wherever_k_may_be_found() -> None:
    """Two hundred better passages are excluded by the mask; the pool of the ranking is not filled with them."""
    shard = _shard(*[("", "fuel fuel fuel storm")] * 450, *[("", "fuel and a long calm day at sea")] * 5)
    assert texts("fuel -storm", shard, k=5) == ["fuel and a long calm day at sea"] * 5


def test_phrases_fields_and_exclusions_choose() -> None:
    shard = _shard(
        ("Fuel state", "The dry docks are closed"), ("", "A dock that is dry"), ("Dry dock", "Closed"), ("", "Fuel")
    )
    assert sorted(texts('"dry dock"', shard)) == ["Closed", "The dry docks are closed"]
    assert texts("heading:fuel", shard) == ["The dry docks are closed"]
    assert texts("text:fuel", shard) == ["Fuel"]
    assert texts("dry -closed", shard) == ["A dock that is dry"]
    assert texts('dry -"dry dock"', shard) == ["A dock that is dry"]
    assert texts('"never said"', shard) == []


def test_titles_choose_and_are_not_ranked() -> None:
    titled = [Filed("doc_a", "Harbour report")], [Filed("doc_b", "Fever report")]
    one = _shard(("", "fuel one"), filed=titled[0])
    two = build(LOW, [Passage("psg_b", "doc_b", 0, "", "", "", 0, "fuel two")], (), titled[1], "", "port")
    assert texts("fuel title:harbour", one, two) == ["fuel one"]
    assert texts('-title:"harbour report"', one, two) == ["fuel two"]
    assert texts("title:harbour", one, two) == ["fuel one"]


def test_without_words_the_newest_come_first_in_their_order() -> None:
    old, new = Filed("doc_o", "Old", DAY), Filed("doc_n", "New", 3 * DAY)
    made = [Passage(f"psg_{9 - at}n", "doc_n", at, "", "", "", 0, f"new {at}") for at in range(3)]
    shards = (_shard(("", "old"), filed=[old]), build(LOW, made, (), [new], "", "quay"))
    assert texts("", *shards) == ["new 0", "new 1", "new 2", "old"]
    assert texts("", *shards, k=2) == ["new 0", "new 1"]
    assert texts("base:port", *shards) == ["old"]
    assert texts("after:1970-01-03", *shards) == ["new 0", "new 1", "new 2"]
    assert texts("base:none", *shards) == []
    assert texts("") == []


def test_what_is_found_is_counted() -> None:
    shard = _shard(("", "fuel storm"), ("", "fuel"), ("", "storm calm"))
    found = honest("fuel -calm", {}, World((shard,)), Wanted(1, facets=("base", "mark"), marks=MARKS))
    assert (len(found.hits), found.total) == (1, 2)
    assert [(facet.name, [(v.value, v.count) for v in facet.values]) for facet in found.facets] == [
        ("base", [("port", 2)]),
        ("mark", [("(C)", 2)]),
    ]
    assert honest("furl", {}, World((shard,)), Wanted()).suggestions[0].instead == "fuel"
