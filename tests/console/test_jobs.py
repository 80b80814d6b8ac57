"""Jobs in the console: the queue, one job with its time line, what it said, what came out, ending it and again."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.console.jobs import WIDTH, spans
from casemate.jobs import Attempt, Resources, Spec, Usage
from tests.console.visitor import Page, Visitor, a_region
from tests.doors.native.test_jobs import ended, kept
from tests.laws.world import World

SCRIPT = ("hx-request", "true")
LABEL = "us:UNCLASSIFIED"


async def submit(world: World, who: str = "analyst", **more: Any) -> str:
    spec = {"command": ["/bin/echo", "<b>hi</b>"], "name": "<i>count</i>", **more}
    seen = await world.call(who, "POST", "/api/jobs", {"spec": spec})
    assert seen.status == 201, seen.body
    return str(seen.json["data"]["id"])


def done() -> Any:
    """A job of two attempts, the first of which failed."""
    used = Usage(cpu_us=2_000_000, wall_us=4_000_000, rss_kb=131072, energy_j=9, gpu_s=1)
    first = Attempt(1, "t1", "ended", "process", "", "here", 1_000_000, 2_000_000, 6_000_000, 3, 0, "", "L2", used)
    second = Attempt(2, "t2", "ended", "process", "", "here", 7_000_000, 8_000_000, 9_000_000, 0)
    spec = Spec(("/bin/echo", "<b>"), resources=Resources(cpus=2, memory_mb=256, gpus=1))
    times = {"created": 500_000, "started": 2_000_000, "ended": 9_500_000}
    return ended(attempts=(first, second), spec=spec, name="done", **times)


def test_the_queue_shows_what_is_open_and_follows_when_asked() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            assert "casemate job run" in Page.of(await analyst.get("/jobs")).text
            id = await submit(world)
            page = Page.of(await analyst.get("/jobs"))
            assert "<i>count</i>" in page.text
            assert "<i>count" not in page.source
            assert "submitted" in page.text
            assert "hx-trigger" not in page.source.partition("<main")[2]
            assert 'hx-trigger="every 5s"' in (await analyst.get("/jobs?follow=1")).body.decode()
            part = (await analyst.get("/jobs?follow=1", SCRIPT)).body.decode()
            assert "<html" not in part
            assert id in part
            guest = await Visitor(world).sign_in("guest")
            for target in ("/jobs", "/jobs?all=1", "/jobs.json?all=1"):
                assert id not in (await guest.get(target)).body.decode()

    asyncio.run(look())


def test_pages_of_jobs_lead_on() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            for at in range(0, 60, 20):
                body = {"jobs": [{"spec": {"command": ["x"], "name": f"n{at + n}"}} for n in range(20)]}
                assert (await world.call("analyst", "POST", "/api/jobs", body)).status == 201
            first = Page.of(await analyst.get("/jobs?all=1"))
            [on] = [a["href"] for a in first.all("a") if "after=" in a.get("href", "")]
            second = Page.of(await analyst.get(on))
            assert "n59" in second.text
            assert "n59" not in first.text

    asyncio.run(look())


def test_one_job_with_its_attempts_its_use_and_what_came_out() -> None:
    async def look() -> None:
        async with a_region() as world:
            await kept(world, "analyst", "job_done", done(), "", out=b"<b>said</b>\n", err=b"warned\n", a=b"\x00raw")
            analyst = await Visitor(world).sign_in("analyst")
            seen = await analyst.get("/jobs/job_done")
            page = Page.of(seen)
            assert seen.status == 200
            assert len([a for a in page.all("svg") if a.get("class") == "line"]) == 2
            for words in ("exit 3", "L2", "128 of 256 MiB", "2.0 s in 4.0 s", "9 J", "GPUs: 1 s", "warned", "said"):
                assert words in page.text, words
            assert "<b>said" not in page.source
            assert "/lineage/job/job_done" in page.source
            file = await analyst.get("/jobs/job_done/artefacts/a")
            assert (file.body, file.header("content-disposition")) == (b"\x00raw", "attachment")
            assert file.header("content-security-policy").startswith("default-src 'none'")
            assert file.header("casemate-marking") == seen.header("casemate-marking")
            log = Page.of(await analyst.get("/jobs/job_done/said?at=0.3"))
            assert "ned" in log.text
            told = (await analyst.get("/jobs/job_done/said.json")).json["data"]
            assert told["whole"]
            part = (await analyst.get("/jobs/job_done?follow=1", SCRIPT)).body.decode()
            assert "hx-swap-oob" in part
            assert "hx-trigger" not in part
            lineage = await analyst.get("/lineage/job/job_done")
            assert lineage.status == 200
            guest = await Visitor(world).sign_in("guest")
            for target in ("", "/said", "/artefacts/a", ".json"):
                assert (await guest.get(f"/jobs/job_done{target}")).status == 404

    asyncio.run(look())


def test_what_is_open_is_followed_until_it_has_ended() -> None:
    async def look() -> None:
        async with a_region() as world:
            id = await submit(world)
            analyst = await Visitor(world).sign_in("analyst")
            still = (await analyst.get(f"/jobs/{id}")).body.decode().partition("<main")[2]
            assert "hx-get" not in still
            page = (await analyst.get(f"/jobs/{id}?follow=1")).body.decode()
            assert page.count('hx-trigger="load delay:') == 2
            assert "/said?" in page
            said = (await analyst.get(f"/jobs/{id}/said?follow=1&at=0.0", SCRIPT)).body.decode()
            assert "load delay:2s" in said
            assert "<html" not in said

    asyncio.run(look())


def test_an_array_shows_its_children() -> None:
    async def look() -> None:
        async with a_region() as world:
            id = await submit(world, array={"size": 300})
            for n in range(3):
                await kept(world, "analyst", f"{id}:{n}", ended(parent=id, index=n, spec=None, state="FAILED"), "")
            analyst = await Visitor(world).sign_in("analyst")
            page = Page.of(await analyst.get(f"/jobs/{id}"))
            assert [n for n in range(3) if f"Child {n}" in page.text] == [0, 1, 2]
            child = Page.of(await analyst.get(f"/jobs/{id}%3A1"))
            assert id in child.source
            assert "/bin/echo" in child.text

    asyncio.run(look())


def test_a_job_is_ended_and_made_again_only_with_a_yes() -> None:
    async def look() -> None:
        async with a_region() as world:
            id = await submit(world)
            analyst = await Visitor(world).sign_in("analyst")
            assert (await analyst.post(f"/jobs/{id}/cancel", {"why": "wrong"})).status == 400
            assert (await analyst.get(f"/jobs/{id}.json")).json["data"]["open"]
            gone = await analyst.post(f"/jobs/{id}/cancel", {"why": "wrong", "sure": "yes"})
            assert (gone.status, gone.header("location")) == (303, f"/jobs/{id}")
            page = Page.of(await analyst.get(f"/jobs/{id}"))
            assert "cancelled" in page.text
            assert "wrong" in page.text
            assert (await analyst.post(f"/jobs/{id}/retry", {})).status == 400
            again = await analyst.post(f"/jobs/{id}/retry", {"sure": "yes"})
            assert again.status == 303
            assert again.header("location") != f"/jobs/{id}"
            low = Page.of(await analyst.get(f"/jobs?acting={LABEL}"))
            assert id not in low.source

    asyncio.run(look())


moments = st.integers(0, 10**12)


@given(st.lists(st.tuples(moments, moments, moments), max_size=5), moments, moments)
def test_an_attempt_stays_on_its_line(times: list[tuple[int, int, int]], first: int, last: int) -> None:
    attempts = [
        {"begun": a, "started": b, "ended": c, "exit": None, "signal": 0} for a, b, c in (sorted(t) for t in times)
    ]
    for span in spans(attempts, first, last):
        assert 0 <= span.ran <= span.end <= WIDTH
        assert 0 <= span.waited <= WIDTH
        assert span.seconds >= 0 or last < first
