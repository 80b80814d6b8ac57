"""Missions through the native API: installed at a label, run as jobs, their results told to whoever sees that label."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from typing import Any

import pytest

from casemate.jobs import Spec
from casemate.missions.result import digest_of
from casemate.reports import Report, page, policy, read
from tests.attacks.scene import LOW, SECRET
from tests.doors.native.test_jobs import ended, kept
from tests.laws.mission_operations import described, install
from tests.laws.world import Seen, World

REPORT = {"title": "R", "parts": [{"part": "text", "text": "<script>alert(1)</script>"}]}
CSV = b"n,x,t,b,i\n1,0.5,a,true,9\n2,,b,false,99999999999999999999\n"
TYPES = ["int", "float", "text", "bool", "int"]

TEXT = {"name": "unit", "type": "string", "default": "K", "low": 1, "en": "x", "fr": "x"}


def result(csv: bytes = CSV, **more: Any) -> dict[str, Any]:
    """What the shared program leaves, with the digests of what it says unless others are given."""
    sha = hashlib.sha384(csv).hexdigest()
    table = {"rows": 2, "columns": ["n", "x", "t", "b", "i"], "types": TYPES, "digest": sha}
    asked = {"mission": "fit", "version": "1", "parameters": {"degree": 1}, "seed": 0, "language": "en"}
    asked |= {"versions": {}, "inputs": {}}
    asked, made = (
        {name: more.get(name, value) for name, value in part.items()}
        for part in (asked, {"figures": {"slope": 2.0}, "tables": {"rows": table}, "files": {}})
    )
    return {"format": 1, **asked, **made, "asked": digest_of(asked), "digest": digest_of(made), **more}


def a_run(**more: Any) -> Any:
    env = {"CASEMATE_MISSION": json.dumps({"parameters": {"degree": 1}, "seed": 3})}
    return ended(spec=Spec(("run",), env=env, tags={"mission": "fit@1", **more}))


async def left(world: World, id: str, told: Any = None, label: str = SECRET, **blobs: bytes) -> None:
    """A run that has ended, of ann's at that label, with what it left."""
    files = {"out/result.json": json.dumps(result() if told is None else told).encode()}
    files |= {"out/report.json": json.dumps(REPORT).encode(), "out/tables/rows.csv": CSV, **blobs}
    await kept(world, "ann", id, a_run(), label, **files)


async def installed(world: World, who: str = "ann", label: str = SECRET, **more: Any) -> Seen:
    return await world.call(who, "POST", "/api/missions", {**install("fit", "1"), **more}, label)


async def test_a_mission_is_seen_from_its_label_up(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    made = await installed(world)
    assert made.status == 201, made.body
    assert (made.json["data"]["id"], made.json["data"]["label"]) == ("fit@1", SECRET)
    told = (await world.call("ann", "GET", "/api/missions/fit", acting=SECRET)).json["data"]
    assert told["described"]["parameters"][0]["high"] == 3
    assert [one["name"] for one in told["files"]] == ["fit.py"]
    for target in ("fit", "fit@1", told["digest"]):
        hidden = await world.call("low", "GET", f"/api/missions/{target}", acting=LOW)
        never = await world.call("low", "GET", f"/api/missions/{'n' * len(target)}", acting=LOW)
        assert (hidden.status, never.status) == (404, 404)
    assert (await world.call("low", "GET", "/api/missions", acting=LOW)).json["data"] == []
    for path in ("estimate", "runs"):
        assert (await world.call("low", "POST", f"/api/missions/fit/{path}", {}, LOW)).status == 404


async def test_versions_stand_beside_each_other_and_one_never_changes(world: World) -> None:
    await world.person("ann", SECRET)
    first = (await installed(world)).json["data"]
    assert (await installed(world)).json["data"]["digest"] == first["digest"]
    changed = await world.call("ann", "POST", "/api/missions", install("fit", "1", "x = 2"), SECRET)
    assert changed.status == 409
    assert (await world.call("ann", "POST", "/api/missions", install("fit", "2"), SECRET)).status == 201
    assert (await world.call("ann", "GET", "/api/missions/fit@1", acting=SECRET)).json["data"] == first
    assert {one["id"] for one in (await world.call("ann", "GET", "/api/missions", acting=SECRET)).json["data"]} == {
        "fit@1",
        "fit@2",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"entry": "fit"},
        {"entry": "os:system; rm"},
        {"files": {}},
        {"files": {"../fit.py": ""}},
        {"files": {"casemate/errors.py": ""}},
        {"files": {"/fit.py": ""}},
        {"environment": "wheels:never"},
        {"described": {**described("fit", "1"), "name": "../fit"}},
        {"described": {**described("fit", "1"), "version": "a b"}},
        {"described": {**described("fit", "1"), "titles": {"en": "x"}}},
        {"described": {**described("fit", "1"), "needs": []}},
        {"described": {**described("fit", "1"), "roles": [{"name": "program", "formats": []}]}},
        {"described": {**described("fit", "1"), "roles": [{"name": "answers", "formats": []}]}},
        {"described": {**described("fit", "1"), "parameters": described("fit", "1")["parameters"] * 2}},
        {"described": {**described("fit", "1"), "format": 2}},
        {"described": {**described("fit", "1"), "about": {"en": "x" * 4001, "fr": "x"}}},
        {
            "described": {
                **described("fit", "1"),
                "stands_on": [{"title": "x" * (1 << 20), "source": "x", "licence": "x"}],
            }
        },
        {"described": {**described("fit", "1"), "parameters": [TEXT]}},
        {"described": {**described("fit", "1"), "more": 1}},
    ],
)
async def test_what_is_no_mission_is_refused(world: World, wrong: dict[str, Any]) -> None:
    await world.person("ann", SECRET)
    assert (await installed(world, **wrong)).status in (400, 404, 422), wrong
    assert (await world.call("ann", "GET", "/api/missions", acting=SECRET)).json["data"] == []


async def test_a_mark_in_what_was_brought_or_typed_refuses(world: World) -> None:
    await world.person("low", LOW)
    mark = "SECRET//NOFORN"
    code = base64.b64encode(f"{mark}\nx = 1\n".encode()).decode()
    for wrong in (
        {"files": {"fit.py": code}},
        {"described": {**described("fit", "1"), "about": {"en": mark, "fr": "x"}}},
    ):
        seen = await installed(world, "low", LOW, **wrong)
        assert (seen.status, seen.json.get("rule")) == (403, "mark-above"), wrong
    assert (await installed(world, "low", LOW)).status == 201
    for body in ({"parameters": {"degree": mark}}, {"inputs": {"rows": [mark]}}, {"model": mark}):
        for path in ("estimate", "runs"):
            seen = await world.call("low", "POST", f"/api/missions/fit/{path}", body, LOW)
            assert (seen.status, seen.json.get("rule")) == (403, "mark-above"), body


async def test_a_form_becomes_a_job_at_the_acting_label(world: World) -> None:
    await world.person("ann", SECRET)
    await installed(world, label=LOW)
    body = {"parameters": {"degree": 2}, "seed": 5, "model": "m"}
    takes = (await world.call("ann", "POST", "/api/missions/fit/estimate", body, SECRET)).json["data"]
    assert (takes["mission"], takes["resources"]["memory_mb"]) == ("fit@1", 64)
    assert (await world.call("ann", "GET", "/api/jobs", acting=SECRET)).json["data"]["jobs"] == []
    made = await world.call("ann", "POST", "/api/missions/fit/runs", body, SECRET)
    assert made.status == 201, made.body
    id = made.json["data"]["id"]
    job = (await world.call("ann", "GET", f"/api/jobs/{id}", acting=SECRET)).json["data"]
    order = json.loads(job["spec"]["env"]["CASEMATE_MISSION"])
    assert (order["parameters"], order["seed"], order["given"]) == ({"degree": 2}, 5, {"memory_mb": 64})
    assert job["label"] == SECRET
    assert job["spec"]["inputs"][0]["source"].startswith("mission:")
    runs = (await world.call("ann", "GET", "/api/missions/fit/runs", acting=SECRET)).json["data"]
    assert [one["id"] for one in runs] == [id]
    assert (await world.call("ann", "GET", "/api/missions/fit/runs", acting=LOW)).json["data"] == []
    again = await world.call("ann", "POST", f"/api/mission-runs/{id}/again", {}, SECRET)
    assert again.status == 201
    same = (await world.call("ann", "GET", f"/api/jobs/{again.json['data']['id']}", acting=SECRET)).json["data"]
    assert same["spec"]["env"] == job["spec"]["env"]
    assert same["spec"]["inputs"] == job["spec"]["inputs"]
    assert same["spec"]["tags"] == {"mission": "fit@1", "again": id}
    told = (await world.call("ann", "GET", f"/api/mission-runs/{id}", acting=SECRET)).json["data"]
    assert (told["mission"], told["seed"], told["result"], told["progress"]["total"]) == ("fit@1", 5, None, 0)


@pytest.mark.parametrize(
    "body",
    [
        {"parameters": {"degree": 9}},
        {"parameters": {"never": 1}},
        {"inputs": {"never": ["dataset:x"]}},
        {"inputs": {"rows": ["sweep:x"]}},
        {"inputs": {"rows": ["mission:{digest}"]}},
        {"inputs": {"rows": ["dataset:never"]}},
        {"inputs": {"rows": ["dataset:never"] * 100}},
        {"memory_mb": 1},
        {"more": 1},
    ],
)
async def test_what_does_not_fit_the_form_is_refused_and_nothing_is_kept(world: World, body: dict[str, Any]) -> None:
    await world.person("ann", SECRET)
    digest = (await installed(world)).json["data"]["digest"]
    asked = json.loads(json.dumps(body).replace("{digest}", digest))
    assert (await world.call("ann", "POST", "/api/missions/fit/runs", asked, SECRET)).status in (400, 404, 422)
    assert (await world.call("ann", "GET", "/api/jobs", acting=SECRET)).json["data"]["jobs"] == []


async def test_a_result_is_told_with_its_label_and_to_nobody_below(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    await left(world, "job_r", err=b"@progress 3 9 rows\n@progress 4 9 \x1b[31mred\n")
    at = "/api/mission-runs/job_r"
    told = await world.call("ann", "GET", at, acting=SECRET)
    assert (told.json["data"]["result"]["figures"], told.json["label"]) == ({"slope": 2.0}, SECRET)
    assert told.json["data"]["progress"] == {"done": 4, "total": 9, "what": "[31mred"}
    report = await world.call("ann", "GET", f"{at}/report", acting=SECRET)
    marking = told.json["marking"]
    assert report.body.decode().count(marking) >= 3
    assert b"<script" not in report.body
    assert "sandbox" in report.header("content-security-policy")
    table = await world.call("ann", "GET", f"{at}/tables/rows", acting=SECRET)
    assert table.body.decode() == f"# {marking}\n{CSV.decode()}"
    parquet = await world.call("ann", "GET", f"{at}/tables/rows?format=parquet", acting=SECRET)
    assert parquet.body[:4] == b"PAR1"
    assert marking.encode() in parquet.body
    assert (await world.call("ann", "GET", f"{at}/tables/rows?format=xlsx", acting=SECRET)).status == 400
    assert (await world.call("ann", "GET", f"{at}/tables/never", acting=SECRET)).status == 404
    for end in ("", "/report", "/tables/rows", "/compare?with=job_r"):
        assert (await world.call("low", "GET", f"{at}{end}", acting=LOW)).status == 404
        assert (await world.call("ann", "GET", f"{at}{end}", acting=LOW)).status == 404
    assert (await world.call("low", "POST", f"{at}/again", {}, LOW)).status == 404


async def test_a_report_with_a_network_runs_our_script_as_nobody_and_any_other_runs_none(world: World) -> None:
    await world.person("ann", SECRET)
    walks = {"title": "R", "parts": [{"part": "network", "views": [{"mark": "S", "nodes": [{"id": "<script>"}]}]}]}
    await left(world, "job_n", **{"out/report.json": json.dumps(walks).encode()})
    await left(world, "job_r")
    for id, runs in (("job_n", True), ("job_r", False)):
        seen = await world.call("ann", "GET", f"/api/mission-runs/{id}/report", acting=SECRET)
        held = {part.split()[0]: part.split()[1:] for part in seen.header("content-security-policy").split("; ")}
        assert held["default-src"] == ["'none'"]
        assert held["sandbox"] == (["allow-scripts"] if runs else [])
        assert ("script-src" in held) is runs
        assert seen.body.count(b"<script") == (2 if runs else 0)
    assert "sha256-" in policy(read(walks))


async def test_what_a_strangers_program_left_is_held_to_what_a_result_is(world: World) -> None:
    await world.person("ann", SECRET)
    table = result()["tables"]["rows"]
    for number, wrong in enumerate(
        (
            {"digest": 3},
            {"figures": {"slope": [1]}},
            {"tables": {"rows": {**table, "types": ["int"]}}},
            {"tables": {"rows": {**table, "types": ["int", "int", "int", "int", "int"]}}},
        )
    ):
        id = f"job_w{number}"
        await left(world, id, result(**wrong))
        told = (await world.call("ann", "GET", f"/api/mission-runs/{id}", acting=SECRET)).json["data"]
        assert (told["result"] is None) is (number < 2)
        seen = await world.call("ann", "GET", f"/api/mission-runs/{id}/tables/rows?format=parquet", acting=SECRET)
        assert seen.status == 400, (wrong, seen.body)
    await kept(world, "ann", "job_no", a_run(), SECRET, **{"out/report.json": b"[", "out/result.json": b"["})
    assert (await world.call("ann", "GET", "/api/mission-runs/job_no/report", acting=SECRET)).status == 400
    for number, order in enumerate(("[", '{"a": ' + "[" * 10_000)):
        odd = ended(spec=Spec(("run",), env={"CASEMATE_MISSION": order}, tags={"mission": "fit@1"}))
        await kept(world, "ann", f"job_odd{number}", odd, SECRET)
        told = (await world.call("ann", "GET", f"/api/mission-runs/job_odd{number}", acting=SECRET)).json["data"]
        assert (told["parameters"], told["seed"]) == ({}, 0)
    await kept(world, "ann", "job_plain", ended(spec=Spec(("run",))), SECRET)
    assert (await world.call("ann", "GET", "/api/mission-runs/job_plain", acting=SECRET)).status == 404


async def test_two_runs_are_compared_where_both_are_seen(world: World) -> None:
    await world.person("ann", SECRET)
    await left(world, "job_a")
    await left(world, "job_b", result(figures={"slope": 3.0}, seed=1))
    await left(world, "job_low", label=LOW)
    seen = (await world.call("ann", "GET", "/api/mission-runs/job_a/compare?with=job_b", acting=SECRET)).json["data"]
    assert (seen["alike"], seen["asked_alike"]) == (False, False)
    assert (seen["figures"], seen["asked"], seen["tables"]) == ({"slope": [2.0, 3.0]}, {"seed": [0, 1]}, [])
    same = (await world.call("ann", "GET", "/api/mission-runs/job_a/compare?with=job_low", acting=SECRET)).json["data"]
    assert (same["alike"], same["asked_alike"], same["asked"]) == (True, True, {})
    assert (await world.call("ann", "GET", "/api/mission-runs/job_low/compare?with=job_a", acting=LOW)).status == 404


async def test_removing_is_an_operators_at_the_label_where_it_lies(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("opal", SECRET, ("operator",))
    await installed(world, label=LOW)
    assert (await world.call("ann", "DELETE", "/api/missions/fit", None, LOW)).status == 403
    assert (await world.call("opal", "DELETE", "/api/missions/fit", None, SECRET)).status == 404
    assert (await world.call("opal", "DELETE", "/api/missions/fit", None, LOW)).status == 200
    assert (await world.call("ann", "GET", "/api/missions", acting=SECRET)).json["data"] == []


@pytest.mark.parametrize(
    "more",
    [
        {"digest": result()["digest"], "figures": {"slope": 3.0}},
        {"asked": result()["asked"], "seed": 1},
        {"tables": {"rows": {**result()["tables"]["rows"], "digest": "0" * 96}}},
        {"tables": {"never": result()["tables"]["rows"]}},
        {"files": {"never": {"size": 1, "digest": "0" * 96}}},
    ],
)
async def test_a_result_whose_digests_are_not_those_of_what_it_left_is_none(world: World, more: dict[str, Any]) -> None:
    """Two runs are called alike by their digests: what a stranger's program claims of itself is not enough."""
    await world.person("ann", SECRET)
    await left(world, "job_a")
    await left(world, "job_b", result(**more))
    assert (await world.call("ann", "GET", "/api/mission-runs/job_b", acting=SECRET)).json["data"]["result"] is None
    seen = await world.call("ann", "GET", "/api/mission-runs/job_a/compare?with=job_b", acting=SECRET)
    assert seen.status == 400, seen.body


@pytest.mark.parametrize("part", ["tables", "files"])
async def test_a_name_that_leads_elsewhere_is_no_name(world: World, part: str) -> None:
    """It stands in a link of the console."""
    await world.person("ann", SECRET)
    place = f"out/{part}/../../../../jobs{'.csv' if part == 'tables' else ''}"
    sha = hashlib.sha384(b"x").hexdigest()
    one = {"rows": 0, "columns": [], "types": [], "digest": sha} if part == "tables" else {"size": 1, "digest": sha}
    await left(world, "job_n", result(**{"tables": {}, part: {"../../../../jobs": one}}), **{place: b"x"})
    assert (await world.call("ann", "GET", "/api/mission-runs/job_n", acting=SECRET)).json["data"]["result"] is None
    await left(world, "job_l", result(figures={"slope\nUNCLASSIFIED": 1}))
    assert (await world.call("ann", "GET", "/api/mission-runs/job_l", acting=SECRET)).json["data"]["result"] is None


async def test_no_cell_of_a_table_is_a_formula(world: World) -> None:
    await world.person("ann", SECRET)
    raw = b'n,x,t,b,i\n1,-0.5e-3,"=HYPERLINK(""x"",""y"")",true,9\n2,-2,-2+3+cmd|x!A0,false,+1\n3,,@a,true,\n'
    told = result(csv=raw)
    await left(world, "job_f", told, **{"out/tables/rows.csv": raw})
    seen = await world.call("ann", "GET", "/api/mission-runs/job_f/tables/rows", acting=SECRET)
    assert seen.body.decode().splitlines()[2:] == [
        '1,-0.5e-3,"\'=HYPERLINK(""x"",""y"")",true,9',
        "2,-2,'-2+3+cmd|x!A0,false,+1",
        "3,,'@a,true,",
    ]


async def test_what_is_too_large_to_be_drawn_is_refused_and_nobody_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.person("ann", SECRET)
    many = {"part": "chart", "kind": "scatter", "series": [{"x": [0] * 50_000, "y": [0] * 50_000}] * 5}
    huge = json.dumps({"title": "R", "parts": [many]}).encode()
    where = list[threading.Thread]()

    def drawn(report: Report, **more: Any) -> str:
        where.append(threading.current_thread())
        return page(report, **more)

    monkeypatch.setattr("casemate.missions.host.outcome.page", drawn)
    await left(world, "job_p")
    assert (await world.call("ann", "GET", "/api/mission-runs/job_p/report", acting=SECRET)).status == 200
    assert where != [threading.current_thread()], "the loop that serves everybody draws it"
    await left(world, "job_h", **{"out/report.json": huge})
    assert (await world.call("ann", "GET", "/api/mission-runs/job_h/report", acting=SECRET)).status == 400
    long = b"n,x,t,b,i\n1,,%s,,\n" % (b"x" * 200_000)
    await left(world, "job_t", result(csv=long), **{"out/tables/rows.csv": long})
    at = "/api/mission-runs/job_t/tables/rows?format=parquet"
    assert (await world.call("ann", "GET", at, acting=SECRET)).status == 400
    monkeypatch.setattr("casemate.missions.host.outcome.CELLS", 9)
    await left(world, "job_s")
    at = "/api/mission-runs/job_s/tables/rows?format=parquet"
    assert (await world.call("ann", "GET", at, acting=SECRET)).status == 413


async def test_a_run_made_again_keeps_the_priority_of_its_queue(world: World) -> None:
    await world.person("ann", SECRET)
    await installed(world)
    assert (await world.call("ann", "POST", "/api/job-queues", {"name": "night", "priority": 50}, SECRET)).status == 201
    made = await world.call("ann", "POST", "/api/missions/fit/runs", {"queue": "night"}, SECRET)
    told = []
    for _ in range(3):
        id = made.json["data"]["id"]
        told.append((await world.call("ann", "GET", f"/api/jobs/{id}", acting=SECRET)).json["data"]["spec"]["priority"])
        made = await world.call("ann", "POST", f"/api/mission-runs/{id}/again", {}, SECRET)
    assert told == [50, 50, 50]
