"""Attacks on documents, bases and sources: what lies in quarantine, what a place or a name tells, what vanishes."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from casemate.access import HELD, Flow
from casemate.crypto import arena
from casemate.engines.connect_folder import FolderConnector
from casemate.errors import BadInput, Unavailable
from casemate.knowledge import Compact, Connectors, Embedders, Forget, Library, Place, Reembed, add
from casemate.knowledge.bases import bases, make
from casemate.knowledge.documents.document import PART
from casemate.knowledge.documents.remove import describe
from casemate.knowledge.index.filter import Every, Some, checked
from casemate.knowledge.watching.source import sources
from casemate.labels import AccessClass
from casemate.policy import Action
from tests.access.test_flow import at
from tests.assistants.test_nightly import at as three
from tests.assistants.test_nightly import nightly, tallies
from tests.assistants.test_prove_all import people
from tests.attacks.scene import LOW, SECRET, TOP, bring, flow_of, hide, label_of, principal
from tests.knowledge.watching.test_sources import Shelf, connectors, ordered, room, texts
from tests.laws.world import World

SPILLED = b"(TS//SI//NF) The lantern is lit by the harbour master."


async def test_what_lies_in_quarantine_is_given_to_nobody_else(world: World) -> None:
    """Its marks lie above the label at which it was held: others who act there may not have the bytes."""
    for name in ("ann", "ben"):
        await world.person(name, SECRET)
    id = (await bring(world, "ann", SPILLED, LOW)).json["data"]["id"]
    told = await world.call("ben", "GET", "/api/documents", acting=LOW)
    assert [each["state"] for each in told.json["data"]["documents"]] == ["quarantined"]
    for acting in (LOW, SECRET):
        theirs = await world.call("ben", "GET", f"/api/documents/{id}/source", acting=acting)
        assert (theirs.status, b"harbour" in theirs.body) == (404, False)


async def test_a_place_that_is_raised_raises_what_its_sources_bring(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.")})
    await ordered(world, connectors(world, shelf, LOW), TOP)
    await room(world, connectors(world, shelf, SECRET)).look()
    assert (await texts(world, LOW), await texts(world, SECRET)) == ([], ["One."])


async def test_a_stated_label_below_a_place_that_was_raised(world: World) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"No mark.")})
    await ordered(world, connectors(world, shelf, LOW), TOP, stated="UNCLASSIFIED", marks="text")
    await room(world, connectors(world, shelf, SECRET)).look()
    assert (await texts(world, LOW), await texts(world, SECRET)) == ([], ["No mark."])


async def test_the_name_of_a_place_brings_no_file_name_down(world: World) -> None:
    """Origins that begin with file- are ids; a place may be called file-server."""
    shelf = Shelf(files={"lantern raid.txt": ("1", b"(U) One.\n\n(S//NF) Two.")})
    place = Place("file-server", "shelf", label_of(world, LOW))
    found = Connectors({"file-server": place}, {"shelf": lambda place, under, domain: shelf})
    await ordered(world, found, place="file-server")
    await room(world, found).look()
    assert {part.value.origin for part in await (await at(world, LOW)).every(PART)} == {""}


async def test_a_place_that_holds_too_many_files_loses_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.knowledge.watching.poll.MOST", 2)
    shelf = Shelf(files={"b.txt": ("1", b"(U) One."), "c.txt": ("1", b"(U) Two.")})
    found = connectors(world, shelf)
    await ordered(world, found)
    looking = room(world, found)
    await looking.look()
    shelf.files = {"a.txt": ("1", b"(U) Zero."), **shelf.files}
    await looking.look()
    assert {"One.", "Two."} <= set(await texts(world))


@pytest.mark.parametrize("kind", [Every, Some])
def test_a_filter_of_nothing_but_joints_is_too_large(kind: Any) -> None:
    with pytest.raises(BadInput):
        checked(kind(tuple(kind() for _ in range(10_000))))


@pytest.mark.parametrize(
    "body",
    [
        b'{"question":"pier","filter":' + b'{"type":"every","of":[' * 20_000 + b"]}" * 20_000 + b"}",
        b'{"question":"pier","filter":{"type":"compare","key":"attr.a","operator":"gt","value":1e999}}',
        b'{"question":"pier","filter":{"type":"compare","key":"attr.a","operator":"gt","value":' + b"9" * 500 + b"}}",
        b'{"question":"pier","filter":{"type":"compare","key":"attr.a","operator":"gt","value":NaN}}',
    ],
)
async def test_what_is_no_filter_is_malformed(world: World, body: bytes) -> None:
    await world.person("ann", SECRET)
    seen = await world.call("ann", "POST", "/api/search", body, LOW)
    assert seen.status == 400, seen.body


@pytest.mark.parametrize(
    "attributes", ['{"a":1e999}', '{"a":' + "9" * 400 + "}", '{"a":NaN}', '{"a":[[]]}', "[" * 9000]
)
async def test_what_is_no_attribute_is_malformed(world: World, attributes: str) -> None:
    await world.person("ann", SECRET)
    seen = await bring(world, "ann", b"(U) One.", LOW, attributes=attributes)
    assert seen.status == 400, seen.body


async def test_one_whose_floor_rises_while_it_replaces_comes_to_rest(world: World) -> None:
    """A removal that would land below the floor could never settle; what lies below it stays."""
    first = await brought(world, b"(U) One.\n\n(S//NF) Two.")
    second = await brought(world, b"No mark.", first)
    flow = await flow_of(world, principal(world, "ann", TOP), Action("add", "document"), TOP)
    flow.bear(label_of(world, SECRET))
    await flow.restate(second, label_of(world, SECRET), "text")
    await world.step("knowledge.ingest")
    assert await (await at(world, TOP)).every(HELD) == []
    assert (await texts(world, LOW), await texts(world, SECRET)) == (["One."], ["No mark.", "One."])


async def brought(world: World, data: bytes, replaces: str = "") -> str:
    """A file of ann's, read at TOP with the region's floor."""
    flow = await flow_of(world, principal(world, "ann", TOP), Action("add", "document"), TOP)
    added = await add(flow, "a.txt", "port", data, replaces=replaces)
    await world.step("knowledge.ingest")
    return added.id


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
async def test_a_folder_that_cannot_be_looked_into_just_now_has_not_vanished(tmp_path: Path, number: int) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"(U) One.")
    right = os.open

    def failing(path: Any, *more: Any, **named: Any) -> int:
        if path == "in":
            raise OSError(number, "just now")
        return right(path, *more, **named)

    with patch("os.open", failing), pytest.raises(Unavailable):
        await FolderConnector(tmp_path, "", "class").list()


@pytest.mark.parametrize("kind", [Forget, Compact, Reembed])
async def test_a_defect_that_one_class_meets_is_felt_by_no_other(world: World, kind: Any) -> None:
    """What leaves a step slows its loop for everybody."""
    for label in (LOW, SECRET, TOP):
        await hide(world, "owner", label, b"The hidden lantern of %d." % len(label))
    gate, right, told = world.house.gate, kind._class, []

    async def failing(self: Any, access: AccessClass) -> int:
        if access.label is label_of(world, SECRET):
            raise MemoryError
        told.append(access.label.text)
        return int(await right(self, access))

    loop = kind(gate, Embedders(None)) if kind is Reembed else kind(gate)
    with patch.object(kind, "_class", failing):
        await loop.step()
    assert {LOW, TOP} <= set(told)
    assert list(loop.problems.values()) == ["defect"]


@pytest.mark.parametrize("backwards", [False, True])
async def test_at_night_no_class_waits_for_one_above_it(
    world: World, monkeypatch: pytest.MonkeyPatch, backwards: bool
) -> None:
    """When a tally was kept would tell how long the world above takes; a defect there would leave it out."""
    await people(world)
    loop, order = nightly(world), []
    every = world.house.gate.classes.everything()
    monkeypatch.setattr(
        world.house.gate.classes, "everything", lambda: sorted(every, key=lambda c: c.label.text, reverse=backwards)
    )
    second = loop._prover.second

    async def failing(flow: Flow, copy: Any) -> Any:
        order.append(flow.acting.text)
        if flow.acting is label_of(world, SECRET):
            raise OSError(errno.ENOSPC, "no space")
        return await second(flow, copy)

    monkeypatch.setattr(loop._prover, "second", failing)
    three(world, 3.2)
    assert await loop.step() == 1
    assert order == [LOW, SECRET]
    assert list(loop.problems.values()) == ["defect"]


async def test_a_mark_in_attributes_is_looked_at(world: World) -> None:
    """They come to rest with every part of the file, the lowest too."""
    await world.person("ann", SECRET)
    said = '{"note":"(S//NF) The lantern burns"}'
    refused = await bring(world, "ann", b"(U) One.", LOW, attributes=said)
    assert (refused.status, refused.json["rule"]) == (403, "mark-above")
    await bring(world, "ann", b"(U) One.", SECRET, attributes=said)
    assert (await texts(world, LOW), await texts(world, SECRET)) == ([], ["One."])


async def test_a_lower_word_on_a_base_brings_no_part_of_its_documents_down(world: World) -> None:
    """Whoever labels whole documents goes on to do so, whatever somebody below says of a base of that name."""
    ann, low = principal(world, "ann", TOP), principal(world, "low", LOW)
    adds, makes = Action("add", "document"), Action("add", "knowledge")
    await make(await flow_of(world, ann, makes, SECRET), "port", Embedders(None), granularity="document")
    await make(await flow_of(world, low, makes, LOW), "port", Embedders(None), granularity="portion")
    flow = await flow_of(world, ann, adds, TOP)
    flow.bear(label_of(world, SECRET))
    await add(flow, "a.txt", "port", b"(S//NF) One.\n\n(TS//SI//NF) Two.")
    await world.step("knowledge.ingest")
    assert (await texts(world, SECRET), await texts(world)) == ([], ["One.\nTwo."])
    [told] = await bases(await flow_of(world, ann, Action("list", "knowledge"), SECRET), Embedders(None))
    assert told.granularity == "document"


@pytest.mark.parametrize(("clearance", "role"), [(LOW, "user"), (TOP, "auditor")])
async def test_a_source_ends_with_what_its_orderer_may(world: World, clearance: str, role: str) -> None:
    shelf = Shelf(files={"a.txt": ("1", b"(U) One.")})
    found = connectors(world, shelf)
    await ordered(world, found, SECRET)
    people = (await world.call("owner", "GET", "/api/principals")).json["data"]["principals"]
    id = next(each["id"] for each in people if each["name"] == "ann")
    less = {"name": "ann", "clearance": clearance, "roles": [role]}
    assert (await world.call("owner", "PUT", f"/api/principals/{id}", less)).status == 200
    looking = room(world, found)
    assert await looking.look() == 0
    assert (shelf.asked, await texts(world)) == ([], [])
    [(_, told)] = await sources(await at(world, SECRET))
    assert told.problem == "refused"
    assert (
        await world.call("owner", "PUT", f"/api/principals/{id}", less | {"clearance": TOP, "roles": ["user"]})
    ).status == 200
    assert await looking.look() == 1


async def test_no_domain_waits_for_the_memory_of_another(world: World) -> None:
    """To lock much memory takes long: who opens a large shard above keeps nobody below waiting."""
    await hide(world, "owner", LOW, b"The lantern burns.")
    await hide(world, "owner", SECRET, b"The hidden lantern burns.")
    library, right, held, done = Library(None), arena._mapped, threading.Event(), threading.Event()
    person, search = principal(world, "ann", TOP), Action("search", "knowledge")
    above, below = await flow_of(world, person, search, SECRET), await flow_of(world, person, search, LOW)

    def slow(size: int) -> int:
        if not held.is_set():
            held.set()
            done.wait(10)
        return right(size)

    with patch.object(arena, "_mapped", slow):
        asking = asyncio.ensure_future(library.view(above, ("all",)))
        try:
            await asyncio.to_thread(held.wait, 10)
            view = await asyncio.wait_for(library.view(below, ("all",)), 5)
        finally:
            done.set()
            await asking
    assert view.count == 1


async def test_a_description_that_comes_while_worlds_are_compared_is_no_leak(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(world)
    loop = nightly(world)
    [first, *_] = (await world.call("ann", "GET", "/api/documents", acting=LOW)).json["data"]["documents"]
    second, times = loop._prover.second, iter(range(100))

    async def meanwhile(flow: Flow, copy: Any) -> Any:
        ann = await flow_of(world, principal(world, "ann", TOP), Action("describe", "document"), LOW)
        await describe(ann, first["id"], {"time": str(next(times))})
        return await second(flow, copy)

    monkeypatch.setattr(loop._prover, "second", meanwhile)
    three(world, 3.2)
    await loop.step()
    [low] = await tallies(world, LOW)
    assert (low.worlds[0].settled, low.worlds[0].unequal) == (False, 0)
