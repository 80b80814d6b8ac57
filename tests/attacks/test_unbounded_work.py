"""One request that keeps everybody waiting, or fills a memory."""

from __future__ import annotations

import asyncio

import pytest

from casemate.access import audit
from casemate.assistants import question_of
from casemate.doors.frame import dispatch
from casemate.knowledge import QUESTION
from casemate.knowledge.reading import portions
from casemate.labels import Policies
from casemate.policy import Action
from tests.attacks.scene import ASKED, LOW, SECRET, flow_of, hide, principal, scene
from tests.laws.world import World

READ = Action("read", "ledger")


MANY = " ".join(f"word{n}" for n in range(100_000))


@pytest.mark.parametrize(
    "question",
    [f"{ASKED} ".ljust(QUESTION) + MANY, f"{ASKED} " + "what do " * 100_000],
    ids=["a hundred thousand words", "what takes a pattern for ever"],
)
def test_a_question_is_searched_with_its_beginning(question: str) -> None:
    """What comes after it weighs nothing, and costs nothing: with all of it, one question stopped the region."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await hide(world, "analyst")
        told = await world.call("analyst", "POST", "/api/ask", {"question": question}, SECRET)
        assert "lantern burns" in told.json["data"]["text"]

    scene(do)


def test_too_many_lines_are_not_looked_at_for_marks() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        many = {"question": "(U)\n" * 200_000}
        assert (await world.call("analyst", "POST", "/api/ask", many, SECRET)).status == 400

    scene(do)


def test_looking_for_marks_leaves_the_loop_to_others() -> None:
    async def do(world: World) -> None:
        flow = await flow_of(world, principal(world, "analyst", SECRET), READ)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        waiting = asyncio.create_task(others())
        await flow.inspect(["(U) a\n" * 20_000])
        waiting.cancel()
        assert turns > 1

    scene(do)


def test_a_knowledge_base_named_twice_is_one() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await hide(world, "analyst")
        once = await world.call("analyst", "GET", "/api/search?q=lantern&base=law", acting=SECRET)
        twice = await world.call("analyst", "GET", "/api/search?q=lantern&base=law,law", acting=SECRET)
        assert (twice.status, twice.json["data"]) == (200, once.json["data"])
        asked = {"question": ASKED, "knowledge": "law,law"}
        assert (await world.call("analyst", "POST", "/api/ask", asked, SECRET)).status == 200

    scene(do)


def test_who_reads_his_own_entries_does_not_read_the_whole_log() -> None:
    async def do(world: World) -> None:
        mine = await flow_of(world, principal(world, "mine", LOW), READ)
        other = await flow_of(world, principal(world, "other", LOW), READ)
        await mine.release(b"")
        await other.release(b"said")
        world.calls.clear()
        assert [seen.entry.principal for seen in audit.entries(mine)] == ["mine"]
        reads = [call for call in world.calls if call.startswith("reader.entries")]
        assert len(reads) == 1
        audit.LOOKED, kept = 1, audit.LOOKED
        try:
            assert audit.entries(mine) == []
        finally:
            audit.LOOKED = kept

    scene(do)


def test_a_response_is_kept_up_to_a_bound() -> None:
    """Reading a large list again and again stored it again and again."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        kept, dispatch.KEPT = dispatch.KEPT, 10
        try:
            await world.call("analyst", "GET", "/api/session", acting=SECRET)
        finally:
            dispatch.KEPT = kept
        gate = world.house.gate
        flow = await flow_of(world, principal(world, "analyst", SECRET), READ)
        newest = audit.entries(flow, 1)[0]
        found = gate.recorder.find(newest.entry.id)
        assert found is not None
        assert gate.recorder.content(found[0], found[1]) == b'{"data":{"'

    scene(do)


@pytest.mark.parametrize(
    ("said", "question"),
    [
        (b'{"messages": [{"role": "user", "content": "pier?"}, {"role": "assistant", "content": null}]}', "pier?"),
        (b'{"messages": [{"role": "user", "content": [{"text": "pier?"}, {"cachePoint": {}}]}]}', "pier?\n\n"),
        (b'{"messages": [{"role": "user", "content": null}]}', ""),
        (b'{"messages": 3}', ""),
        (b'{"question": "pier?"}', "pier?"),
        (b"[" * 100_000, ""),
        (b"question=pier", ""),
    ],
)
def test_no_kept_request_spoils_the_pages_that_show_it(said: bytes, question: str) -> None:
    """One chat whose last content was null took `today` and `prove --last` from its author for a day."""
    assert question_of(said) == question


@pytest.mark.parametrize(
    "text",
    [
        "The hidden lantern of the pier " + "." * 300_000,
        "The hidden lantern of the pier " + "." * 300_000 + " is a pier.",
        "The hidden lantern " + "pier-" * 60_000 + " is a pier.",
        "The hidden lantern at the pier.\n" + "a word\n" * 100_000,
    ],
    ids=["dots", "a long word", "hyphens", "lines without a blank one"],
)
def test_a_document_that_takes_a_pattern_for_ever(text: str) -> None:
    """Twenty thousand dots kept a pattern, and with it the process, busy for ten seconds; twice as many, for forty."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await hide(world, "analyst", SECRET, text.encode())
        asked = {"question": f"What is a {ASKED}?"}
        told = await world.call("analyst", "POST", "/api/ask", asked, SECRET)
        assert "hidden lantern" in told.json["data"]["text"]

    scene(do)


@pytest.mark.parametrize("line", ["(C) x\n", "SECRET//NOFORN\n", "(S//NF) x\n"])
def test_many_marks_take_as_long_as_they_are_many(line: str) -> None:
    """Each was looked at once more for every one before it."""
    policies = Policies.load(("us", "nato"))
    stated = policies.parse("us:SECRET//NOFORN")
    outcome = portions.read([portions.Block(line * 20_000)], policies, policies.bottom(), stated)
    assert isinstance(outcome, portions.Marked)
