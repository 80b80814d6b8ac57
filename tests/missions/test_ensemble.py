"""Ensembles: every point is held to the form, the estimate is of the whole, and only what is missing runs again."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from casemate.cells.table.__main__ import main
from casemate.jobs import JOB, Artefact
from casemate.jobs.changes import parents_of
from casemate.objects import Found, Put
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.world import World
from tests.missions.test_watches import brought, opened, people

BASE = "/api/missions/fit"
SPACE = {"parameters": {"degree": {"values": [0, 1, 2, 3]}}}
Job = Any


async def begun(world: World, **more: Any) -> Any:
    seen = await world.call("ann", "POST", f"{BASE}/ensembles", {"space": SPACE, **more}, SECRET)
    assert seen.status == 201, seen.body
    return seen.json["data"]


async def ended(world: World, array: str, states: dict[int, str], who: str = "ann", label: str = SECRET) -> None:
    """Each member of an array ends so; one that succeeds leaves its figures."""
    flow = await opened(world, who, Action("submit", "job"), label)
    whole = await flow.read(JOB, array)
    for at, state in states.items():
        left: tuple[Artefact, ...] = ()
        if state == "SUCCEEDED":
            raw = json.dumps({"slope": at}).encode()
            left = (Artefact("result", len(raw), hashlib.sha384(raw).hexdigest(), (await flow.pour(raw),)),)
        child = msgspec.structs.replace(
            whole.value, spec=None, parent=array, index=at, state=state, open="no", phase="ended", artefacts=left
        )
        await flow.commit(Put(JOB, f"{array}:{at}", child, (whole.ref,), expect=0))
    value = msgspec.structs.replace(whole.value, state="SUCCEEDED", open="no", phase="ended")
    await flow.commit(Put(JOB, array, value, parents_of(flow, value), expect=whole.version))


async def again(world: World, id: str, name: str = "fit", who: str = "ann", label: str = SECRET) -> Any:
    return await world.call(who, "POST", f"/api/missions/{name}/ensembles/{id}/again", {}, label)


async def spec_of(world: World, id: str) -> Any:
    flow = await opened(world, "ann", Action("read", "job"))
    found: Found[Job] = await flow.read(JOB, id)
    return found.value.spec


async def test_the_estimate_is_of_the_whole_and_keeps_nothing(world: World) -> None:
    await people(world)
    seen = await world.call("ann", "POST", f"{BASE}/ensemble-estimate", {"space": SPACE, "at_once": 3}, SECRET)
    assert seen.json["data"]["whole"] == {
        "members": 4, "there": 0, "at_once": 3, "cpus": 3, "memory_mb": 192, "disk_mb": 36, "wall_s": 18, "cpu_s": 36,
    }  # fmt: skip
    assert (await world.call("ann", "GET", "/api/jobs", acting=SECRET)).json["data"]["jobs"] == []


async def test_members_are_an_array_so_many_at_once_and_their_table_is_one(world: World) -> None:
    await people(world)
    made = await begun(world, at_once=2)
    spec = await spec_of(world, made["array"]["id"])
    assert (spec.array.size, spec.array.parallel, spec.tags) == (4, 2, {"mission": "fit@1"})
    assert [(one.name, one.path) for one in spec.outputs] == [("out", ""), ("result", "figures.json")]
    assert (made["points"], made["label"], made["parameters"]) == (4, SECRET, ["degree"])
    assert (await spec_of(world, (await begun(world))["array"]["id"])).array.parallel == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"space": {"parameters": {"degree": {"values": [0, 9]}}}},
        {"space": {"parameters": {"degree": {"values": [0, "x"]}}}},
        {"space": {"parameters": {"never": {"values": [0, 1]}}}},
        {"space": {"parameters": {}}},
        {"space": {**SPACE, "only": [0]}},
        {"at_once": -1},
        {"run": {"parameters": {"never": 1}}},
        {"run": {"inputs": {"never": ["object:lab/x"]}}},
    ],
)
async def test_what_a_form_would_refuse_no_member_is_given(world: World, wrong: dict[str, Any]) -> None:
    await people(world)
    for end in ("ensembles", "ensemble-estimate"):
        seen = await world.call("ann", "POST", f"{BASE}/{end}", {"space": SPACE, **wrong}, SECRET)
        assert seen.status == 400, seen.body
    assert (await world.call("ann", "GET", "/api/jobs", acting=SECRET)).json["data"]["jobs"] == []


async def test_a_mark_in_what_was_typed_refuses(world: World) -> None:
    await people(world)
    space = {"parameters": {"degree": {"values": ["(TS//SI) x", "y"]}}}
    seen = await world.call("low", "POST", f"{BASE}/ensembles", {"space": space}, LOW)
    assert (seen.status, seen.json.get("rule")) == (403, "mark-above")


async def test_only_what_is_missing_runs_again(world: World) -> None:
    await people(world)
    made = await begun(world)
    array = made["array"]["id"]
    assert (await again(world, made["id"])).status == 409  # it has not ended
    await ended(world, array, {0: "SUCCEEDED", 1: "FAILED", 2: "SUCCEEDED"})
    second = (await again(world, made["id"])).json["data"]
    spec = await spec_of(world, second["array"]["id"])
    assert (spec.sweep.space.only, spec.array.size) == ((1, 3), 2)
    assert [one.source for one in (await spec_of(world, second["id"])).inputs] == [
        f"sweep:{second['array']['id']}",
        f"sweep:{array}",
    ]
    await ended(world, second["array"]["id"], {0: "SUCCEEDED", 1: "FAILED"})
    third = (await again(world, second["id"])).json["data"]
    assert (await spec_of(world, third["array"]["id"])).sweep.space.only == (3,)
    await ended(world, third["array"]["id"], {0: "SUCCEEDED"})
    assert (await again(world, third["id"])).json["data"]["id"] == third["id"]  # nothing is missing


async def test_what_was_changed_since_is_a_conflict_and_another_label_has_none(world: World) -> None:
    await people(world)
    await brought(world, "rows")
    made = await begun(world, run={"inputs": {"rows": ["object:lab/rows"]}})
    await ended(world, made["array"]["id"], {0: "SUCCEEDED"})
    for id, name, who, label in (
        (made["id"], "fit", "low", LOW),
        (made["id"], "other", "ann", SECRET),
        ("job_never", "fit", "ann", SECRET),
        (made["array"]["id"], "fit", "ann", SECRET),
        (made["id"], "fit", "top", TOP),
    ):
        assert (await again(world, id, name, who, label)).status == 404, (id, name, who)
    await brought(world, "rows", b"changed")
    assert (await again(world, made["id"])).status == 409


async def test_it_is_made_again_no_more_than_so_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await people(world)
    made = await begun(world)
    await ended(world, made["array"]["id"], {0: "SUCCEEDED"})
    monkeypatch.setattr("casemate.jobs.sweep.AGAIN", 1)
    assert (await again(world, made["id"])).status == 400


def test_the_table_is_of_all_and_the_first_result_that_is_there_counts(tmp_path: Any) -> None:
    def folder(name: str, rows: list[tuple[int, str]]) -> None:
        told = {
            "sweep": name, "label": "us:SECRET", "marking": "SECRET", "parameters": ["x"], "logs": [], "plot": None,
            "rows": [
                {"index": index, "left": at, "job": f"{name}:{at}", "state": "", "exit": 0, "point": {"x": index},
                 "result": "" if text else "no result"}
                for at, (index, text) in enumerate(rows)
            ],
        }  # fmt: skip
        (tmp_path / name / "results").mkdir(parents=True)
        (tmp_path / name / "sweep.json").write_text(json.dumps(told))
        for at, (_, text) in enumerate(rows):
            if text:
                (tmp_path / name / "results" / str(at)).write_text(text)

    folder("sweep", [(1, '{"y": 11}'), (3, "")])
    folder("earlier0", [(3, '{"y": 13}'), (1, '{"y": 0}')])
    folder("earlier1", [(0, '{"y": 10}'), (1, ""), (2, "")])
    out = tmp_path / "out"
    out.mkdir()
    assert main(tmp_path / "sweep", out) == 0
    assert (out / "table.csv").read_text().splitlines()[1:] == [
        "index,job,state,exit,problem,x,y",
        "0,earlier1:0,,0,,0,10",
        "1,sweep:0,,0,,1,11",
        "2,earlier1:2,,0,no result,2,",
        "3,earlier0:0,,0,,3,13",
    ]
