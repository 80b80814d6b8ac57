"""The order of labels beside Cedar's `containsAll`: somebody else's engine, asked about sets of words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.parts import cedar
from casemate.labels import Element, Label, make_label
from tests.labels.worlds import AGENCIES, ALL, NEEDS, labels

pytest.importorskip("cedarpy", reason="requirements/test.txt is not installed")
PAIRS = 10_000


def somebody(rng: random.Random) -> Label:
    """A label near the others: few levels, tokens and recipients, so that many pairs are comparable."""
    held = {}
    for name in rng.sample(["us", "nato", "house", "integrity"], rng.randint(0, 3)):
        policy = ALL.listed[name]
        rank = rng.randrange(len(policy.levels))
        restrictive, permissive = set(), {}
        for category in policy.categories:
            tokens = sorted(category.tokens)[:4]
            if category.permissive:
                if rng.random() < 0.6:
                    permissive[category.name] = frozenset(rng.sample(tokens, rng.randint(0, len(tokens))))
            elif tokens and rng.random() < 0.4:
                restrictive |= {(category.name, token) for token in rng.sample(tokens, 1)}
        held[name] = Element(rank, policy.levels[rank].name, frozenset(restrictive), tuple(sorted(permissive.items())))
    return make_label(held, rng.sample(AGENCIES, rng.randint(0, 2)), rng.sample(NEEDS, rng.choice([0, 0, 1])))


def test_ten_thousand_pairs_are_decided_alike() -> None:
    rng = random.Random(20261120)
    made = [somebody(rng) for _ in range(600)]
    # A pair out of three is comparable by its making: a label and a join with it.
    made += [one | other for one, other in zip(made[::2], made[1::2], strict=True)]
    pairs = [tuple(rng.sample(range(len(made)), 2)) for _ in range(PAIRS * 2 // 3)]
    pairs += [(at * 2 % 600, 600 + at % 300) for at in range(PAIRS - len(pairs))]
    allowed, _ = cedar.decide(cedar.words(made), pairs)
    ours = [made[what] <= made[reader] for what, reader in pairs]
    assert len(ours) == PAIRS
    assert ours == allowed
    assert PAIRS // 3 <= sum(ours) <= PAIRS * 2 // 3, "neither verdict is rare"


@settings(max_examples=100, deadline=None)
@given(st.lists(labels(), min_size=2, max_size=6))
def test_labels_of_all_policies_are_decided_alike(some: list[Label]) -> None:
    pairs = [(a, b) for a in range(len(some)) for b in range(len(some))]
    allowed, _ = cedar.decide(cedar.words(some), pairs)
    assert allowed == [some[a] <= some[b] for a, b in pairs]
