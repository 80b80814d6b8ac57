"""Search through the native API: in short, and in full with filters, facets, snippets and suggestions."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.doors.native.search import BASES, FACETS_MOST, MOST, SearchRequest, said
from casemate.knowledge import Compare, Every, Some
from tests.attacks.scene import LOW, SECRET
from tests.doors.native.test_documents import MIXED, bring
from tests.laws.world import World

BARGE = b"UNCLASSIFIED\n\n(U) Two barges wait at the dry dock beside the fuel depot.\n\nUNCLASSIFIED\n"


async def filled(world: World) -> tuple[str, str]:
    await world.person("ann", SECRET)
    first = await bring(world, MIXED)
    attributes = '&attributes={"author":"ann","year":2024}'
    return first, await bring(
        world, BARGE, query=attributes.replace('"', "%22").replace("{", "%7B").replace("}", "%7D")
    )


async def search(world: World, label: str = SECRET, **body: Any) -> Any:
    seen = await world.call("ann", "POST", "/api/search", body, label)
    assert seen.status == 200, seen.body
    return seen.json["data"]


async def test_a_hit_tells_where_it_stands_and_what_of_it(world: World) -> None:
    _, barge = await filled(world)
    data = await search(world, question="barge dock", k=1)
    [hit] = data["hits"]
    assert (hit["document"], hit["base"], hit["mark"]) == (barge, "port", "(U)")
    text = hit["snippet"]["text"]
    assert [text[start:end] for start, end in hit["snippet"]["spans"]] == ["barges", "dock"]
    assert (hit["snippet"]["before"], hit["snippet"]["after"]) == (False, False)
    assert hit["attributes"] == {"author": "ann", "year": 2024.0}
    assert hit["at"] > 0
    assert data["ranked"]
    assert data["total"] == 1
    assert data["facets"] == []


async def test_totals_facets_and_suggestions_are_of_what_is_seen(world: World) -> None:
    await filled(world)
    asked = {"question": "harbour convy", "facets": ["mark", "document", "attr.author"]}
    high, low = await search(world, **asked), await search(world, LOW, **asked)
    assert (high["total"], low["total"]) == (3, 2)
    marks = {facet["name"]: [(v["value"], v["count"]) for v in facet["values"]] for facet in high["facets"]}
    assert marks["mark"] == [("(U)", 2), ("(S//NF)", 1)]
    assert [(v["value"], v["count"]) for v in low["facets"][0]["values"]] == [("(U)", 2)]
    assert high["suggestions"] == [{"word": "convy", "instead": "convoy"}]
    assert low["suggestions"] == []
    assert low["passages"] < high["passages"]


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ('"dry dock"', 1),
        ('"dock dry"', 0),
        ("barge -dock", 0),
        ("barge title:barges", 1),
        ("barge media:pdf", 0),
        ("barge attr.author:ann", 1),
        ("harbour mark:(S//NF)", 1),
        ("barge base:quay", 0),
        ("attr.year:2024", 1),
    ],
)
async def test_operators_in_a_question(world: World, question: str, texts: int) -> None:
    await filled(world)
    found = (await search(world, question=question, method="text"))["hits"]
    short = await world.call(
        "ann", "GET", f"/api/search?q={question.replace(' ', '+').replace('/', '%2F')}", b"", SECRET
    )
    kept = [hit["passage"] for hit in short.json["data"] if hit["bm25"] > 0 or question.startswith("attr")]
    assert (len(found), kept) == (texts, [hit["passage"] for hit in found])


async def test_a_filter_of_a_program(world: World) -> None:
    _, barge = await filled(world)
    newer = {"type": "compare", "key": "year", "operator": "gt", "value": 2000}
    data = await search(world, filter={"type": "every", "of": [newer]}, question="base:port")
    assert {hit["document"] for hit in data["hits"]} == {barge}
    assert not data["ranked"]
    assert data["total"] == len(data["hits"])


@pytest.mark.parametrize(
    "body",
    [
        {"k": 0},
        {"k": MOST + 1},
        {"bases": []},
        {"bases": ["x"] * (BASES + 1)},
        {"facets": ["shape"]},
        {"facets": ["base"] * (FACETS_MOST + 1)},
        {"method": "guess"},
        {"question": "author:ann", "strict": True},
        {"question": "x" * 8193, "strict": True},
        {"filter": {"type": "compare", "key": "a", "operator": "in", "value": "b"}},
        {"filter": {"type": "compare", "key": "a", "operator": "like", "value": "b"}},
    ],
)
async def test_what_cannot_be_asked(world: World, body: dict[str, Any]) -> None:
    await world.person("ann", SECRET)
    seen = await world.call("ann", "POST", "/api/search", body, SECRET)
    assert (seen.status, seen.json["slug"]) == (400, "malformed"), seen.body


async def test_hidden_and_never_existing_bases_are_one_answer(world: World) -> None:
    await world.person("ann", SECRET)
    await bring(world, b"SECRET//NOFORN\n\nWords.\n\nSECRET//NOFORN\n")
    told = []
    for base in ("warm", "port", "nope"):
        seen = await world.call("ann", "POST", "/api/search", {"question": "words", "bases": [base]}, LOW)
        told.append((seen.status, seen.json["slug"], seen.json["detail"].replace(base, "BASE"), seen.calls))
    assert told[1][:3] == told[2][:3]
    assert told[1][0] == 404
    assert len(told[1][3]) == len(told[2][3])


async def test_a_mark_in_the_question_is_looked_at(world: World) -> None:
    await filled(world)
    above = {"question": "(TS//SI//NF) barge"}
    assert (await world.call("ann", "POST", "/api/search", above, SECRET)).status == 403
    compare = {"type": "compare", "key": "author", "operator": "eq", "value": "(S//NF) somebody"}
    assert (await world.call("ann", "POST", "/api/search", {"filter": compare}, LOW)).status == 403
    named = {"type": "compare", "key": "mark", "operator": "eq", "value": "(S//NF)"}
    assert (await world.call("ann", "POST", "/api/search", {"filter": named}, LOW)).json["data"]["total"] == 0


def test_what_a_person_wrote_in_a_search() -> None:
    one, two = Compare("author", "in", ("ann", "ben")), Compare("mark", "eq", "(U)")
    request = SearchRequest("q", filter=Every((one, Some((two, Compare("year", "gt", 3))))))
    assert sorted(said(request)) == ["ann", "ben", "q"]


async def test_french_is_ranked_by_full_text_where_no_embedder_serves_it(world: World) -> None:
    await filled(world)
    embedder = _embedder(world)
    question = "Dans le port, les navires et les convois sont avec nous dans la rade"
    assert (await search(world, question=question))["language_note"] == ""
    embedder.languages = frozenset({"en"})
    data = await search(world, question=question)
    assert (data["language"], "French" in data["language_note"], embedder.name in data["language_note"]) == (
        "fr",
        True,
        True,
    )
    assert all(hit["cosine"] == 0.0 for hit in data["hits"])
    assert (await search(world, question="the ferry of the harbour and the fuel"))["language_note"] == ""


def _embedder(world: World) -> Any:
    """The region's embedder, in the hands of the test."""
    routes = {f"{route.method} {route.path}": route for route in world.house.app.table.routes}
    embedders = routes["GET /api/search"].handler.__self__._rooms.library.embedders  # type: ignore[union-attr]

    class Spoken:
        name = embedders.default.name
        languages: frozenset[str] = frozenset()
        embed = staticmethod(embedders.default.embed)

    spoken = Spoken()
    embedders._named[spoken.name] = embedders.default = spoken
    return spoken
