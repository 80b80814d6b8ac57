"""Models by name: what a request may use is there, whatever it may not use never was."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.errors import UnknownModel
from casemate.models import READER, Card, Catalogue
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.laws.world import World


def catalogue(world: World) -> Catalogue:
    def card(name: str, label: str, **more: Any) -> Card:
        return Card(name, "served", "acme", label_of(world, label), **more)

    return Catalogue(
        {c.name: c for c in (card(READER, TOP), card("low", LOW), card("acme/high", SECRET, outside=True))}
    )


async def test_models_are_listed_by_name_as_far_as_what_was_brought_allows(world: World) -> None:
    flow, models = await at(world, TOP), catalogue(world)
    assert [card.name for card in models.visible(flow)] == ["acme/high", READER, "low"]
    flow.bear(label_of(world, SECRET))
    assert [card.name for card in models.visible(flow)] == ["acme/high", READER]
    flow.bear(label_of(world, TOP))
    assert [card.name for card in models.visible(flow)] == [READER]


@pytest.mark.parametrize(
    "said",
    [
        READER,
        "casemate.extractive-reader",
        "us.casemate.extractive-reader",
        "us-gov.casemate.extractive-reader",
        "arn:aws:bedrock:gov::foundation-model/casemate.extractive-reader",
    ],
)
async def test_a_model_by_any_of_its_names(world: World, said: str) -> None:
    assert catalogue(world).named(await at(world, LOW), said).name == READER
    assert catalogue(world).named(await at(world, LOW), "acme/high").name == "acme/high"


async def test_what_may_not_be_used_is_as_unknown_as_what_never_was(world: World) -> None:
    flow, told = await at(world, TOP), []
    flow.bear(label_of(world, SECRET))
    for name in ("low", "never", "n" * 500):
        with pytest.raises(UnknownModel) as error:
            catalogue(world).named(flow, name)
        assert len(str(error.value.facts["model"])) <= 200
        told.append(str(error.value.facts["model"]).replace(name[:200], "NAME"))
    assert set(told) == {"NAME"}


async def test_a_model_is_lent_what_its_accreditation_dominates(world: World) -> None:
    ceiling = catalogue(world).cards["acme/high"].ceiling
    assert (ceiling.name, ceiling.label, ceiling.outside) == ("acme/high", label_of(world, SECRET), True)
