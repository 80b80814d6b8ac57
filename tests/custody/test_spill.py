"""A spill through the real doors: what came of a document is found, frozen, and raised or destroyed."""

from __future__ import annotations

from tests.attacks.scene import LOW, SECRET
from tests.custody.spilled import contain, derived, everything_said, found, people, report, spilled
from tests.laws.world import World


async def test_a_report_names_everything_and_changes_nothing(world: World) -> None:
    await people(world)
    id = await spilled(world)
    _entry, kept = await derived(world)
    told = await report(world, id)
    kinds = {item["kind"]: item["id"] for item in told["items"]}
    assert kinds["document"] == kinds["document.part"] == id
    assert kinds["answer"] == kept
    assert {"segment"} <= set(kinds)
    assert {(each["principal"], each["action"]) for each in told["saw"]} >= {("ben", "answer.ask")}
    assert told["solo"] is True
    assert "lantern" not in str({**told, "items": [], "picture": {}})
    assert id in await found(world)


async def test_contained_and_shredded_no_word_of_it_is_left(world: World) -> None:
    await people(world)
    id = await spilled(world)
    await derived(world)
    assert b"ninth convoy" in await everything_said(world)
    seen = await contain(world, id, "shred")
    assert seen.status == 200, seen.body
    assert seen.json["data"]["state"] == "done"
    assert id not in await found(world)
    assert (await world.call("ann", "GET", f"/api/documents/{id}", acting=LOW)).status == 404
    assert (await world.call("ben", "GET", "/api/answers", acting=LOW)).json["data"] == []
    assert b"ninth convoy" not in await everything_said(world)
    assert b"Ferries leave" in await everything_said(world)


async def test_relabelled_it_lies_at_the_true_label_and_nowhere_below(world: World) -> None:
    await people(world)
    id = await spilled(world)
    _, kept = await derived(world)
    seen = await contain(world, id, "relabel")
    assert seen.status == 200, seen.body
    assert seen.json["data"]["state"] == "done"
    assert b"ninth convoy" not in await everything_said(world, LOW)
    await world.step("knowledge.ingest")
    [new] = await found(world, "ann", SECRET, "hidden lantern convoy boom")
    assert new != id
    listed = (await world.call("ben", "GET", "/api/answers", acting=SECRET)).json["data"]
    assert [(each["id"], each["label"]) for each in listed] == [(kept, SECRET)]
    assert id not in await found(world, "ben", LOW)
