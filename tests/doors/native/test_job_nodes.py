"""Nodes of clusters through the native API: told and cleaned at the label that they hold, by an operator."""

from __future__ import annotations

import pytest

from casemate.jobs.nodes import Listed, Nodes
from casemate.policy import Action
from casemate.settings import JobSettings
from casemate.wiring.house import House
from tests.attacks.scene import LOW, SECRET
from tests.laws.world import World, a_world

BODY = {"steps": ["gpu-memory", "scratch"], "evidence": "mkfs; ticket 4711"}
PATH = "/api/job-nodes/hpc/n1/sanitise"


async def _told(world: World, at: str) -> list[tuple[str, str, str, bool]]:
    seen = await world.call("opal", "GET", "/api/job-nodes", acting=at)
    return [(one["engine"], one["name"], one["state"], one["given"]) for one in seen.json["data"]]


async def test_a_node_is_told_and_cleaned_at_the_label_that_it_held(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Nodes] = []

    def nodes_of(house: House, told: JobSettings) -> Nodes:
        del told
        made.append(Nodes(house.gate, (Listed("hpc", "n1", house.gate.vault.region.reach(SECRET)),)))
        return made[-1]

    monkeypatch.setattr("casemate.wiring.jobs.nodes_of", nodes_of)
    async with a_world(0, ("us",)) as world:
        await world.person("opal", SECRET, ("operator",))
        await world.person("ann", SECRET)
        assert await _told(world, SECRET) == [("hpc", "n1", "new", True)]
        assert await _told(world, LOW) == []
        assert (await world.call("ann", "GET", "/api/job-nodes", acting=SECRET)).status == 403
        assert (await world.call("ann", "POST", PATH, BODY, SECRET)).status == 403
        assert (await world.call("opal", "POST", PATH, BODY, SECRET)).status == 404
        gate, [nodes] = world.house.gate, made
        access = gate.classes.of(gate.vault.region.reach(SECRET))
        await nodes.look()
        await nodes.claim(await gate.open(gate.service("jobs", access), Action("tend", "job")))
        assert await _told(world, SECRET) == [("hpc", "n1", "held", True)]
        assert (await world.call("opal", "POST", PATH, BODY, SECRET)).status == 409
        nodes.listed = ()
        nodes.__post_init__()
        assert (await world.call("opal", "POST", PATH, BODY, LOW)).status == 404
        assert (await world.call("opal", "POST", PATH, {**BODY, "steps": ["prayer"]}, SECRET)).status == 400
        done = await world.call("opal", "POST", PATH, BODY, SECRET)
        assert [(one["what"], one["person"], one["evidence"]) for one in done.json["data"]["steps"]] == [
            ("gpu-memory", "opal", "mkfs; ticket 4711"),
            ("scratch", "opal", "mkfs; ticket 4711"),
        ]
        assert await _told(world, SECRET) == [("hpc", "n1", "clean", False)]
        assert await _told(world, LOW) == []
