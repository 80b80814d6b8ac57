"""Searches in a vector store: filters, scores and what is not offered."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.access import audit
from casemate.doors.openai.vector_store_search import filter_of
from casemate.errors import BadInput
from casemate.identity import Peer
from casemate.models.shelf import Compare, Every, Some
from casemate.policy import Action
from tests.doors.openai.storing import SECRET, STORES, Client, clients

PORTS: dict[str, dict[str, Any]] = {
    "The ferry sails at nine.": {"port": "Sable", "year": 2024, "open": True},
    "The ferry sails at noon from the long pier.": {"port": "Noir", "year": 2026},
    "A ferry is late.": {"port": "Grand", "open": False},
}


async def filled(ann: Client) -> str:
    store = await ann.store()
    for text, told in PORTS.items():
        await ann.brought(store, text, f"{told['port']}.txt", attributes=told)
    return store


async def test_what_a_search_tells() -> None:
    async with clients("ann") as [ann]:
        store = await filled(ann)
        told = await ann.post(f"{STORES}/{store}/search", query="ferry pier", max_num_results=1, rewrite_query=False)
        [hit] = told.pop("data")
        assert told == {
            "object": "vector_store.search_results.page",
            "search_query": ["ferry pier"],
            "has_more": False,
            "next_page": None,
        }
        assert hit["content"] == [{"type": "text", "text": "The ferry sails at noon from the long pier."}]
        assert (hit["filename"], hit["attributes"]) == ("Noir.txt", {"port": "Noir", "year": 2026})
        assert (hit["mark"], hit["label"]) == ("(U)", "agency=EXERCISE")
        assert hit["score"] == 1.0, "first in both lists"


async def test_scores_are_shares_and_fall() -> None:
    async with clients("ann") as [ann]:
        store = await filled(ann)
        scores = [hit["score"] for hit in await ann.found(store, "When does the ferry sail from the pier?")]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)
        least = await ann.found(store, "ferry pier", ranking_options={"ranker": "auto", "score_threshold": 0.99})
        assert len(least) == 1


async def test_a_passage_that_several_queries_find_counts_by_its_best() -> None:
    async with clients("ann") as [ann]:
        store = await filled(ann)
        one = {hit["passage"]: hit["score"] for hit in await ann.found(store, "nine sails")}
        two = {hit["passage"]: hit["score"] for hit in await ann.found(store, "late")}
        both = await ann.found(store, ["nine sails", "late", "late"])
        assert {hit["passage"]: hit["score"] for hit in both} == {
            passage: max(one.get(passage, 0), two.get(passage, 0)) for passage in one | two
        }
        assert len(await ann.found(store, ["nine sails", "late"], max_num_results=2)) == 2


def eq(key: str, value: Any, kind: str = "eq") -> dict[str, Any]:
    return {"type": kind, "key": key, "value": value}


@pytest.mark.parametrize(
    ("filters", "ports"),
    [
        (eq("port", "Sable"), {"Sable"}),
        (eq("port", "Sable", "ne"), {"Noir", "Grand"}),
        (eq("year", 2024, "gt"), {"Noir"}),
        (eq("year", 2024, "gte"), {"Sable", "Noir"}),
        (eq("year", 2026, "lt"), {"Sable"}),
        (eq("year", 2026.0, "lte"), {"Sable", "Noir"}),
        (eq("open", value=True), {"Sable"}),
        (eq("open", value=False), {"Grand"}),
        (eq("port", ["Sable", "Noir"], "in"), {"Sable", "Noir"}),
        (eq("port", ["Sable", "Noir"], "nin"), {"Grand"}),
        ({"type": "and", "filters": [eq("port", "Noir"), eq("year", 2026)]}, {"Noir"}),
        ({"type": "or", "filters": [eq("port", "Noir"), eq("open", value=True)]}, {"Noir", "Sable"}),
        (eq("document", "Noir", "ne"), {"Sable", "Noir", "Grand"}),
    ],
)
async def test_filters(filters: dict[str, Any], ports: set[str]) -> None:
    async with clients("ann") as [ann]:
        store = await filled(ann)
        found = await ann.found(store, "ferry", filters=filters)
        assert {hit["attributes"]["port"] for hit in found} == ports


async def test_what_was_said_last_is_what_is_filtered_by_at_its_label_alone() -> None:
    """A description above does not show below; one below holds above, where the document lies below too."""
    async with clients("ann") as [ann]:
        store = await ann.store()
        file = await ann.brought(store, "The ferry sails.", attributes={"port": "Sable"})
        secret = ann.at(SECRET)
        down = await secret.call("POST", f"{STORES}/{store}/files/{file}", {"attributes": {"port": "Noir"}})
        assert (down.status, down.json["error"]["rule"]) == (403, "no-write-down")
        await ann.post(f"{STORES}/{store}/files/{file}", attributes={"port": "Noir"})
        for who in (ann, secret):
            assert len(await who.found(store, "ferry", filters=eq("port", "Noir"))) == 1
            assert await who.found(store, "ferry", filters=eq("port", "Sable")) == []


async def test_k_visible_results_come_whatever_lies_above() -> None:
    async with clients("ann") as [ann]:
        store = await filled(ann)
        before = await ann.found(store, "ferry pier")
        for n in range(5):
            await ann.at(SECRET).brought(store, f"The ferry of the pier number {n}.", f"{n}.txt")
        assert await ann.found(store, "ferry pier") == before
        assert len(await ann.at(SECRET).found(store, "ferry pier", max_num_results=50)) == 8


@pytest.mark.parametrize(
    "more",
    [
        {"query": ""},
        {"query": []},
        {"query": ["x", " "]},
        {"query": ["x"] * 17},
        {"query": "x" * 20_001},
        {"query": None},
        {"max_num_results": 0},
        {"max_num_results": 51},
        {"rewrite_query": True},
        {"ranking_options": {"ranker": "mine"}},
        {"ranking_options": {"score_threshold": 1.1}},
        {"ranking_options": {"hybrid_search": {"embedding_weight": 1, "text_weight": 1}}},
        {"ranking_options": {"weights": 1}},
        {"filters": {"type": "like", "key": "a", "value": "b"}},
        {"model": "x"},
    ],
)
async def test_what_is_refused(more: dict[str, Any]) -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        seen = await ann.call("POST", f"{STORES}/{store}/search", {"query": "ferry"} | more)
        assert seen.status == 400


async def test_a_question_is_recorded_before_it_is_looked_for() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        await ann.found(store, "ferry")
        gate = ann.world.house.gate
        flow = await gate.open(gate.admit(Peer(0)), Action("read", "ledger"), gate.vault.region.ceiling)
        found = [seen.entry for seen in audit.entries(flow) if seen.entry.action == "knowledge.search"]
        assert len(found) == 2
        [begun] = [entry for entry in found if not entry.ref]
        [end] = [entry for entry in found if entry.ref]
        assert end.ref == begun.id


def nested(depth: int) -> dict[str, Any]:
    return eq("a", "b") if depth == 1 else {"type": "and", "filters": [nested(depth - 1)]}


def test_a_filter_is_read_as_it_is_written() -> None:
    assert filter_of(None, "en") is None
    assert filter_of(eq("a", 1), "en") == Compare("attr.a", "eq", 1.0)
    both = {"type": "or", "filters": [{"type": "and", "filters": [eq("a", ["x"], "in")]}, eq("b", value=True)]}
    assert filter_of(both, "en") == Some((Every((Compare("attr.a", "in", ("x",)),)), Compare("attr.b", "eq", True)))
    assert filter_of(nested(8), "en") is not None
    assert filter_of({"type": "or", "filters": [eq("a", n) for n in range(64)]}, "en") is not None


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"type": "and"},
        {"type": "and", "filters": []},
        {"type": "and", "filters": [eq("a", "b")], "key": "a"},
        {"type": "eq", "key": "a"},
        eq("", "b"),
        eq("k" * 65, "b"),
        eq("a", ["b"]),
        eq("a", None),
        eq("a", "b", "in"),
        eq("a", [], "in"),
        eq("a", [["b"]], "nin"),
        eq("a", [str(n) for n in range(257)], "in"),
        eq("a", "x" * 513),
        eq("a", True, "gt"),
        nested(9),
        {"type": "or", "filters": [eq("a", n) for n in range(65)]},
    ],
)
def test_a_filter_that_cannot_be_read(raw: Any) -> None:
    with pytest.raises(BadInput):
        filter_of(raw, "en")
