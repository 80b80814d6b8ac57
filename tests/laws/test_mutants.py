"""The mutants of the source stay mutants: the line that each breaks is there, and so is the test that kills it.

That they die is `make mutants`.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import ROOT, Tested
from tests.laws.mutants import MUTANTS, OF_SOURCE, Mutant


@pytest.mark.parametrize("mutant", OF_SOURCE, ids=lambda mutant: mutant.name)
def test_a_mutant_breaks_a_line_and_has_its_killer(mutant: Mutant) -> None:
    edit, killer = mutant.breaks, mutant.killer
    assert isinstance(edit, Edit)
    right = edit.function().__code__
    assert edit.code() != right
    with edit():
        assert edit.function().__code__ != right
    assert edit.function().__code__ is right
    if not isinstance(killer, Tested):
        return  # a law, which is looked up by its import
    file, _, test = killer.test.partition("::")
    name = re.split(r"::|\[", test)[0]
    assert re.search(rf"^(async def |def |class )?{name}\b", (ROOT / file).read_text(), re.MULTILINE)


def test_every_mutant_has_a_name_and_a_leak_of_its_own() -> None:
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1
    assert all(mutant.leak for mutant in MUTANTS)


def test_labels_policy_and_access_have_fifty_and_more() -> None:
    rooms = Counter(mutant.breaks.room for mutant in OF_SOURCE if isinstance(mutant.breaks, Edit))
    held = {room: rooms[room] for room in ("labels", "policy", "access")}
    assert min(held.values()) >= 20
    assert sum(held.values()) >= 50
