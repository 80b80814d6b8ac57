"""The page of what is under review: why it was put aside, and what whoever brought it decides."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.attacks.scene import LOW, SECRET
from tests.console.test_document import bring, forms
from tests.console.test_pages import bare, check
from tests.console.visitor import Page, Visitor, a_region

ODD = "UNCLASSIFIED\n\n(S//NF) Zanzibar above its banner.\n\nUNCLASSIFIED\n"
BARE = "Nothing says how high this lies."
AT_SECRET, AT_LOW = f"?acting={quote(SECRET)}", f"?acting={quote(LOW)}"


async def test_what_was_put_aside_says_why_and_is_found_by_no_search() -> None:
    async with a_region() as world:
        id = await bring(world, ODD, "odd.txt")
        waits = await bring(world, BARE, "bare.txt")
        analyst = await Visitor(world).sign_in("analyst")
        page = check(await analyst.get(f"/review{AT_SECRET}"), "en")
        assert "The portion mark (S//NF) is above the document's banner UNCLASSIFIED." in page.text
        assert "Raise the banner or correct the portion mark" in page.text
        assert "portion-above" in page.text
        articles = [each["id"] for each in page.all("article")]
        assert articles == [id, waits]
        assert len(forms(page, f"/review/{id}")) == len(forms(page, f"/review/{waits}")) == 2
        decisions = [each["value"] for each in page.all("button") if each.get("name") == "decision"]
        assert decisions == ["restate", "text", "remove", "restate", "remove"]
        assert (await analyst.get("/search.json?q=zanzibar&method=text")).json["data"]["hits"] == []
        document = Page.of(await analyst.get(f"/documents/{id}{AT_SECRET}"))
        assert [a["href"] for a in document.all("a") if a["href"].endswith(f"#{id}")]
        listed = Page.of(await analyst.get(f"/documents{AT_SECRET}"))
        assert [a for a in listed.all("a") if a["href"].startswith("/review")]


@pytest.mark.parametrize(
    ("decision", "told", "found"),
    [("restate", "read again", False), ("text", "words of the text", True), ("remove", "Removed", False)],
)
async def test_whoever_brought_it_decides(decision: str, told: str, found: bool) -> None:
    async with a_region() as world:
        id = await bring(world, ODD, "odd.txt")
        analyst = await Visitor(world).sign_in("analyst")
        form = {"decision": decision, "label": SECRET}
        seen = await analyst.post(f"/review/{id}{AT_SECRET}", form)
        assert seen.status == 303, seen.body
        page = Page.of(await analyst.go(seen.header("location")))
        assert told in page.text
        assert id not in page.source, "it waits no longer"
        await world.step("knowledge.ingest")
        rows = (await analyst.get(f"/documents.json{AT_SECRET}")).json["data"]["documents"]
        states = [row["state"] for row in rows if row["name"] == "odd.txt"]
        assert states == {"restate": ["quarantined"], "text": ["ready"], "remove": []}[decision]
        hits = (await analyst.get(f"/search.json{AT_SECRET}&q=zanzibar&method=text")).json["data"]["hits"]
        assert bool(hits) is found
        if found:
            assert {hit["label"] for hit in hits} == {SECRET}


async def test_what_bears_no_mark_is_labelled_or_removed() -> None:
    async with a_region() as world:
        ids = [await bring(world, BARE + name, f"{name}.txt") for name in ("a", "b")]
        analyst = await Visitor(world).sign_in("analyst")
        unsaid = await analyst.post(f"/review/{ids[0]}{AT_SECRET}", {"decision": "restate", "label": ""})
        assert unsaid.status == 400
        assert (await analyst.post(f"/review/{ids[0]}{AT_SECRET}", {"decision": "restate", "label": LOW})).status == 303
        assert (await analyst.post(f"/review/{ids[1]}{AT_SECRET}", {"decision": "remove"})).status == 303
        assert (await analyst.post(f"/review/{ids[1]}{AT_SECRET}", {"decision": "burn"})).status == 400
        await world.step("knowledge.ingest")
        rows = (await analyst.get(f"/documents.json{AT_SECRET}")).json["data"]
        assert [row["marking"] for row in rows["documents"] if row["name"] == "a.txt"] == ["UNCLASSIFIED"]
        assert rows["waiting"] == []
        assert "Nothing waits for a decision" in Page.of(await analyst.get(f"/review{AT_SECRET}")).text


async def test_what_lies_at_another_label_is_decided_there() -> None:
    async with a_region() as world:
        id = await bring(world, ODD, "odd.txt", label=LOW)
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get(f"/review{AT_SECRET}"))
        assert "It lies at UNCLASSIFIED; decide there." in page.text
        assert forms(page, "/review/") == []
        [there] = [a["href"] for a in page.all("a") if a["href"].endswith(f"#{id}")]
        low = Page.of(await analyst.get(there.partition("#")[0]))
        assert forms(low, f"/review/{id}")


async def test_others_see_that_it_is_not_theirs_and_what_lies_above_is_not_there() -> None:
    async with a_region() as world:
        high = await bring(world, ODD, "odd.txt")
        low = await bring(world, ODD + "\n", "low.txt", label=LOW)
        guest = await Visitor(world).sign_in("guest")
        page = Page.of(await guest.get("/review"))
        assert "analyst brought it and decides." in page.text
        assert forms(page, "/review/") == []
        assert high not in page.source
        seen = [await guest.post(f"/review/{id}", {"decision": "remove"}) for id in (high, low, "doc_never")]
        assert [each.status for each in seen] == [404, 404, 404]
        assert bare(seen[0], high) == bare(seen[1], low) == bare(seen[2], "doc_never")


async def test_more_than_a_page_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.doors.console.review.FIRST", 1)
    async with a_region() as world:
        for name in ("a", "b"):
            await bring(world, BARE + name, f"{name}.txt")
        analyst = await Visitor(world, "fr").sign_in("analyst")
        page = check(await analyst.get(f"/review{AT_SECRET}"), "fr")
        assert len(page.all("article")) == 1
        assert [a for a in page.all("a") if "all=1" in a["href"]]
        assert len(Page.of(await analyst.get(f"/review{AT_SECRET}&all=1")).all("article")) == 2
