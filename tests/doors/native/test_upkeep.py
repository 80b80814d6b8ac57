"""What becomes of a document, through the native API: every deed holds from the next question on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.scene import LOW, SECRET, TOP, log
from tests.doors.native.test_documents import MIXED, bring, listed
from tests.laws.world import Seen, World

QUERY = "/api/search?q=convoy+ferry+harbour"
LOOPS = ("knowledge.forget", "knowledge.compact", "knowledge.reembed")


async def told(world: World, label: str, who: str = "ann") -> list[str]:
    """What a search gives, without what counts the region's work."""
    seen = await world.call(who, "GET", QUERY, acting=label)
    assert seen.status == 200, seen.body
    return sorted(hit["text"] for hit in hits(seen))


def hits(seen: Seen) -> list[dict[str, Any]]:
    data = seen.json["data"]
    return list(data["hits"]) if isinstance(data, dict) else list(data)


async def asked(world: World, who: str, method: str, target: str, label: str, body: Any = None) -> Seen:
    return await world.call(who, method, target, body, label)


async def everything(world: World, label: str) -> list[tuple[int, bytes]]:
    """All that ann sees, as bytes: to be the same before and after a loop."""
    targets = (QUERY, "/api/documents", "/api/knowledge", "/api/review", f"{QUERY}&base=port")
    seen = [await world.call("ann", "GET", target, acting=label) for target in targets]
    return [(each.status, _timeless(each)) for each in seen]


def _timeless(seen: Seen) -> bytes:
    return seen.body.replace(seen.header("casemate-ledger").encode() or b"-", b"ENTRY")


async def test_a_document_is_removed_where_it_lies_and_above(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, MIXED)
    assert [len(await told(world, label)) for label in (LOW, SECRET)] == [2, 3]
    seen = await asked(world, "ann", "DELETE", f"/api/documents/{id}", SECRET)
    assert (seen.status, seen.json["data"]) == (200, {"id": id, "base": "port", "left": [LOW]})
    assert [len(await told(world, label)) for label in (LOW, SECRET, TOP)] == [2, 2, 2], "the lower part stays"
    assert (await listed(world, "ann", SECRET))["documents"] == []
    assert [part["id"] for part in (await listed(world, "ann", SECRET))["parts"]] == [id]
    seen = await asked(world, "ann", "DELETE", f"/api/documents/{id}", LOW)
    assert seen.json["data"]["left"] == []
    assert [await told(world, label) for label in (LOW, SECRET, TOP)] == [[], [], []]
    for label in (LOW, SECRET):
        gone = await asked(world, "ann", "GET", f"/api/documents/{id}", label)
        again = await asked(world, "ann", "DELETE", f"/api/documents/{id}", label)
        never = await asked(world, "ann", "DELETE", "/api/documents/doc_never", label)
        assert (gone.status, again.status, never.status) == (404, 404, 404)


async def test_a_removal_at_the_lowest_label_takes_all_of_it(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, MIXED)
    await asked(world, "ann", "DELETE", f"/api/documents/{id}", LOW)
    assert [await told(world, label) for label in (LOW, SECRET, TOP)] == [[], [], []]
    assert (await listed(world, "ann", TOP))["documents"] == []


async def test_what_lies_below_is_not_removed_from_above(world: World) -> None:
    """A removal is a write: it lands where one acts, and what lies lower does not hear of it."""
    await world.person("ann", TOP)
    id = await bring(world, b"(U) The ferry leaves.")
    seen = await asked(world, "ann", "DELETE", f"/api/documents/{id}", SECRET)
    assert (seen.status, seen.json.get("rule")) == (403, "no-write-down")
    assert await told(world, LOW) == ["The ferry leaves."]


async def test_only_whoever_brought_it_removes_it(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("ben", SECRET)
    id = await bring(world, b"(U) The ferry leaves.")
    for method, tail, body in (
        ("DELETE", "", None),
        ("PUT", "/label", {"label": "SECRET//NOFORN"}),
        ("PUT", "/attributes", {"attributes": {"a": 1}}),
        ("POST", "/review", {"decision": "remove"}),
    ):
        other = await asked(world, "ben", method, f"/api/documents/{id}{tail}", LOW, body)
        never = await asked(world, "ben", method, f"/api/documents/doc_never{tail}", LOW, body)
        assert (other.status, never.status) == (404, 404), tail
        assert other.json["slug"] == never.json["slug"] == "absent"
    assert await told(world, LOW) == ["The ferry leaves."]


async def test_what_waits_can_be_removed_and_never_lands(world: World) -> None:
    await world.person("ann", SECRET)
    target = "/api/documents?name=report.txt&base=port"
    id = (await world.call("ann", "POST", target, MIXED, SECRET)).json["data"]["id"]
    assert (await asked(world, "ann", "DELETE", f"/api/documents/{id}", SECRET)).status == 200
    assert (await listed(world, "ann", SECRET))["waiting"] == []
    await world.step("knowledge.ingest")
    assert await told(world, SECRET) == []
    again = (await world.call("ann", "POST", target, MIXED, SECRET)).json["data"]
    assert (again["state"], again["id"] != id) == ("waiting", True)


async def test_what_was_removed_is_not_known_when_it_is_brought_again(world: World) -> None:
    await world.person("ann", SECRET)
    id = await bring(world, MIXED)
    await asked(world, "ann", "DELETE", f"/api/documents/{id}", LOW)
    again = await bring(world, MIXED)
    assert again != id
    assert len(await told(world, SECRET)) == 3


async def test_forgetting_changes_no_byte_and_leaves_nothing(world: World) -> None:
    await world.person("ann", TOP)
    first = await bring(world, MIXED)
    await bring(world, b"(U) Another ferry.")
    alone = await bring(world, b"(S//NF) Alone in its base.", query="&base=quay".replace("&base", "&x"))
    await world.call("ann", "PUT", f"/api/documents/{first}/attributes", {"attributes": {"year": 1}}, SECRET)
    for id in (first, alone):
        await asked(world, "ann", "DELETE", f"/api/documents/{id}", LOW if id is first else SECRET)
    before = [await everything(world, label) for label in (LOW, SECRET, TOP)]
    await world.step("knowledge.forget")
    assert [await everything(world, label) for label in (LOW, SECRET, TOP)] == before
    reader, gate = world.house.gate.vault.reader, world.house.gate
    classes = [access.id for access in gate.classes.everything()]
    for kind in ("document", "document.part", "document.described"):
        assert first not in {row.id for row in reader.scan(kind, [], classes, None, 500)[0]}
    assert [entry.facts["forgotten"] for entry in log(world, SECRET) if "forgotten" in entry.facts] == [2]
    await world.step("knowledge.forget")
    assert len([entry for entry in log(world, SECRET) if "forgotten" in entry.facts]) == 1


async def test_a_base_of_which_all_is_gone_is_unknown_before_and_after(world: World) -> None:
    await world.person("ann", SECRET)
    id = await bring(world, MIXED)
    await asked(world, "ann", "DELETE", f"/api/documents/{id}", LOW)
    for _ in range(2):
        seen = await world.call("ann", "GET", "/api/search?q=ferry&base=port", acting=SECRET)
        assert (seen.status, seen.json.get("slug")) == (404, "unknown-knowledge")
        assert (await world.call("ann", "GET", "/api/knowledge", acting=SECRET)).json["data"] == []
        await world.step("knowledge.forget")


async def test_an_update_takes_the_place_of_the_old_one_in_one_commit(world: World) -> None:
    await world.person("ann", TOP)
    old = await bring(world, MIXED)
    newer = MIXED.replace(b"nine", b"ten").replace(b"dawn", b"dusk")
    new = await world.call("ann", "POST", f"/api/documents?name=report.txt&base=port&replaces={old}", newer, SECRET)
    assert len(await told(world, SECRET)) == 3, "until it is read, the old one stands"
    await world.step("knowledge.ingest")
    assert "The ferry leaves the harbour at ten." in await told(world, LOW)
    assert len(await told(world, LOW)) == 2
    assert len(await told(world, SECRET)) == 3
    assert all("nine" not in text and "dawn" not in text for text in await told(world, TOP))
    id = new.json["data"]["id"]
    line = (await asked(world, "ann", "GET", f"/api/documents/{id}/lineage", SECRET)).json["data"]
    assert (line["replaces"], line["replaced_by"], line["source"]) == (old, [], True)
    again = await world.call("ann", "POST", f"/api/documents?name=report.txt&base=port&replaces={id}", newer, SECRET)
    assert again.json["data"] == {"id": id, "name": "report.txt", "state": "known"}


@pytest.mark.parametrize(("replaces", "status"), [("doc_never", 404), ("theirs", 404), ("elsewhere", 400)])
async def test_what_is_not_ones_own_here_is_not_replaced(world: World, replaces: str, status: int) -> None:
    await world.person("ann", SECRET)
    await world.person("ben", SECRET)
    theirs = await bring(world, b"(U) Ben's ferry.", who="ben")
    elsewhere = (await world.call("ann", "POST", "/api/documents?name=a.txt&base=quay", b"(U) Q.", SECRET)).json["data"]
    asked_for = {"theirs": theirs, "elsewhere": elsewhere["id"]}.get(replaces, replaces)
    target = f"/api/documents?name=b.txt&base=port&replaces={asked_for}"
    seen = await world.call("ann", "POST", target, b"(U) Mine.", SECRET)
    assert seen.status == status, seen.body
    await world.step("knowledge.ingest")
    assert await told(world, LOW) == ["Ben's ferry."]


async def test_a_document_is_raised_and_nothing_of_it_stays_below(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, b"(U) The ferry leaves.", label=LOW)
    await bring(world, b"(U) Another harbour.", label=LOW)
    seen = await asked(world, "ann", "PUT", f"/api/documents/{id}/label", LOW, {"label": "SECRET//NOFORN"})
    assert seen.status == 202, seen.body
    new = seen.json["data"]["id"]
    assert (seen.json["data"]["gone"], seen.json["data"]["left"]) == (id, [])
    assert [await told(world, label) for label in (LOW, SECRET)] == [["Another harbour."], ["Another harbour."]]
    await world.step("knowledge.ingest")
    assert await told(world, LOW) == ["Another harbour."]
    assert await told(world, SECRET) == ["Another harbour.", "The ferry leaves."]
    found = (await asked(world, "ann", "GET", f"/api/documents/{new}", SECRET)).json["data"]
    assert (found["document"]["label"], {p["label"] for p in found["passages"]}) == (SECRET, {SECRET})
    assert (await asked(world, "ann", "GET", f"/api/documents/{new}", LOW)).status == 404
    [entry] = [each for each in log(world, LOW) if "deposit" in each.facts]
    assert (entry.facts["deposit"], entry.principal) == (SECRET, "ann")


async def test_nothing_is_relabelled_downward_or_to_where_it_lies(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, b"(S//NF) The convoy leaves.")
    down = await asked(world, "ann", "PUT", f"/api/documents/{id}/label", SECRET, {"label": "UNCLASSIFIED"})
    assert (down.status, down.json["rule"]) == (403, "no-write-down")
    beside = await asked(
        world, "ann", "PUT", f"/api/documents/{id}/label", SECRET, {"label": "SECRET//REL TO USA, FRA"}
    )
    assert (beside.status, beside.json["rule"]) == (403, "no-write-down")
    same = await asked(world, "ann", "PUT", f"/api/documents/{id}/label", SECRET, {"label": "SECRET//NOFORN"})
    assert same.status == 400
    assert await told(world, SECRET) == ["The convoy leaves."]
    part = await bring(world, MIXED)
    refused = await asked(world, "ann", "PUT", f"/api/documents/{part}/label", LOW, {"label": "SECRET//NOFORN"})
    assert refused.status == 400, "a part is not the file"


async def test_what_waits_is_raised_too(world: World) -> None:
    await world.person("ann", TOP)
    target = "/api/documents?name=report.txt&base=port"
    id = (await world.call("ann", "POST", target, b"No mark.", SECRET)).json["data"]["id"]
    seen = await asked(world, "ann", "PUT", f"/api/documents/{id}/label", SECRET, {"label": "TOP SECRET//SI//NOFORN"})
    assert seen.status == 202, seen.body
    await world.step("knowledge.ingest")
    assert (await listed(world, "ann", SECRET))["waiting"] == []
    found = (await listed(world, "ann", TOP))["documents"]
    assert [(each["id"], each["label"]) for each in found] == [(seen.json["data"]["id"], TOP)]


async def test_attributes_hold_from_the_next_question_on(world: World) -> None:
    await world.person("ann", TOP)
    said = quote('{"year": 2026, "kind": "report", "final": true}')
    id = await bring(world, MIXED, query=f"&attributes={said}")
    for label in (LOW, SECRET):
        seen = (await asked(world, "ann", "GET", f"/api/documents/{id}", label)).json["data"]
        assert seen["attributes"] == {"year": 2026, "kind": "report", "final": True}
    done = await asked(world, "ann", "PUT", f"/api/documents/{id}/attributes", SECRET, {"attributes": {"year": 1.5}})
    assert done.json["data"] == {"id": id, "attributes": {"year": 1.5}}
    view = {}
    for label in (LOW, SECRET):
        view[label] = (await asked(world, "ann", "GET", f"/api/documents/{id}", label)).json["data"]["attributes"]
    assert view == {LOW: {"year": 2026, "kind": "report", "final": True}, SECRET: {"year": 1.5}}, (
        "below it is not heard"
    )


@pytest.mark.parametrize(
    "attributes",
    [{str(n): n for n in range(17)}, {"k" * 65: 1}, {"": 1}, {"k": "v" * 513}, {"k": None}, {"k": [1]}],
)
async def test_what_is_no_set_of_attributes(world: World, attributes: dict[str, Any]) -> None:
    await world.person("ann", SECRET)
    id = await bring(world, b"(U) One.", label=LOW)
    seen = await asked(world, "ann", "PUT", f"/api/documents/{id}/attributes", LOW, {"attributes": attributes})
    assert seen.status == 400
    import msgspec

    told = quote(msgspec.json.encode(attributes).decode())
    seen = await world.call("ann", "POST", f"/api/documents?name=a.txt&attributes={told}", b"(U) x", LOW)
    assert seen.status == 400


async def test_near_duplicates_are_those_of_the_same_label(world: World) -> None:
    await world.person("ann", TOP)
    text = " ".join(f"word{n} of the report" for n in range(40))
    one = await bring(world, f"(U) {text} ends here.".encode(), label=LOW)
    two = await bring(world, f"(U) {text} ends there.".encode(), label=LOW)
    await bring(world, f"(S//NF) {text} ends nowhere.".encode())
    await bring(world, b"(U) Something else that is told of another thing altogether.", label=LOW)
    near = {}
    for id in (one, two):
        for label in (LOW, TOP):
            near[id, label] = (await asked(world, "ann", "GET", f"/api/documents/{id}", label)).json["data"]["near"]
    assert near == {(one, LOW): [two], (one, TOP): [two], (two, LOW): [one], (two, TOP): [one]}
    await asked(world, "ann", "DELETE", f"/api/documents/{two}", LOW)
    assert (await asked(world, "ann", "GET", f"/api/documents/{one}", LOW)).json["data"]["near"] == []


async def test_lineage_tells_what_is_seen_and_the_file_lies_with_the_whole(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, MIXED)
    high = (await asked(world, "ann", "GET", f"/api/documents/{id}/lineage", SECRET)).json["data"]
    low = (await asked(world, "ann", "GET", f"/api/documents/{id}/lineage", LOW)).json["data"]
    assert [(piece["label"], piece["passages"], piece["segments"]) for piece in high["pieces"]] == sorted(
        [(LOW, 2, 1), (SECRET, 1, 1)], key=lambda each: [p["label"] for p in high["pieces"]].index(each[0])
    )
    assert (high["name"], high["source"], high["by"], high["media"]) == ("report.txt", True, "ann", "text/plain")
    assert (low["name"], low["source"], [p["label"] for p in low["pieces"]]) == ("", False, [LOW])
    file = await asked(world, "ann", "GET", f"/api/documents/{id}/source", SECRET)
    assert (file.status, file.body, file.header("content-disposition")) == (200, MIXED, "attachment")
    assert file.header("casemate-label") == SECRET
    assert (await asked(world, "ann", "GET", f"/api/documents/{id}/source", LOW)).status == 404
    assert (await asked(world, "ann", "GET", "/api/documents/never/lineage", LOW)).status == 404
    await asked(world, "ann", "DELETE", f"/api/documents/{id}", SECRET)
    assert (await asked(world, "ann", "GET", f"/api/documents/{id}/source", SECRET)).status == 404
    after = (await asked(world, "ann", "GET", f"/api/documents/{id}/lineage", SECRET)).json["data"]
    assert [p["label"] for p in after["pieces"]] == [LOW]


async def test_a_file_lies_where_its_whole_lies_also_below_where_it_was_brought(world: World) -> None:
    await world.person("ann", TOP)
    id = await bring(world, MIXED, label=TOP)
    file = await asked(world, "ann", "GET", f"/api/documents/{id}/source", SECRET)
    assert (file.status, file.body) == (200, MIXED)


async def test_an_update_from_above_leaves_no_trace_where_nothing_was(world: World) -> None:
    """Whoever updates what lies at SECRET in a session that begins lower tells nobody below, not even the log."""
    await world.person("ann", TOP)
    old = await bring(world, b"(S//NF) The convoy.\n\n(S//NF) Another.")
    before = len(log(world, LOW))
    target = f"/api/documents?name=report.txt&base=port&replaces={old}"
    assert (await world.call("ann", "POST", target, b"(S//NF) Newer.", SECRET)).status == 202
    await world.step("knowledge.ingest")
    assert await told(world, SECRET) == [] or "Newer." in await told(world, SECRET)
    assert len(log(world, LOW)) == before
    reader, gate = world.house.gate.vault.reader, world.house.gate
    rows, _ = reader.scan("gone", [], [access.id for access in gate.classes.everything()], None, 9)
    assert [gate.classes.by_id(row.class_id).label.text for row in rows] == [SECRET]


async def test_a_search_is_narrowed_by_what_is_said_now(world: World) -> None:
    """Another description holds from the next question on, at its label and above, and for nothing below."""
    await world.person("ann", TOP)
    id = await bring(world, MIXED, query="&attributes=" + quote('{"year": "old"}'))

    async def narrowed(label: str, year: str) -> int:
        seen = await world.call("ann", "GET", f"/api/search?q=convoy+ferry+harbour+attr.year:{year}", acting=label)
        assert seen.status == 200, seen.body
        return len(hits(seen))

    assert [await narrowed(label, "old") for label in (LOW, SECRET)] == [2, 3]
    await asked(world, "ann", "PUT", f"/api/documents/{id}/attributes", SECRET, {"attributes": {"year": "new"}})
    assert [await narrowed(label, "old") for label in (LOW, SECRET)] == [2, 2]
    assert [await narrowed(label, "new") for label in (LOW, SECRET)] == [0, 1]
    world.clock.forward(1)
    await asked(world, "ann", "PUT", f"/api/documents/{id}/attributes", LOW, {"attributes": {"year": "newest"}})
    assert [await narrowed(label, "newest") for label in (LOW, SECRET)] == [2, 3], "the latest that is seen rules"


async def test_what_was_made_of_a_document_is_told_as_far_as_it_is_seen(world: World) -> None:
    from casemate.objects import Put, Ref
    from tests.access.test_flow import at
    from tests.laws.access_worlds import NOTE, Note

    await world.person("ann", TOP)
    id = await bring(world, b"(U) One.", label=LOW)
    low = await at(world, LOW)
    part = Ref("document.part", id, low.access.id)
    for label in (SECRET, TOP):
        flow = await at(world, label)
        await flow.commit(Put(NOTE, f"of-{label[-3:]}", Note("a", "b"), parents=(part,)))
    seen = {}
    for label in (LOW, SECRET, TOP):
        line = (await asked(world, "ann", "GET", f"/api/documents/{id}/lineage", label)).json["data"]
        seen[label] = [made["label"] for made in line["made"]]
    assert (seen[LOW], seen[SECRET], sorted(seen[TOP])) == ([], [SECRET], sorted([SECRET, TOP]))


async def test_a_successor_that_was_removed_is_none(world: World) -> None:
    """What was brought at a higher label takes the place of the high part: the low one tells of it, as it is seen."""
    await world.person("ann", TOP)
    old = await bring(world, MIXED)
    target = f"/api/documents?name=report.txt&base=port&replaces={old}"
    key = (await world.call("ann", "POST", "/api/keys", {"floor": SECRET, "ceiling": SECRET}, SECRET)).json["data"]
    world.keys["program"] = key["secret"]
    new = (await world.call("program", "POST", target, b"(S//NF) Newer convoy.", SECRET)).json["data"]["id"]
    await world.step("knowledge.ingest")

    async def successors() -> list[str]:
        line = await asked(world, "ann", "GET", f"/api/documents/{old}/lineage", SECRET)
        return list(line.json["data"]["replaced_by"])

    assert await successors() == [new]
    assert (await asked(world, "ann", "DELETE", f"/api/documents/{new}", SECRET)).status == 200
    assert await successors() == []
