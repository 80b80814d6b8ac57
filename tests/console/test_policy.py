"""Who could read this, and why not, as a page."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from tests.console.live import CHROMIUM, a_live_region
from tests.console.test_release import AXE, _shot, enter
from tests.console.visitor import Page, Visitor, a_region


def test_the_answer_stands_under_the_question() -> None:
    async def look() -> None:
        async with a_region() as world:
            auditor, guest = await Visitor(world).sign_in("auditor"), await Visitor(world).sign_in("guest")
            assert "Could read it" not in Page.of(await auditor.get("/policy")).text
            page = Page.of(await auditor.get("/policy?label=SECRET//NOFORN&need=ALPHA"))
            assert "Asked about SECRET//NOFORN and a need to know: ALPHA" in page.text
            assert "guest" in page.text
            assert "the level SECRET of the policy us is needed" in page.text
            assert "the authorization ALPHA is needed" in page.text
            own = Page.of(await guest.get("/policy?label=SECRET//NOFORN"))
            assert "analyst" not in own.text
            assert "You are told of yourself" in own.text
            tried = Page.of(
                await guest.get("/policy?label=SECRET//NOFORN&clearance=SECRET//NOFORN&authorizations=A,+B&role_user=1")
            )
            assert "Whoever is tried" in tried.text
            told = (await guest.get("/policy.json?label=SECRET//NOFORN&clearance=SECRET//NOFORN")).json["data"]
            assert [each["reads"] for each in told["principals"]] == [True, False]
            listed = (await auditor.get("/documents.json")).json["data"]["documents"]
            report = next(each["id"] for each in listed if each["name"] == "report.txt")
            assert "SECRET//NOFORN" in Page.of(await auditor.get(f"/policy?id={report}")).text
            part = Page.of(await guest.get(f"/policy?id={report}"))
            assert "Asked about UNCLASSIFIED" in part.text
            assert (await guest.get("/policy?id=doc_never")).status == 404
            assert (await guest.get("/policy?label=BANANA")).status == 400

    asyncio.run(look())


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=env)
        yield browser.new_context(viewport={"width": 1180, "height": 860}, locale="en-GB").new_page()
        browser.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")
def test_an_officer_asks_in_a_browser(tab: Tab) -> None:
    with a_live_region() as region:
        enter(tab, region.address, region.world.keys["auditor"])
        tab.locator("footer").get_by_role("link", name="Who may read").click()
        tab.wait_for_url("**/policy*", wait_until="load")
        tab.get_by_label("Label or marking").fill("SECRET//NOFORN")
        tab.get_by_label("Who needs to know it").fill("ALPHA|BETA")
        tab.get_by_role("button", name="Ask").click()
        tab.wait_for_url("**/policy?*", wait_until="load")
        assert "the need to know ALPHA|BETA is not satisfied" in tab.locator("main").inner_text()
        assert Axe().run(tab, options=AXE).response["violations"] == []
        _shot(tab, "policy")
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
