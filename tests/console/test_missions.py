"""Missions in the console: a form from the description, an estimate before the start, a run, its report, and again."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from tests.console.visitor import Page, Visitor, a_region
from tests.doors.native.test_jobs import kept
from tests.doors.native.test_missions import CSV, REPORT, a_run, result
from tests.laws.mission_operations import described, install
from tests.laws.world import World

FIELDS = [
    {"name": "quick", "type": "boolean", "default": True, "en": "Quick?", "fr": "Vite ?"},
    {"name": "kind", "type": "string", "default": "a", "choices": ["a", "b"], "en": "Kind", "fr": "Genre"},
    {"name": "steps", "type": "number", "many": True, "default": [1.5, 2.0], "en": "<b>", "fr": "<b>"},
]


async def installed(world: World) -> None:
    told: dict[str, Any] = described("fit", "1")
    told["parameters"] += FIELDS
    told["titles"] = {"en": "<i>Fit</i>", "fr": "<i>Ajuste</i>"}
    told["stands_on"] = [{"title": "numpy", "source": "https://numpy.org", "licence": "BSD-3-Clause"}]
    seen = await world.call("analyst", "POST", "/api/missions", {**install("fit", "1"), "described": told})
    assert seen.status == 201, seen.body


async def left(world: World, id: str, said: str, **tags: str) -> None:
    import json

    note = {"size": 1, "digest": hashlib.sha384(b"n").hexdigest()}
    told = result(figures={"slope": 2.0, "n<": said}, files={"note": note})
    files = {"out/result.json": json.dumps(told).encode(), "out/files/note": b"n"}
    files |= {"out/report.json": json.dumps(REPORT).encode(), "out/tables/rows.csv": CSV}
    await kept(world, "analyst", id, a_run(**tags), "", err=b"@progress 2 4 fitting\n", **files)


def test_a_form_is_made_from_the_description_and_estimated_before_the_start() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            assert "casemate mission install" in Page.of(await analyst.get("/missions")).text
            await installed(world)
            listed = Page.of(await analyst.get("/missions"))
            assert "<i>Fit</i>" in listed.text
            assert "<i>Fit" not in listed.source
            page = Page.of(await analyst.get("/missions/fit@1"))
            assert {"p.degree", "p.quick", "p.kind", "p.steps", "i.rows"} <= {
                each.get("name") for each in [*page.all("input"), *page.all("select")]
            }
            assert "BSD-3-Clause" in page.text
            assert "from 0 to 3" in page.text
            form = {"p.degree": "2", "p.quick": "no", "p.kind": "b", "p.steps": "1, 2.5", "i.rows": "", "seed": "7"}
            told = await analyst.post("/missions/fit@1/estimate", form)
            assert told.status == 200, told.body
            assert "64 MiB" in Page.of(told).text
            assert 'value="1, 2.5"' in told.body.decode()
            assert (await analyst.post("/missions/fit@1/run", {**form, "p.degree": "9"})).status == 400
            assert (await analyst.post("/missions/fit@1/run", {**form, "seed": "x"})).status == 400
            begun = await analyst.post("/missions/fit@1/run", form)
            assert begun.status == 303, begun.body
            run = Page.of(await analyst.get(begun.header("location")))
            assert "[1.0, 2.5]" in run.text
            assert "no result yet" in run.text
            assert "hx-trigger" not in run.source.partition("<main")[2]
            assert (
                'hx-trigger="load delay:3s"'
                in (await analyst.get(begun.header("location") + "?follow=1")).body.decode()
            )
            assert "submitted" in Page.of(await analyst.get("/missions/fit@1")).text
            guest = await Visitor(world).sign_in("guest")
            assert "Fit" not in Page.of(await guest.get("/missions")).text
            for target in ("/missions/fit@1", begun.header("location")):
                assert (await guest.get(target)).status == 404

    asyncio.run(look())


def test_an_ensemble_is_estimated_and_begun_from_the_form() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            await installed(world)
            page = Page.of(await analyst.get("/missions/fit@1"))
            assert {"e.points", "e.method", "e.count", "e.seed", "e.at_once"} <= {
                each.get("name") for each in [*page.all("input"), *page.all("select"), *page.all("textarea")]
            }
            form = {"p.degree": "1", "i.rows": "", "seed": "7", "e.points": "degree = 0 to 3 in 4\nquick = yes, no"}
            form |= {"e.method": "grid", "e.at_once": "3"}
            told = await analyst.post("/missions/fit@1/ensemble-estimate", form)
            assert told.status == 200, told.body
            assert "8 members, 0 of them there already, 3 at once" in Page.of(told).text
            assert "192 MiB of memory" in Page.of(told).text
            assert "degree = 0 to 3 in 4" in told.body.decode()
            begun = await analyst.post("/missions/fit@1/ensemble", form)
            assert begun.status == 303, begun.body
            id = begun.header("location").rpartition("/")[2].partition("?")[0]
            seen = (await world.call("analyst", "GET", f"/api/sweeps/{id}")).json["data"]
            assert (seen["points"], set(seen["parameters"])) == (8, {"degree", "quick"}), seen
            assert (await analyst.get(begun.header("location"))).status == 200
            drawn = {**form, "e.points": "steps = 1", "e.method": "sobol", "e.count": "4"}
            wrong = ["", "degree", "degree = 1", "degree = x, y", "degree = 0 to 9 in 3", "none = 1, 2", "kind = a, c"]
            wrong += ["degree = 1, 2\ndegree = 1, 2", "quick = yes to no", "<b> = 1, 2"]
            for said in [{"e.points": each} for each in wrong] + [drawn, {"e.count": "x"}, {"e.method": "all"}]:
                assert (await analyst.post("/missions/fit@1/ensemble", {**form, **said})).status == 400, said
            points = {**form, "e.points": "degree = 0 to 3", "e.method": "random", "e.count": "5", "e.seed": "2"}
            assert "5 members" in Page.of(await analyst.post("/missions/fit@1/ensemble-estimate", points)).text
            guest = await Visitor(world).sign_in("guest")
            for where in ("ensemble", "ensemble-estimate"):
                assert (await guest.post(f"/missions/fit@1/{where}", form)).status in (403, 404)

    asyncio.run(look())


def test_a_run_shows_its_result_and_whether_the_second_came_out_alike() -> None:
    async def look() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            await left(world, "job_a", "same")
            await left(world, "job_b", "same", again="job_a")
            await left(world, "job_c", "other", again="job_a")
            await left(world, "job_d", "other", again="job_gone")
            page = Page.of(await analyst.get("/mission-runs/job_b"))
            assert "The result is the same" in page.text
            assert "2 of 4" in page.text
            assert "slope" in page.text
            assert "n<" in page.text
            assert "another one" in Page.of(await analyst.get("/mission-runs/job_c")).text
            assert (await analyst.get("/mission-runs/job_d")).status == 200
            report = await analyst.get("/mission-runs/job_a/report")
            assert b"<script" not in report.body
            assert "sandbox" in report.header("content-security-policy")
            assert (await analyst.get("/mission-runs/job_a/tables/rows")).body.startswith(b"# ")
            assert (await analyst.get("/mission-runs/job_a/tables/rows?format=parquet")).body[:4] == b"PAR1"
            assert (await analyst.get("/mission-runs/job_a.json")).json["data"]["result"]["figures"]["n<"] == "same"
            again = await analyst.post("/mission-runs/job_a/again", {})
            assert again.status == 303, again.body
            french = Page.of(await analyst.get("/mission-runs/job_b?lang=fr"))
            assert french.text

    asyncio.run(look())
