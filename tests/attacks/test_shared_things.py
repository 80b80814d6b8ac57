"""What sessions of all labels use together: the disk, caches, queues, the loops of the house."""

from __future__ import annotations

from typing import Any

import apsw

from casemate.knowledge import Library, copied
from casemate.policy import Action
from casemate.wiring.twin import Twin
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, flow_of, hide, label_of, log, principal, scene
from tests.laws.world import World


def test_the_room_on_the_disk_is_told_at_the_ceiling_alone() -> None:
    """What a hidden session stores was read below in MiB."""

    async def do(world: World) -> None:
        await world.person("low", LOW)
        below = (await world.call("low", "GET", "/api/doctor")).json["data"]
        assert not {"disk", "records"} & {check["name"] for check in below}
        above = (await world.call("owner", "GET", "/api/doctor")).json["data"]
        assert {"disk", "records"} <= {check["name"] for check in above}

    scene(do)


def test_many_domains_push_none_out_of_memory() -> None:
    """A hidden session that acted at some hundreds of labels made a question below read from the disk again."""

    async def do(world: World) -> None:
        await world.person("low", LOW)
        await hide(world, "low", LOW)
        await world.call("low", "POST", "/api/ask", {"question": ASKED}, LOW)
        countries = sorted(world.policies.listed["us"].by_name["REL"].tokens)
        session = principal(world, "high", TOP)
        asked: Any = None
        for country in countries[:300]:
            label = f"{LOW} + us:SECRET//REL={','.join(sorted({'USA', country}))}"
            flow = await flow_of(world, session, Action("search", "knowledge"), label)
            library = _library(world)
            asked = asked or await library.ask(flow, ASKED)
            await library.search(flow, asked, ("all",), 5)
        assert len(countries) > 256
        warm = await world.call("low", "POST", "/api/ask", {"question": ASKED}, LOW)
        assert not any(call.startswith("blobs.read") for call in warm.calls)

    scene(do)


def test_a_domain_that_asks_nothing_for_long_is_let_go() -> None:
    async def do(world: World) -> None:
        await world.person("low", LOW)
        await hide(world, "low", LOW)
        for seconds, cold in ((0, True), (800, False), (800, False), (1000, True)):
            world.clock.forward(seconds)
            seen = await world.call("low", "POST", "/api/ask", {"question": ASKED}, LOW)
            assert any(call.startswith("blobs.read") for call in seen.calls) is cold

    scene(do)


def _library(world: World) -> Library:
    answerer: Any = world.house.answerer
    found = answerer._answerer._library  # behind the meter
    assert isinstance(found, Library)
    return found


def test_a_document_that_meets_a_defect_holds_up_nobody() -> None:
    """It is put aside, the next one of its class and those of other classes settle."""

    async def do(world: World) -> None:
        await world.person("analyst", TOP)
        extractor = world.house.extractor
        assert extractor is not None
        right = extractor.extract

        async def breaks(name: str, data: bytes, domain: str | None = None) -> Any:
            if b"poison" in data:
                raise ValueError("a defect")
            return await right(name, data, domain)

        extractor.extract = breaks  # type: ignore[method-assign]
        stated = SECRET.replace(" ", "%20").replace("+", "%2B")
        await world.call("analyst", "POST", f"/api/documents?name=a.txt&label={stated}", b"poison", SECRET)
        await hide(world, "analyst", SECRET)
        await hide(world, "analyst", LOW, b"A lantern below.")
        listed = (await world.call("analyst", "GET", "/api/documents", acting=SECRET)).json["data"]
        assert sorted(d["state"] for d in listed["documents"]) == ["quarantined", "ready", "ready"]
        assert listed["waiting"] == []

    scene(do)


def test_a_damaged_log_stops_no_other_logs_checkpoint() -> None:
    async def do(world: World) -> None:
        for label in (LOW, SECRET, TOP):
            await flow_of(world, principal(world, "somebody", label), Action("read", "region"))
            flow = await flow_of(world, principal(world, "somebody", label), Action("read", "region"))
            await flow.begin(b"")
            await flow.release(b"")
        gate = world.house.gate
        ids = {label: gate.classes.of(label_of(world, label)).id for label in (LOW, SECRET, TOP)}
        db = apsw.Connection(str(world.house.folder.records))
        db.execute("DELETE FROM entries WHERE log = ? AND seq = 0", (ids[SECRET],))
        db.close()
        await world.step("ledger.checkpoint", "ledger.reconcile")
        points = {label: gate.vault.reader.scan("checkpoint", [], [id], None, 5)[0] for label, id in ids.items()}
        assert [len(points[label]) for label in (LOW, SECRET, TOP)] == [1, 0, 1]

    scene(do)


def test_a_changed_entry_is_a_verdict_and_not_a_failure() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET, ("user", "auditor"))
        await hide(world, "analyst")
        await world.call("analyst", "GET", "/api/session", acting=LOW)
        gate = world.house.gate
        id = gate.classes.of(label_of(world, SECRET)).id
        db = apsw.Connection(str(world.house.folder.records))
        db.execute("UPDATE entries SET sealed = zeroblob(80) WHERE log = ? AND seq = 1", (id,))
        db.close()
        seen = await world.call("analyst", "POST", "/api/ledger/verify", {}, SECRET)
        states = {each["label"]: each["verdict"]["state"] for each in seen.json["data"]}
        assert states[SECRET] == "tampered"
        assert states[LOW] == "ok"

    scene(do)


def test_reconciling_reads_a_log_once_for_all_classes_above() -> None:
    """Labels that somebody chooses made the loop ask the store once for every pair of classes."""

    async def do(world: World) -> None:
        session = principal(world, "high", TOP)
        for country in sorted(world.policies.listed["us"].by_name["REL"].tokens)[:30]:
            label = f"{LOW} + us:SECRET//REL={','.join(sorted({'USA', country}))}"
            flow = await flow_of(world, session, Action("read", "region"), label)
            await flow.release(b"")
        await world.step("ledger.reconcile")
        world.calls.clear()
        await world.step("ledger.reconcile")
        assert [call.partition("(")[0] for call in world.calls] == ["reader.classes", "reader.sizes"]
        low = await flow_of(world, principal(world, "low", LOW), Action("read", "region"))
        await low.release(b"")
        world.calls.clear()
        await world.step("ledger.reconcile")
        assert sum(call.startswith("reader.entries") for call in world.calls) == 1

    scene(do)


def test_what_was_really_asked_still_reaches_the_log_above() -> None:
    async def do(world: World) -> None:
        await world.person("low", LOW)
        await world.person("analyst", SECRET)
        id = (await hide(world, "analyst")).json["data"]["id"]
        await world.step("ledger.reconcile")
        assert (await world.call("low", "GET", f"/api/documents/{id}", acting=LOW)).status == 404
        await world.step("ledger.reconcile")
        told = [entry for entry in log(world, SECRET) if entry.rule == "no-read-up"]
        assert [entry.facts["principal"] for entry in told] == ["low"]
        await world.step("ledger.reconcile")
        assert [entry for entry in log(world, SECRET) if entry.rule == "no-read-up"] == told

    scene(do)


def test_what_a_crash_leaves_of_a_proof_cannot_be_opened() -> None:
    """The copies of a proof lie outside of the region's folder: their keys do not lie beside them."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await hide(world, "analyst")
        flow = await flow_of(world, principal(world, "analyst", SECRET), Action("ask", "answer"))
        twin = Twin(world.house.catalogue, _library(world).embedder)
        second = await twin(flow, await copied(flow, _library(world)))
        try:
            assert [found.name for found in second.folder.iterdir()] == ["data"]
            files = [file for file in second.folder.rglob("*") if file.is_file()]
            assert files
            assert not any(b"lantern" in file.read_bytes() for file in files)
        finally:
            await second.close()
        assert not second.folder.exists()

    scene(do)
