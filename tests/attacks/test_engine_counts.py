"""Attacks by an engine that lies about what it has used, and by whoever asks one to learn what others asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from casemate.models import Card, Delta, Prompt, Usage
from casemate.models.guard import TOKENS
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, hide, label_of, scene
from tests.laws.gateway_operations import WIRES, Remembers
from tests.laws.world import World

LIES = (
    Usage(-(10**9), -5, False),
    Usage(10**30, 1, False),
    Usage(1, 1 << 63, False),
    Usage(1, 1, False, cached=10**9),
    Usage(3, 3, False, cached=-(10**9)),
)


class Liar:
    """An engine that counts as it likes."""

    dialect = ""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        yield Delta(text="ok", usage=self.usage)
        yield Delta(finish="stop", usage=self.usage)


@pytest.mark.parametrize("usage", LIES)
def test_no_lie_about_usage_frees_a_quota_or_stops_the_books(usage: Usage) -> None:
    async def attack(world: World) -> None:
        for name, label in (("low", LOW), ("high", SECRET)):
            await world.person(name, label)
        world.house.catalogue.add(Card("law/liar", "liar", "law", label_of(world, TOP), Liar(usage)))
        for wire in WIRES:
            path, body, signed = wire("law/liar", "What is at the pier?", False)
            seen = await world.call("low", "POST", path, body, LOW, signed=signed)
            assert seen.status == 200
        path, body, _ = WIRES[0]("law/liar", "What is at the pier?", False)
        assert (await world.call("high", "POST", path, body, SECRET)).status == 200
        meter = world.house.meter
        assert meter is not None
        for counters in meter._counters.values():
            for counter in counters.values():
                assert 0 <= counter.tokens <= 2 * TOKENS * len(WIRES)
                assert counter.flow <= 0 <= counter.cost
        await world.step("accounts.usage")
        for name, label in (("low", LOW), ("high", SECRET)):
            seen = await world.call(name, "GET", "/api/usage", acting=label)
            assert seen.json["data"]["rows"], "one liar keeps everybody's usage from being written"

    scene(attack)


def test_what_is_warm_for_a_rung_above_is_cold_below() -> None:
    """Whoever asks above, with a document that lies below, has a rung written there: its cache is not that of below."""

    async def attack(world: World) -> None:
        await world.person("low", LOW)
        await world.person("high", SECRET)
        engine = Remembers()
        card = Card("law/cache", "cache", "law", label_of(world, TOP), engine, state="salted")
        world.house.catalogue.add(card)
        await hide(world, "low", LOW)
        asked = {"question": ASKED, "model": "law/cache"}
        assert (await world.call("high", "POST", "/api/ask", asked, SECRET)).status == 200
        assert (await world.call("low", "POST", "/api/ask", asked, LOW)).status == 200
        salts: dict[str, set[str]] = {}
        for salt, word in engine.warm:
            salts.setdefault(word, set()).add(salt)
        assert len({salt for salt, _ in engine.warm}) == 2
        assert any(len(found) == 2 for found in salts.values()), "the case would be vacuous"

    scene(attack)
