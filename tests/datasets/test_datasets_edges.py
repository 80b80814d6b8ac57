"""Datasets whose name stands twice, whose root or manifest is gone, and digests that somebody cuts across."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from casemate.datasets import Datasets, Digesting, Root, begin, check
from casemate.datasets.dataset import DATASET, DatasetRequest
from casemate.engines.dataset_tree import DatasetTrees
from casemate.errors import Absent, Ambiguous, BadInput, Damaged
from casemate.objects import Put
from casemate.policy import Action
from tests.attacks.scene import LOW, TOP, label_of
from tests.datasets.test_datasets import ADD, READ, REMOVE, Hall, hall, tree
from tests.laws.world import World

__all__ = ["hall", "tree"]

DIGEST = Action("digest", "dataset")
LEFT, RIGHT = "agency=EXERCISE + us:SECRET//REL=USA//SCI=SI", "agency=EXERCISE + us:TOP SECRET//REL=USA"


@pytest.mark.parametrize("title", ["t" * 201, "two\nlines"])
async def test_a_title_is_short_and_printable(hall: Hall, title: str) -> None:
    with pytest.raises(BadInput, match="title"):
        await hall.datasets.add(await hall.flow(ADD), DatasetRequest("corpus", str(hall.top), title))
    assert await hall.datasets.every(await hall.flow(READ)) == []


async def test_files_are_given_from_a_place_on(hall: Hall) -> None:
    await hall.add()
    opened, flow = await hall.open(), await hall.flow(READ)
    every = [item async for item in opened.items()]
    assert await hall.datasets.stretch(flow, opened.found, 1, 2) == every[1:3]
    assert await hall.datasets.stretch(flow, opened.found, 3, 9) == every[3:]
    assert await hall.datasets.stretch(flow, opened.found, 2048, 9) == []


async def test_a_root_that_the_settings_no_longer_hold(hall: Hall) -> None:
    """Whoever opens it is told; whoever takes digests leaves it as it is."""
    await hall.add()
    await begin(await hall.flow(DIGEST), hall.datasets, "corpus")
    without = Datasets(DatasetTrees(), {}, 1000)
    with pytest.raises(BadInput, match="root"):
        await check.checked_open(await hall.flow(READ), without, "corpus")
    digesting = Digesting(hall.world.house.gate, without, patience=None)
    assert await digesting._lanes.step() == 0
    value = (await hall.open()).found.value
    assert (value.cursor, value.digested) == (0, 0)


async def test_a_manifest_that_is_none_is_damaged(hall: Hall) -> None:
    await hall.add()
    flow = await hall.flow(ADD)
    found = (await hall.open()).found
    other = msgspec.structs.replace(found.value, parts=(await flow.pour(b"\xc1 no manifest"),))
    await flow.commit(Put(DATASET, found.id, other, expect=found.version))
    opened = await hall.open()
    with pytest.raises(Damaged):
        await hall.datasets.items(await hall.flow(READ), opened.found, 0)


async def test_digests_are_begun_where_it_lies_alone(hall: Hall) -> None:
    await hall.add()
    with pytest.raises(Absent):
        await begin(await hall.flow(DIGEST, TOP), hall.datasets, "corpus")
    assert (await hall.open()).found.value.cursor == -1


async def test_a_step_takes_no_more_files_than_it_may(hall: Hall) -> None:
    await hall.add()
    await begin(await hall.flow(DIGEST), hall.datasets, "corpus")
    digesting = Digesting(hall.world.house.gate, hall.datasets, patience=None)
    with patch.object(check, "STEP_FILES", 3):
        assert await digesting._lanes.step() == 3
        value = (await hall.open()).found.value
        assert (value.cursor, value.digested) == (3, 3)
        assert await digesting._lanes.step() == 1
    assert (await hall.open()).found.value.digested == 4


async def test_what_is_forgotten_while_it_is_digested_stays_forgotten(hall: Hall) -> None:
    await hall.add()
    await begin(await hall.flow(DIGEST), hall.datasets, "corpus")
    digest, forgotten = hall.datasets.trees.digest, []

    async def forgets(*args: Any) -> Any:
        if not forgotten:
            forgotten.append(True)
            await hall.datasets.remove(await hall.flow(REMOVE), "corpus")
        return await digest(*args)

    with patch.object(hall.datasets.trees, "digest", forgets):
        assert await Digesting(hall.world.house.gate, hall.datasets, patience=None)._lanes.step() == 4
    assert forgotten
    with pytest.raises(Absent):
        await hall.open()


async def test_two_of_a_name_at_incomparable_labels(world: World, hall: Hall) -> None:
    """Neither is taken for the other: whoever sees both has to say which."""
    root = Root(str(hall.top.parent), label_of(world, LOW))
    hall.datasets = Datasets(DatasetTrees(), {"press": root}, 1000)
    for label in LEFT, RIGHT:
        await hall.add(at=label)
    with pytest.raises(Ambiguous) as found:
        await hall.open(TOP)
    assert found.value.facts["labels"] == "; ".join(sorted((LEFT, RIGHT)))
