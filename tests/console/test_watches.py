"""Watches in the console: made from a mission's form, shown with why one stands still, paused and removed; notices."""

from __future__ import annotations

import asyncio
import hashlib
import json

from msgspec.structs import replace

from casemate.identity import Bearer
from casemate.jobs import JOB, Artefact
from casemate.objects import Put
from casemate.policy import Action
from tests.console.test_missions import installed
from tests.console.visitor import Page, Visitor, a_region
from tests.doors.native.test_missions import result
from tests.laws.world import World

FORM = {
    "p.degree": "1",
    "i.rows": "",
    "seed": "7",
    "w.name": "<i>desk</i>",
    "w.every": "60",
    "w.when": "n > 1\n\nn changes",
}
PLAIN = {**FORM, "w.name": "desk"}


async def ended(world: World, figures: dict[str, int]) -> None:
    """The one open run ends with these figures."""
    gate = world.house.gate
    flow = await gate.open(gate.admit(Bearer(world.keys["analyst"])), Action("submit", "job"))
    [found] = [one for one in await flow.every(JOB) if one.value.open == "yes"]
    raw = json.dumps(result(figures=figures, tables={})).encode()
    left = (Artefact("out/result.json", len(raw), hashlib.sha384(raw).hexdigest(), (await flow.pour(raw),)),)
    value = replace(found.value, state="SUCCEEDED", open="no", phase="ended", artefacts=left)
    await flow.commit(Put(JOB, found.id, value, expect=found.version))


def test_a_watch_is_made_shown_paused_and_removed_and_its_notices_stand_beside_it() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst, auditor, guest = [await Visitor(world).sign_in(who) for who in ("analyst", "auditor", "guest")]
            await installed(world)
            assert "No watch" in Page.of(await analyst.get("/mission-watches")).text
            form = Page.of(await analyst.get("/missions/fit@1"))
            assert {"w.name", "w.source", "w.most"} <= {each.get("name", "") for each in form.all("input")}
            for wrong in ({"w.name": FORM["w.name"]}, {"w.every": "soon"}, {"w.every": "5"}, {"p.degree": "9"}):
                assert (await analyst.post("/missions/fit@1/watch", {**PLAIN, **wrong})).status == 400, wrong
            made = await analyst.post("/missions/fit@1/watch", PLAIN)
            assert made.status == 303, made.body
            listed = (await analyst.get("/mission-watches.json")).json["data"]
            [watch] = listed["watches"]
            assert (watch["name"], watch["every_s"], watch["when"]) == ("desk", 60, ["n > 1", "n changes"])
            assert "Waits until" in Page.of(await analyst.get("/mission-watches")).text
            world.clock.forward(61)
            await world.step("missions.watch")
            assert "A run is under way" in Page.of(await analyst.get("/mission-watches")).text
            await ended(world, {"n": 2})
            await world.step("missions.watch")
            page = Page.of(await analyst.get("/mission-watches"))
            assert "n = 2" in page.text
            assert "Last run" in page.text
            at = f"/mission-watches/{watch['id']}"
            assert "desk" not in Page.of(await guest.get("/mission-watches")).text
            for deed, body in (("pause", {"paused": "yes"}), ("remove", {"sure": "yes"})):
                assert (await guest.post(f"{at}/{deed}", body)).status == 404
            assert (await analyst.post(f"{at}/pause", {"paused": "yes"})).status == 303
            paused = Page.of(await analyst.get("/mission-watches"))
            assert "Paused" in paused.text
            assert "Go on desk" in paused.source
            assert (await analyst.post(f"{at}/pause", {"paused": "no"})).status == 303
            assert (await analyst.post(f"{at}/remove", {})).status == 400
            assert (await analyst.post(f"{at}/remove", {"sure": "yes"})).status == 303
            assert "No watch" in Page.of(await analyst.get("/mission-watches")).text
            assert "n = 2" in Page.of(await analyst.get("/mission-watches?lang=fr")).text
            assert (await auditor.get("/mission-watches")).status == 200

    asyncio.run(look())
