"""The console in Chromium: the whole walk, axe-core on every page, and paper."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pypdfium2 import PdfDocument

from tests.console.live import CHROMIUM, Live, a_live_region
from tests.console.visitor import FEVER, HIGH, LOW

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]

CALM = "The harbour was calm and the lamps were lit. " * 9
LONG = "SECRET//NOFORN\n\n" + "\n\n".join(
    f"({'S//NF' if n % 2 else 'U'}) Paragraph {n} of a long report. {CALM}" for n in range(40)
)
PAGES = (
    "session",
    "ask",
    "search?q=fever+harbuor",
    "documents",
    "review",
    "knowledge",
    "buckets",
    "datasets",
    "jobs",
    "missions",
    "mission-watches",
    "queues",
    "work",
    "proofs",
    "answers",
    "markings",
    "releases",
    "spill",
    "today",
    "ledger",
    "live",
    "keys",
    "principals",
    "policy",
    "connect",
    "nowhere",
)
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture(scope="module")
def region() -> Iterator[Live]:
    documents = (("bulletin.txt", LOW), ("report.txt", HIGH), ("long.txt", f"{LONG}\n\nSECRET//NOFORN\n"))
    with a_live_region(*documents) as live:
        yield live


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that keeps what it writes in a folder of its own."""
    home = str(tmp_path_factory.mktemp("chromium"))
    env = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=env)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, region: Live, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own context; whatever it asks of another host, or says in its console, fails the test."""
    context = chromium.new_context(**{"viewport": {"width": 1180, "height": 860}, "locale": "en-GB"} | _asked(request))
    context.set_default_timeout(20_000)
    page = context.new_page()
    strange: list[str] = []
    page.on("request", lambda asked: strange.append(asked.url) if not asked.url.startswith(region.address) else None)
    page.on("console", lambda said: strange.append(said.text) if "status of 4" not in said.text else None)
    page.on("pageerror", lambda error: strange.append(str(error)))
    yield page
    context.close()
    assert strange == []


def _asked(request: pytest.FixtureRequest) -> dict[str, Any]:
    return getattr(request, "param", {})


def enter(page: Page, region: Live, who: str) -> None:
    page.goto(region.address)
    page.get_by_role("button", name="I have read this").click()
    page.get_by_label("Key or token").fill(region.world.keys[who])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/(session\?|ask$)"), wait_until="load")
    if "/session" in page.url:  # a principal of one label has nothing to choose
        page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/ask")


def visit(page: Page, name: str, to: str) -> None:
    """To another page by its name in the menu; a page is looked at only once it is there."""
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(to, wait_until="load")


def follow(page: Page, what: str, to: str) -> None:
    """To another page, and only then on."""
    page.locator(what).first.click()
    page.wait_for_url(to, wait_until="load")


def test_from_consent_to_the_ledger(page: Page, region: Live, tmp_path: Path) -> None:
    enter(page, region, "analyst")
    page.get_by_label("Your question").fill(FEVER)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Prove it").wait_for()
    assert page.locator(".rung .said .mark").all_inner_texts() == ["(U)", "(S//NF)"]
    assert page.get_attribute("#answer", "aria-busy") == "false"
    page.get_by_role("button", name="Keep this answer").click()
    page.get_by_text("Kept at the label of this page.").wait_for()
    page.get_by_role("button", name="Prove it").click()
    page.locator(".proof").wait_for()
    assert "Equal" in page.locator(".proof").inner_text()
    page.locator(".cited a").last.click()
    page.wait_for_url("**/documents/doc_*#psg_*")
    assert "Velspira" in page.locator(":target").inner_text()

    visit(page, "Documents", "**/documents")
    _drop(page, "dropped.txt", "UNCLASSIFIED\n\n(U) A dropped note about lamps.\n\nUNCLASSIFIED\n")
    page.locator("#library").get_by_text("A dropped note about lamps.").wait_for()
    bare = tmp_path / "bare.txt"
    bare.write_text("No mark stands in this note.")
    page.set_input_files("#files", bare)
    page.get_by_role("button", name="Add").click()
    page.get_by_text("One document bears no marking.").wait_for()
    page.get_by_label("Label all as").select_option(label="SECRET//NOFORN")
    page.get_by_role("button", name="Label", exact=True).click()
    page.locator("#library td").get_by_text("bare", exact=True).wait_for()

    visit(page, "Today", "**/today")
    assert FEVER in page.locator("#asked").inner_text()
    visit(page, "Ledger", "**/ledger")
    assert page.locator("tbody tr").count() > 8
    visit(page, "Kept answers", "**/answers")
    assert "Velspira" in page.locator("main").inner_text()


def _drop(page: Page, name: str, text: str) -> None:
    """A file let go over the page."""
    page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name, {type: "text/plain"}));
            for (const kind of ["dragover", "drop"])
                document.querySelector("#drop").dispatchEvent(
                    new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        [name, text],
    )


def test_the_acting_label_changes_the_banner_and_the_world(page: Page, region: Live) -> None:
    enter(page, region, "analyst")
    page.locator("#acting").select_option(label="UNCLASSIFIED")
    page.wait_for_url("**/ask?acting=*")
    assert page.locator(".banner").first.inner_text() == "UNCLASSIFIED"
    page.get_by_label("Your question").fill(FEVER)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Prove it").wait_for()
    assert page.locator(".rung .said .mark").all_inner_texts() == ["(U)"]


def test_a_refusal_is_told_in_the_place_of_the_answer(page: Page, region: Live) -> None:
    enter(page, region, "guest")
    page.get_by_label("Your question").fill("(S//NF) Where is the fever?")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "mark-above" in alert.inner_text()
    assert page.get_attribute("#answer", "aria-busy") == "false"


def test_without_scripts_everything_is_still_there(chromium: Browser, region: Live) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto(region.address)
    follow(page, "main button", "**/sign-in")
    page.locator("#key").fill(region.world.keys["analyst"])
    follow(page, "main button", "**/session?*")
    follow(page, "main button", "**/ask")
    page.locator("#question").fill(FEVER)
    page.locator(".send button").last.click()
    page.locator(".rung").nth(1).wait_for()
    assert page.locator(".rung").count() == 2
    page.get_by_role("button", name="Prouver").click()
    page.locator(".proof").wait_for()
    assert "Égal" in page.locator(".proof").inner_text()
    context.close()


KINDS = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "locale": "fr-FR"},
]


@pytest.mark.parametrize("page", KINDS, indirect=True, ids=["light", "dark", "light-390", "dark-390-fr"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(page: Page, region: Live) -> None:
    axe, found = Axe(), {}

    def look(name: str) -> None:
        results = axe.run(page, options=AXE)
        if results.violations_count:
            found[name] = results.generate_report()
        wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= screen, name

    page.goto(region.address)
    look("consent")
    follow(page, "main button", "**/sign-in")
    look("sign-in")
    page.locator("#key").fill(region.world.keys["auditor"])
    follow(page, "main button", "**/session?*")
    look("session")
    follow(page, "main button", "**/ask")
    page.locator("#question").fill(FEVER)
    page.keyboard.press("Enter")
    page.locator(".after button").last.click()
    page.locator(".proof").wait_for()
    look("answer")
    follow(page, ".cited a", "**/documents/doc_*")
    look("document")
    for name in PAGES:
        page.goto(f"{region.address}/{name}")
        for summary in page.locator("main summary").all():
            summary.click()
        look(name)
    page.goto(f"{region.address}/ledger")
    page.locator("main form button").click()
    page.locator(".verdicts").wait_for()
    look("verdict")
    follow(page, "tbody a", "**/ledger/ent_*")
    look("entry")
    page.locator(".account summary").click()
    look("menu")
    assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())


@pytest.mark.parametrize("page", KINDS, indirect=True, ids=["light", "dark", "light-390", "dark-390-fr"])
def test_axe_finds_nothing_where_a_document_is_tended(page: Page, region: Live) -> None:
    """With every deed open: on one's own document, in quarantine, without a mark, and on its base."""
    secret = "agency=EXERCISE + us:SECRET//REL=USA"
    ids = {}
    for name, text in (("own.txt", HIGH), ("odd.txt", HIGH.replace("SECRET", "CONFIDENTIAL")), ("bare.txt", "Bare.")):
        target = f"/api/documents?name={name}&base=pier&attributes=%7B%22year%22%3A2024%7D"
        brought = region.run(
            region.world.call("analyst", "POST", target, f"{text}{page.viewport_size}".encode(), secret)
        )
        region.run(region.world.step("knowledge.ingest"))
        ids[name] = brought.json["data"]["id"]
    page.goto(region.address)
    follow(page, "main button", "**/sign-in")
    page.locator("#key").fill(region.world.keys["analyst"])
    follow(page, "main button", "**/session?*")
    follow(page, "main button", "**/ask")
    found = {}
    for path in (f"documents/{ids['own.txt']}", "review", "knowledge"):
        page.goto(f"{region.address}/{path}?acting={quote(secret)}")
        assert page.locator("main form").count() > 2, path
        for summary in page.locator("main summary").all():
            summary.click()
        results = Axe().run(page, options=AXE)
        if results.violations_count:
            found[path] = results.generate_report()
        wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= screen, path
    assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())


def test_axe_is_awake(page: Page, region: Live) -> None:
    page.goto(region.address)
    page.evaluate("document.querySelector('main button').replaceChildren()")
    assert Axe().run(page, options=AXE).violations_count > 0


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_every_printed_sheet_bears_the_marking_in_dark_letters(page: Page, region: Live, tmp_path: Path) -> None:
    enter(page, region, "analyst")
    rows = region.run(region.world.call("analyst", "GET", "/api/documents")).json["data"]["documents"]
    page.goto(f"{region.address}/documents/{next(row['id'] for row in rows if row['name'] == 'long.txt')}")
    file = tmp_path / "printed.pdf"
    page.pdf(path=file, format="A4", print_background=False, prefer_css_page_size=True)
    printed = PdfDocument(file)
    sheets = [sheet.get_textpage().get_text_bounded() for sheet in printed]
    printed.close()
    assert len(sheets) >= 3
    for number, sheet in enumerate(sheets, start=1):
        lines = [line.strip() for line in sheet.splitlines()]
        assert lines.count("SECRET//NOFORN") == 1, sheet
        assert f"SECRET//NOFORN – {number}/{len(sheets)}" in lines
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".said").first.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    assert page.locator(".said .mark").first.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    assert not page.locator(".banner").first.is_visible()
