"""Where a record of somebody outside cannot be read: everybody else comes in, and he with nothing more than before."""

from __future__ import annotations

import msgspec
import pytest

from casemate.access import ATTRIBUTE, BINDING
from casemate.errors import Damaged, Unauthenticated
from tests.access.damage import with_rows
from tests.access.outside import CLEARED, admit, believe, bound, nobody, officer, put, statement
from tests.access.test_quarantine import one
from tests.laws.world import World

BEN = msgspec.structs.replace(CLEARED, subject="ben")
STATEMENT = "directory.statement"


def spread(world: World) -> None:
    """From now on as a data process, by what can be read in this moment."""
    outsiders = world.house.gate.directory.outsiders
    outsiders.take(outsiders.read(outsiders.write()))


async def test_a_binding_that_is_lost_leaves_no_wider_word_of_an_authority(world: World) -> None:
    """Where he was bound to somebody who sees less, the authority's word must not count instead."""
    believe(world.house.gate)
    await put(world, CLEARED, BEN)
    await bound(world)
    spread(world)
    assert admit(world).principal.name == "ann"
    assert admit(world, sub="ben").principal.name.startswith("hq:ben")
    with with_rows(world, BINDING.name):
        spread(world)
    nobody(world)
    with pytest.raises(Unauthenticated):
        admit(world, sub="ben")  # it cannot be said whose it was
    spread(world)
    assert admit(world).principal.name == "ann"


async def test_an_attribute_that_is_lost_is_passed_over_and_the_others_go_on(world: World) -> None:
    gate = world.house.gate
    believe(gate)
    await put(world, CLEARED, BEN)
    with with_rows(world, ATTRIBUTE.name, one("1")):
        spread(world)
    known = gate.directory.outsiders._known
    assert known is not None
    assert known.attributes_lost
    [left] = known.attributes.values()
    there, lost = ("ann", "ben") if left.name.startswith("hq:ann") else ("ben", "ann")
    assert admit(world, sub=there).principal.name == left.name
    with pytest.raises(Unauthenticated):
        admit(world, sub=lost)
    [met] = [place for each in gate.damages.waiting(9) for place, _ in each]
    assert met.kind == ATTRIBUTE.name


async def test_one_authoritys_word_that_is_lost_is_not_made_up_by_the_next_ones(world: World) -> None:
    from casemate.accounts.statements import install

    gate = world.house.gate
    believe(gate, named=("hq", "wide"))
    await put(world, msgspec.structs.replace(CLEARED, clearance="us:CONFIDENTIAL"))
    await install(await officer(world), "wide", statement(gate, CLEARED, authority="wide"))
    spread(world)
    assert admit(world).principal.name.startswith("hq:")
    first = gate.directory.outsiders._all(ATTRIBUTE)[0]
    of_hq = next(id for id, record in first.items() if record.authority == "hq")
    known = msgspec.structs.replace(
        gate.directory.outsiders.read(gate.directory.outsiders.write()),
        attributes={id: record for id, record in first.items() if id != of_hq},
        attributes_lost=True,
    )
    gate.directory.outsiders.take(known)
    nobody(world)


async def test_a_statement_that_cannot_be_read_lets_no_older_one_in(world: World) -> None:
    believe(world.house.gate)
    await put(world, CLEARED, number=2)
    with with_rows(world, STATEMENT), pytest.raises(Damaged):
        await put(world, CLEARED, number=1)
