"""The security officer's page: what was compared, by whom and how it ended; never a question or an answer."""

from __future__ import annotations

import msgspec

from casemate.assistants import TALLY
from casemate.assistants.tally import Compared, Tally, signed
from casemate.objects import Put
from casemate.policy import Action
from tests.attacks.scene import ASKED, SECRET, TOP, hide
from tests.laws.world import Seen, World

HTML = (("accept", "text/html"),)


async def page(world: World, who: str = "owner", acting: str = "") -> Seen:
    return await world.call(who, "GET", "/proofs", acting=acting, headers=HTML)


async def test_nothing_yet_and_then_a_tally(world: World) -> None:
    await hide(world, "owner")
    assert "Nothing has been compared yet" in (await page(world)).body.decode()
    body = {"questions": [ASKED], "reason": "the yearly look"}
    assert (await world.call("owner", "POST", "/api/prove/all", body)).status == 200
    shown = (await page(world)).body.decode()
    assert "1 equal" in shown
    assert "Signed by this region" in shown
    assert ">Proofs</a>" in shown
    for word in (ASKED, "hidden", "yearly"):
        assert word not in shown
    assert "chip stop" not in shown


async def test_what_differs_is_red_and_named_and_a_false_signature_too(world: World) -> None:
    gate = world.house.gate
    worlds = (
        Compared("ben", SECRET, SECRET, 1, 2, 3, equal=1, unequal=2, settled=True, first="a", second="b"),
        Compared("", TOP, TOP, 1, 2, 3, equal=0, unequal=0, settled=False, first="a", second="b"),
    )
    made = Tally(
        region="law",
        software="1",
        by="ada",
        at=world.clock.now(),
        questions=3,
        asked="x",
        worlds=worlds,
        left=("cleo",),
        solo=False,
        key_id="",
    )
    tally = msgspec.structs.replace(signed(made, gate.vault.signer), by="eve")
    flow = await gate.open(
        gate.service("assistants", gate.classes.of(gate.vault.region.ceiling)), Action("make", "proof")
    )
    await flow.commit(Put(TALLY, "prf_x", tally))
    shown = (await page(world)).body.decode()
    assert '<strong class="chip stop">2 of 3 differ</strong>' in shown
    assert "<strong>ben</strong>" in shown
    assert "Not compared: its documents kept changing" in shown
    assert "cleo" in shown
    assert "The signature does not stand" in shown


async def test_whose_page_it_is(world: World) -> None:
    await world.person("olga", SECRET, ("officer",))
    await world.person("ann", SECRET)
    assert (await page(world, "olga", SECRET)).status == 200
    assert (await page(world, "ann", SECRET)).status == 403
