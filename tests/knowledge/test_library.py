"""The library: what a flow may see of it, kept in memory by domain, and the bases by name."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from casemate.clock import SECOND
from casemate.engines.hashing import HashingEmbedder
from casemate.errors import Damaged, UnknownKnowledge
from casemate.knowledge import QUESTION, Library, World, copied, decode, library
from casemate.policy import Action
from tests.access.damage import flipped
from tests.access.test_flow import at
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, bring, flow_of, principal
from tests.laws.world import World as Region

SEARCH = Action("search", "knowledge")
TEXTS = {
    (LOW, "harbour"): b"A lantern at the pier.",
    (SECRET, "harbour"): b"The hidden lantern burns.",
    (SECRET, "mill"): b"The hidden mill turns at the pier.",
    (TOP, "harbour"): b"A third lantern.",
}


async def stored(world: Region) -> Library:
    await world.person("ann", TOP)
    for (label, base), text in TEXTS.items():
        target = f"/api/documents?name=a.txt&base={base}&label={label.replace(' ', '%20').replace('+', '%2B')}"
        await world.call("ann", "POST", target, text, TOP)
    await world.step("knowledge.ingest")
    return Library(HashingEmbedder())


async def searched(world: Region, found: Library, label: str, *names: str, acting: str = "") -> list[str]:
    flow = await flow_of(world, principal(world, "ann", TOP), SEARCH, acting or label)
    if acting:
        flow = flow.at(flow.gate.vault.region.policies.parse(label))
    results = await found.search(flow, await found.ask(flow, ASKED), names or ("all",), 20)
    return sorted(hit.passage.text for hit in results.hits)


def said(*places: tuple[str, str]) -> list[str]:
    return sorted(TEXTS[place].decode() for place in places)


async def test_what_is_found_is_what_is_seen(world: Region) -> None:
    found = await stored(world)
    low, secret, mill, top = TEXTS
    assert await searched(world, found, LOW) == said(low)
    assert await searched(world, found, SECRET) == said(low, secret, mill)
    assert await searched(world, found, TOP) == said(low, secret, mill, top)
    assert await searched(world, found, SECRET, "mill") == said(mill)
    assert await searched(world, found, SECRET, "mill", "harbour", "mill") == said(low, secret, mill)
    assert await searched(world, found, LOW, acting=TOP) == said(low)


async def test_bases_are_known_where_something_of_them_is_seen(world: Region) -> None:
    found = await stored(world)
    assert [await found.bases(await at(world, label)) for label in (LOW, SECRET)] == [["harbour"], ["harbour", "mill"]]
    await found.check(await at(world, LOW), ("all",))
    await found.check(await at(world, SECRET), ("mill", "harbour"))
    for name in ("mill", "never", "n" * 500):
        with pytest.raises(UnknownKnowledge) as told:
            await found.check(await at(world, LOW), ("harbour", name))
        assert told.value.facts == {"name": name[:200]}


async def test_a_shard_is_kept_for_each_label_that_bears_it(world: Region) -> None:
    """In one domain: what one of two authorizations opens bears, in each rung, the one by which it is seen there."""
    both = f"{SECRET} + need=A + need=B"
    await world.person("ann", both)
    target = "/api/documents?name=a.txt&base=harbour&label=us:SECRET//NOFORN&need=A%7CB"
    await world.call("ann", "POST", target, b"The hidden lantern burns.", headers=(("casemate-acting-needs", "A,B"),))
    await world.step("knowledge.ingest")
    found = Library(HashingEmbedder())
    whole = await flow_of(world, principal(world, "ann", both), SEARCH, both)
    bears = {}
    for needs in ("A", "B", "AB", "A"):
        rung = whole.at(world.policies.parse(SECRET).with_needs(needs))
        [shard] = await found.shards(rung, ("all",))
        assert await found.labels(rung, ("all", "all")) == {shard.label}
        bears[needs] = "".join(sorted(shard.label.needs))
    assert bears == {"A": "A", "B": "B", "AB": "A"}
    assert await found.labels(whole.at(world.policies.parse(SECRET)), ("harbour",)) == set()


async def test_a_shard_is_read_once_for_its_domain_and_anew_for_another(world: Region) -> None:
    """What one domain has warmed is no sooner there for another."""
    found = await stored(world)
    reads: list[int] = []
    for label, acting in ((LOW, ""), (LOW, ""), (LOW, TOP), (LOW, TOP), (LOW, "")):
        world.calls.clear()
        await searched(world, found, label, acting=acting)
        reads.append(sum("blobs.read" in call for call in world.calls))
    assert reads == [1, 0, 1, 0, 0]


async def test_what_is_added_is_found_at_once(world: Region) -> None:
    found = await stored(world)
    await searched(world, found, LOW)
    await bring(world, "ann", b"Another lantern at the pier.", TOP, label=LOW)
    assert "Another lantern at the pier." in await searched(world, found, LOW)


async def test_a_domain_keeps_so_many_shards(world: Region) -> None:
    found = await stored(world)
    with patch.object(library, "SHARDS_KEPT", 1):
        for _ in range(2):
            world.calls.clear()
            await searched(world, found, SECRET)
            assert sum("blobs.read" in call for call in world.calls) == 3
    assert await searched(world, found, SECRET)


async def test_a_domain_that_has_long_asked_nothing_is_let_go(world: Region) -> None:
    found, reads = await stored(world), []
    for wait in (0, library.IDLE // SECOND, 1 + library.IDLE // SECOND):
        world.clock.forward(wait)
        world.calls.clear()
        await searched(world, found, LOW)
        reads.append(sum("blobs.read" in call for call in world.calls))
    assert reads == [1, 0, 1]


async def test_a_shard_that_was_changed_is_not_searched(world: Region) -> None:
    found = await stored(world)
    for file in sorted((world.folder / "data" / "blobs").rglob("*")):
        if file.is_file():
            file.write_bytes(flipped(file.read_bytes()))
    with pytest.raises(Damaged):
        await searched(world, found, LOW)


async def test_a_question_is_made_ready_with_a_vector_where_there_is_an_embedder(world: Region) -> None:
    await world.person("ann", TOP)
    flow = await at(world, LOW)
    asked = await Library(HashingEmbedder()).ask(flow, "hidden lantern")
    assert (asked.terms, len(asked.vector or b"")) == (["hid", "lantern"], 384)
    assert (await Library(None).ask(flow, "hidden lantern")).vector is None
    assert (await Library(HashingEmbedder()).ask(flow, "  ")).vector is None
    long = await Library(None).ask(flow, "word " * QUESTION)
    assert len(long.terms) <= QUESTION // 5 + 1


async def test_a_copy_holds_what_is_seen_and_rebuilds_it_byte_for_byte(world: Region) -> None:
    found = await stored(world)
    flow = await at(world, SECRET)
    copy: World = await copied(flow, found)
    assert (copy.documents, copy.passages) == (3, 3)
    assert {label.text for label in copy.classes} == {LOW, SECRET}
    assert sorted({base for _, base, _, _ in copy.shards}) == ["harbour", "mill"]
    placed = [(world.house.gate.classes.by_id(place).label, raw, count) for place, _, raw, count in copy.shards]
    for label, raw, count in placed:
        shard: Any = decode(raw, label)
        assert shard.count == count == 1
    originals = {(s.label.text, s.count) for s in await found.shards(flow, ("all",))}
    assert originals == {(label.text, count) for label, _, count in placed}
    assert (await copied(await at(world, LOW), found)).passages == 1
    assert (await copied(await at(world, LOW), Library(None))).documents == 1
