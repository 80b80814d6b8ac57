"""The shelf as the wires call it: names, records and files that no wire can bring about by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import Absent, BadInput, Conflict, Refused, UnknownKnowledge
from casemate.identity import Bearer
from casemate.knowledge import NearShelf, check
from casemate.knowledge.documents.bring import add
from casemate.knowledge.shelf.seen import Piece, file_seen
from casemate.models.shelf import Compare, FileSeen, NewBase, Search, Shelf
from casemate.policy import Action
from tests.laws.world import World, a_world

LOW = "agency=EXERCISE"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"
MARKED = b"SECRET//NOFORN\n\n(U) The ferry sails.\n\n(S//NF) The convoy leaves.\n\nSECRET//NOFORN"


@asynccontextmanager
async def shelved() -> AsyncIterator[tuple[World, Shelf]]:
    async with a_world() as world:
        for name in ("ann", "bob"):
            await world.person(name, SECRET)
        shelf = world.house.shelf
        assert isinstance(shelf, NearShelf)
        yield world, shelf


async def flow_of(world: World, who: str = "ann", label: str = LOW) -> Flow:
    gate = world.house.gate
    session = gate.admit(Bearer(world.keys[who]))
    return await gate.open(session, Action("fill", "knowledge"), gate.vault.region.label(label))


async def test_a_base_with_a_name_of_its_own() -> None:
    async with shelved() as (world, shelf):
        flow = await flow_of(world)
        made = await shelf.make(flow, NewBase("harbour", "Harbour", granularity="document"))
        assert (made.name, made.title, made.granularity, made.by) == ("harbour", "Harbour", "document", "ann")
        assert (made.at, made.label) == (world.clock.now(), LOW)
        for who, label in (("ann", LOW), ("bob", LOW), ("bob", SECRET)):
            with pytest.raises(Conflict):
                await shelf.make(await flow_of(world, who, label), NewBase("harbour"))


async def test_that_a_name_is_taken_above_is_not_told_below() -> None:
    async with shelved() as (world, shelf):
        await shelf.make(await flow_of(world, "bob", SECRET), NewBase("harbour", "Hidden"))
        low = await flow_of(world)
        with pytest.raises(UnknownKnowledge):
            await shelf.base(low, "harbour")
        assert (await shelf.make(low, NewBase("harbour", "Mine"))).title == "Mine"
        high = await shelf.base(await flow_of(world, "bob", SECRET), "harbour")
        assert high.title == "Mine", "the lowest record rules"
        with pytest.raises(Refused, match="no-write-down"):
            await shelf.change(await flow_of(world, "ann", SECRET), "harbour", NewBase(title="x"))
        changed = await shelf.change(await flow_of(world, "bob", SECRET), "harbour", NewBase(title="Other"))
        assert changed.title == "Mine"


@pytest.mark.parametrize(
    "new", [NewBase("all"), NewBase("a b"), NewBase("x" * 65), NewBase(embedder="none"), NewBase(granularity="word")]
)
async def test_what_no_base_can_be(new: NewBase) -> None:
    async with shelved() as (world, shelf):
        flow = await flow_of(world)
        with pytest.raises(BadInput):
            await shelf.make(flow, new)
        assert await shelf.bases(flow) == []


async def test_the_name_of_all_bases_is_none_of_them() -> None:
    async with shelved() as (world, shelf):
        flow = await flow_of(world)
        await shelf.make(flow, NewBase("harbour"))
        calls: tuple[Any, ...] = (shelf.base(flow, "all"), shelf.files(flow, "all"), shelf.file(flow, "all", "x"))
        for call in calls:
            with pytest.raises(UnknownKnowledge):
                await call
        assert (await shelf.search(flow, Search(("x",), ("all",)))).hits == ()


async def test_a_base_in_which_nothing_lies_yet_is_one() -> None:
    async with shelved() as (world, shelf):
        flow = await flow_of(world)
        await shelf.make(flow, NewBase("harbour"))
        library = shelf._library  # type: ignore[attr-defined]
        await check(flow, library, ("harbour",))
        await check(flow, library, ("all",))
        with pytest.raises(UnknownKnowledge):
            await check(flow, library, ("harbour", "never"))
        with pytest.raises(UnknownKnowledge):
            await shelf.search(flow, Search(("x",), ("harbour", "never")))


async def test_a_file_is_named_by_where_it_came_from_and_found_alike_in_both_ways() -> None:
    async with shelved() as (world, shelf):
        flow = await flow_of(world, label=SECRET)
        given = await add(flow, "a.txt", "port", MARKED, origin="file-a")
        own = await add(flow, "b.txt", "port", b"The pier is long.", stated=SECRET)
        waits = await add(flow, "c.txt", "port", b"Fog.", origin="file-c")
        elsewhere = await add(flow, "a.txt", "other", MARKED, origin="file-a")
        assert [file.state for file in await shelf.files(flow, "port")] == ["waiting"] * 3
        await world.step("knowledge.ingest")
        for label in (LOW, SECRET):
            seen = await flow_of(world, label=label)
            files = await shelf.files(seen, "port")
            assert [await shelf.file(seen, "port", file.id) for file in files] == files
        high = {file.id: file for file in await shelf.files(flow, "port")}
        assert {id: file.state for id, file in high.items()} == {
            "file-a": "ready", own.id: "ready", "file-c": "unmarked",
        }  # fmt: skip
        assert (high["file-a"].document, high["file-c"].document) == (given.id, waits.id)
        low = await flow_of(world)
        [part] = await shelf.files(low, "port")
        assert (part.id, part.document) == ("file-a", given.id)
        assert await shelf.known(low, (given.id, own.id, elsewhere.id, "doc_never")) == [
            FileSeen(**{f: getattr(file, f) for f in file.__struct_fields__} | {"bytes": 0})
            for file in (part, await shelf.file(low, "other", "file-a"))
        ]
        for hidden in (own.id, given.id, "file-never"):
            with pytest.raises(Absent):
                await shelf.file(low, "port", hidden)


@pytest.mark.parametrize("step", range(1, 13))
async def test_a_file_that_is_read_meanwhile_is_never_left_out(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits until nothing is in progress would take what it sees for all there is."""
    async with shelved() as (world, shelf):
        flow = await flow_of(world, label=SECRET)
        await add(flow, "b.txt", "port", b"The pier is long.", stated=SECRET, origin="file-b")
        reads, every = 0, Flow.every

        async def between(self: Flow, *told: Any) -> Any:
            nonlocal reads
            reads += self is seen
            if self is seen and reads == step:
                await world.step("knowledge.ingest")
            return await every(self, *told)

        seen = await flow_of(world, label=SECRET)
        monkeypatch.setattr(Flow, "every", between)
        for look in (shelf.files(seen, "port"), shelf.file(seen, "port", "file-b"), shelf.base(seen, "port")):
            found = await look
            if isinstance(found, list):
                assert [file.id for file in found] == ["file-b"]
            elif not isinstance(found, FileSeen):
                assert found.documents + found.waiting == 1


async def test_what_is_gone_below_is_gone_above_and_not_beside() -> None:
    async with shelved() as (world, shelf):
        high, low = await flow_of(world, label=SECRET), await flow_of(world)
        await add(high, "a.txt", "port", MARKED, origin="file-a")
        await world.step("knowledge.ingest")
        await shelf.detach(high, "port", "file-a")
        assert [file.id for file in await shelf.files(low, "port")] == ["file-a"], "its low part lies below"
        assert await shelf.content(high, "port", "file-a") == ["The ferry sails."]
        assert await shelf.files(high, "port") == [await shelf.file(low, "port", "file-a")]
        assert await shelf.file(high, "port", "file-a") == await shelf.file(low, "port", "file-a")
        await shelf.detach(low, "port", "file-a")
        for flow in (low, high):
            assert await shelf.bases(flow) == []
            with pytest.raises(UnknownKnowledge):
                await shelf.files(flow, "port")


def test_a_file_of_several_documents_is_as_far_as_the_least_of_them() -> None:
    def piece(document: str, state: str, size: int) -> Piece:
        seen = FileSeen("file-a", "port", document, "a.zip", state, "", {}, 1, size, LOW)
        return Piece(document, "file-a", seen)

    pieces = [piece("doc_b", "ready", 3), piece("doc_a", "ready", 4), piece("doc_c", "quarantined", 0)]
    [found] = file_seen(pieces)
    assert (found.id, found.state, found.bytes, found.document) == ("file-a", "quarantined", 7, "doc_c")
    [ready] = file_seen(pieces[:2])
    assert (ready.state, ready.document) == ("ready", "doc_a")


async def test_what_is_said_of_a_part_above_is_said_of_that_part_alone() -> None:
    """In one search at the higher label: the low part is filtered by, and told with, what is said of it below."""
    async with shelved() as (world, shelf):
        high = await flow_of(world, label=SECRET)
        given = await add(high, "a.txt", "port", MARKED, attributes={"port": "Sable"})
        await world.step("knowledge.ingest")
        await shelf.describe(await flow_of(world, label=SECRET), "port", given.id, {"port": "Noir"})
        found = {}
        for port in ("Sable", "Noir"):
            asked = Search(("ferry convoy",), ("port",), filter=Compare("attr.port", "eq", port))
            hits = (await shelf.search(await flow_of(world, label=SECRET), asked)).hits
            found[port] = [(hit.text, hit.attributes["port"]) for hit in hits]
        assert found == {"Sable": [("The ferry sails.", "Sable")], "Noir": [("The convoy leaves.", "Noir")]}


async def test_the_files_of_removed_documents_are_known_no_longer() -> None:
    async with shelved() as (world, shelf):
        flow = await flow_of(world)
        ids = [(await add(flow, f"{n}.txt", "port", b"(U) Ferry %d." % n, stated=LOW)).id for n in range(2)]
        await world.step("knowledge.ingest")
        assert [file.document for file in await shelf.known(flow, tuple(ids))] == ids
        await shelf.detach(flow, "port", ids[0])
        assert [file.document for file in await shelf.known(flow, tuple(ids))] == ids[1:]
