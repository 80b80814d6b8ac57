"""Long work in the console: the list, one piece of it, following, and its end."""

from __future__ import annotations

import asyncio

from tests.console.visitor import Page, Visitor, a_region
from tests.doors.native.test_work import a_batch
from tests.laws.openai_operations import answered

LABEL = "us:UNCLASSIFIED"
SCRIPT = ("hx-request", "true")


def test_work_is_shown_followed_and_ended_only_with_a_yes() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            assert "None of your long work" in Page.of(await analyst.get("/work")).text
            assert "/work" in (await analyst.get("/jobs")).body.decode()
            id = await a_batch(world, "analyst", LABEL)
            at = f"acting={LABEL}"
            page = Page.of(await analyst.get(f"/work?{at}"))
            assert id in page.text
            assert "batch of requests" in page.text
            assert "hx-trigger" not in page.source.partition("<main")[2]
            assert "every 5s" in (await analyst.get(f"/work?follow=1&{at}")).body.decode()
            part = (await analyst.get(f"/work?follow=1&{at}", SCRIPT)).body.decode()
            assert "<html" not in part
            assert id in part
            one = (await analyst.get(f"/work/{id}?{at}")).body.decode()
            assert f"/work/{id}/cancel" in one
            assert "load delay:3s" in (await analyst.get(f"/work/{id}?follow=1&{at}", SCRIPT)).body.decode()
            assert (await analyst.post(f"/work/{id}/cancel?{at}", {})).status == 400
            assert (await analyst.get(f"/work/{id}.json?{at}")).json["data"]["stage"] == "validating"
            done = await analyst.post(f"/work/{id}/cancel?{at}", {"sure": "yes"})
            assert (done.status, done.header("location").partition("?")[0]) == (303, f"/work/{id}")
            await answered(world, LABEL)
            ended = (await analyst.get(f"/work/{id}?follow=1&{at}")).body.decode()
            assert "cancelled" in ended
            assert f"/work/{id}/cancel" not in ended
            assert "hx-get" not in ended.partition("<main")[2]
            guest = await Visitor(world).sign_in("guest")
            assert id not in (await guest.get("/work?all=1")).body.decode()
            assert (await guest.get(f"/work/{id}")).status == 404

    asyncio.run(look())


def test_pages_of_work_lead_on() -> None:
    async def look() -> None:
        async with a_region() as world:
            ids = [await a_batch(world, "analyst", LABEL, lines=1) for _ in range(51)]
            analyst = await Visitor(world).sign_in("analyst")
            first = Page.of(await analyst.get("/work?all=1"))
            [on] = [a["href"] for a in first.all("a") if "after=" in a.get("href", "")]
            second = Page.of(await analyst.get(on))
            assert sum(id in first.text for id in ids) == 50
            assert sum(id in second.text for id in ids) == 1

    asyncio.run(look())
