"""The two worlds where all that happens is in buckets, seen from everywhere, and from where one needs to know."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from tests.laws import two_worlds
from tests.laws.operations import MAKERS
from tests.laws.s3_operations import Hand
from tests.laws.world import World, a_world

CASES = 2
ROOMS = ("bucket", "s3_")


@pytest.mark.parametrize("observer", [two_worlds.ALPHA, two_worlds.SECRET])
def test_what_is_seen_of_buckets_depends_on_nothing_hidden(observer: str) -> None:
    names = tuple(sorted(name for name in MAKERS if any(room in name for room in ROOMS)))
    seed, done = secrets.randbits(32), 0
    print(f"seed {seed}, {CASES} cases of buckets seen from {observer}")
    while done < CASES:
        seed += 1
        case = two_worlds.generate(seed, 8, names)
        if case.observer == observer:
            asyncio.run(two_worlds.judge(case))
            done += 1


@pytest.mark.parametrize("label", [two_worlds.ALPHA, two_worlds.BOTH])
async def test_whoever_needs_to_know_does_what_the_others_do(label: str) -> None:
    """Were everything refused there, the law would hold of nothing."""
    async with a_world() as world:
        await world.person("nia", label)
        hand = await _done(world, label)
        assert {seen.status for seen in hand.seen} == {200}
        assert hand.seen[-1].body == f"plan at {label}".encode()
        for below in (two_worlds.LOW, two_worlds.SECRET):
            lower = Hand(world, "nia", below)
            assert (await lower.look("GET", "/law-one/plan")).status == 404


async def _done(world: World, label: str) -> Hand:
    hand = Hand(world, "nia", label)
    await hand.settled("law-one", "plan")
    await hand.write("POST", "/law-one/zone", {"uploads": ""})
    await hand.look("GET", "/law-one")
    await hand.look("GET", "/law-one/plan")
    return hand
