"""The two-world law where it is densest for vector stores: somebody above makes, fills, searches and empties them, and
an observer below makes, lists, searches and is answered from his own. Its mutants stand beside it, each with its leak.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from msgspec.structs import replace

from casemate.access import Flow
from casemate.clock import SECOND
from casemate.knowledge import Library
from casemate.knowledge.shelf import search as shelf_search
from casemate.knowledge.shelf import seen as shelf_seen
from casemate.knowledge.shelf import shelf
from casemate.models.shelf import BaseSeen, Search, Searched
from tests.laws.operations import MAKERS
from tests.laws.two_worlds import HIDDEN, LABELS, LOW, Case, Leak, judge

NAMES = ("vector_stores", "vector_files", "vector_files", "vector_batches", "vector_search", "vector_search")
SEED = random.SystemRandom().randrange(1 << 30)


def case(seed: int, observer: str = "", names: tuple[str, ...] = NAMES) -> Case:
    """Something of both worlds that may be found, then deeds above, then what is seen below."""
    rng = random.Random(seed)
    observer = observer or rng.choice(tuple(HIDDEN))
    made = Case(seed | 1, observer)
    for kind, name in (("both", "add_document"), ("one", "add_document"), ("one", ""), ("two", ""), ("one", "")):
        label = observer if kind == "both" else rng.choice(HIDDEN[observer])
        part = "seen" if kind == "both" else "hidden"
        who = f"{part}-{LABELS.index(label)}"
        made.steps.append((kind, MAKERS[name or rng.choice(names)].make(rng, who, label)))
    for _ in range(4):
        who = f"observer-{LABELS.index(observer)}"
        made.steps.append(("observe", MAKERS[rng.choice(names)].make(rng, who, observer)))
    return made


async def test_stores_above_are_seen_by_nobody_below() -> None:
    print(f"\ntwo worlds of vector stores from seed {SEED}")
    assert sum([await judge(case(SEED + n)) for n in range(40)]) >= 160


async def judged_low(count: int, names: tuple[str, ...]) -> None:
    for seed in range(count):
        await judge(case(seed, LOW, names))


class Counted:
    """What is counted in a region over all labels: the leak of each mutant. Each world has a count of its own."""

    def __init__(self) -> None:
        self._counts: dict[int, itertools.count[int]] = {}

    def next(self, flow: Flow) -> int:
        return next(self._counts.setdefault(id(flow.gate), itertools.count(1)))


def numbered(counted: Counted) -> Any:
    """Ids of stores count those of all labels."""
    return lambda flow: f"vs_{counted.next(flow)}"


def used_by_anybody(counted: Counted) -> Any:
    """A base was last used whenever anybody looked at any."""
    told = shelf_seen._told

    def wrong(flow: Flow, name: str, base: Any) -> BaseSeen:
        seen = told(flow, name, base)
        return replace(seen, used=seen.used + counted.next(flow) * SECOND)

    return wrong


def leaning_on_anybody(counted: Counted) -> Any:
    """Scores lean on how often anybody has searched."""
    right = shelf_search.search

    async def wrong(flow: Flow, library: Library, search: Search) -> Searched:
        found, often = await right(flow, library, search), counted.next(flow)
        return Searched(tuple(replace(hit, score=hit.score / often) for hit in found.hits))

    return wrong


@pytest.mark.parametrize(
    ("where", "what", "wrong", "names"),
    [
        (shelf, "drawn", numbered, ("vector_stores",)),  # of all deeds too few make a store on both sides
        (shelf_seen, "_told", used_by_anybody, NAMES),
        (shelf_search, "search", leaning_on_anybody, NAMES),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_the_law_sees_what_would_tell(
    monkeypatch: pytest.MonkeyPatch, where: Any, what: str, wrong: Any, names: tuple[str, ...]
) -> None:
    monkeypatch.setattr(where, what, wrong(Counted()))
    with pytest.raises(Leak):
        await judged_low(100, names)
