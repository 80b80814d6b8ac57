"""The page of one document: its visible portions, where it comes from, and the deeds of whoever brought it."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from casemate.knowledge.documents.lineage import Made
from tests.attacks.scene import LOW, SECRET
from tests.console.test_documents import BOUNDARY, MULTIPART, OWN, parts
from tests.console.test_pages import bare, check
from tests.console.visitor import HIGH, Page, Visitor, a_region
from tests.laws.world import Seen, World

AT_SECRET, AT_LOW = f"?acting={quote(SECRET)}", f"?acting={quote(LOW)}"
SATURDAY = HIGH.replace("Friday", "Saturday")


async def bring(world: World, text: str, name: str = "mine.txt", more: str = "", label: str = SECRET) -> str:
    """A document of the analyst's."""
    target = f"/api/documents?name={name}&base=pier{more}"
    seen = await world.call("analyst", "POST", target, text.encode(), label)
    assert seen.status == 202, seen.body
    await world.step("knowledge.ingest")
    return str(seen.json["data"]["id"])


def actions(page: Page) -> list[str]:
    """The last word of where the forms of a page lead."""
    return [action.partition("?")[0].rsplit("/", 1)[-1] for action in forms(page, "/documents/")]


def forms(page: Page, start: str) -> list[str]:
    """Where those forms of a page lead that begin so."""
    return [form["action"] for form in page.all("form") if form.get("action", "").startswith(start)]


def links(page: Page, start: str) -> list[str]:
    return [a["href"] for a in page.all("a") if a["href"].startswith(start)]


async def test_what_is_not_visible_is_absent_and_not_blacked_out() -> None:
    async with a_region() as world:
        id = await bring(world, HIGH, "velspira-report.txt")
        analyst, guest = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("guest")
        whole = check(await analyst.get(f"/documents/{id}{AT_SECRET}"), "en")
        assert "Velspira caused" in whole.text
        assert "velspira-report.txt" in whole.text
        part = check(await guest.get(f"/documents/{id}"), "en")
        assert "began on Friday" in part.text
        for hidden in ("elspira", "S//NF", "SECRET", "████", "redacted"):
            assert hidden not in part.source
        assert part.source.count('class="passage rung') == 2
        assert links(part, "/api/") == [], "the file lies with the whole"
        data = (await guest.get(f"/documents/{id}.json")).json["data"]
        assert [piece["label"] for piece in data["lineage"]["pieces"]] == [LOW]


async def test_where_it_comes_from_stands_beside_it() -> None:
    async with a_region() as world:
        said = "&attributes=" + quote('{"author": "Ann", "year": 2024, "draft": true, "part": 0.5}')
        id = await bring(world, HIGH, more=said)
        near = await bring(world, SATURDAY, "near.txt")
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get(f"/documents/{id}{AT_SECRET}"))
        for told in ("author: Ann", "year: 2024 ", "draft: yes", "part: 0.5", "mine.txt", "text/plain", "pier"):
            assert told in page.text, told
        assert "2 passages" in page.text
        assert "1 passage · you act here" in page.text
        assert [link for link in links(page, f"/documents/{near}") if "acting=" in link]
        [file] = [a for a in page.all("a") if a["href"].startswith("/api/documents/")]
        assert file["download"] == "mine.txt"
        fetched = await analyst.get(file["href"])
        assert (fetched.status, fetched.body.decode()) == (200, HIGH)
        assert fetched.header("content-disposition") == "attachment"


async def test_what_was_made_of_it_is_told_by_kind_and_what_went_away_has_no_title(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def made(*_: object) -> tuple[Made, ...]:
        return (Made("answer", "a", LOW), Made("answer", "b", LOW), Made("tea", "c", SECRET))

    async def near(*_: object) -> list[str]:
        return [f"doc_{n}" for n in range(10)]

    monkeypatch.setattr("casemate.knowledge.documents.lineage._made", made)
    monkeypatch.setattr("casemate.doors.native.documents.neighbours", near)
    async with a_region() as world:
        id = await bring(world, LOW_TEXT.replace("The ferry leaves.", FRENCH), label=LOW)
        page = Page.of(await (await Visitor(world).sign_in("analyst")).get(f"/documents/{id}{AT_LOW}"))
        assert "(U) Kept answer (2)" in page.text
        assert "(S//NF) tea" in page.text
        assert "1 passage, French" in page.text
        assert page.text.count("Untitled") == 8
        assert "2 more" in page.text


FRENCH = "Le bateau quitte le port à midi et la mer est calme dans la baie, mais les marins ne sont pas là."


async def test_a_document_that_is_removed_where_one_acts_stays_below() -> None:
    async with a_region() as world:
        id = await bring(world, HIGH)
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get(f"/documents/{id}{AT_SECRET}"))
        assert {"remove", "raise", "replace"} <= set(actions(page))
        assert "What lies lower stays: nothing may flow down." in page.text
        seen = await analyst.post(f"/documents/{id}/remove{AT_SECRET}", {})
        assert seen.status == 303
        left = Page.of(await analyst.go(seen.header("location")))
        assert "Removed at this label and above." in left.text
        assert "Velspira" not in left.source
        assert "began on Friday" in left.text
        assert "remove" not in actions(left), "nothing of it lies here any more"
        lower = [link for link in links(left, f"/documents/{id}?acting=") if link.endswith("#tend")]
        assert lower
        assert "remove" in actions(Page.of(await analyst.get(lower[0].removesuffix("#tend"))))
        seen = await analyst.post(f"/documents/{id}/remove{AT_LOW}", {})
        assert seen.header("location").startswith("/documents?")
        assert "Removed" in Page.of(await analyst.go(seen.header("location"))).text
        assert (await analyst.get(f"/documents/{id}{AT_SECRET}")).status == 404


async def test_where_labels_are_marked_alike_the_page_says_so_and_leads_to_the_other() -> None:
    """The top of a session and a document's own label may both read SECRET//NOFORN."""
    async with a_region() as world:
        id = await bring(world, HIGH)
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get(f"/documents/{id}"))
        assert page.banners[0] == "SECRET//NOFORN"
        assert "Nothing of this document lies exactly there" in page.text
        assert "may be marked alike" in page.text
        assert "Act at SECRET//NOFORN" in page.text
        assert actions(page).count("remove") == 0
        refused = await analyst.post(f"/documents/{id}/remove", {})
        assert (refused.status, "no-write-down" in refused.body.decode()) == (403, True)


async def test_a_label_is_raised_and_never_lowered() -> None:
    async with a_region() as world:
        id = await bring(world, LOW_TEXT, label=LOW)
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get(f"/documents/{id}{AT_LOW}"))
        offered = re.findall(
            r'<option value="([^"]+)">', page.source.partition('id="raise-label"')[2].split("</select")[0]
        )
        assert SECRET in offered
        assert LOW not in offered
        assert links(page, "/releases?"), "the only way down"
        none = await analyst.post(f"/documents/{id}/raise{AT_LOW}", {"label": "", "written": " "})
        assert none.status == 400
        seen = await analyst.post(f"/documents/{id}/raise{AT_LOW}", {"label": LOW, "written": "SECRET//NOFORN"})
        assert seen.status == 303, seen.body
        assert "Brought anew at the higher label" in Page.of(await analyst.go(seen.header("location"))).text
        await world.step("knowledge.ingest")
        rows = (await analyst.get(f"/documents.json{AT_SECRET}")).json["data"]["documents"]
        [raised] = [row["id"] for row in rows if row["name"] == "mine.txt"]
        assert raised != id
        assert (await analyst.get(f"/documents/{id}{AT_SECRET}")).status == 404
        down = await analyst.post(f"/documents/{raised}/raise{AT_SECRET}", {"label": LOW})
        assert (down.status, "no-write-down" in down.body.decode()) == (403, True)


LOW_TEXT = "UNCLASSIFIED\n\n(U) The ferry leaves.\n\nUNCLASSIFIED\n"


async def replace(visitor: Visitor, id: str, *files: tuple[str, str, bytes]) -> Seen:
    body = parts(("base", "", b"pier"), ("label", "", b""), *files)
    return await visitor.send("POST", f"/documents/{id}/replace{AT_SECRET}", body, MULTIPART, *OWN)


async def test_another_file_takes_its_place_once_it_is_read() -> None:
    async with a_region() as world:
        id = await bring(world, HIGH)
        analyst = await Visitor(world).sign_in("analyst")
        assert BOUNDARY in MULTIPART[1]
        assert (await replace(analyst, id)).status == 400
        seen = await replace(analyst, id, ("files", "newer.txt", SATURDAY.encode()))
        assert seen.status == 303, seen.body
        assert "The new file is being read" in Page.of(await analyst.go(seen.header("location"))).text
        assert (await analyst.get(f"/documents/{id}{AT_SECRET}")).status == 200
        await world.step("knowledge.ingest")
        assert (await analyst.get(f"/documents/{id}{AT_SECRET}")).status == 404
        rows = (await analyst.get(f"/documents.json{AT_SECRET}")).json["data"]["documents"]
        [newer] = [row["id"] for row in rows if row["name"] == "newer.txt"]
        page = Page.of(await analyst.get(f"/documents/{newer}{AT_SECRET}"))
        assert "Took the place of" in page.text
        assert id in page.text


async def test_what_stays_below_a_replacement_names_its_successor() -> None:
    """A piece below the floor of the session that replaces stays, and says by what the rest was replaced."""
    async with a_region() as world:
        id = await bring(world, HIGH)
        high = await Visitor(world).sign_in("analyst")
        narrowed = await high.post("/session", {"floor": SECRET})
        assert "casemate" in narrowed.header("set-cookie")
        seen = await replace(high, id, ("files", "newer.txt", SATURDAY.encode()))
        assert seen.status == 303, seen.body
        await world.step("knowledge.ingest")
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get(f"/documents/{id}{AT_SECRET}"))
        assert "Velspira" not in page.source
        assert "Replaced by" in page.text
        rows = (await analyst.get(f"/documents.json{AT_SECRET}")).json["data"]["documents"]
        [newer] = [row["id"] for row in rows if row["name"] == "newer.txt"]
        assert links(page, f"/documents/{newer}")
        low = Page.of(await analyst.get(f"/documents/{id}{AT_LOW}"))
        assert "Replaced by" not in low.text, "the successor lies above"
        assert newer not in low.source


async def test_nobody_else_is_offered_a_deed_or_may_do_one() -> None:
    async with a_region() as world:
        id = await bring(world, HIGH)
        guest = await Visitor(world).sign_in("guest")
        page = Page.of(await guest.get(f"/documents/{id}"))
        assert not {"remove", "raise", "replace"} & set(actions(page))
        assert "What you may do" not in page.text
        for deed, form in (("remove", {}), ("raise", {"label": SECRET})):
            mine = await guest.post(f"/documents/{id}/{deed}", form)
            never = await guest.post(f"/documents/doc_never/{deed}", form)
            assert mine.status == never.status == 404
            assert bare(mine, id) == bare(never, "doc_never")


async def test_it_is_said_in_french_and_what_the_address_claims_is_not_repeated() -> None:
    async with a_region() as world:
        id = await bring(world, HIGH)
        analyst = await Visitor(world, "fr").sign_in("analyst")
        page = check(await analyst.get(f"/documents/{id}{AT_SECRET}&done=removed"), "fr")
        assert "D'où il vient" in page.text
        assert "Retiré à ce niveau et au-dessus." in page.text
        seen = await analyst.get(f"/documents/{id}{AT_SECRET}&done=EVERYTHING")
        assert seen.status == 200
        other = check(seen, "fr")
        assert "EVERYTHING" not in other.text
        assert "Retiré à" not in other.text
