"""The page of a network in Chromium, opened from a file: it answers as the views do, asks nobody, and prints marked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pypdfium2 import PdfDocument

from casemate.reports import Network, Report, Shown, Table, Text, page
from tests.console.live import CHROMIUM
from tests.reports.test_network import HOSTILE, network

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
SOURCE = Path(__file__).parents[2] / "missions" / "intelligence" / "src"
NAMES = {"a": "Viktor Maren", "b": "Wiktor Märenko", "c": "Maren Trading", "d": "Orrin", "e": "Quill", "f": "Élise"}
EDGES = [
    ("l1", "a", "c", "2023-01-05", "U"),
    ("l2", "b", "d", "2023-02-11", "U"),
    ("l3", "c", "d", "2023-03-01", "S"),
    ("l4", "d", "e", "2023-04-09", "U"),
    ("l5", "f", "e", "", "U"),
    ("l6", "e", "c", "2023-05-02", "S"),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    home = str(tmp_path_factory.mktemp("chromium"))
    env = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=env)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens a report from a file. Whatever the page asks for, or complains of, fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    seen, wrong = context.new_page(), list[str]()
    seen.on("request", lambda asked: wrong.append(asked.url) if asked.url.startswith("http") else None)
    seen.on("console", lambda said: wrong.append(said.text))
    seen.on("pageerror", lambda said: wrong.append(str(said)))
    seen.on("dialog", lambda said: wrong.append(said.message))

    def open_(report: Report, marking: str = "SECRET//REL TO FRA") -> Page:
        file = tmp_path / "report.html"
        file.write_text(page(report, marking=marking), encoding="utf-8")
        seen.goto(file.as_uri())
        return seen

    yield open_
    assert wrong == []
    context.close()


@pytest.fixture(scope="module")
def views() -> Iterator[list[Any]]:
    """A world below and above, where a secret judgement makes two one."""
    sys.path.insert(0, str(SOURCE))
    from casemate_intelligence.kin import Kin
    from casemate_intelligence.label import Scheme
    from casemate_intelligence.record import Judgement, Source, Statement
    from casemate_intelligence.view import Settings, view_of

    scheme, file = Scheme(), Source("file", 0, 4, "words <b>")
    records: list[Any] = [
        Statement(each, "Person", "name", name, scheme.read("U"), file, "name") for each, name in NAMES.items()
    ]
    for id, one, other, day, mark in EDGES:
        label = scheme.read(mark)
        records.append(Statement(id, "Payment", "payer", one, label, file, "entity"))
        records.append(Statement(id, "Payment", "beneficiary", other, label, file, "entity"))
        records += [Statement(id, "Payment", "date", day, label, file, "date")] if day else []
    records.append(Judgement("j", "a", "b", True, scheme.read("S"), "analyst", "2023"))
    settings = Settings(Kin({"Payment": ("payer", "beneficiary")}))
    yield [view_of(records, scheme.read(text), settings) for text in ("U", "S")]
    sys.path.remove(str(SOURCE))
    for name in [name for name in sys.modules if name.split(".")[0] == "casemate_intelligence"]:
        del sys.modules[name]


def walked(views: list[Any]) -> Network:
    from casemate_intelligence.label import Scheme
    from casemate_intelligence.walk import walked

    told = []
    for view in views:
        names = sorted(view.entities)
        measures: Any = SimpleNamespace(betweenness=dict.fromkeys(names, 0.1), community=dict.fromkeys(names, 0))
        places = {name: (90 * at, 40 * (at % 3)) for at, name in enumerate(names)}
        told.append(walked(view, names, measures, places, Scheme(), 2))
    return Network(told, "Walk")


def test_every_answer_is_that_of_the_view(opened: Any, views: list[Any]) -> None:
    seen = opened(Report("T", [walked(views)]))
    for at, view in enumerate(views):
        ask = f"(([what, ...given]) => document.querySelector('.network').walk.views[{at}][what](...given))"
        for text in ("maren", "MARENKO", "elise", "maren trading", "nobody", " ", "words"):
            found = seen.evaluate(f"given => {ask}(['search', given]).map(one => one.id)", text)
            assert found == [one.id for one in view.search(text)], text
        for window in (("", ""), ("2023-02", "2023-04-30"), ("2023-04", "2023-04")):
            part = view.between(*window) if window[0] else view
            links = f"{ask}(['within', ...window])"
            found = seen.evaluate(f"window => {links}.map(one => one.id)", window)
            assert found == [edge.id for edge in part.edges]
            for start in view.entities:
                near = seen.evaluate(f"([id, window]) => {ask}(['near', id, {links}])", [start, window])
                assert {start, *near} == {start, *part.expand(start).entities}
                for end in view.entities:
                    way = f"([a, b, window]) => {ask}(['path', a, b, {links}]).map(one => one.id)"
                    assert seen.evaluate(way, [start, end, window]) == [edge.id for edge in part.path(start, end)]


def test_a_reader_finds_widens_joins_and_brushes(opened: Any, views: list[Any]) -> None:
    seen = opened(Report("T", [walked(views)]))
    low, high = seen.locator(".view").nth(0), seen.locator(".view").nth(1)
    seen.get_by_role("searchbox").fill("wiktor")
    hit = seen.locator(".hits button")
    assert hit.all_inner_texts() == ["(S) Viktor Maren · Person"]
    hit.click()
    assert "One of 2: a, b" in high.locator(".proof").inner_text()
    assert low.locator(".proof h3").all_inner_texts() == ["(U) Viktor Maren", "(U) Wiktor Märenko"]
    assert "(S) merged: a = b" in high.locator(".proof").inner_text()
    assert "(S)" not in low.inner_text()
    seen.get_by_role("button", name="Only this and its neighbours").click()
    assert low.locator(".node").count() == 4
    assert high.locator(".node").count() == 3
    seen.get_by_role("button", name="Path from here").click()
    seen.get_by_role("searchbox").fill("quill")
    hit.click()
    seen.get_by_role("button", name="Path to here").click()
    assert "SECRET: Path 2" in seen.locator(".tools [role=status]").inner_text()
    assert high.locator("g.way line.seen").count() == 2
    high.locator(".node[data-id=d]").press("Enter")
    assert "(U) Orrin" in high.locator(".proof h3").inner_text()
    slider = seen.get_by_label("From", exact=True)
    before = high.locator("g.away").count()
    for _ in range(40):
        slider.press("ArrowRight")
    assert high.locator("g.away").count() > before
    high.get_by_role("button", name="2023-04-09").first.click()
    assert high.locator(".proof blockquote").first.inner_text().startswith("(U)")
    seen.set_viewport_size({"width": 1280, "height": 3000})  # the banners, which stay in sight, cover nothing
    results = Axe().run(seen, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert results.violations_count == 0, results.generate_report()


def test_what_a_mission_writes_is_shown_and_never_run(opened: Any) -> None:
    seen = opened(Report("T", [network(HOSTILE), Text(HOSTILE)]))
    seen.locator(".node").first.click()
    assert "onerror=alert(1)" in seen.locator(".proof").first.inner_text()
    assert seen.locator(".network img, .network script").count() == 0


def test_every_printed_sheet_of_a_report_bears_its_marking(opened: Any, views: list[Any], tmp_path: Path) -> None:
    rows = [(f"row {number}", "x" * 60) for number in range(120)]
    table = Shown(Table(("name", "told"), rows), "Rows", most=120)
    seen = opened(Report("A long report", [Text("Calm. " * 900), table, walked(views)]))
    file = tmp_path / "printed.pdf"
    seen.pdf(path=file, format="A4", print_background=False, prefer_css_page_size=True)
    printed = PdfDocument(file)
    sheets = [sheet.get_textpage().get_text_bounded() for sheet in printed]
    printed.close()
    assert len(sheets) >= 3
    for number, sheet in enumerate(sheets, start=1):
        lines = [line.strip() for line in sheet.splitlines()]
        assert "SECRET//REL TO FRA" in lines, sheet
        assert f"SECRET//REL TO FRA – {number}/{len(sheets)}" in lines, sheet
