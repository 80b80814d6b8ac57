"""Every page, in both languages: marked, safe, whole, and the same as data."""

from __future__ import annotations

import asyncio
import re

import pytest

from casemate.words.say import sentences
from tests.console.visitor import FEVER, Page, Visitor, a_region
from tests.laws.world import Seen

PUBLIC = ("/consent", "/sign-in")
PAGES = (
    "/session",
    "/ask",
    "/search",
    "/documents",
    "/review",
    "/knowledge",
    "/buckets",
    "/datasets",
    "/transfer",
    "/jobs",
    "/answers",
    "/releases",
    "/spill",
    "/today",
    "/ledger",
    "/keys",
    "/principals",
    "/policy",
    "/connect",
)
MARKED = ("casemate-marking", "casemate-label", "content-security-policy", "x-content-type-options", "referrer-policy")


def check(seen: Seen, language: str) -> Page:
    """What holds for every page."""
    page = Page.of(seen)
    assert dict(page.tags[0][1]) == {"lang": language}
    assert page.banners == [seen.header("casemate-marking")] * 2
    for name in MARKED:
        assert seen.header(name)
    policy = seen.header("content-security-policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    for tag, attributes in page.tags:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "script":
            assert attributes["src"].startswith("/static/")
        for name in ("src", "href", "action", "hx-get", "hx-post", "formaction"):
            assert attributes.get(name, "/").startswith(("/", "#", "?")), (tag, attributes)
            assert not attributes.get(name, "/").startswith("//")
    assert not re.search(r"<script(?![^>]*src=)", page.source)
    assert "Solo region" in page.text or "Région solo" in page.text
    assert "console." not in page.text.replace("console.css", "")
    return page


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_page_is_marked_safe_and_in_the_readers_language(language: str) -> None:
    async def look() -> None:
        async with a_region() as world:
            stranger = Visitor(world, language)
            await stranger.post("/consent", {})
            for path in PUBLIC:
                check(await stranger.get(path), language)
            auditor = await Visitor(world, language).sign_in("auditor")
            titles = []
            for path in PAGES:
                seen = await auditor.get(path)
                assert seen.status == 200, path
                page = check(seen, language)
                assert len(page.all("h1")) == 1
                assert len(page.all("main")) == 1
                titles.append(re.search(r"<title>([^<]*)", page.source)[1])
            assert len(set(titles)) == len(PAGES)
            for number, path in enumerate(("/nowhere", "/documents/doc_nothing", "/ledger/ent_nothing")):
                seen = await auditor.get(path)
                assert seen.status == 404, number
                check(seen, language)

    asyncio.run(look())


def test_each_page_is_also_data_with_its_label() -> None:
    async def look() -> None:
        async with a_region() as world:
            auditor = await Visitor(world).sign_in("auditor")
            listed = (await auditor.get("/documents.json")).json
            document = listed["data"]["documents"][0]["id"]
            entry = (await auditor.get("/ledger.json")).json["data"][0]["entry"]["id"]
            for path in (*PUBLIC, *PAGES, f"/documents/{document}", f"/ledger/{entry}"):
                seen = await auditor.get(f"{path}.json")
                assert seen.header("content-type") == "application/json", path
                assert seen.json["marking"] == seen.header("casemate-marking")
                assert "data" in seen.json
            twin = (await world.call("auditor", "GET", "/api/documents")).json
            assert (await auditor.get("/documents.json")).json == twin
            absent = await auditor.get("/documents/doc_nothing.json")
            assert (absent.status, absent.json["slug"]) == (404, "absent")

    asyncio.run(look())


def test_a_page_is_at_the_acting_label_and_its_links_stay_there() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            high = Page.of(await analyst.get("/documents"))
            assert high.banners[0] == "SECRET//NOFORN"
            assert "Fever report" in high.text
            low = Page.of(await analyst.get("/documents?acting=us:UNCLASSIFIED"))
            assert low.banners[0] == "UNCLASSIFIED"
            assert "report.txt" not in low.source
            places = [a["href"] for a in low.all("a") if a["href"].startswith("/today")]
            assert places
            assert all("acting=" in place for place in places)
            above = await analyst.get("/documents?acting=us:TOP%20SECRET")
            assert above.status == 403
            assert "acting-label" in above.body.decode()

    asyncio.run(look())


def bare(seen: Seen, id: str) -> str:
    """A page without the id that was asked for, and without the number of its entry."""
    return re.sub(r"ent_\w+", "", seen.body.decode().replace(id, ""))


def test_what_a_page_shows_is_what_its_reader_may_know() -> None:
    """A document that lies higher, and one that never was, are told with the same words."""

    async def look() -> None:
        async with a_region() as world:
            analyst, visitor = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("guest")
            rows = (await analyst.get("/documents.json")).json["data"]["documents"]
            secret = next(row["id"] for row in rows if row["name"] == "report.txt")
            page = Page.of(await analyst.get(f"/documents/{secret}"))
            assert "Velspira" in page.text
            part = Page.of(await visitor.get(f"/documents/{secret}"))
            assert "Velspira" not in part.source
            assert "began on Friday" in part.text
            hidden = await visitor.post("/keys/revoke", {"id": secret})
            never = await visitor.post("/keys/revoke", {"id": "doc_never"})
            assert bare(hidden, secret) == bare(never, "doc_never")

    asyncio.run(look())


EVIL = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}<script>"


def test_what_people_write_is_text() -> None:
    async def look() -> None:
        text = (
            f"UNCLASSIFIED\n\n(U) {EVIL}\n\n(U) The fever began with {EVIL} aboard the Calder Star.\n\nUNCLASSIFIED\n"
        )
        async with a_region((f"{EVIL}.txt".replace("/", "_"), text)) as world:
            await world.person(EVIL, "us:UNCLASSIFIED")
            auditor, evil = await Visitor(world).sign_in("auditor"), await Visitor(world).sign_in(EVIL)
            rows = (await evil.get("/documents.json")).json["data"]
            id = (rows["documents"] + rows["parts"])[0]["id"]
            await evil.post("/keys", {"name": EVIL, "client": "openai", "days": "1"})
            told = await evil.post("/ask", {"question": f"{EVIL} {FEVER}"})
            streamed = await evil.post("/ask/stream", {"question": f"{EVIL} {FEVER}"})
            kept = await evil.post("/answers", {"text": EVIL, "question": EVIL})
            refused = await evil.get(f"/ledger/{'%3Cscript%3Ealert(1)%3C%2Fscript%3E'}")
            seen = [told, streamed, kept, refused]
            seen += [await evil.get(path) for path in (f"/documents/{id}", "/documents", "/answers", "/today", "/keys")]
            seen += [await auditor.get(path) for path in ("/principals", "/ledger", "/ask")]
            for each in seen:
                source = each.body.decode()
                assert "onerror=alert" not in re.sub(r"&lt;img.*?&gt;", "", source)
                assert "<img src=x" not in source
                assert "<script>" not in source
            assert "&lt;img src=x" in told.body.decode()
            assert "&lt;img src=x" in streamed.body.decode()

    asyncio.run(look())


def test_the_catalogues_say_the_same_things_in_both_languages() -> None:
    english, french = sentences("en"), sentences("fr")
    names = {slug for slug in english if slug.startswith("console.")}
    assert names == {slug for slug in french if slug.startswith("console.")}
    blanks = re.compile(r"{\w+}")
    unlike = [n for n in names if set(blanks.findall(english[n])) != set(blanks.findall(french[n]))]
    assert unlike == []
