"""How far a containment reaches: what was let out below, parts whose whole lies higher, streams, what waits, segments
that hold others' words, bytes that nobody names any more."""

from __future__ import annotations

from typing import Any

from tests.attacks.releasing import both, carry
from tests.attacks.releasing import people as releasers
from tests.attacks.scene import LOW, SECRET, TOP, bring, log
from tests.custody.spilled import ASKED, WORDS, contain, derived, everything_said, found, people, report, spilled
from tests.laws.world import World

DOCUMENT = (
    b"SECRET//NOFORN\n\n(S//NF) The pier is closed to all ferries until the storm has passed over the bay.\n\n"
    b"(U) The harbour has a pier and a lantern that nobody was ever to read of in the open.\n\nSECRET//NOFORN\n"
)


async def test_what_was_released_below_is_found_and_held_back(world: World) -> None:
    await releasers(world)
    await world.person("olga", TOP, ("officer",))
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    body = {"kind": "document.part", "id": id, "label": SECRET, "to": LOW, "reason": "ferries"}
    request = (await world.call("ann", "POST", "/api/releases", body, SECRET)).json["data"]["id"]
    await both(world, request)
    assert (await carry(world, request)).status == 200
    await world.step("knowledge.ingest")
    before = await found(world, "ann", LOW, "closed ferries storm")
    told = await report(world, id, TOP)
    assert [each["release"] for each in told["left"]] == [request]
    landed = told["left"][0]["landed"].partition("@")[0].partition("/")[2]
    assert landed in before
    assert (await contain(world, id, "shred", TOP)).json["data"]["state"] == "done"
    assert landed not in await found(world, "ann", LOW, "closed ferries storm")
    assert b"until the storm has passed" not in await everything_said(world, LOW)


async def test_a_part_whose_whole_lies_high_enough_is_raised_by_itself(world: World) -> None:
    await people(world)
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    assert id in await found(world, "ben", LOW, "harbour pier lantern")
    seen = await contain(world, id, "relabel")
    assert seen.status == 200, seen.body
    stays = {item["label"] for item in seen.json["data"]["report"]["items"] if item["stays"]}
    assert stays == {SECRET}
    assert id not in await found(world, "ben", LOW, "harbour pier lantern")
    assert b"nobody was ever to read" not in await everything_said(world, LOW)
    await world.step("knowledge.ingest")
    hits = await found(world, "ben", SECRET, "harbour pier lantern")
    assert len(set(hits) - {id}) == 1
    assert (await world.call("ann", "GET", f"/api/documents/{id}", acting=SECRET)).status == 200


async def test_others_in_the_same_segment_are_found_on(world: World) -> None:
    await people(world)
    ids = [await spilled(world, text=WORDS.replace("ninth", word)) for word in ("first", "second", "third")]
    for _ in range(12):
        await bring(world, "ann", b"Another ferry has left the quay number %d." % _, LOW, label=LOW)
    await world.step("knowledge.compact")
    await contain(world, ids[1], "shred")
    hits = await found(world, "ben", LOW, "hidden lantern convoy")
    assert {ids[0], ids[2]} <= set(hits)
    assert ids[1] not in hits
    told = await everything_said(world, LOW)
    assert b"third convoy" in told
    assert b"second convoy" not in told


async def test_what_people_brought_that_says_the_same_is_named_and_not_touched(world: World) -> None:
    await people(world)
    id = await spilled(world)
    twin = (await bring(world, "ben", b"As was said: " + WORDS.encode(), LOW, label=LOW)).json["data"]["id"]
    told = await report(world, id)
    assert [each["ref"].partition("@")[0] for each in told["alike"]] == [f"document.part/{twin}"]
    await contain(world, id, "shred")
    assert twin in await found(world)


async def test_an_answer_kept_under_no_name_is_found_by_its_words(world: World) -> None:
    """Nobody can keep an answer from being found by saying that it came from nowhere."""
    await people(world)
    id = await spilled(world)
    asked = await world.call("ben", "POST", "/api/ask", {"question": ASKED}, LOW)
    body = {"text": asked.json["data"]["text"], "question": "Nothing.", "asked": ""}
    assert (await world.call("ben", "POST", "/api/answers", body, LOW)).status == 201
    told = await report(world, id)
    assert [item["quotes"] for item in told["items"] if item["kind"] == "answer"] == [True]
    await contain(world, id)
    assert (await world.call("ben", "GET", "/api/answers", acting=LOW)).json["data"] == []


async def test_a_stream_breaks_off_before_its_next_piece(world: World) -> None:
    """Frozen between two pieces: the second never goes, the end says failed, and nothing of it is kept."""
    await people(world)
    id = await spilled(world)
    inner: Any = world.house.answerer

    class Slow:
        """Between the first delta and the next, the document is frozen."""

        async def answer(self, flow: Any, chat: Any) -> Any:
            async for delta in inner.answer(flow, chat):
                yield delta
                if delta.text:
                    assert (await contain(world, id)).status == 200

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

    for route in world.house.app.table.routes:
        if route.path == "/api/ask/stream":
            object.__setattr__(route.handler.__self__._rooms, "answerer", Slow())  # type: ignore[attr-defined]
    seen = await world.call("ben", "POST", "/api/ask/stream", {"question": ASKED}, LOW)
    assert b"event: problem" in seen.body
    await world.house.gate.folded()
    end = next(each for each in reversed(log(world, LOW)) if each.ref == seen.header("casemate-ledger"))
    assert end.outcome == "failed"
    again = await report(world, id)
    assert any(each["entry"] == end.id for each in again["saw"]), "what had been sent had been seen"
    assert {item["frozen"] for item in again["items"] if item["kind"] == "document"} == {True}


async def test_what_waits_is_raised_with_its_floor(world: World) -> None:
    await people(world)
    target = f"/api/documents?name=late.txt&base=law&label={LOW.replace('=', '%3D')}"
    id = (await world.call("ann", "POST", target, WORDS.encode(), LOW)).json["data"]["id"]
    assert (await contain(world, id, "relabel")).json["data"]["state"] == "done"
    await world.step("knowledge.ingest")
    assert id not in await found(world)
    [new] = set(await found(world, "ann", SECRET)) - set(await found(world))
    whole = (await world.call("ann", "GET", f"/api/documents/{new}", acting=SECRET)).json["data"]["document"]
    assert whole["label"] == SECRET


async def test_nothing_to_raise_is_said(world: World) -> None:
    await people(world)
    id = await spilled(world, SECRET)
    seen = await contain(world, id, "relabel")
    assert (seen.status, seen.json["slug"]) == (400, "malformed")


async def test_a_lower_officer_cannot_name_what_he_does_not_see(world: World) -> None:
    await people(world)
    id = await spilled(world, SECRET)
    await derived(world, SECRET)
    for path, body in (("/api/spills/report", {"object": id}), ("/api/spills", {"object": id, "how": "shred"})):
        seen = await world.call("olga", "POST", path, body, LOW)
        never = await world.call("olga", "POST", path, {**body, "object": "doc_never"}, LOW)
        assert (seen.status, seen.json["slug"]) == (never.status, never.json["slug"]) == (404, "absent")
    assert id in await found(world, "ben", SECRET)
