"""Rewriting segments: fenced, whole or not at all, by tiers; forgotten rows and new vectors go the same way."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from casemate.engines.hashing import HashingEmbedder
from casemate.errors import Conflict, StorageFull, Unavailable
from casemate.knowledge import Compact, Embedders, Forget, Ingest, Library, Reembed, merge
from casemate.knowledge.bases import bases, drawn, give_up, make
from casemate.knowledge.documents.document import PART, SEGMENT, Segment
from casemate.knowledge.documents.remove import remove
from casemate.knowledge.segments import rewrite
from casemate.knowledge.segments.compact import SEGMENTS, tiers
from casemate.labels import make_label
from casemate.objects import Found, Ref
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.knowledge.test_ingest import Reads, bring, text
from tests.laws.world import World

SETTLE = Action("settle", "document")


class Named(HashingEmbedder):
    """An embedder of another name, and other vectors."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.asked: list[list[str]] = []

    @property
    def name(self) -> str:
        return self._name

    async def embed(self, texts: list[str], domain: str = "") -> list[bytes]:
        self.asked.append(list(texts))
        return await super().embed([f"{self._name} {each}" for each in texts], domain)


async def filled(world: World, count: int, label: str = LOW, embedder: Any = None, start: int = 0) -> list[str]:
    ingest = Ingest(world.house.gate, Reads(text), embedder, None)
    ids = []
    for number in range(start, start + count):
        ids.append(await bring(world, b"(U) Number %d of the ferry." % number, label, stated=label))
        await ingest.step()
    return ids


async def own(world: World, label: str = LOW) -> Any:
    gate = world.house.gate
    return await gate.open(gate.service("knowledge", gate.classes.of(label_of(world, label))), SETTLE)


async def segments(world: World, label: str = TOP) -> list[Found[Segment]]:
    return await (await at(world, label)).every(SEGMENT)


async def found(world: World, label: str = TOP, question: str = "ferry number") -> list[tuple[str, str, float]]:
    library = Library(Embedders(HashingEmbedder(), Named("other")))
    flow = await flow_of(world, principal(world, "ann", TOP), Action("search", "knowledge"), label)
    results = await library.search(flow, await library.ask(flow, question), ("all",), 50)
    return [(hit.passage.id, hit.passage.text, hit.fused) for hit in results.hits]


async def test_of_two_writers_the_one_that_was_overtaken_lands_nothing(world: World) -> None:
    await filled(world, 3)
    before = await found(world)
    flows = [await own(world), await own(world)]
    fences = [await rewrite.fence(flow, "port") for flow in flows]
    several = [(await rewrite.own(flow))["port"] for flow in flows]
    shards = [[await rewrite.load(flow, each) for each in mine] for flow, mine in zip(flows, several, strict=True)]
    await rewrite.rewrite(flows[1], "port", fences[1], several[1][:2], [merge(shards[1][:2])])
    assert (await found(world), len(await segments(world))) == (before, 2)
    with pytest.raises(Conflict):  # it merges others, but has not seen what was written meanwhile
        await rewrite.rewrite(
            flows[0],
            "port",
            fences[0],
            several[0][2:],
            [shards[0][2]],
        )
    with pytest.raises(Conflict):
        await rewrite.rewrite(flows[0], "port", fences[0], several[0], [merge(shards[0])])
    assert (await found(world), len(await segments(world))) == (before, 2)
    late = await own(world)
    last = (await rewrite.own(late))["port"]
    whole = merge([await rewrite.load(late, each) for each in last])
    await rewrite.rewrite(late, "port", await rewrite.fence(late, "port"), last, [whole])
    assert (await found(world), len(await segments(world))) == (before, 1)


async def test_what_dies_between_blob_and_commit_leaves_a_blob_that_nobody_names(world: World) -> None:
    await filled(world, SEGMENTS + 1)
    before, rows = await found(world), await segments(world)
    committer = world.house.gate.vault.committer._port

    async def dies(batch: Any) -> Any:
        raise StorageFull

    compact = Compact(world.house.gate)
    with patch.object(committer, "commit", dies):
        assert await compact.step() == 0
    assert list(compact.problems.values()) == ["storage-full"]
    assert (await found(world), await segments(world)) == (before, rows)
    assert await compact.step() == 1
    assert (await found(world), len(await segments(world))) == (before, 1)


async def test_the_same_bytes_again_are_neither_lost_nor_doubled(world: World) -> None:
    await filled(world, 1)
    flow = await own(world)
    several = (await rewrite.own(flow))["port"]
    shard = await rewrite.load(flow, several[0])
    await rewrite.rewrite(flow, "port", 0, several, [shard])
    assert [each.id for each in await segments(world)] == [each.id for each in several]
    assert await rewrite.fence(flow, "port") > 0


def test_segments_are_merged_by_tiers_and_embedders() -> None:
    def segment(passages: int, embedder: str = "") -> Found[Segment]:
        label = make_label({})
        return Found(Ref("segment", str(passages), "c"), 1, label, Segment("b", "x", passages, "", embedder))

    several = [segment(size) for size in (1, 7, 8, 63, 64, 512)] + [segment(3, "e")]
    assert [[each.value.passages for each in tier] for tier in tiers(several)] == [[1, 7], [8, 63], [64], [512], [3]]


async def test_a_passage_is_written_again_as_often_as_the_tiers_say(world: World) -> None:
    await filled(world, 2 * (SEGMENTS + 1))
    compact = Compact(world.house.gate)
    assert [await compact.step() for _ in range(2)] == [1, 0]
    await filled(world, SEGMENTS, start=100)
    assert await compact.step() == 0, "the larger one is left alone"
    assert sorted(each.value.passages for each in await segments(world)) == [1] * SEGMENTS + [2 * (SEGMENTS + 1)]


async def removed(world: World, id: str, label: str) -> None:
    await remove(await flow_of(world, principal(world, "ann", TOP), Action("remove", "document"), label), id)


async def test_what_is_gone_leaves_rows_and_shards(world: World) -> None:
    ids = await filled(world, SEGMENTS + 2)
    await Compact(world.house.gate).step()
    for id in ids[:3]:
        await removed(world, id, LOW)
    before = await found(world)
    assert len(before) == SEGMENTS - 1
    forget = Forget(world.house.gate, None)
    assert [await forget.step() for _ in range(2)] == [3, 0]
    assert await found(world) == before
    [segment] = await segments(world)
    shard = await rewrite.load(await own(world), segment)
    assert {each.document for each in shard.filed} == set(ids[3:])
    assert {each.id for each in await (await at(world, TOP)).every(PART)} == set(ids[3:])
    for id in ids[3:]:
        await removed(world, id, LOW)
    assert await forget.step() == len(ids) - 3
    assert (await segments(world), await found(world)) == ([], [])
    assert [loop.name for loop in forget.loops()] == ["knowledge.forget"]
    await forget.stop()


async def test_what_cannot_be_forgotten_now_is_tried_again(world: World) -> None:
    [id] = await filled(world, 1)
    await removed(world, id, LOW)
    forget, committer = Forget(world.house.gate, None), world.house.gate.vault.committer._port

    async def full(batch: Any) -> Any:
        raise StorageFull

    with patch.object(committer, "commit", full):
        assert await forget.step() == 0
    assert list(forget.problems.values()) == ["storage-full"]
    assert await forget.step() == 1
    assert forget.problems == {}


async def acts(world: World, verb: str, label: str, who: str = "ann") -> Any:
    return await flow_of(world, principal(world, who, TOP), Action(verb, "knowledge"), label)


async def test_another_embedder_comes_online_class_by_class(world: World) -> None:
    first, second = HashingEmbedder(), Named("other")
    both = Embedders(first, second)
    await filled(world, 2, LOW, both)
    await filled(world, 2, SECRET, both, 100)
    world.clock.forward(1)
    ingest = Ingest(world.house.gate, Reads(text), both, None)
    await bring(world, b"(S//NF) The convoy and the ferry.", SECRET)
    await ingest.step()
    texts = {each for _, each, _ in await found(world)}
    await make(await acts(world, "reembed", SECRET), "port", both, embedder="other")
    [told] = await bases(await acts(world, "list", SECRET), both)
    assert (told.embedder, told.others, told.passages) == ("other", 1, len(texts))
    [low] = await bases(await acts(world, "list", LOW), both)
    assert (low.embedder, low.others) == (first.name, 0), "below it is not heard"
    reembed = Reembed(world.house.gate, both, None)
    assert [await reembed.step() for _ in range(3)] == [1, 0, 0]
    assert all("convoy" in each for texts in second.asked for each in texts), "nothing of another class"
    [told] = await bases(await acts(world, "list", SECRET), both)
    assert told.others == 0
    assert {each for _, each, _ in await found(world)} == texts
    names = {(each.label.text, each.value.embedder) for each in await segments(world)}
    assert names == {(LOW, first.name), (SECRET, "other")}
    assert [entry.facts["reembedded"] for entry in log(world, SECRET) if "reembedded" in entry.facts] == [1]
    await bring(world, b"(S//NF) Another convoy.", SECRET)
    await ingest.step()
    assert {each.value.embedder for each in await segments(world) if each.label.text == SECRET} == {"other", first.name}
    await make(await acts(world, "reembed", SECRET), "port", both, embedder="")
    assert await reembed.step() == 1
    assert {each.value.embedder for each in await segments(world)} == {first.name}
    await reembed.stop()
    assert [loop.name for loop in reembed.loops()] == ["knowledge.reembed"]


async def test_a_region_without_an_embedder_has_no_vectors_any_more(world: World) -> None:
    await filled(world, 1, LOW, HashingEmbedder())
    reembed = Reembed(world.house.gate, Embedders(), None)
    assert await reembed.step() == 1
    [segment] = await segments(world)
    assert (segment.value.embedder, segment.value.vectors) == ("", "")
    assert [each for _, each, _ in await found(world)] == ["Number 0 of the ferry."]


async def test_a_base_is_read_from_the_floor_as_it_was_told_there(world: World) -> None:
    """What is said of a base above the floor does not show in what comes to rest below."""
    both = Embedders(HashingEmbedder(), Named("other"))
    await make(await acts(world, "add", LOW), "port", both, granularity="document", embedder="other", title="Port")
    await make(await acts(world, "add", SECRET), "port", both, granularity="portion", embedder="")
    ingest = Ingest(world.house.gate, Reads(text), both, None)
    await bring(world, b"(U) One.\n\n(S//NF) Two.", SECRET)
    await ingest.step()
    found = await (await at(world, TOP)).every(PART)
    assert [(part.label.text, [p.text for p in part.value.passages]) for part in found] == [(SECRET, ["One.\nTwo."])]
    assert {each.value.embedder for each in await segments(world)} == {"other"}


async def test_a_base_is_changed_by_whoever_said_it_and_given_up(world: World) -> None:
    from casemate.errors import Absent, BadInput, Refused

    both = Embedders(HashingEmbedder(), Named("other"))
    base = await make(await acts(world, "add", SECRET), "port", both, new=True, title="Port", metadata={"a": "b"})
    assert (base.title, base.metadata, base.by) == ("Port", {"a": "b"}, "ann")
    changed = await make(await acts(world, "change", SECRET), "port", both, title="Quay", expires_after=60)
    assert (changed.title, changed.metadata, changed.at) == ("Quay", {"a": "b"}, base.at)
    with pytest.raises(Conflict):
        await make(await acts(world, "add", SECRET), "port", both, new=True)
    with pytest.raises(Refused):
        await make(await acts(world, "change", SECRET, "ben"), "port", both, title="Mine")
    wrong: list[dict[str, Any]] = [
        {"embedder": "never"},
        {"granularity": "poem"},
        {"title": "t" * 201},
        {"expires_after": -1},
        {"metadata": {"": "v"}},
        {"metadata": {str(n): "" for n in range(17)}},
    ]
    for said in wrong:
        with pytest.raises(BadInput):
            await make(await acts(world, "change", SECRET), "port", both, **said)
    with pytest.raises(BadInput):
        await make(await acts(world, "add", SECRET), "all", both)
    assert drawn(await acts(world, "add", SECRET)).startswith("vs_")
    ingest = Ingest(world.house.gate, Reads(text), both, None)
    low = await bring(world, b"(U) Low ferry.", LOW)
    await bring(world, b"(S//NF) High ferry.", SECRET)
    await ingest.step()
    with pytest.raises(Absent):
        await give_up(await acts(world, "remove", SECRET, "ben"), "port")
    assert await give_up(await acts(world, "remove", SECRET), "port") == 1
    with pytest.raises(Absent):
        await give_up(await acts(world, "remove", SECRET), "port")
    assert [each for _, each, _ in await found(world)] == ["Low ferry."]
    assert [each.id for each in await (await at(world, LOW)).every(PART)] == [low]
    assert [told.title for told in await bases(await acts(world, "list", SECRET), both)] == [""]


async def test_what_is_said_of_a_base_above_does_not_show_below(world: World) -> None:
    both = Embedders(HashingEmbedder(), Named("other"))
    await make(await acts(world, "add", SECRET), "port", both, granularity="document", embedder="other")
    ingest = Ingest(world.house.gate, Reads(text), both, None)
    await bring(world, b"(U) One.\n\n(S//NF) Two.", SECRET)
    await ingest.step()
    found = {part.label.text for part in await (await at(world, TOP)).every(PART)}
    assert found == {LOW, SECRET}
    assert {each.value.embedder for each in await segments(world)} == {HashingEmbedder().name}


async def test_vectors_that_cannot_be_made_now_are_made_later(world: World) -> None:
    class Down(Named):
        async def embed(self, texts: list[str], domain: str = "") -> list[bytes]:
            raise Unavailable(what="embedder")

    await filled(world, 1, LOW, HashingEmbedder())
    down = Reembed(world.house.gate, Embedders(Down("other")), None)
    before = await segments(world)
    assert await down.step() == 0
    assert list(down.problems.values()) == ["unavailable"]
    assert await segments(world) == before
    assert await Reembed(world.house.gate, Embedders(Named("other")), None).step() == 1


async def test_another_base_is_not_touched_when_something_is_forgotten(world: World) -> None:
    ids = await filled(world, 2)
    before = {each.id for each in await segments(world)}
    await removed(world, ids[0], LOW)
    assert await Forget(world.house.gate, None).step() == 1
    assert len(before & {each.id for each in await segments(world)}) == 1
