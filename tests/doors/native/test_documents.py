"""Documents through the native API: brought, listed, read in part, labelled, searched."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.knowledge.segments import compact
from tests.attacks.scene import LOW, SECRET, TOP, log
from tests.laws.world import World

MIXED = (
    b"SECRET//NOFORN\n\n(U) Harbour report\n\n(S//NF) The convoy leaves the harbour at dawn.\n\n"
    b"(U) The ferry leaves the harbour at nine.\n\nSECRET//NOFORN\n"
)


async def bring(world: World, text: bytes, label: str = SECRET, who: str = "ann", query: str = "") -> str:
    seen = await world.call(who, "POST", f"/api/documents?name=report.txt&base=port{query}", text, label)
    assert (seen.status, seen.json["data"]["state"]) == (202, "waiting"), seen.body
    await world.step("knowledge.ingest")
    return str(seen.json["data"]["id"])


async def listed(world: World, who: str, label: str, query: str = "") -> dict[str, Any]:
    return (await world.call(who, "GET", f"/api/documents{query}", acting=label)).json["data"]


async def test_a_marked_document_is_read_by_each_as_far_as_he_sees(world: World) -> None:
    await world.person("ann", SECRET)
    id = await bring(world, MIXED)
    whole = (await world.call("ann", "GET", f"/api/documents/{id}", acting=SECRET)).json
    assert sorted(p["mark"] for p in whole["data"]["passages"]) == ["(S//NF)", "(U)", "(U)"]
    assert whole["data"]["document"]["name"] == "report.txt"
    part = await world.call("ann", "GET", f"/api/documents/{id}", acting=LOW)
    assert {p["mark"] for p in part.json["data"]["passages"]} == {"(U)"}
    assert part.json["data"]["document"] is None
    assert b"convoy" not in part.body
    assert b"report.txt" not in part.body
    assert (part.json["label"], part.json["marking"]) == (LOW, "UNCLASSIFIED")


async def test_lists_hold_wholes_parts_and_what_waits(world: World) -> None:
    await world.person("ann", SECRET)
    id = await bring(world, MIXED)
    await bring(world, b"No mark at all.")
    high, low = await listed(world, "ann", SECRET), await listed(world, "ann", LOW)
    assert [(d["id"], d["state"], d["base"], d["mark"]) for d in high["documents"]] == [
        (id, "ready", "port", "(S//NF)")
    ]
    assert high["parts"] == []
    [waits] = high["waiting"]
    assert (waits["state"], waits["added_by"], waits["name"]) == ("unmarked", "ann", "report.txt")
    assert (low["documents"], low["waiting"]) == ([], [])
    assert [(p["id"], p["mark"]) for p in low["parts"]] == [(id, "(U)")]
    only = await listed(world, "ann", SECRET, "?only=waiting")
    assert (only["documents"], only["parts"], len(only["waiting"])) == ([], [], 1)


async def test_hidden_and_never_existing_documents_are_one_answer(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, b"TOP SECRET//SI//NOFORN\n\nHidden words.\n\nTOP SECRET//SI//NOFORN\n", TOP)
    told = []
    for asked in (id, "doc_neverexisted"):
        seen = await world.call("ann", "GET", f"/api/documents/{asked}", acting=LOW)
        body = seen.body.replace(asked.encode(), b"ID").replace(seen.header("casemate-ledger").encode(), b"ENTRY")
        told.append((seen.status, body, seen.calls[1:2]))
        assert log(world, LOW)[-1].facts == {"kind": "document", "id": asked}
    assert told[0][:2] == told[1][:2]
    assert told[0][0] == 404


async def test_unmarked_documents_are_labelled_all_or_by_name(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("ben", SECRET)
    first, second = await bring(world, b"One unmarked."), await bring(world, b"Two unmarked.")
    other = await bring(world, b"Ben's own.", who="ben")
    seen = await world.call("ann", "POST", "/api/documents/label", {"label": "SECRET//NOFORN", "ids": [first]}, SECRET)
    assert seen.json["data"] == {"labelled": 1}
    seen = await world.call("ann", "POST", "/api/documents/label", {"label": "UNCLASSIFIED"}, SECRET)
    assert seen.json["data"] == {"labelled": 1}
    await world.step("knowledge.ingest")
    found = {d["id"]: d["mark"] for d in (await listed(world, "ann", SECRET))["documents"]}
    assert found == {first: "(S//NF)", second: "(U)"}
    assert [w["id"] for w in (await listed(world, "ann", SECRET))["waiting"]] == [other]
    refused = await world.call(
        "ann", "POST", "/api/documents/label", {"label": "SECRET//NOFORN", "ids": [other]}, SECRET
    )
    never = await world.call("ann", "POST", "/api/documents/label", {"label": "SECRET//NOFORN", "ids": ["no"]}, SECRET)
    assert (refused.status, never.status) == (404, 404)


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"label": "BANANA"}, 400, "marking"),
        ({"label": "UNCLASSIFIED", "marks": "poem"}, 400, "malformed"),
        ({}, 400, "malformed"),
    ],
)
async def test_what_is_no_label(world: World, body: dict[str, Any], status: int, slug: str) -> None:
    await world.person("ann", SECRET)
    seen = await world.call("ann", "POST", "/api/documents/label", body, SECRET)
    assert (seen.status, seen.json["slug"]) == (status, slug)


@pytest.mark.parametrize(
    "query",
    [
        "?name=a.txt&base=all",
        "?name=a.txt&base=a/b",
        "?name=a.txt&base=" + "b" * 65,
        "?name=",
        "?name=a%0a.txt",
        "?name=" + "n" * 256,
        "?name=a.txt&marks=text",
        "?name=a.txt&marks=poem",
        "?name=a.txt&label=BANANA",
    ],
)
async def test_what_cannot_be_brought(world: World, query: str) -> None:
    await world.person("ann", SECRET)
    seen = await world.call("ann", "POST", f"/api/documents{query}", b"bytes", SECRET)
    assert seen.status == 400, seen.body
    assert (await listed(world, "ann", SECRET))["waiting"] == []


async def test_an_empty_file_is_none(world: World) -> None:
    await world.person("ann", SECRET)
    seen = await world.call("ann", "POST", "/api/documents?name=a.txt", b"", SECRET)
    assert (seen.status, seen.json["detail"]) == (400, "The file is empty.")


async def test_the_same_bytes_are_known_and_held_once(world: World) -> None:
    await world.person("ann", SECRET)
    target = "/api/documents?name=report.txt&base=port"
    first = (await world.call("ann", "POST", target, MIXED, SECRET)).json["data"]
    again = (await world.call("ann", "POST", target, MIXED, SECRET)).json["data"]
    assert (again["id"], again["state"]) == (first["id"], "waiting")
    await world.step("knowledge.ingest")
    known = (await world.call("ann", "POST", target, MIXED, SECRET)).json["data"]
    assert (known["id"], known["state"]) == (first["id"], "known")
    elsewhere = (await world.call("ann", "POST", target.replace("port", "quay"), MIXED, SECRET)).json["data"]
    assert elsewhere["state"] == "waiting"
    assert elsewhere["id"] != first["id"]


async def test_a_name_is_the_last_part_of_a_path(world: World) -> None:
    await world.person("ann", SECRET)
    for path in ("../../etc/a.txt", "C:%5Ctemp%5Ca.txt", "/a.txt"):
        seen = await world.call("ann", "POST", f"/api/documents?name={path}", path.encode(), SECRET)
        assert seen.json["data"]["name"] == "a.txt"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"SECRET//BANANA\n\nWords.\n", "cannot be read"),
        (b"NATO SECRET\n\nWords.\n", "does not list it"),
        (b"UNCLASSIFIED\n\n(S//NF) Words.\n\nUNCLASSIFIED\n", "above the document's banner"),
        (b"TOP SECRET//SI//NOFORN\n\nWords.\n\nTOP SECRET//SI//NOFORN\n", "above the label"),
    ],
)
async def test_what_cannot_be_trusted_is_kept_apart_with_reason_and_remedy(
    world: World, text: bytes, reason: str
) -> None:
    await world.person("ann", SECRET)
    await bring(world, text)
    [found] = (await listed(world, "ann", SECRET))["documents"]
    assert (found["state"], found["label"], found["passages"]) == ("quarantined", SECRET, 0)
    assert reason in found["reason"]
    assert found["remedy"]
    assert (await world.call("ann", "GET", "/api/search?q=words", acting=SECRET)).json["data"] == []
    assert (await listed(world, "ann", LOW))["documents"] == []


async def test_what_was_kept_apart_is_read_again_where_it_is_brought_again(world: World) -> None:
    await world.person("ann", SECRET)
    first = await bring(world, b"NATO SECRET\n\nWords.\n")
    second = await bring(world, b"NATO SECRET\n\nWords.\n")
    assert first != second
    assert [d["id"] for d in (await listed(world, "ann", SECRET))["documents"]] == [second]


async def test_a_search_gives_what_is_seen_with_its_scores(world: World) -> None:
    await world.person("ann", SECRET)
    id = await bring(world, MIXED)
    high = (await world.call("ann", "GET", "/api/search?q=convoy+harbour", acting=SECRET)).json["data"]
    assert {hit["mark"] for hit in high} == {"(U)", "(S//NF)"}
    assert any("convoy" in hit["text"] for hit in high)
    assert all(hit["document"] == id and hit["score"] > 0 for hit in high)
    low = (await world.call("ann", "GET", "/api/search?q=convoy+harbour&base=port", acting=LOW)).json["data"]
    assert {hit["mark"] for hit in low} == {"(U)"}
    hidden = await world.call("ann", "GET", "/api/search?q=x&base=quay", acting=LOW)
    assert (hidden.status, hidden.json["slug"]) == (404, "unknown-knowledge")
    assert (await world.call("ann", "GET", "/api/search", acting=LOW)).json["data"] == []


async def test_a_base_in_which_nothing_is_visible_is_unknown(world: World) -> None:
    await world.person("ann", SECRET)
    await bring(world, b"SECRET//NOFORN\n\nWords.\n\nSECRET//NOFORN\n")
    told = []
    for base in ("port", "nope"):
        seen = await world.call("ann", "GET", f"/api/search?q=words&base={base}", acting=LOW)
        told.append((seen.status, seen.json["slug"], seen.json["detail"].replace(base, "BASE")))
    assert told[0] == told[1]
    assert (await world.call("ann", "GET", "/api/search?q=words&base=port", acting=SECRET)).status == 200


async def test_merging_segments_changes_no_answer(world: World) -> None:
    await world.person("ann", SECRET)
    for number in range(compact.SEGMENTS + 1):
        await bring(world, b"(S//NF) The convoy number %d leaves the harbour.\n" % number, query=f"&x={number}")
    before = await world.call("ann", "GET", "/api/search?q=convoy+harbour+number", acting=SECRET)
    await world.step("knowledge.compact")
    after = await world.call("ann", "GET", "/api/search?q=convoy+harbour+number", acting=SECRET)
    assert after.json["data"] == before.json["data"]
    assert len(before.json["data"]) == compact.SEGMENTS + 1
    [merged] = [entry.facts["merged"] for entry in log(world, SECRET) if "merged" in entry.facts]
    assert merged == compact.SEGMENTS + 1
