"""The page of markings: findings and roll-up beside the text, nothing kept, nothing above the acting label."""

from __future__ import annotations

from tests.console.visitor import Page, Visitor, a_region

TEXT = "SECRET//NOFORN\r\n\r\n(S/NF) The <convoy> leaves.\r\n\r\n(U) Two.\r\n\r\nSECRET//NOFORN\r\n"
SCRIPT = ("hx-request", "true")


async def test_what_is_pasted_is_looked_at() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        empty = Page.of(await analyst.get("/markings"))
        assert empty.banners
        assert "while you type" in empty.text
        seen = await analyst.post("/markings", {"text": TEXT})
        page = Page.of(seen)
        assert "line 3, column 2" in page.text
        assert "S//NF" in page.text
        assert "SECRET//NOFORN" in page.text
        assert "<convoy>" not in page.source
        assert page.banners == empty.banners
        told = await analyst.get("/markings.json")
        assert told.status == 200


async def test_a_script_gets_the_part_alone() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        part = await analyst.post("/markings", {"text": TEXT}, SCRIPT)
        assert part.status == 200
        assert b"<html" not in part.body
        assert b"separator" in part.body
        none = await analyst.post("/markings", {"text": "no marks at all"}, SCRIPT)
        assert b"No mark was found" in none.body


async def test_a_text_that_is_marked_above_is_refused_and_nothing_of_it_is_kept() -> None:
    async with a_region() as world:
        guest = await Visitor(world).sign_in("analyst")
        refused = await guest.post("/markings", {"text": "(TS//SI//NF) Zanzibar plans.\n"})
        assert refused.status == 403
        taken = await guest.post("/markings", {"text": "(S//NF) Zanzibar plans.\n"})
        assert taken.status == 200
        auditor = await Visitor(world).sign_in("auditor")
        ledger = await auditor.get("/ledger?limit=1000")
        assert b"Zanzibar" not in ledger.body


async def test_too_long_a_text_is_refused() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        assert (await analyst.post("/markings", {"text": "a" * (1 << 19)})).status == 413
        long = "(U) a\n\n" * 9000
        assert (await analyst.post("/markings", {"text": long})).status == 200
