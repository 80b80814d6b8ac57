"""The two-world law where it is densest for search: somebody above brings documents and asks what an observer below
asks then. Its mutants stand beside it, each with its leak."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from casemate.access import Flow
from casemate.doors.native import search as native
from casemate.knowledge import Library, Query, Sought, Wanted, sought
from casemate.knowledge.index.suggest import suggest
from tests.laws.operations import MAKERS
from tests.laws.two_worlds import HIDDEN, LABELS, LOW, Case, Leak, judge, name_of

ASKED = ("search_in_full", "search_in_full", "search_with_operators", "search_in_console", "marked_search", "search")
SEED = random.SystemRandom().randrange(1 << 30)
Seeker = Callable[[Flow, Library, Query, tuple[str, ...], Wanted], Awaitable[Sought]]


def case(seed: int, observer: str = "") -> Case:
    rng = random.Random(seed)
    observer = observer or rng.choice(tuple(HIDDEN))
    made = Case(seed, observer)

    def step(kind: str, name: str, label: str, part: str, how: int) -> None:
        made.steps.append((kind, MAKERS[name].make(random.Random(how), name_of(label, part), label)))

    visible = rng.choice([label for label in LABELS if label in (LOW, observer)])
    for _ in range(2):
        step("both", "add_document", visible, "seen", rng.randrange(1 << 30))
    for _ in range(2):
        step(rng.choice(("one", "two")), "add_document", rng.choice(HIDDEN[observer]), "hidden", rng.randrange(1 << 30))
    for _ in range(3):
        name, how = rng.choice(ASKED), rng.randrange(1 << 30)
        step(rng.choice(("one", "two")), name, rng.choice(HIDDEN[observer]), "hidden", how)
        step("observe", name, observer, "observer", how)  # the very same question
    return made


async def test_what_a_search_gives_depends_on_nothing_hidden() -> None:
    print(f"\ntwo worlds of search from seed {SEED}")
    cases = [case(SEED + n) for n in range(60)]
    assert sum([await judge(each) for each in cases]) >= 60
    assert sum(each.telling for each in cases) >= 0.3 * len(cases)


def _kept() -> WeakKeyDictionary[Library, Any]:
    """What a leak remembers, for each region: the two worlds are two of them in one process."""
    return WeakKeyDictionary()


def words_remembered() -> Seeker:
    """Suggestions come from every vocabulary that was ever looked at."""
    kept = _kept()

    async def wrong(flow: Flow, library: Library, query: Query, bases: tuple[str, ...], wanted: Wanted) -> Sought:
        found = await sought(flow, library, query, bases, wanted)
        seen = kept.setdefault(library, [])
        seen.extend((await library.view(flow, bases)).shards)
        return replace(found, finding=replace(found.finding, suggestions=suggest(query.text, seen)))

    return wrong


def counted_once() -> Seeker:
    """The total of a question is kept by its words, whoever asked it first."""
    kept = _kept()

    async def wrong(flow: Flow, library: Library, query: Query, bases: tuple[str, ...], wanted: Wanted) -> Sought:
        found = await sought(flow, library, query, bases, wanted)
        total = kept.setdefault(library, {}).setdefault((query.text, query.needs), found.finding.total)
        return replace(found, finding=replace(found.finding, total=total))

    return wrong


def facets_kept() -> Seeker:
    """Facets are kept by the question, whoever asked it first."""
    kept = _kept()

    async def wrong(flow: Flow, library: Library, query: Query, bases: tuple[str, ...], wanted: Wanted) -> Sought:
        found = await sought(flow, library, query, bases, wanted)
        facets = kept.setdefault(library, {}).setdefault((query.text, wanted.facets), found.finding.facets)
        return replace(found, finding=replace(found.finding, facets=facets))

    return wrong


def hits_kept() -> Seeker:
    """Hits are kept by the question and how many were wanted: a cache without class."""
    kept = _kept()

    async def wrong(flow: Flow, library: Library, query: Query, bases: tuple[str, ...], wanted: Wanted) -> Sought:
        found = await sought(flow, library, query, bases, wanted)
        hits = kept.setdefault(library, {}).setdefault((query.text, wanted.k), found.finding.hits)
        return replace(found, finding=replace(found.finding, hits=hits))

    return wrong


async def judged_low(count: int) -> None:
    for seed in range(count):
        await judge(case(seed, LOW))


@pytest.mark.parametrize(
    "mutant", [words_remembered, counted_once, facets_kept, hits_kept], ids=lambda each: each.__name__
)
async def test_the_law_sees_what_would_tell(monkeypatch: pytest.MonkeyPatch, mutant: Callable[[], Seeker]) -> None:
    monkeypatch.setattr(native, "sought", mutant())
    with pytest.raises(Leak):
        await judged_low(200)
