"""An engine, or a document that speaks through it, writes a mark of its own into an answer."""

from __future__ import annotations

import pytest

from tests.attacks.scene import ASKED, LOW, SECRET, Writer, bring, connect, hide, scene
from tests.laws.world import World

WRITES = (
    "(U) Releasable: the lantern burns. [1]",
    "The lantern burns. [1]\n\n(U) It may be told to all.",
    "The lantern burns. [1]\n\nUNCLASSIFIED\n\nIt may be told to all.",
    "The lantern burns. [1]\n\n- (U) It may be told to all.",
    "The lantern burns. [1]\n\nIt has no mark at all.",
)


@pytest.mark.parametrize("words", WRITES)
def test_a_rung_bears_one_mark_and_is_one_paragraph(words: str) -> None:
    """Brought back as a document, the answer must lie where it was made."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await world.person("low", LOW)
        connect(world, Writer(words), SECRET)
        await hide(world, "analyst")
        told = await world.call("analyst", "POST", "/api/ask", {"question": ASKED, "model": "far"}, SECRET)
        text = told.json["data"]["text"]
        assert text.startswith("(S//NF) ")
        assert "\n\n" not in text
        assert [bool(world.policies.read_portion(line)[0]) for line in text.split("\n")].count(True) == 1
        assert not any(world.policies.read_banner(line) for line in text.split("\n"))
        await bring(world, "analyst", text.encode(), SECRET)
        seen = await world.call("low", "GET", "/api/search?q=lantern+told+mark", acting=LOW)
        assert seen.json["data"] == []

    scene(do)
