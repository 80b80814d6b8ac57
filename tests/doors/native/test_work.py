"""Long work through the native API: what the rooms keep, told in the words of jobs to whoever asked for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from casemate.jobs.work import Works
from casemate.knowledge import Embedders
from casemate.knowledge.base_work import BaseWork
from casemate.knowledge.lanes import SETTLE
from tests.attacks.scene import LOW, SECRET
from tests.doors.native.test_documents import MIXED, bring
from tests.doors.openai.storing import STORES, Client
from tests.laws.openai_operations import FORM, answered, form
from tests.laws.world import Seen, World


async def people_of(world: World) -> World:
    for who, clearance in (("ann", SECRET), ("ben", SECRET), ("low", LOW)):
        await world.person(who, clearance)
    return world


async def work(world: World, who: str = "ann", label: str = SECRET, query: str = "") -> Any:
    seen = await world.call(who, "GET", f"/api/work{query}", acting=label)
    assert seen.status == 200, seen.body
    return seen.json["data"]


async def ended(world: World, id: str, who: str = "ann", label: str = SECRET) -> Seen:
    return await world.call(who, "POST", f"/api/work/{id}/cancel", acting=label)


async def a_batch(world: World, who: str = "ann", label: str = SECRET, lines: int = 2) -> str:
    """A batch over a file of so many lines, not yet looked at."""
    asked = {"model": "casemate/extractive-reader", "messages": [{"role": "user", "content": "When?"}]}
    rows = [
        {"custom_id": f"n{n}", "method": "POST", "url": "/v1/chat/completions", "body": asked} for n in range(lines)
    ]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    file = await world.call(who, "POST", "/v1/files", form(data, "batch"), label, (FORM,))
    body = {"input_file_id": file.json["id"], "endpoint": "/v1/chat/completions"}
    begun = await world.call(who, "POST", "/v1/batches", body, label)
    assert begun.status == 200, begun.body
    return str(begun.json["id"])


async def test_a_batch_is_told_in_the_words_of_jobs_from_its_beginning_to_its_end(world: World) -> None:
    people = await people_of(world)
    id = await a_batch(people)
    [told] = (await work(people))["work"]
    assert (told["id"], told["kind"], told["name"]) == (id, "batch", "/v1/chat/completions")
    assert (told["state"], told["stage"], told["open"], told["ends"]) == ("SUBMITTED", "validating", True, True)
    assert (told["person"], told["label"], told["total"], told["ended"]) == ("ann", SECRET, 0, 0)
    await answered(people, SECRET)
    one = (await people.call("ann", "GET", f"/api/work/{id}", acting=SECRET)).json["data"]
    assert (one["state"], one["total"], one["done"], one["open"]) == ("SUCCEEDED", 2, 2, False)
    assert one["created"] <= one["started"] <= one["ended"]
    assert (await work(people, query="?open=yes"))["work"] == []
    assert [each["id"] for each in (await work(people))["work"]] == [id]
    assert (await ended(people, id)).status == 409


async def test_whoever_asked_ends_a_batch_here_and_its_wire_says_so(world: World) -> None:
    people = await people_of(world)
    id = await a_batch(people)
    seen = await ended(people, id)
    assert (seen.status, seen.json["data"]["state"], seen.json["data"]["stage"]) == (202, "RUNNING", "cancelling")
    assert not seen.json["data"]["ends"]
    assert (await ended(people, id)).status == 409
    await answered(people, SECRET)
    assert (await work(people))["work"][0]["state"] == "CANCELLED"
    batch = await people.call("ann", "GET", f"/v1/batches/{id}", acting=SECRET)
    assert batch.json["status"] == "cancelled"


async def test_work_of_somebody_else_is_as_absent_as_what_never_was(world: World) -> None:
    people = await people_of(world)
    id = await a_batch(people)
    for who, label in (("ben", SECRET), ("low", LOW), ("ann", LOW)):
        assert (await work(people, who, label)) == {"work": [], "after": ""}
        for known in (id, "batch_never", "vsfb_never", "base:never", "never"):
            seen = await people.call(who, "GET", f"/api/work/{known}", acting=label)
            assert (seen.status, seen.json["slug"]) == (404, "absent"), seen.body
            assert (await ended(people, known, who, label)).status == 404


async def test_files_brought_together_are_one_piece_of_work(world: World) -> None:
    people = await people_of(world)
    ann = Client(people, "ann", SECRET)
    store = await ann.store(name="port")
    files = [await ann.file("The ferry sails."), await ann.file("")]
    begun = await ann.post(f"{STORES}/{store}/file_batches", file_ids=files)
    [told] = (await work(people, query="?kind=files"))["work"]
    assert (told["id"], told["name"], told["state"], told["total"], told["done"]) == (
        begun["id"],
        store,
        "RUNNING",
        2,
        0,
    )
    await people.step("knowledge.ingest")
    [told] = (await work(people))["work"]
    assert (told["state"], told["stage"], told["done"], told["failed"]) == ("SUCCEEDED", "completed", 2, 1)
    waits = await ann.post(f"{STORES}/{store}/file_batches", file_ids=[await ann.file("The pier is long.")])
    seen = await ended(people, waits["id"])
    assert (seen.status, seen.json["data"]["state"], seen.json["data"]["total"]) == (202, "CANCELLED", 1)
    assert (await ann.get(f"{STORES}/{store}/file_batches/{waits['id']}"))["status"] == "cancelled"
    await ann.got("DELETE", f"{STORES}/{store}")
    assert sorted(each["total"] for each in (await work(people))["work"]) == [0, 1]
    assert (await people.call("ben", "GET", f"/api/work/{begun['id']}", acting=SECRET)).status == 404


async def test_another_embedder_for_a_base_is_work_until_every_passage_has_its_vectors(world: World) -> None:
    people = await people_of(world)
    await bring(people, MIXED)
    assert (await people.call("ann", "POST", "/api/knowledge", {"name": "port"}, SECRET)).status == 201
    assert (await work(people))["work"] == []
    body = {"embedder": "hashing"}
    assert (await people.call("ann", "POST", "/api/knowledge/port/embedder", body, SECRET)).status == 200
    [told] = (await work(people))["work"]
    assert (told["id"], told["kind"], told["name"], told["ends"]) == ("base:port", "embedding", "port", False)
    assert (told["total"], told["done"], told["state"]) == (1, 1, "SUCCEEDED")  # a law's own embedder is that one
    gate = people.house.gate
    flow = await gate.open(gate.service("knowledge", gate.classes.of(gate.vault.region.reach(SECRET))), SETTLE)
    flow.session = replace(flow.session, principal=replace(flow.session.principal, name="ann"))
    [found] = (await Works((BaseWork(Embedders(None)),)).page(flow, 9)).items
    assert (found.state, found.total, found.done, found.created > 0) == ("RUNNING", 1, 0, True)
    assert (await ended(people, "base:port")).status == 409
    assert (await work(people, "ben"))["work"] == []
    assert (await people.call("ann", "DELETE", "/api/knowledge/port", acting=SECRET)).status == 200
    assert (await work(people))["work"] == []


async def test_pages_lead_on_newest_first_and_skip_nothing(world: World) -> None:
    people = await people_of(world)
    ids = []
    for _ in range(5):
        people.clock.forward(1)
        ids.append(await a_batch(people, lines=1))
    found, after, pages = [], "", 0
    while True:
        page = await work(people, query=f"?limit=2{f'&after={after}' if after else ''}")
        found += [each["id"] for each in page["work"]]
        after, pages = page["after"], pages + 1
        if not after:
            break
    assert (found, pages) == (ids[::-1], 3)
    for query in ("?limit=0", "?limit=x", "?kind=job", "?open=no", "?after=x", "?after=1/../x"):
        seen = await people.call("ann", "GET", f"/api/work{query}", acting=SECRET)
        assert (seen.status, seen.json["slug"]) == (400, "malformed"), query
