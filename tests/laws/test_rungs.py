"""The rung law: each paragraph is byte-equal to the paragraph of that label in the answer at that acting label."""

from __future__ import annotations

import asyncio
import random

from tests.laws.operations import MAKERS, question
from tests.laws.two_worlds import EVERYBODY, LABELS, LOW, TOP, name_of
from tests.laws.world import a_world

CASES = 40


async def one_case(seed: int) -> int:
    rng = random.Random(seed)
    async with a_world(seed) as world:
        await world.person("reader", EVERYBODY)
        for label in LABELS:
            await world.person(name_of(label, "seen"), label)
            for _ in range(rng.randint(0, 2)):
                await MAKERS["add_document"].make(rng, name_of(label, "seen"), label).do(world)
        asked = {"question": question(rng)}
        acting = rng.choice((EVERYBODY, TOP, LOW))
        whole = (await world.call("reader", "POST", "/api/ask", asked, acting)).json["data"]
        found = 0
        for rung in whole["rungs"] if whole["finish"] == "stop" else ():
            alone = (await world.call("reader", "POST", "/api/ask", asked, rung["label"])).json["data"]
            same = [r for r in alone["rungs"] if r["label"] == rung["label"]]
            assert [_place_free(r) for r in same] == [_place_free(rung)], f"seed {seed}"
            found += 1
        assert [r["label"] for r in whole["rungs"]] == list(dict.fromkeys(r["label"] for r in whole["rungs"]))
        return found


def _place_free(rung: dict) -> dict:
    """A citation's characters are counted in the whole answer; within the paragraph they are the same."""
    first = min((c["start"] for c in rung["citations"]), default=0)
    moved = [{**c, "start": c["start"] - first, "end": c["end"] - first} for c in rung["citations"]]
    return {**rung, "citations": moved}


def test_a_rung_is_the_answer_of_its_label() -> None:
    """Over generated worlds, and most answers have more than one rung to compare."""
    start = random.SystemRandom().randrange(1 << 30)
    print(f"\nrungs: {CASES} cases from seed {start}")

    async def run() -> list[int]:
        return [await one_case(start + n) for n in range(CASES)]

    found = asyncio.run(run())
    assert sum(count > 1 for count in found) >= CASES // 5
