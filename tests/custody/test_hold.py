"""Freezing: at once, everywhere, also what is just being read, asked or streamed; nobody but custody notices more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemate.access import HELD
from casemate.access.frozen import FROZEN
from casemate.errors import Conflict, Refused
from casemate.knowledge.documents.document import DOCUMENT, PART
from casemate.objects import Kind, Ref
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, log, principal
from tests.custody.spilled import ASKED, WORDS, contain, derived, found, people, spilled, two_person
from tests.laws.world import World


async def test_what_is_frozen_is_as_absent_as_what_never_was(world: World) -> None:
    await people(world)
    id = await spilled(world)
    _, kept = await derived(world)
    file = (await world.call("ann", "GET", f"/api/documents/{id}/source", acting=LOW)).status
    assert file == 200
    assert (await contain(world, id)).json["data"]["state"] == "frozen"
    for path in (f"/api/documents/{id}", f"/api/documents/{id}/lineage", f"/api/documents/{id}/source"):
        for acting in (LOW, SECRET, TOP):
            seen = await world.call("ann", "GET", path, acting=acting)
            never = await world.call("ann", "GET", path.replace(id, "doc_never"), acting=acting)
            assert (seen.status, seen.json["slug"]) == (never.status, never.json["slug"]) == (404, "absent")
    assert (await world.call("ann", "GET", f"/api/lineage/{id}", acting=LOW)).status == 404
    assert id not in await found(world, "ben", TOP)
    assert kept not in str((await world.call("ben", "GET", "/api/answers", acting=LOW)).json)
    asked = await world.call("ben", "POST", "/api/ask", {"question": ASKED}, LOW)
    assert "ninth convoy" not in asked.body.decode()
    listed = (await world.call("ann", "GET", "/api/documents", acting=LOW)).json["data"]
    assert id not in str(listed)
    assert (await world.call("ann", "DELETE", f"/api/documents/{id}", acting=LOW)).status == 404


async def test_the_gate_asks_before_it_serves_rows_children_and_bytes(world: World) -> None:
    await people(world)
    id = await spilled(world)
    flow = await flow_of(world, principal(world, "ann", TOP), Action("read", "document"), LOW)
    [whole] = await flow.read_each(DOCUMENT, id)
    assert await flow.blob(whole.ref.class_id, whole.value.source) == WORDS.encode()
    await contain(world, id)
    kinds: tuple[Kind[Any], ...] = (DOCUMENT, PART)
    for kind in kinds:
        assert await flow.read_each(kind, id) == []
        assert id not in [one.id for one in await flow.every(kind)]
        assert id not in [one.id for one in (await flow.scan(kind)).items]
    with pytest.raises(Exception, match="absent"):
        await flow.blob(whole.ref.class_id, whole.value.source)
    with pytest.raises(Exception, match="absent"):
        await flow.blob_into(whole.ref.class_id, whole.value.source, lambda size: memoryview(bytearray(size)))


async def test_where_nothing_is_frozen_nothing_more_is_asked(world: World) -> None:
    await people(world)
    await spilled(world)
    seen = await world.call("ann", "GET", "/api/documents", acting=LOW)
    assert not [call for call in seen.calls if call.startswith("reader.scan(frozen")]
    assert [call for call in seen.calls if call.startswith("reader.tides")]


async def test_an_answer_that_began_before_does_not_leave(world: World) -> None:
    """Whole: nothing goes. In pieces: no further piece, and of what was said nothing is kept."""
    await people(world)
    id = await spilled(world)
    session = principal(world, "ann", TOP)
    flow = await flow_of(world, session, Action("ask", "answer"), LOW)
    await flow.begin(b"?")
    flow.use(Ref(PART.name, id, flow.access.id))
    flow.still()
    await contain(world, id)
    with pytest.raises(Conflict):
        flow.still()
    with pytest.raises(Conflict):
        await flow.release(b"the ninth convoy")
    await flow.release(b"the ninth convoy", "failed", sent=True)
    await world.house.gate.folded()
    end = log(world, LOW)[-1]
    assert (end.outcome, end.ref) == ("failed", flow.begun)
    assert any(id in subject for subject in end.subjects)


async def test_a_document_that_is_being_read_does_not_come_to_rest(world: World) -> None:
    """It was held when it was frozen: its reader's commit is refused, and nothing of it is ever found."""
    await people(world)
    gate = world.house.gate
    target = f"/api/documents?name=late.txt&base=law&label={LOW.replace('=', '%3D')}"
    added = await world.call("ann", "POST", target, WORDS.encode(), LOW)
    id = added.json["data"]["id"]
    access = gate.classes.of(gate.vault.region.policies.parse(LOW))
    service = await gate.open(gate.service("knowledge", access), Action("settle", "document"))
    held = await service.read(HELD, id)
    settling = service.settle(held)
    assert (await contain(world, id)).json["data"]["state"] == "frozen"
    with pytest.raises(Conflict):
        await settling.commit("settled", {})
    await world.step("knowledge.ingest")
    assert id not in await found(world)
    assert (await world.call("ann", "GET", f"/api/documents/{id}", acting=LOW)).status == 404


async def test_a_question_beside_a_containment_sees_all_of_it_or_is_told_no(world: World) -> None:
    await people(world)
    id = await spilled(world)
    done = await asyncio.gather(contain(world, id), *(_asked(world) for _ in range(8)))
    assert done[0].status == 200
    assert "ninth convoy" not in (await _asked(world)).body.decode()
    assert {seen.status for seen in done[1:]} <= {200, 409}


async def _asked(world: World) -> Any:
    return await world.call("ben", "POST", "/api/ask", {"question": ASKED}, LOW)


async def test_only_an_officer_orders_it_and_two_agree(world: World) -> None:
    await people(world)
    await two_person(world)
    id = await spilled(world)
    for who in ("ann", "ada"):
        assert (await contain(world, id, who=who)).json["rule"] == "role"
    first = (await contain(world, id, "shred")).json["data"]
    assert (first["state"], first["waits"], first["solo"]) == ("frozen", True, False)
    again = await contain(world, id, "shred")
    assert (again.status, again.json.get("rule")) == (403, "two-person")
    other = (await contain(world, id, "relabel", who="otto")).json["data"]
    assert other["waits"] is True, "they do not agree on the same"
    done = (await contain(world, id, "shred", who="otto")).json["data"]
    assert (done["state"], done["second"], done["by"]) == ("done", "otto", "olga")


async def test_it_is_lifted_by_two_and_everything_is_there_again(world: World) -> None:
    await people(world)
    await two_person(world)
    id = await spilled(world)
    case = (await contain(world, id)).json["data"]["id"]
    assert id not in await found(world)
    first = await world.call("olga", "POST", f"/api/spills/{case}/lift", {}, SECRET)
    assert (first.status, first.json["data"]["waits"]) == (202, True)
    again = await world.call("olga", "POST", f"/api/spills/{case}/lift", {}, SECRET)
    assert again.json["rule"] == "two-person"
    second = await world.call("otto", "POST", f"/api/spills/{case}/lift", {}, SECRET)
    assert second.json["data"]["state"] == "lifted"
    assert id in await found(world)
    assert (await world.call("otto", "POST", f"/api/spills/{case}/lift", {}, SECRET)).status == 409


async def test_what_the_officer_does_not_see_is_contained_and_not_told(world: World) -> None:
    """An answer beside the true label quotes it: the officer hears nothing of that, and the loop holds it back."""
    await people(world)
    id = await spilled(world)
    entry, kept = await derived(world)
    text = (await world.call("ben", "GET", "/api/answers", acting=LOW)).json["data"][0]["answer"]["text"]
    body = {"text": text, "question": ASKED, "asked": entry}
    assert (await world.call("ben", "POST", "/api/answers", body, TOP)).status == 201
    seen = (await contain(world, id, "shred")).json["data"]
    assert {item["label"] for item in seen["report"]["items"]} == {LOW}
    assert "TOP SECRET" not in str(seen["report"])
    assert len((await world.call("ben", "GET", "/api/answers", acting=TOP)).json["data"]) == 1
    await world.step("custody.spill")
    assert (await world.call("ben", "GET", "/api/answers", acting=TOP)).json["data"] == []
    del kept


async def test_nothing_is_written_below_and_each_class_hears_only_of_its_own(world: World) -> None:
    await people(world)
    id = await spilled(world)
    case = (await contain(world, id, "relabel")).json["data"]["id"]
    said = [each for each in log(world, LOW) if each.action == "spill.hold"]
    assert said
    for each in said:
        assert each.principal == "service:custody"
        assert "SECRET" not in str(each)
        assert each.facts["case"] == case
    bad = await world.call("olga", "POST", "/api/spills", {"object": id}, LOW)
    assert bad.status == 404


async def test_a_service_that_is_not_custodys_sees_nothing_frozen(world: World) -> None:
    await people(world)
    id = await spilled(world)
    await contain(world, id)
    gate = world.house.gate
    access = gate.classes.of(gate.vault.region.policies.parse(LOW))
    other = await gate.open(gate.service("knowledge", access), Action("settle", "document"))
    assert id not in [one.id for one in await other.every(PART)]
    assert len(await other.every(FROZEN)) >= 2
    with pytest.raises(Refused):
        await gate.open(principal(world, "ann", TOP), Action("hold", "spill"))
