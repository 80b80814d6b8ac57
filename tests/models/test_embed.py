"""Vectors for callers: what an engine may be lent, and what is believed of its answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from casemate.access import Flow
from casemate.engines.embedder_vectors import EmbedderVectors, unit
from casemate.errors import EngineFailed, Refused
from casemate.identity import Session
from casemate.models import Card, Inspection, Rules
from casemate.models.embed import embed
from casemate.policy import Action
from casemate.telemetry.instrument import GENERATION
from tests.access.test_flow import at
from tests.attacks.scene import TOP, label_of
from tests.doors.wired import HIGH, OPEN, SECRET, Wired, wired
from tests.laws.world import World
from tests.models.test_counted import Counting
from tests.models.test_gateway import card, chat, put
from tests.models.test_inspectors import KEY


class Gives:
    """An engine that gives what a test wants, and remembers what it was lent."""

    def __init__(self, *found: list[float]) -> None:
        self.found, self.lent = list(found), ()

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        self.lent = (model, *texts)  # type: ignore[assignment]
        return self.found


def tried(folder: Path, engine: Gives | None, level: str, floor: str) -> list[list[float]]:
    with wired(folder) as region:
        card = Card("acme/words", "words", "acme", region.clearance(level), vectors=engine)
        return asyncio.run(_embed(region, card, floor))


async def _embed(region: Wired, card: Card, floor: str) -> list[list[float]]:
    owner = region.gate.directory.named("owner")
    assert owner is not None
    session = Session("s", owner, region.label(floor), region.region.ceiling)
    flow: Flow = await region.gate.open(session, Action("embed", "text"))
    try:
        return await embed(flow, card, ["a", "b"], None)
    finally:
        kept = region.gate.telemetry.keep(region.gate.telemetry.at(flow.domain, region.clock.now()))
        calls = {each.key: each.total for each in kept.histograms if each.name == GENERATION.name and sum(each.counts)}
        lent = card.vectors is not None and bool(card.vectors.lent)  # type: ignore[attr-defined]
        assert [key[:3] for key in calls] == [("embeddings", "acme", "acme/words")] * lent


def test_texts_are_lent_and_vectors_come_back(tmp_path: Path) -> None:
    engine = Gives([1.0], [2.0])
    assert tried(tmp_path, engine, SECRET, OPEN) == [[1.0], [2.0]]
    assert engine.lent == ("words", "a", "b")


async def test_texts_are_looked_at_like_messages(world: World) -> None:
    """A secret in a text to embed goes out as little as one in a question; so it is with what is only counted."""
    engine, counter = Gives([1.0]), Counting()
    inspection = Inspection(secrets=Rules("refuse", "refuse"))
    gateway = put(world, card(world, "a", counter), inspect=inspection)
    words = Card("acme/words", "words", "acme", label_of(world, TOP), vectors=engine)
    flow = await at(world, TOP)
    with pytest.raises(Refused) as told:
        await gateway.vectors(flow, words, [f"Use {KEY} for it."])
    assert (told.value.facts["rule"], engine.lent) == ("secret-found", ())
    with pytest.raises(Refused) as told:
        await gateway.count(flow, chat(f"Use {KEY} for it."))
    assert (told.value.facts["rule"], counter.lent) == ("secret-found", [])
    assert await gateway.vectors(flow, words, ["Use the front door."]) == [[1.0]]
    assert (await gateway.count(flow, chat("Use the front door."))).prompt == 7


def test_nothing_is_lent_above_its_accreditation(tmp_path: Path) -> None:
    engine = Gives([1.0], [2.0])
    with pytest.raises(Refused) as told:
        tried(tmp_path, engine, SECRET, HIGH)
    assert told.value.facts["rule"] == "accreditation"
    assert engine.lent == ()


@pytest.mark.parametrize("engine", [None, Gives(), Gives([1.0]), Gives([1.0], [1.0, 2.0])])
def test_another_answer_than_was_asked_for(tmp_path: Path, engine: Gives | None) -> None:
    with pytest.raises(EngineFailed):
        tried(tmp_path, engine, SECRET, OPEN)


def test_a_unit_vector() -> None:
    assert unit(bytes([3, 252])) == [0.6, -0.8]
    assert math.isclose(sum(x * x for x in unit(bytes(range(100)))), 1.0)
    assert unit(bytes(4)) == [0.0] * 4


def test_texts_that_take_too_long() -> None:
    class Waits:
        async def embed(self, texts: list[str], domain: str = "") -> list[bytes]:
            await asyncio.Event().wait()
            return []

    with pytest.raises(EngineFailed) as told:
        asyncio.run(EmbedderVectors(Waits(), "slow").vectors("slow", ["x"], 0.01))
    assert told.value.cause == "slow"
