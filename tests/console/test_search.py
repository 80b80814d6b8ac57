"""The page of search: hits with marks and highlighted words, facets as links, suggestions, and what narrows."""

from __future__ import annotations

import re
from html import unescape

import pytest

from casemate.doors.console.search import narrowed, pieces
from tests.console.visitor import HIGH, LOW, Page, Visitor, a_region

EVIL = "UNCLASSIFIED\n\n(U) The <b>lantern</b> & the fuel were lit.\n\nUNCLASSIFIED\n"


async def test_a_question_finds_passages_with_marks_and_lit_words() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        start = Page.of(await analyst.get("/search"))
        assert start.all("mark") == []
        assert "depends on what you may see" in start.text
        page = Page.of(await analyst.get("/search?q=velspira+fever"))
        assert "<mark>Velspira</mark>" in page.source
        assert "<mark>fever</mark>" in page.source
        assert {"(U)", "(S//NF)"} <= set(re.findall(r'class="mark"[^>]*>([^<]*)<', page.source))
        assert [a["href"] for a in page.all("a") if re.fullmatch(r"/documents/doc_\w+#psg_\w+", a["href"])]
        assert "passages hold a word of the question" in page.text
        assert page.banners[0] == "SECRET//NOFORN"


async def test_what_is_seen_lower_is_less_and_facets_and_suggestions_tell_nothing_more() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        low = "/search?acting=us:UNCLASSIFIED&q="
        assert "Velspira" not in Page.of(await analyst.get(f"{low}fever")).source
        assert "velspira</a>?" not in Page.of(await analyst.get(f"{low}velspirx")).source
        assert "velspira</a>?" in Page.of(await analyst.get("/search?q=velspirx")).source
        assert "(S//NF)" not in Page.of(await analyst.get(f"{low}fever")).source
        none = Page.of(await analyst.get(f"{low}zanzibar&method=text"))
        assert "Nothing was found" in none.text
        assert "No passage that you may see" in none.text


async def test_a_facet_leads_to_what_it_counted() -> None:
    async with a_region(("a.txt", LOW), ("b.txt", HIGH)) as world:
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get("/search?q=fever&method=text"))
        links = re.findall(r'<li><a href="(/search[^"]*)">([^<]*)</a> <span class="num">(\d+)<', page.source)
        assert len(links) > 4
        for href, told, count in links:
            seen = await analyst.get(unescape(href).replace("/search?", "/search.json?"))
            assert seen.json["data"]["total"] == int(count), told
        one = Page.of(await analyst.get("/search?q=velspira&method=text"))
        assert "One passage holds" in one.text


async def test_without_words_the_newest_are_listed() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get("/search?q=base:default&all=1&base=default"))
        assert "the newest first" in page.text
        assert "Velspira" in page.text
        unknown = await analyst.get("/search?q=x&base=nowhere")
        assert unknown.status == 404


async def test_more_is_shown_where_there_is_more() -> None:
    many = "UNCLASSIFIED\n\n" + "\n\n".join(f"(U) The fever number {n} was quiet." for n in range(25))
    async with a_region(("many.txt", f"{many}\n\nUNCLASSIFIED\n")) as world:
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get("/search?q=fever&method=dense"))
        assert "Show more" in page.text
        assert len(re.findall(r'<li class="rung', page.source)) == 20
        more = Page.of(await analyst.get("/search?q=fever&all=1"))
        assert len(re.findall(r'<li class="rung', more.source)) == 25
        assert "Show more" not in more.text


async def test_it_is_said_in_french_and_what_people_write_is_text() -> None:
    async with a_region(("evil.txt", EVIL)) as world:
        guest = await Visitor(world, "fr").sign_in("guest")
        page = Page.of(await guest.get("/search?q=lantern+%3Cscript%3E+lantrn"))
        assert "<mark>lantern</mark>" in page.source
        assert "&lt;b&gt;" in page.source
        assert "<script>" not in page.source
        assert "Vouliez-vous dire" in page.text
        assert "Restreindre" in page.text


async def test_a_mark_above_is_refused_before_anything_is_searched() -> None:
    async with a_region() as world:
        guest = await Visitor(world).sign_in("guest")
        refused = await guest.get("/search?q=(S//NF)+fever")
        assert refused.status == 403


def test_pieces_hold_the_whole_snippet() -> None:
    told = pieces({"text": "the fuel of ships", "spans": [[4, 8], [12, 17]]})
    assert told == [("the ", False), ("fuel", True), (" of ", False), ("ships", True)]
    assert pieces({"text": "fuel", "spans": []}) == [("fuel", False)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("base", "port", "fuel base:port"),
        ("language", "fr", "fuel lang:fr"),
        ("mark", "(S//REL TO USA, GBR)", "fuel mark:(S//REL TO USA, GBR)"),
        ("media", "text/plain", "fuel media:text/plain"),
        ("month", "2026-12", "fuel after:2026-12 before:2027-01"),
        ("month", "2026-03", "fuel after:2026-03 before:2026-04"),
        ("attr.to", 'two "words"', 'fuel attr.to:"two  words "'),
        ("attr.draft", True, "fuel attr.draft:true"),
        ("attr.year", 2024.0, "fuel attr.year:2024"),
        ("attr.part", 0.5, "fuel attr.part:0.5"),
    ],
)
def test_a_filter_is_written_as_it_is_typed(name: str, value: object, expected: str) -> None:
    assert narrowed(" fuel ", name, value) == expected
