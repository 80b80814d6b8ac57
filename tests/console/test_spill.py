"""Spills and lineage as pages: an officer's browser without a script, and the picture on a document's page."""

from __future__ import annotations

import asyncio

from tests.console.visitor import SECRET, Page, Visitor, a_region
from tests.laws.world import World


async def officer(world: World) -> tuple[Visitor, str, str]:
    """An officer's browser, the address of the true label, and a document below it."""
    await world.person("olga", SECRET, ("officer",))
    label = world.house.gate.vault.region.reach(SECRET).text
    listed = (await world.call("analyst", "GET", "/api/documents")).json["data"]["documents"]
    low = next(each["id"] for each in listed if each["label"] == world.house.gate.vault.region.floor.text)
    return await Visitor(world).sign_in("olga"), label.replace(" ", "%20").replace("+", "%2B"), low


def test_an_officer_reports_freezes_lifts_and_destroys() -> None:
    async def look() -> None:
        async with a_region() as world:
            olga, at, id = await officer(world)
            page = Page.of(await olga.get(f"/spill?acting={at}"))
            assert "There are none" in page.text
            told = Page.of(await olga.post(f"/spill/report?acting={at}", {"object": id}))
            assert "document.part" in told.text
            assert "Solo region" in told.text
            unsure = await olga.post(f"/spill?acting={at}", {"object": id, "how": "shred", "sure": "another"})
            assert unsure.status == 400
            frozen = await olga.post(f"/spill?acting={at}", {"object": id, "how": "freeze"})
            assert frozen.status == 303
            path = frozen.header("location")
            assert "frozen" in Page.of(await olga.get(path)).text
            assert (await world.call("analyst", "GET", f"/api/documents/{id}")).status == 404
            picture = await olga.get(path.partition("?")[0] + "/picture")
            assert picture.header("content-type").startswith("image/svg+xml")
            lifted = await olga.post(path.partition("?")[0] + "/lift", {})
            assert lifted.status == 303
            assert (await world.call("analyst", "GET", f"/api/documents/{id}")).status == 200
            done = await olga.post(f"/spill?acting={at}", {"object": id, "how": "shred", "sure": id})
            assert "contained" in Page.of(await olga.get(done.header("location"))).text
            assert (await world.call("analyst", "GET", f"/api/documents/{id}")).status == 404

    asyncio.run(look())


def test_a_documents_page_leads_to_its_picture() -> None:
    async def look() -> None:
        async with a_region() as world:
            _, _, id = await officer(world)
            analyst = await Visitor(world, "fr").sign_in("analyst")
            page = Page.of(await analyst.get(f"/documents/{id}"))
            assert f"/lineage/{id}" in page.source
            shown = Page.of(await analyst.get(f"/lineage/{id}"))
            assert "segment" in shown.text
            assert f"/lineage.svg/{id}" in shown.source
            drawn = await analyst.get(f"/lineage.svg/{id}")
            assert drawn.body.startswith(b"<svg")
            assert drawn.header("content-security-policy").startswith("default-src 'none'")
            assert (await analyst.get(f"/lineage/{id}.json")).json["data"]["nodes"]
            assert (await analyst.get("/lineage/doc_never")).status == 404
            assert (await analyst.get("/spill")).status == 403

    asyncio.run(look())
