"""Attacks on quotas: to learn from one's own what somebody above has used, and to use more than one may."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from casemate.accounts import Meter
from casemate.errors import QuotaExceeded
from casemate.labels import Label
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, principal, scene
from tests.laws.world import World

ASK = Action("ask", "answer")
BOUNDS = {
    "requests_per_minute": 5,
    "tokens_per_minute": 400,
    "tokens_per_day": 900,
    "budget_per_month": 100,
    "concurrent": 2,
}


async def limited(world: World) -> Meter:
    await world.person("olga", TOP, ("operator",))
    seen = await world.call("olga", "PUT", "/api/quotas", {"project": "default", "bounds": BOUNDS}, LOW)
    assert seen.status == 200
    await world.step("accounts.limits")
    meter = world.house.meter
    assert meter is not None
    return meter


async def observed(world: World, above: int) -> list[Any]:
    """What one sees below, while somebody above uses all that he can, keeps it open, and fails."""
    meter = await limited(world)
    high = await flow_of(world, principal(world, "hidden", TOP), ASK, SECRET)
    low = await flow_of(world, principal(world, "ann", LOW), ASK, LOW)
    found: list[Any] = []
    for turn in range(30):
        for _ in range(above):
            try:
                held = meter.reserve(high, 150, "m")
            except QuotaExceeded:
                continue
            if turn % 3:
                held.settle(100, 200)
        try:
            found.append(meter.reserve(low, 20 + turn, "m").settle(5, turn).facts())
        except QuotaExceeded as error:
            found.append((error.slug, error.facts))
        world.clock.forward(5)
        await world.step("accounts.usage")
        seen = await world.call("olga", "GET", "/api/usage", acting=LOW)
        found.append(seen.json["data"]["rows"])
    return found


async def compare() -> bool:
    """Whether the worlds without and with somebody above look alike."""
    from tests.laws.world import a_world

    results = []
    for above in (0, 4):
        async with a_world(7, ("us",)) as world:
            results.append(await observed(world, above))
    assert any("quota-exceeded" in str(each) for each in results[0]), "the case would be vacuous"
    return bool(results[0] == results[1])


async def test_what_is_used_above_shows_nowhere_below() -> None:
    assert await compare()


def merged(floor: Label) -> Callable[..., Any]:
    """The mutant: one counter for all domains."""
    counter = Meter._counter

    def shared(self: Meter, domain: Label, subject: str, now: int) -> Any:
        del domain
        return counter(self, floor, subject, now)

    return shared


async def test_counters_that_are_merged_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.labels import make_label

    monkeypatch.setattr(Meter, "_counter", merged(make_label({}, agencies=("EXERCISE",))))
    assert not await compare()


def test_a_session_between_two_labels_has_no_more_than_each_of_them_gives() -> None:
    async def attack(world: World) -> None:
        """The acting label of the whole request counts, not that of a rung: no rung borrows what lies below."""
        meter = await limited(world)
        flow = await flow_of(world, principal(world, "ann", SECRET), ASK, SECRET)
        rung = flow.at(world.policies.parse(LOW))
        for _ in range(2):
            meter.reserve(flow, 1)
        with pytest.raises(QuotaExceeded) as told:
            meter.reserve(rung, 1)
        assert told.value.facts == {"limit": "concurrent", "of": "project", "retry_after": 1}

    scene(attack)


def test_another_session_id_is_no_way_round_a_projects_quota() -> None:
    async def attack(world: World) -> None:
        meter = await limited(world)
        let_in = 0
        for number in range(50):
            session = dataclasses.replace(principal(world, "ann", SECRET), id=f"key{number}")
            try:
                meter.reserve(await flow_of(world, session, ASK, SECRET), 1).cancel()
                let_in += 1
            except QuotaExceeded:
                pass
        assert let_in == 5

    scene(attack)


def test_failing_requests_are_requests() -> None:
    async def attack(world: World) -> None:
        meter = await limited(world)
        flow = await flow_of(world, principal(world, "ann", SECRET), ASK, SECRET)
        for _ in range(5):
            with pytest.raises(OSError, match="broken"), meter.reserve(flow, 100):
                raise OSError("broken")
        with pytest.raises(QuotaExceeded) as told:
            meter.reserve(flow, 100)
        assert told.value.facts["limit"] == "requests-per-minute"

    scene(attack)
