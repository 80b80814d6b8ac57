"""The queues in the console: what each may hold, what waits and runs in it here, and what the reader may have."""

from __future__ import annotations

import asyncio

from casemate.jobs import Job, Spec
from tests.console.visitor import Page, Visitor, a_region
from tests.doors.native.test_jobs import kept

LABEL = "us:UNCLASSIFIED"
SCRIPT = ("hx-request", "true")


def test_queues_show_their_limits_and_what_waits_at_this_label_alone() -> None:
    async def look() -> None:
        async with a_region() as world:
            body = {"name": "night", "priority": -5, "max_share": 40, "shares": {"analyst": 3}, "floor": "L2"}
            assert (await world.call("analyst", "POST", "/api/job-queues", body, LABEL)).status == 201
            quota = {"principal": "analyst", "bounds": {"job_cpus": 7}}
            assert (await world.call("auditor", "PUT", "/api/quotas", quota, LABEL)).status == 200
            for label in (LABEL, LABEL, ""):
                spec = {"command": ["x"], "queue": "night"}
                assert (await world.call("analyst", "POST", "/api/jobs", {"spec": spec}, label)).status == 201
            running = Job("prn", "analyst", Spec(("x",)), state="RUNNING", phase="active", queue="night")
            await kept(world, "analyst", "job_runs", running, "agency=EXERCISE")
            analyst = await Visitor(world).sign_in("analyst")
            page = Page.of(await analyst.get(f"/queues?acting={LABEL}"))
            for words in ("night", "at most 40 %", "L2 at least", "analyst 3", "-5", "7", "no limit"):
                assert words in page.text, words
            data = (await analyst.get(f"/queues.json?acting={LABEL}")).json["data"]
            night = next(each for each in data["queues"] if each["name"] == "night")
            assert (night["waits"], night["runs"]) == (2, 1)
            above = (await analyst.get("/queues.json")).json["data"]
            night = next(each for each in above["queues"] if each["name"] == "night")
            assert (night["waits"], night["runs"]) == (1, 0)
            assert data["limits"] == {"job_cpus": 7, "job_gpus": None, "jobs": None}
            assert "every 5s" in (await analyst.get("/queues?follow=1")).body.decode()
            part = (await analyst.get("/queues?follow=1", SCRIPT)).body.decode()
            assert "<html" not in part
            jobs = Page.of(await analyst.get(f"/jobs?queue=night&acting={LABEL}"))
            assert "night" in jobs.text
            assert "job_runs" in jobs.text
            assert "job_runs" not in Page.of(await analyst.get(f"/jobs?queue=default&acting={LABEL}")).text
            assert "/queues" in jobs.source

    asyncio.run(look())
