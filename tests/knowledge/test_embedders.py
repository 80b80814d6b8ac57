"""Which embedder is asked about which text: by name, and by the languages that it declares."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from urllib.parse import quote

import pytest

from casemate.engines.hashing import HashingEmbedder, hashed
from casemate.errors import EngineFailed
from casemate.knowledge import Library
from casemate.knowledge.embedders import Embedders, ModelEmbedder, quantised, serves, vectors
from casemate.labels import make_label
from casemate.models import Card
from casemate.policy import Action
from casemate.wiring.embedding import CatalogueModels
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, log, principal
from tests.laws.world import World

ACT = Action("search", "knowledge")
NOWHERE = make_label({})

FRENCH = "Le gardien de la lanterne est sur le quai et il ne dort pas."
ENGLISH = "The keeper of the lantern is at the pier and he does not sleep."


def _of(*languages: str) -> HashingEmbedder:
    made = HashingEmbedder()
    made.languages = frozenset(languages)
    return made


def test_they_are_found_by_name_and_the_default_without_one() -> None:
    one = HashingEmbedder()
    assert Embedders(one).named("", NOWHERE) is Embedders(None, one).named("hashing", NOWHERE) is one
    assert Embedders(None, one).named("", NOWHERE) is None
    assert Embedders(one).named("other", NOWHERE) is None
    assert Embedders(one).serving("other", NOWHERE) is one
    assert (Embedders().names(NOWHERE), Embedders(one).names(NOWHERE)) == ((), ("hashing",))


def test_one_that_declares_no_language_serves_any() -> None:
    assert all(serves(_of(), text) for text in (FRENCH, ENGLISH, "", "lantern"))
    assert [serves(_of("en"), text) for text in (FRENCH, ENGLISH, "", "lantern")] == [False, True, True, True]
    assert serves(_of("fr", "en"), FRENCH)


async def test_what_it_does_not_serve_has_no_vector_and_the_others_have_their_own(world: World) -> None:
    flow = await flow_of(world, principal(world, "ann", TOP), ACT, SECRET)
    made = await vectors(_of("en"), [FRENCH, ENGLISH, FRENCH, "lantern"], flow)
    assert made == [b"", hashed(ENGLISH), b"", hashed("lantern")]
    assert await vectors(_of("en"), [], flow) == []
    assert await vectors(None, [ENGLISH], flow) == []


@pytest.mark.parametrize("size", [1, 3, 384, 1024])
def test_a_vector_in_integers_keeps_its_direction(size: int) -> None:
    rng = random.Random(size)
    raw = [rng.gauss(0, 3) for _ in range(size)]
    made = [value - 256 if value > 127 else value for value in quantised(raw)]
    dot = sum(a * b for a, b in zip(raw, made, strict=True))
    assert dot / math.sqrt(sum(a * a for a in raw) * sum(b * b for b in made)) > 0.99
    assert all(-127 <= value <= 127 for value in made)
    assert quantised([value * 7 for value in raw]) == quantised(raw)
    assert quantised([0.0] * size) == bytes(size)


def test_what_is_no_number_is_no_vector() -> None:
    for bad in (math.nan, math.inf):
        with pytest.raises(EngineFailed):
            quantised([1.0, bad])


class Model:
    """An engine of the catalogue that embeds by hashing, in many dimensions or few; what it was lent."""

    def __init__(self, dimensions: int = 384) -> None:
        self.seen: list[str] = []
        self._dimensions = dimensions

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        self.seen += texts
        raw = [[float(v - 256 if v > 127 else v) for v in hashed(text)] for text in texts]
        return [(each * 4)[: self._dimensions] for each in raw]


def offer(world: World, engine: Model, accreditation: str, label: str = "") -> None:
    parse = world.policies.parse
    name, at = "law/embedder", parse(label) if label else None
    card = Card(name, name, "law", parse(accreditation), tasks=("embeddings",), vectors=engine, label=at)
    world.house.catalogue.refresh([*world.house.catalogue.cards.values(), card])


async def brought(world: World, who: str, label: str, text: str) -> None:
    await world.person(who, label)
    path = "/api/documents?name=paper.txt&base=port&label=" + quote(label)
    assert (await world.call(who, "POST", path, text.encode(), label)).status == 202
    await world.step("knowledge.ingest")


async def embedders(world: World, who: str, label: str) -> dict[str, str]:
    found = (await world.call(who, "GET", "/api/knowledge", b"", label)).json["data"]
    return {each["name"]: each["embedder"] for each in found}


async def test_a_model_of_the_catalogue_serves_a_base_where_it_is_accredited(world: World) -> None:
    """Killed: a model that is lent what lies above its accreditation."""
    engine = Model()
    offer(world, engine, SECRET)
    await brought(world, "low", LOW, FRENCH)
    await brought(world, "top", TOP, "The hidden lantern is at the pier.")
    asked = await world.call("low", "POST", "/api/knowledge/port/embedder", b'{"embedder":"law/embedder"}', LOW)
    assert asked.status in (200, 201)
    await world.step("knowledge.reembed")
    assert set(engine.seen) == {FRENCH}
    assert await embedders(world, "low", LOW) == {"port": "law/embedder"}
    assert await embedders(world, "top", TOP) == {"port": "hashing"}
    found = (await world.call("low", "GET", "/api/search?base=port&q=" + quote(FRENCH), b"", LOW)).json["data"]
    assert [hit["cosine"] for hit in found] == [pytest.approx(1.0)]
    lent = [entry for entry in log(world, LOW) if "law/embedder" in str(entry.facts)]
    assert lent


async def test_a_model_that_is_not_known_there_is_none(world: World) -> None:
    """One whose record lies above, and one that never was."""
    offer(world, Model(), TOP, TOP)
    await world.person("low", LOW)
    told = []
    for name in ("law/embedder", "law/never"):
        body = json.dumps({"embedder": name}).encode()
        seen = await world.call("low", "POST", "/api/knowledge/port/embedder", body, LOW)
        told.append((seen.status, seen.json["detail"]))
    assert told[0] == told[1]
    assert told[0][0] == 400


async def test_a_question_is_lent_by_its_floor_whatever_is_seen(world: World) -> None:
    """What a rung below says may not depend on how high the whole request acts. Killed: asked by the acting label."""
    engine = Model()
    offer(world, engine, LOW)
    await brought(world, "low", LOW, ENGLISH)
    asked = await world.call("low", "POST", "/api/knowledge/port/embedder", b'{"embedder":"law/embedder"}', LOW)
    assert asked.status in (200, 201)
    await world.step("knowledge.reembed")
    library = Library(Embedders(HashingEmbedder(), models=CatalogueModels(world.house)))
    high = await flow_of(world, principal(world, "ann", TOP), ACT, TOP)
    low = await flow_of(world, principal(world, "ann", TOP), ACT, LOW)
    made = [(await library.ask(flow, "Who keeps the lantern?")).vectors for flow in (high, low)]
    assert made[0] == made[1] != {}


async def test_two_models_of_a_name_are_two_embedders(world: World) -> None:
    models = CatalogueModels(world.house)
    offer(world, Model(), TOP)
    offer(world, Model(), TOP, SECRET)
    parse = world.policies.parse
    assert models.names(parse(LOW)) == ("law/embedder",)
    assert models.names(parse(TOP)) == ("law/embedder", f"law/embedder {SECRET}")
    found = models.named("law/embedder", parse(TOP), parse(LOW))
    assert found is not None
    assert found.name == f"law/embedder {SECRET}"
    assert models.named(found.name, parse(LOW), parse(LOW)) is None


async def test_vectors_that_cannot_be_searched_with_are_refused(world: World) -> None:
    flow = await flow_of(world, principal(world, "ann", TOP), ACT, SECRET)
    assert world.house.gateway is not None
    offer(world, Model(1041), SECRET)
    wide = ModelEmbedder(world.house.catalogue.cards["law/embedder"], world.house.gateway)
    with pytest.raises(EngineFailed):
        await vectors(wide, [ENGLISH], flow)
