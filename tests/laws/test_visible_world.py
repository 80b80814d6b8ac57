"""The law of the visible world at the index: results, scores, order, counts, facets, snippets and suggestions are,
byte for byte, those of an index that was built from the visible passages alone.

A seeded tenth and more runs in `make test`, with a seed that changes; the whole in `make test-long`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.engines.hashing import hashed
from casemate.engines.minilm import MiniLMEmbedder
from casemate.engines.minilm_model import default_folder
from casemate.engines.sandbox import Sandbox
from casemate.knowledge.index.find import find
from casemate.knowledge.index.query import parse
from casemate.knowledge.index.view import View
from tests.laws.index_questions import LEAKS, Searcher, honest, question, told_alone
from tests.laws.index_worlds import generate
from tests.laws.long import leave

SHORT, LONG, ENOUGH = 2_000, 10_000, 300
MODELLED = 50


def judged(search: Searcher, seeds: Iterable[int], embed: Callable[[str], bytes] = hashed) -> tuple[int, int, int]:
    """(cases, cases with something hidden that matches, cases that the search tells otherwise)."""
    cases = telling = leaks = 0
    for seed in seeds:
        history, asked = generate(seed, embed), question(seed, embed)
        cases += 1
        telling += history.telling(asked.text.split())
        leaks += search(asked, history.visible(), history.everything()) != told_alone(asked, history)
    return cases, telling, leaks


def test_what_is_found_is_what_an_index_of_the_visible_world_finds() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    cases, telling, leaks = judged(honest, range(seed, seed + SHORT))
    print(f"\nvisible world: {cases} cases from seed {seed}, {telling} of them with something hidden that matches")
    assert leaks == 0
    assert telling > 0.3 * cases


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_seen(name: str) -> None:
    """Mutants of the index: each must be told from the truth within a few hundred cases."""
    search = LEAKS[name]()
    assert any(judged(search, (seed,))[2] for seed in range(ENOUGH))


def test_k_visible_results_come_back_wherever_k_may_be_found() -> None:
    """Killed: the best k of everything, and then the check."""
    short = 0
    for seed in range(400):
        history, asked = generate(seed), question(seed)
        view = View(history.visible())
        found = find(parse(asked.text), asked.asked(), view, replace(asked.wanted, k=3))
        everything = find(parse(asked.text), asked.asked(), view, replace(asked.wanted, k=10_000))
        assert len(found.hits) == min(3, len(everything.hits))
        assert [each.hit.passage.id for each in found.hits] == [each.hit.passage.id for each in everything.hits[:3]]
        short += len(everything.hits) < 3
    assert short < 300


def modelled(seeds: range, home: Path) -> tuple[int, int, int]:
    """The same with vectors of the real model, made in its fenced child one text at a time."""
    texts: dict[str, bytes] = {}
    for seed in seeds:  # once to know the texts, and once with what the model says of them
        generate(seed, lambda text: texts.setdefault(text, b""))
        question(seed, lambda text: texts.setdefault(text, b""))

    async def embedded() -> list[bytes]:
        model = MiniLMEmbedder(Sandbox(home, ()))
        try:
            return await model.embed(list(texts))
        finally:
            await model.close()

    texts = dict(zip(texts, asyncio.run(embedded()), strict=True))
    return judged(honest, seeds, texts.__getitem__)


needs_model = pytest.mark.skipif(not default_folder().exists(), reason="the embedding model is not built: make model")


@needs_model
def test_it_holds_with_the_vectors_of_a_model(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    cases, _, leaks = modelled(range(seed, seed + MODELLED // 10), tmp_path)
    print(f"\nvisible world with MiniLM: {cases} cases from seed {seed}")
    assert (cases, leaks) == (MODELLED // 10, 0)


@needs_model
@pytest.mark.long
def test_fifty_visible_worlds_with_a_model(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    cases, telling, leaks = modelled(range(seed, seed + MODELLED), tmp_path)
    assert leaks == 0
    leave("visible_world_minilm", cases=cases, telling=telling, leaks=leaks, seed=seed)


@pytest.mark.long
def test_ten_thousand_visible_worlds() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    cases, telling, leaks = judged(honest, range(seed, seed + LONG))
    assert leaks == 0
    leave("visible_world", cases=cases, telling=telling, leaks=leaks, seed=seed)
