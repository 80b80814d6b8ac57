"""A containment that dies at any step goes on where it was: at every commit, before and after it landed, and so on."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any, Literal

import pytest

from tests.attacks.scene import LOW, SECRET
from tests.custody.spilled import contain, derived, everything_said, found, people, spilled
from tests.laws.long import leave
from tests.laws.world import World, a_world

When = Literal["before", "after"]


class Killed(BaseException):
    """The process is gone: nothing of ours may catch it."""


class Dies:
    """A port that ends the process at its n-th call of some methods, before or after the call is done."""

    def __init__(self, port: Any, at: int, when: When, *names: str) -> None:
        self._port, self._left, self._when, self._names = port, at, when, names
        self.died = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name not in self._names or self.died:
            return found

        async def called(*args: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and self._when == "before":
                self.died = True
                raise Killed
            done = await found(*args, **named)
            if self._left == 0:
                self.died = True
                raise Killed
            return done

        return called


async def dies(world: World, how: str, at: int, when: When, port: str, *names: str) -> bool:
    """One containment that dies at that step, and its end after a start; whether it died at all."""
    await people(world)
    id = await spilled(world)
    await derived(world)
    vault = world.house.gate.vault
    whole, broken = getattr(vault, port), Dies(getattr(vault, port), at, when, *names)
    object.__setattr__(vault, port, broken)
    with contextlib.suppress(Killed):
        await contain(world, id, how)
    object.__setattr__(vault, port, whole)
    world.house.gate.frozen._kept.clear()
    for loop in world.house.loops:
        if loop.name == "custody.spill":
            loop.step.__self__._working.clear()  # type: ignore[attr-defined]
            await loop.step()
    seen = await contain(world, id, how)  # whoever got no answer says it again
    if seen.status == 404:
        [case] = (await world.call("olga", "GET", "/api/spills", acting=SECRET)).json["data"]
        assert case["state"] == "done"
    else:
        assert seen.json["data"]["state"] == "done", seen.body
    await world.step("custody.spill", "knowledge.ingest", "knowledge.forget", "knowledge.compact")
    assert b"ninth convoy" not in await everything_said(world, *([LOW] if how == "relabel" else []))
    assert b"Ferries leave" in await everything_said(world, LOW)
    assert id not in await found(world)
    if how == "relabel":
        listed = (await world.call("ben", "GET", "/api/answers", acting=SECRET)).json["data"]
        assert [each["label"] for each in listed] == [SECRET]
        assert len(set(await found(world, "ann", SECRET, "hidden lantern")) - set(await found(world))) == 1
    return broken.died


async def stepped(how: str, when: When, port: str, name: str, start: int, by: int) -> int:
    """Every `by`-th step from `start` on, until a containment ends before it would die; how many deaths there were."""
    for at in range(start, 60, by):
        async with a_world(3, ("us",)) as world:
            if not await dies(world, how, at, when, port, name):
                return len(range(start, at, by))
    raise AssertionError("a containment takes that many steps")


@pytest.mark.parametrize("how", ["shred", "relabel"])
def test_it_goes_on_from_a_commit(how: str) -> None:
    """Some of the steps, others each time; all of them: the long run."""
    times: tuple[When, ...] = ("before", "after")
    start, when = random.SystemRandom().randrange(1, 4), random.SystemRandom().choice(times)
    print(f"\nkilled {when} every third commit from {start} on")
    assert asyncio.run(stepped(how, when, "committer", "commit", start, 3)) >= 1


def test_it_goes_on_from_a_blob_that_it_deletes() -> None:
    assert asyncio.run(stepped("shred", "before", "blobs", "delete", random.SystemRandom().randrange(1, 3), 2)) >= 1


@pytest.mark.long
def test_it_goes_on_from_every_step() -> None:
    deaths = 0
    times: tuple[When, ...] = ("before", "after")
    for how in ("shred", "relabel"):
        for when in times:
            for port, name in (("committer", "commit"), ("blobs", "delete"), ("blobs", "write")):
                deaths += asyncio.run(stepped(how, when, port, name, 1, 1))
    assert deaths > 30
    leave("spill_resumed", deaths=deaths)


async def test_it_goes_on_by_itself(world: World) -> None:
    """Nobody says it again: the loop finds a case that has been decided and has not ended."""
    await people(world)
    id = await spilled(world)
    await contain(world, id)
    vault = world.house.gate.vault
    whole = vault.committer
    object.__setattr__(vault, "committer", Dies(whole, 2, "before", "commit"))
    with pytest.raises(Killed):
        await contain(world, id, "shred")
    object.__setattr__(vault, "committer", whole)
    await world.step("custody.spill")
    [case] = (await world.call("olga", "GET", "/api/spills", acting=SECRET)).json["data"]
    assert case["state"] == "done"
