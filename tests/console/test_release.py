"""The release door as pages: three people in three browsers, one of them with a key on his own machine."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from casemate.identity.approval import Statement, sign
from tests.attacks.releasing import PRIVATE, key, offered
from tests.console.live import CHROMIUM, a_live_region
from tests.console.visitor import SECRET, Page, Visitor, a_region
from tests.laws.world import World

TEXT = "The pier is open again. Ferries leave at dawn."
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOWEST = "agency=EXERCISE"


async def people(world: World, keys: bool = True) -> None:
    for name in ("ben", "carl"):
        await world.person(name, SECRET, ("releaser",))
        if keys:
            label = world.house.gate.vault.region.reach(SECRET).text
            await key(world, name, label, lowest=LOWEST)


def line(world: World, name: str, statement: bytes) -> str:
    """What `casemate release sign` prints."""
    named, signature = sign(msgspec.json.decode(statement, type=Statement), PRIVATE[id(world), name])
    return f"{named.key} {signature}"


def test_three_people_without_a_script() -> None:
    async def look() -> None:
        async with a_region() as world:
            await people(world)
            ann, ben, carl = [await Visitor(world).sign_in(name) for name in ("analyst", "ben", "carl")]
            await ann.post("/answers", {"text": TEXT})
            kept = (await ann.get("/answers.json")).json["data"][0]["id"]
            assert f"/releases?kind=answer&amp;object={kept}" in Page.of(await ann.get("/answers")).source
            form = Page.of(await ann.get(f"/releases?kind=answer&object={kept}"))
            assert kept in [field.get("value") for field in form.all("input")]
            asked = await ann.post("/releases", {"object": kept, "to": LOWEST, "reason": "for the ferries"})
            assert asked.status == 303, asked.body
            path = asked.header("location")
            mine = Page.of(await ann.get(path))
            assert TEXT in mine.text
            assert "Withdraw" in mine.text
            assert "Approve" not in mine.text
            for who, name in ((ben, "ben"), (carl, "carl")):
                assert "Carry out" not in Page.of(await who.get(path)).text
                file = await who.get(f"{path}/statement")
                assert file.header("content-disposition").startswith("attachment")
                assert (await who.post(f"{path}/approve", {"line": "nonsense"})).status == 400
                done = await who.post(f"{path}/approve", {"line": line(world, name, file.body)})
                assert done.status == 303, done.body
                assert "line" not in [field.get("name") for field in Page.of(await who.get(path)).all("input")]
            assert "Carry out" in Page.of(await ann.get(path)).text
            assert (await ann.post(f"{path}/carry", {})).status == 303
            assert "Carried out" in Page.of(await ann.get(path)).text
            guest = await Visitor(world).sign_in("guest")
            assert TEXT in Page.of(await guest.get("/answers")).text
            assert (await guest.get(path)).status == 404
            listed = Page.of(await guest.get("/releases"))
            assert "for the ferries" not in listed.text
            assert (await ann.get(f"{path}.json")).json["data"]["release"]["landed"].startswith("answer/ans_")

    asyncio.run(look())


def test_a_no_and_keys_on_the_page() -> None:
    async def look() -> None:
        async with a_region() as world:
            await people(world, keys=False)
            label = world.house.gate.vault.region.reach(SECRET).text
            id = await offered(world, "ben", label)
            auditor, ben = await Visitor(world, "fr").sign_in("auditor"), await Visitor(world, "fr").sign_in("ben")
            acting = f"?acting={label.replace(' ', '%20').replace('+', '%2B')}"
            assert id in Page.of(await auditor.get(f"/releases{acting}")).source
            assert (
                await auditor.post(f"/release-keys/{id}/register{acting}", {"lowest": LOWEST, "days": "x"})
            ).status == 400
            registered = await auditor.post(f"/release-keys/{id}/register{acting}", {"lowest": LOWEST})
            assert registered.status == 303
            assert "Révoquer" in Page.of(await ben.get("/releases")).text
            assert (await ben.post(f"/release-keys/{id}/revoke", {})).status == 303
            assert id not in Page.of(await ben.get("/releases")).source
            ann = await Visitor(world, "fr").sign_in("analyst")
            await ann.post("/answers", {"text": TEXT})
            kept = (await ann.get("/answers.json")).json["data"][0]["id"]
            path = (await ann.post("/releases", {"object": kept, "to": LOWEST, "reason": "pour le quai"})).header(
                "location"
            )
            assert (await ben.post(f"{path}/refuse", {"why": "pas encore"})).status == 303
            page = Page.of(await ann.get(path))
            assert "Refusée" in page.text
            assert "pas encore" in page.text
            assert (
                await ann.post("/releases", {"object": kept, "to": LOWEST, "reason": "x", "days": "x"})
            ).status == 400

    asyncio.run(look())


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=env)
        page = browser.new_context(viewport={"width": 1180, "height": 860}, locale="en-GB").new_page()
        yield page
        browser.close()


def enter(tab: Tab, address: str, secret: str) -> None:
    tab.goto(address)
    tab.get_by_role("button", name="I have read this").click()
    tab.get_by_label("Key or token").fill(secret)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(re.compile(r"/(session\?|ask|releases)"), wait_until="load")
    if "/session" in tab.url:
        tab.get_by_role("button", name="Begin").click()
        tab.wait_for_load_state("load")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")
def test_an_approver_in_a_browser(tab: Tab) -> None:
    with a_live_region() as region:
        world = region.world
        region.run(people(world))

        async def asked() -> str:
            label = world.house.gate.vault.region.reach(SECRET).text
            await world.call("analyst", "POST", "/api/answers", {"text": TEXT}, label)
            kept = (await world.call("analyst", "GET", "/api/answers", acting=label)).json["data"][0]["id"]
            body = {"kind": "answer", "id": kept, "to": LOWEST, "reason": "for the ferries"}
            return str((await world.call("analyst", "POST", "/api/releases", body, label)).json["data"]["id"])

        request = region.run(asked())
        enter(tab, region.address, world.keys["ben"])
        tab.goto(f"{region.address}/releases")
        assert Axe().run(tab, options=AXE).response["violations"] == []
        _shot(tab, "releases")
        tab.get_by_role("link", name="for the ferries").click()
        tab.wait_for_url(f"**/releases/{request}")
        assert TEXT in tab.locator("main").inner_text()
        assert Axe().run(tab, options=AXE).response["violations"] == []
        _shot(tab, "release")
        with tab.expect_download() as downloading:
            tab.get_by_role("link", name="Download the statement").click()
        statement = Path(downloading.value.path()).read_bytes()
        tab.get_by_label("The line: key and signature").fill(line(world, "ben", statement))
        tab.get_by_role("button", name="Approve").click()
        tab.wait_for_url(f"**/releases/{request}", wait_until="load")
        assert "ben" in tab.locator("main .rows").inner_text()
        assert tab.get_by_label("The line: key and signature").count() == 0


def _shot(tab: Tab, name: str) -> None:
    """For whoever wants to look: CASEMATE_SHOTS names a folder."""
    folder = os.environ.get("CASEMATE_SHOTS")
    if folder:
        tab.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
