"""The ledger, today, keys and principals, as pages."""

from __future__ import annotations

import asyncio
import html
import json
import re

from casemate.ledger import Head
from tests.console.visitor import FEVER, SECRET, Page, Visitor, a_region


def test_today_shows_ones_own_questions_and_only_that_others_asked() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst, auditor = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("auditor")
            await analyst.post("/ask", {"question": FEVER})
            await analyst.get("/documents/doc_nothing")
            mine = Page.of(await analyst.get("/today"))
            assert FEVER in mine.text
            assert "document.read, by absent" in mine.text
            others = Page.of(await auditor.get("/today"))
            assert FEVER not in others.text
            assert "analyst" in others.text
            assert "analyst" not in Page.of(await (await Visitor(world).sign_in("guest")).get("/today")).text

    asyncio.run(look())


def test_an_auditor_opens_what_was_said_with_a_reason_which_is_an_entry() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst, auditor = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("auditor")
            asked = (await analyst.post("/ask/stream", {"question": FEVER})).header("casemate-ledger")
            page = Page.of(await auditor.get(f"/ledger/{asked}"))
            assert FEVER not in page.text
            opened = Page.of(await auditor.post(f"/ledger/{asked}/open", {"reason": "A complaint"}))
            assert FEVER in opened.text
            assert "A complaint" in opened.text
            assert (await auditor.post(f"/ledger/{asked}/open", {"reason": " "})).status == 400
            assert (await analyst.post(f"/ledger/{asked}/open", {"reason": "Mine"})).status == 403
            entries = (await auditor.get("/ledger.json")).json["data"]
            assert [e for e in entries if e["entry"]["facts"].get("reason") == "A complaint"]

    asyncio.run(look())


def test_the_verdict_is_shown_with_what_it_cannot_know() -> None:
    async def look() -> None:
        async with a_region() as world:
            await world.step("ledger.checkpoint")
            auditor = await Visitor(world).sign_in("auditor")
            page = Page.of(await auditor.post("/ledger/verify", {"heads": ""}))
            assert "In order" in page.text
            assert "rollback of the whole folder could not be seen" in page.text
            heads = (await world.call("auditor", "GET", "/api/ledger/heads")).json["data"]
            assert heads
            assert set(heads[0]) == set(Head.__struct_fields__)
            part = await auditor.post("/ledger/verify", {"heads": json.dumps(heads)}, ("hx-request", "true"))
            assert part.body.decode().count("rollback") < page.text.count("rollback")
            wrong = await auditor.post("/ledger/verify", {"heads": "{"})
            assert (wrong.status, "JSON list" in wrong.body.decode()) == (400, True)
            analyst = await Visitor(world).sign_in("analyst")
            assert "Recompute" not in Page.of(await analyst.get("/ledger")).text
            assert (await analyst.post("/ledger/verify", {})).status == 403

    asyncio.run(look())


def test_a_key_is_shown_once_and_its_lines_run() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            for client, name in (("openai", "laptop"), ("boto3", "batch")):
                form = {"client": client, "name": name, "days": "7", "ceiling": "us:UNCLASSIFIED"}
                seen = await analyst.post("/keys", form)
                assert seen.status == 201
                lines = html.unescape(re.search(r'<code id="lines">(.*?)</code>', seen.body.decode(), re.DOTALL)[1])  # type: ignore[index]
                compile(lines, client, "exec")
                assert "http://region.test" in lines
                secret = re.search(r'(?:api_key|secret_access_key)="([^"]+)"', lines)[1]  # type: ignore[index]
                if client == "openai":
                    world.keys["laptop"] = secret
                    told = (await world.call("laptop", "GET", "/api/session")).json["data"]
                    assert told["ceiling"]["marking"] == "UNCLASSIFIED"
                assert secret not in (await analyst.get("/keys")).body.decode()
                kept = await world.call("auditor", "GET", "/api/ledger?limit=1000")
                assert secret not in kept.body.decode()
            keys = (await analyst.get("/keys.json")).json["data"]
            id = next(key["id"] for key in keys if key["name"] == "laptop")
            assert (await analyst.post("/keys/revoke", {"id": id})).status == 303
            assert (await world.call("laptop", "GET", "/api/session")).status == 401
            assert (await analyst.post("/keys", {"days": "many"})).status == 400
            assert (await analyst.post("/keys", {"days": "²"})).status == 400
            above = await analyst.post("/keys", {"days": "1", "ceiling": "us:TOP SECRET"})
            assert (above.status, "clearance" in above.body.decode()) == (403, True)

    asyncio.run(look())


def test_an_officer_adds_and_changes_principals_but_never_himself() -> None:
    async def look() -> None:
        async with a_region() as world:
            auditor = await Visitor(world).sign_in("auditor")
            added = await auditor.post("/principals", {"name": "newcomer", "clearance": SECRET, "role_user": "1"})
            assert added.status == 303
            page = Page.of(await auditor.get("/principals"))
            assert "newcomer" in page.text
            rows = (await auditor.get("/principals.json")).json["data"]["principals"]
            ids = {row["name"]: row["id"] for row in rows}
            form = {"name": "newcomer", "clearance": "us:UNCLASSIFIED", "role_user": "1", "role_auditor": "1"}
            assert (await auditor.post(f"/principals/{ids['newcomer']}", form)).status == 303
            rows = (await auditor.get("/principals.json")).json["data"]["principals"]
            assert next(row["roles"] for row in rows if row["name"] == "newcomer") == ["auditor", "user"]
            own = await auditor.post(f"/principals/{ids['auditor']}", form)
            assert (own.status, "self-grant" in own.body.decode()) == (403, True)
            assert f"/principals/{ids['auditor']}" not in page.source
            assert (await auditor.post("/principals", {"name": "x", "clearance": "us:NONSENSE"})).status == 400

    asyncio.run(look())


def test_where_two_officers_are_asked_a_grant_waits_for_the_second() -> None:
    async def look() -> None:
        async with a_region() as world:
            auditor = await Visitor(world).sign_in("auditor")
            await world.person("second", world.house.gate.vault.region.ceiling.text, ("officer",))
            second = await Visitor(world).sign_in("second")
            assert (await world.call("auditor", "POST", "/api/region/two-person")).status == 200
            await waits(auditor, second)

    async def waits(auditor: Visitor, second: Visitor) -> None:
        await auditor.post("/principals", {"name": "third", "clearance": "us:UNCLASSIFIED", "role_user": "1"})
        page = Page.of(await auditor.get("/principals"))
        assert "Proposed by one officer" in page.text
        assert "Solo region" not in page.text
        [action] = [f["action"] for f in page.all("form") if f.get("action", "").endswith("/confirm")]
        alone = await auditor.post(action, {})
        assert (alone.status, "two-person" in alone.body.decode()) == (403, True)
        assert (await second.post(action, {})).status == 303
        assert "third" in Page.of(await auditor.get("/principals")).text
        assert "Proposed by one officer" not in Page.of(await auditor.get("/principals")).text

    asyncio.run(look())
