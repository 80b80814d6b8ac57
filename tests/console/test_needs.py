"""Need to know in the console: it is chosen like a label, it is written beside every marking, and links carry it on."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from tests.console.visitor import HIGH, Page, Visitor, a_region

TEXT = HIGH.replace("Fever", "Lantern").encode()
KNOWING = "us:SECRET//NOFORN + need=ALPHA + need=BRAVO"
ALPHA = "us:SECRET//NOFORN + need=ALPHA"


def test_it_is_chosen_like_a_label_and_links_carry_it_on() -> None:
    async def look() -> None:
        async with a_region() as world:
            await world.person("knowing", KNOWING)
            visitor = await Visitor(world).sign_in("knowing")
            plain = Page.of(await visitor.get("/documents"))
            offered = [world.policies.parse(o["value"]) for o in plain.all("option") if "need=" in o.get("value", "")]
            assert {frozenset(label.needs) for label in offered} == {
                frozenset(needs) for needs in (("ALPHA",), ("BRAVO",), ("ALPHA", "BRAVO"))
            }
            assert "SECRET//NOFORN · ALPHA" in plain.text
            assert "SECRET//NOFORN · ALPHA · BRAVO" in plain.text
            assert not [i for i in plain.all("input") if i.get("name") == "need"]
            knowing = Page.of(await visitor.get(f"/documents?acting={quote(ALPHA)}"))
            assert knowing.banners == plain.banners, "no marking shows a need to know"
            chosen = [o["value"] for o in knowing.all("option") if "selected" in o]
            assert {world.policies.parse(label).needs for label in chosen} == {frozenset(("ALPHA",))}
            places = [a["href"] for a in knowing.all("a") if a["href"].startswith("/today")]
            assert places
            assert all("need%3DALPHA" in place for place in places)
            [field] = [i for i in knowing.all("input") if i.get("name") == "need"]
            assert field["placeholder"] == "ALPHA"
            above = await visitor.get(f"/documents?acting={quote(ALPHA)}&needs=CHARLIE")
            assert above.status == 403
            assert "CHARLIE" in above.body.decode()

    asyncio.run(look())


@pytest.mark.parametrize(("need", "seen"), [("", False), ("ALPHA|BRAVO", True), ("ALPHA", False)])
def test_what_is_brought_there_says_who_needs_to_know(need: str, seen: bool) -> None:
    async def look() -> None:
        async with a_region() as world:
            await world.person("knowing", KNOWING)
            visitor = await Visitor(world).sign_in("knowing")
            target = f"/documents/file?name=few.txt&acting={quote(ALPHA)}&need={quote(need)}"
            kind = (("content-type", "application/octet-stream"), ("origin", "http://region.test"))
            told = await visitor.send("POST", target, TEXT, *kind, ("sec-fetch-site", "same-origin"))
            assert told.status == 202, told.body
            await world.step("knowledge.ingest")
            bravo = ALPHA.replace("ALPHA", "BRAVO")
            mine, theirs, plain = [
                Page.of(await visitor.get(f"/documents?acting={quote(label)}")).text
                for label in (ALPHA, bravo, ALPHA.replace(" + need=ALPHA", ""))
            ]
            assert "Lantern report" in mine
            assert ("Lantern report" in theirs) == seen
            assert "Lantern report" not in plain

    asyncio.run(look())


def test_an_officer_grants_it_and_sees_who_has_it() -> None:
    async def look() -> None:
        async with a_region() as world:
            visitor = await Visitor(world).sign_in("auditor")
            form = {"name": "new", "clearance": "us:SECRET//NOFORN + need=ALPHA", "role_user": "1"}
            assert (await visitor.post("/principals", form)).status == 303
            page = Page.of(await visitor.get("/principals"))
            assert "SECRET//NOFORN · ALPHA" in page.text

    asyncio.run(look())


def test_a_key_is_issued_with_what_one_acts_with() -> None:
    async def look() -> None:
        async with a_region() as world:
            await world.person("knowing", KNOWING)
            visitor = await Visitor(world).sign_in("knowing")
            form = {"client": "openai", "floor": ALPHA, "ceiling": ALPHA, "days": "3", "name": "k"}
            refused = await visitor.post("/keys", form)
            assert refused.status == 403
            made = await visitor.post(f"/keys?acting={quote(ALPHA)}", form)
            assert made.status == 201
            assert "SECRET//NOFORN · ALPHA" in Page.of(made).text
            listed = Page.of(await visitor.get(f"/keys?acting={quote(ALPHA)}"))
            assert "SECRET//NOFORN · ALPHA" in listed.text
            assert [i["value"] for i in listed.all("input") if i.get("name") == "id"]
            assert not [i for i in Page.of(await visitor.get("/keys")).all("input") if i.get("name") == "id"]

    asyncio.run(look())
