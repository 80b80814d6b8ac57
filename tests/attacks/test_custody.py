"""Custody, by whoever wants something swept, kept, told or taken that is not his: the store, spills, keys, copies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from casemate.access.destroyed import doom
from casemate.buckets import Buckets
from casemate.cli.table import columns
from casemate.cli.talk import Talk, harmless
from casemate.custody.scrub import Scrub, Stretch
from casemate.errors import Absent, CasemateError, Conflict, Damaged
from casemate.policy import Action
from casemate.wiring.naming import NAMING
from tests.attacks.scene import flow_of, principal, scene
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket, gathered
from tests.custody.spilled import WORDS, contain, everything_said, people, spilled
from tests.laws.world import World

SCRUB = Action("scrub", "store")


async def scrubbed(world: World, scrub: Scrub, who: str = "operator") -> Stretch:
    """A whole run at the low label, by an operator himself; what it says together of swept blobs."""
    after, swept = "", 0
    while True:
        flow = await flow_of(world, principal(world, who, LOW, "operator"), SCRUB, LOW)
        found = await scrub.stretch(flow, after)
        swept += found.swept
        after = found.after
        if not after:
            return Stretch(swept=swept)


def test_an_operator_who_scrubs_sweeps_nothing_that_is_frozen() -> None:
    """He does not see what is frozen, and took its bytes for nobody's: a freeze could not be lifted again."""

    async def do(world: World) -> None:
        await people(world)
        room = Buckets()
        await bucket(world, room)
        await room.put(await at(world, LOW), "plans", "a", body(WORDS.encode()), PLAIN)
        case = (await contain(world, "bucket.object/plans/a")).json["data"]
        assert case["state"] == "frozen"
        world.clock.forward(3600)
        assert (await scrubbed(world, Scrub(NAMING, 1))).swept == 0
        lifted = await world.call("olga", "POST", f"/api/spills/{case['id']}/lift", {}, SECRET)
        assert lifted.json["data"]["state"] == "lifted"
        flow = await at(world, LOW, "read")
        assert await gathered(room.read(flow, await room.seen(flow, "plans", "a"))) == WORDS.encode()

    scene(do)


def test_a_key_that_is_frozen_takes_no_new_object_in_vain() -> None:
    """It was accepted, put in the place of what is frozen, and shown to nobody; and what was frozen was gone."""

    async def do(world: World) -> None:
        await people(world)
        room = Buckets()
        await bucket(world, room)
        await room.put(await at(world, LOW), "plans", "a", body(WORDS.encode()), PLAIN)
        case = (await contain(world, "bucket.object/plans/a")).json["data"]
        with pytest.raises(Conflict):
            await room.put(await at(world, LOW), "plans", "a", body(b"other"), PLAIN)
        await room.put(await at(world, SECRET), "plans", "a", body(b"above"), PLAIN)  # that is another object
        await world.call("olga", "POST", f"/api/spills/{case['id']}/lift", {}, SECRET)
        flow = await at(world, LOW, "read")
        assert await gathered(room.read(flow, await room.seen(flow, "plans", "a"))) == WORDS.encode()

    scene(do)


def test_the_names_of_what_is_frozen_are_in_no_listing() -> None:
    """A common prefix was told of keys of which nobody is served anything."""

    async def do(world: World) -> None:
        await people(world)
        room = Buckets()
        await bucket(world, room)
        await room.put(await at(world, LOW), "plans", "lantern/a", body(WORDS.encode()), PLAIN)
        await contain(world, "bucket.object/plans/lantern/a")
        listed = await room.listed(await at(world, LOW, "list"), "plans", delimiter="/")
        assert listed.objects == ()
        assert listed.prefixes == ()

    scene(do)


def test_what_is_poured_while_a_spill_is_shredded_is_whole_or_refused() -> None:
    """Pieces of an object that was just coming in were taken for copies without a name."""

    async def do(world: World) -> None:
        await people(world)
        id = await spilled(world)
        room = Buckets()
        await bucket(world, room)
        gate, go = asyncio.Event(), asyncio.Event()
        large = (WORDS.encode() + b"\n") * (1 + (9 << 20) // (len(WORDS) + 1))

        async def slowly() -> AsyncIterator[bytes]:
            yield large
            gate.set()
            await go.wait()
            yield b"end"

        task = asyncio.create_task(room.put(await at(world, LOW), "plans", "mine", slowly(), PLAIN))
        await gate.wait()
        await asyncio.sleep(0.5)
        case = (await contain(world, f"document/{id}", "shred")).json["data"]
        assert case["state"] == "done", case
        await world.step("custody.spill")
        go.set()
        try:
            await task
        except CasemateError:
            return
        flow = await at(world, LOW, "read")
        try:
            found = await gathered(room.read(flow, await room.seen(flow, "plans", "mine")))
        except Damaged:
            found = b""
        assert found == large + b"end"

    scene(do)


def test_every_key_that_is_doomed_is_destroyed() -> None:
    """A step looked at the first hundred that were ever asked for, and never at those behind them."""

    async def do(world: World) -> None:
        countries = sorted(world.policies.listed["us"].by_name["REL"].tokens)[:103]
        high = principal(world, "olga", TOP, "officer", "operator", "user")
        labels = [f"{LOW} + us:SECRET//REL={','.join(sorted({'USA', each}))}" for each in countries]
        for label in labels:
            flow = await flow_of(world, high, Action("destroy", "class-key"), label)
            await flow.commit(facts={})
            await doom(flow, {})
        await world.step("keys.destroy")
        gone = world.house.gate.vault.sealer.destroyed()
        assert len(gone) == len(set(labels))

    scene(do)


@pytest.mark.parametrize("key", ["a\nb", "a\x1b[2Jb", "a\u202eb", "k" * 1024], ids=["line", "steer", "turn", "long"])
def test_no_name_keeps_an_object_from_being_contained(key: str) -> None:
    """A key that could not be said to custody could be given to an object that was never to be found."""

    async def do(world: World) -> None:
        await people(world)
        room = Buckets()
        await bucket(world, room)
        await room.put(await at(world, LOW), "plans", key, body(b"words"), PLAIN)
        seen = await contain(world, f"bucket.object/plans/{key}")
        assert seen.status == 200, seen.body
        with pytest.raises(Absent):
            await room.seen(await at(world, LOW, "read"), "plans", key)

    scene(do)


def test_no_name_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A key that cleared a line could put another marking where its own had stood."""
    talk = Talk(None)
    for text in ("\x1b[2K\rTOP", "\x1b]0;x\x07", "\x9b2J", "a\u202eb", "\x1b[8mb", "\x1b[38;2;1;1;1;8mb"):
        talk.out(text)
        talk.piece(text)
    told = "".join(capsys.readouterr())
    assert not set(told) & {"\x1b", "\r", "\x07", "\x9b", "\u202e"}
    assert harmless("\x1b[1mbold\x1b[0m\tword\r\n") == "\x1b[1mbold\x1b[0m\tword\r\n"
    assert columns([("(U)", "a\n(U)  b")]) == ["(U)  a\ufffd(U)  b"]


def test_an_object_that_is_shredded_leaves_nothing() -> None:
    """The case said that it was done, and every byte lay there as before."""

    async def do(world: World) -> None:
        await people(world)
        room = Buckets()
        await bucket(world, room)
        await room.put(await at(world, LOW), "plans", "a", body(WORDS.encode()), PLAIN)
        await room.put(await at(world, LOW), "plans", "b", body(b"another"), PLAIN)
        case = (await contain(world, "bucket.object/plans/a", "shred")).json["data"]
        assert case["state"] == "done"
        assert b"ninth convoy" not in await everything_said(world)
        listed = await room.listed(await at(world, TOP, "list"), "plans")
        assert [each.key for each in listed.objects] == ["b"]

    scene(do)


def test_an_object_that_is_raised_takes_the_place_of_none() -> None:
    async def do(world: World) -> None:
        await people(world)
        room = Buckets()
        await bucket(world, room)
        for label, said in ((LOW, WORDS.encode()), (SECRET, b"what lay above")):
            await room.put(await at(world, label), "plans", "a", body(said), PLAIN)
        await room.put(await at(world, LOW), "plans", "c", body(WORDS.encode()), PLAIN)
        for key in "ac":
            assert (await contain(world, f"bucket.object/plans/{key}", "relabel")).json["data"]["state"] == "done"
        flow = await at(world, SECRET, "read")
        listed = await room.listed(flow, "plans")
        keys = [each.key for each in listed.objects]
        assert (len(keys), keys[0], keys[1][:2], keys[2]) == (3, "a", "a~", "c")
        for key, said in zip(keys, (b"what lay above", WORDS.encode(), WORDS.encode()), strict=True):
            assert await gathered(room.read(flow, await room.seen(flow, "plans", key))) == said
        assert (await room.listed(await at(world, LOW, "list"), "plans")).objects == ()
        assert b"ninth convoy" not in await everything_said(world, LOW)

    scene(do)
