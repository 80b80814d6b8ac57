"""The library: what a flow may see of it, kept in memory by domain, and the bases by name."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from casemate.clock import SECOND
from casemate.engines.hashing import HashingEmbedder
from casemate.errors import Damaged, Unavailable, UnknownKnowledge
from casemate.knowledge import QUESTION, Embedders, Library, World, copied, decode, encode, library
from casemate.knowledge.documents.gone import GONE, GoneRecord
from casemate.objects import Put
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
    assert reads == [2, 0, 2, 0, 0]  # what is indexed, and the vectors


async def test_what_is_added_is_found_at_once(world: Region) -> None:
    found = await stored(world)
    await searched(world, found, LOW)
    await bring(world, "ann", b"Another lantern at the pier.", TOP, label=LOW)
    assert "Another lantern at the pier." in await searched(world, found, LOW)


async def test_a_domain_keeps_so_many_bytes(world: Region) -> None:
    """More than it may hold at once is refused to it; what it has not asked for lately is let go."""
    found = await stored(world)
    flow = await flow_of(world, principal(world, "ann", TOP), SEARCH, SECRET)
    sizes = [sum(map(len, encode(shard))) for shard in await found.shards(flow, ("all",))]
    reads = []
    found = Library(HashingEmbedder(), sum(sizes) - 1)
    for bases in (("harbour",), ("mill",), ("mill",), ("harbour",), ("mill",)):
        world.calls.clear()
        await found.search(flow, await found.ask(flow, ASKED, bases), bases, 20)
        reads.append(sum("blobs.read" in call for call in world.calls))
    with pytest.raises(Unavailable):
        await searched(world, found, SECRET)
    assert reads[2] == 0
    assert max(reads[3:]) > 0
    assert await searched(world, Library(HashingEmbedder(), sum(sizes)), SECRET)


async def test_a_domain_keeps_so_many_views(world: Region) -> None:
    """The shards stay; how they lie end to end is laid anew, and nothing of the answer changes."""
    found = await stored(world)
    flow = await flow_of(world, principal(world, "ann", TOP), SEARCH, SECRET)
    with patch.object(library, "VIEWS_KEPT", 1):
        first = await found.view(flow, ("all",))
        assert await found.view(flow, ("all",)) is first
        assert (await found.view(flow, ("mill",))).count == 1
        world.calls.clear()
        again = await found.view(flow, ("all",))
        lower = await found.view(flow.at(flow.gate.vault.region.policies.parse(LOW)), ("all",))
        assert (again is first, again.count, lower.count) == (False, first.count, 1)
        assert again.ids(np.arange(again.count)).tolist() == first.ids(np.arange(first.count)).tolist()
        assert not [call for call in world.calls if "blobs.read" in call]


async def test_a_domain_that_has_long_asked_nothing_is_let_go(world: Region) -> None:
    found, reads = await stored(world), []
    for wait in (0, library.IDLE // SECOND, 1 + library.IDLE // SECOND):
        world.clock.forward(wait)
        world.calls.clear()
        await searched(world, found, LOW)
        reads.append(sum("blobs.read" in call for call in world.calls))
    assert reads == [2, 0, 2]


async def test_a_shard_that_was_changed_is_not_searched(world: Region) -> None:
    found = await stored(world)
    for file in sorted((world.folder / "data" / "blobs").rglob("*")):
        if file.is_file():
            file.write_bytes(flipped(file.read_bytes()))
    with pytest.raises(Damaged):
        await searched(world, found, LOW)


async def test_a_question_is_made_ready_with_a_vector_for_each_embedder_that_is_seen(world: Region) -> None:
    found = await stored(world)
    flow = await at(world, LOW)
    asked = await found.ask(flow, "hidden lantern")
    assert asked.terms == ["hid", "lantern"]
    assert {name: len(raw) for name, raw in asked.vectors.items()} == {"hashing": 384}
    assert not (await Library(None).ask(flow, "hidden lantern")).vectors
    assert not (await found.ask(flow, "  ")).vectors
    assert not (await found.ask(flow, "hidden lantern", ("mill",))).vectors
    long = await Library(None).ask(flow, "word " * QUESTION)
    assert len(long.terms) <= QUESTION // 5 + 1


async def test_an_embedder_is_not_asked_in_a_language_that_it_does_not_serve(world: Region) -> None:
    found = await stored(world)
    flow = await at(world, LOW)
    english = HashingEmbedder()
    english.languages = frozenset({"en"})
    for place in (Library(english), Library(Embedders(None, english))):
        assert not (await place.ask(flow, "Qui est le gardien de la lanterne sur le quai, et que fait-il ?")).vectors
        assert (await place.ask(flow, "Who is the keeper of the lantern, and what does he do at the pier?")).vectors
        assert (await place.ask(flow, "lantern")).vectors
    assert found.embedder is not None
    assert found.embedders.names(flow.acting) == ("hashing",)


async def test_nothing_is_read_again_while_nothing_has_changed(world: Region) -> None:
    """One question to the store, whatever is searched; the rungs of an answer share it per acting label."""
    found = await stored(world)
    flow = await flow_of(world, principal(world, "ann", TOP), SEARCH, SECRET)
    first = await found.view(flow, ("all",))
    world.calls.clear()
    assert await found.view(flow, ("all", "all")) is first
    assert await found.view(flow, ("mill", "harbour")) is not first
    await found.bases(flow)
    await found.labels(flow, ("mill",))
    assert not [call for call in world.calls if "reader.scan" in call or "blobs" in call]


async def test_what_is_gone_is_as_if_it_had_never_been(world: Region) -> None:
    """A removal at a label rules what lies there and above, and nothing below; in the very next question."""
    found = await stored(world)
    flow = await at(world, SECRET)
    [low, *_] = [shard for shard in await found.shards(flow, ("all",)) if shard.label.text == LOW]
    view = await found.view(flow, ("all",))
    [mill] = await found.shards(flow, ("mill",))
    gone = Put(GONE, mill.filed[0].document, GoneRecord("ann", 1, "mill"), expect=0)
    await (await at(world, SECRET)).commit(gone, facts={})
    assert await searched(world, found, SECRET) == said((LOW, "harbour"), (SECRET, "harbour"))
    assert await found.shards(await at(world, SECRET), ("mill",)) == []
    assert await found.view(await at(world, SECRET), ("all",)) is not view
    assert (await copied(await at(world, SECRET), found)).passages == 2
    above = Put(GONE, low.filed[0].document, GoneRecord("ann", 1, "harbour"), expect=0)
    await (await at(world, SECRET)).commit(above, facts={})
    assert await searched(world, found, LOW) == said((LOW, "harbour"))


async def test_a_copy_holds_what_is_seen_and_rebuilds_it_byte_for_byte(world: Region) -> None:
    found = await stored(world)
    flow = await at(world, SECRET)
    copy: World = await copied(flow, found)
    assert (copy.documents, copy.passages) == (3, 3)
    assert {label.text for label in copy.classes} == {LOW, SECRET}
    assert sorted({each.base for each in copy.shards}) == ["harbour", "mill"]
    originals = {place: encode(shard) for place, shard in await found.placed(flow, ("harbour",))}
    for each in copy.shards:
        shard = decode(each.index, each.vectors, world.house.gate.classes.by_id(each.place).label, each.base)
        assert (shard.count, shard.embedder) == (each.passages, each.embedder) == (1, "hashing")
        assert originals.get(each.place, encode(shard)) == encode(shard) or each.base == "mill"
    assert (await copied(await at(world, LOW), found)).passages == 1
    assert (await copied(await at(world, LOW), Library(None))).documents == 1


async def test_a_copy_holds_nothing_that_was_removed(world: Region) -> None:
    found = await stored(world)
    before = await copied(await at(world, SECRET), found)
    removed = before.parts[0]
    gone = Put(GONE, removed.id, GoneRecord("ann", 1, removed.value.base), expect=0)
    await (await at(world, removed.label.text)).commit(gone, facts={})
    after = await copied(await at(world, SECRET), found)
    assert removed.id not in {part.id for part in after.parts} | {whole.id for whole in after.wholes}
    assert (after.documents, after.passages) == (before.documents - 1, before.passages - 1)


async def test_a_question_takes_the_turn_of_its_own_domain(world: Region) -> None:
    """Also where a rung acts lower: what it asks an embedder waits with its own request and with nobody else's."""
    await stored(world)
    turns: list[str] = []

    class Noting(HashingEmbedder):
        async def embed(self, texts: list[str], domain: str = "") -> list[bytes]:
            turns.append(domain)
            return await super().embed(texts, domain)

    found = Library(Noting())
    for label, acting in ((LOW, ""), (LOW, TOP)):
        await searched(world, found, label, acting=acting)
    gate = world.house.gate
    assert turns == [gate.classes.of(world.policies.parse(label)).id for label in (LOW, TOP)]


async def test_a_flow_has_seen_what_it_searched_however_warm_it_was(world: Region) -> None:
    """What lets nobody settle who has looked at anything else: a view that is at hand is looked at too."""
    found = await stored(world)
    seen = []
    for _ in range(2):
        flow = await at(world, SECRET)
        await found.view(flow, ("all",))
        seen.append({ref.kind for ref in flow.seen})
    assert seen == [{"segment"}] * 2
