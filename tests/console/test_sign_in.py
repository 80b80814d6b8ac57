"""Consent, key, range, language, and the way back: what a browser must show before it sees anything."""

from __future__ import annotations

import asyncio

import pytest

from tests.console.visitor import FORM, HOST, SECRET, Page, Visitor, a_region


def test_consent_comes_first_then_the_key_then_the_range() -> None:
    async def walk() -> None:
        async with a_region() as world:
            visitor = Visitor(world)
            assert (await visitor.get("/")).header("location") == "/consent"
            assert (await visitor.get("/sign-in")).header("location") == "/consent"
            assert "records every question" in Page.of(await visitor.get("/consent")).text
            early = await visitor.post("/sign-in", {"key": world.keys["analyst"]})
            assert early.header("location") == "/consent"
            assert "casemate" not in visitor.cookies
            agreed = await visitor.post("/consent?next=%2Fdocuments", {})
            assert agreed.header("location") == "/sign-in?next=%2Fdocuments"
            entered = await visitor.post("/sign-in", {"key": f" {world.keys['analyst']}\n", "next": "/documents"})
            assert entered.header("location") == "/session?next=%2Fdocuments"
            cookie = next(value for name, value in entered.headers if name == "set-cookie")
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            page = Page.of(await visitor.get("/session?next=%2Fdocuments"))
            assert {"floor", "ceiling"} <= {select["name"] for select in page.all("select")}
            assert (await visitor.post("/session", {"next": "/documents"})).header("location") == "/documents"
            assert (await visitor.get("/documents")).status == 200

    asyncio.run(walk())


def test_a_session_is_narrowed_and_never_widened() -> None:
    async def walk() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            wide = dict(analyst.cookies)
            narrowed = await analyst.post("/session", {"ceiling": "agency=EXERCISE"})
            assert narrowed.status == 303
            assert analyst.cookies["casemate"] != wide["casemate"]
            assert Page.of(await analyst.get("/documents")).banners[0] == "UNCLASSIFIED"
            again = await analyst.post("/session", {"written_ceiling": SECRET})
            assert again.status == 403
            old = Visitor(world, cookies=wide)
            assert (await old.get("/documents")).header("location").startswith("/sign-in")

    asyncio.run(walk())


def test_signing_out_ends_the_session_and_leaves_a_key_alone() -> None:
    async def walk() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            held = dict(analyst.cookies)
            assert (await analyst.post("/sign-out", {})).header("location") == "/sign-in"
            assert "casemate" not in analyst.cookies
            assert (await Visitor(world, cookies=held).get("/today")).status == 303
            left = await world.call("analyst", "POST", "/sign-out")
            assert left.status == 303
            assert (await world.call("analyst", "GET", "/api/session")).status == 200

    asyncio.run(walk())


@pytest.mark.parametrize("path", ["/ask", "/sign-out", "/session", "/keys"])
@pytest.mark.parametrize(
    "headers",
    [
        (("origin", "http://elsewhere.test"),),
        (("origin", "null"),),
        (("origin", f"http://{HOST}"), ("sec-fetch-site", "cross-site")),
        (),
    ],
)
def test_a_form_of_another_site_does_nothing(path: str, headers: tuple[tuple[str, str], ...]) -> None:
    async def walk() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            seen = await analyst.send("POST", path, b"question=x", ("content-type", FORM), *headers)
            assert (seen.status, seen.header("location")) == (303, "/sign-in")
            assert (await analyst.get("/today")).status == 200

    asyncio.run(walk())


@pytest.mark.parametrize("path", ["/sign-in", "/consent"])
def test_nobody_is_signed_in_by_another_site(path: str) -> None:
    async def walk() -> None:
        async with a_region() as world:
            visitor = Visitor(world)
            await visitor.post("/consent", {})
            body = f"key={world.keys['analyst']}".encode()
            elsewhere = ("origin", "http://elsewhere.test")
            seen = await visitor.send("POST", path, body, ("content-type", FORM), elsewhere)
            assert seen.status == 400
            assert "casemate" not in visitor.cookies

    asyncio.run(walk())


@pytest.mark.parametrize("key", ["", "cm_no_no", "nonsense", "cm_" + "a" * 26 + "_" + "b" * 52])
def test_a_key_that_opens_nothing_is_told_on_the_page_and_recorded(key: str) -> None:
    async def walk() -> None:
        async with a_region() as world:
            visitor = Visitor(world)
            await visitor.post("/consent", {})
            seen = await visitor.post("/sign-in", {"key": key, "next": "/today"})
            page = Page.of(seen)
            assert seen.status == 401
            assert "Who is asking?" in page.text
            assert [field["value"] for field in page.all("input") if field.get("name") == "next"] == ["/today"]
            assert key == "" or key not in page.source
            auditor = await Visitor(world).sign_in("auditor")
            entries = (await auditor.get("/ledger.json")).json["data"]
            assert [e for e in entries if e["entry"]["rule"] == "unauthenticated"]
            assert "Unknown caller" in Page.of(await auditor.get("/today")).text

    asyncio.run(walk())


@pytest.mark.parametrize("to", ["//else.test", "https://else.test", "/\\else.test", "javascript:x", "/a\nb"])
def test_after_signing_in_one_stays_here(to: str) -> None:
    async def walk() -> None:
        async with a_region() as world:
            visitor = Visitor(world)
            await visitor.post("/consent", {})
            seen = await visitor.post("/sign-in", {"key": world.keys["analyst"], "next": to})
            assert seen.header("location") == "/session?next=%2Fask"
            assert (await visitor.post("/session", {"next": to})).header("location") == "/ask"

    asyncio.run(walk())


def test_whoever_is_not_signed_in_is_led_there_and_back() -> None:
    async def walk() -> None:
        async with a_region() as world:
            visitor = Visitor(world)
            page = await visitor.get("/documents/doc_x?acting=us:SECRET")
            assert page.header("location") == "/sign-in?next=%2Fdocuments%2Fdoc_x%3Facting%3Dus%3ASECRET"
            script = await visitor.get("/documents", ("hx-request", "true"))
            assert (script.status, script.header("hx-redirect")) == (401, "/sign-in")
            data = await visitor.get("/documents.json")
            assert (data.status, data.json["slug"]) == (401, "unauthenticated")
            linked = await visitor.get("/documents/doc_x", ("sec-fetch-site", "cross-site"))
            [refresh] = [meta["content"] for meta in Page.of(linked).all("meta") if meta.get("http-equiv") == "refresh"]
            assert (linked.status, refresh) == (401, "0;url=/documents/doc_x")

    asyncio.run(walk())


def test_the_switch_changes_the_language_of_this_browser() -> None:
    async def walk() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            back = await analyst.get("/language?to=fr", ("referer", f"http://{HOST}/today?acting=x"))
            assert back.header("location") == "/today?acting=x"
            assert "Aujourd'hui" in Page.of(await analyst.get("/today")).text
            away = await analyst.get("/language?to=en", ("referer", "http://elsewhere.test/today"))
            assert away.header("location") == "/"
            assert "Asked" in Page.of(await analyst.get("/today")).text

    asyncio.run(walk())


def test_a_page_that_a_role_does_not_open_is_not_offered() -> None:
    async def walk() -> None:
        async with a_region() as world:
            await world.person("guard", SECRET, ("officer",))
            guard = Visitor(world)
            await guard.post("/consent", {})
            entered = await guard.post("/sign-in", {"key": world.keys["guard"]})
            assert entered.header("location") == "/session?next=%2Ftoday"
            page = Page.of(await guard.get("/principals"))
            hrefs = {a["href"] for a in page.all("a")}
            assert "/principals" in hrefs
            assert "/ask" not in hrefs
            refused = await guard.get("/documents")
            assert refused.status == 403
            assert "document.list" in Page.of(refused).text
            assert "/principals" in {a["href"] for a in Page.of(refused).all("a")}

    asyncio.run(walk())
