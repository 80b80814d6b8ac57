"""Missions as tools of a model: the form as a function's schema, a call held to it, a turn that bears its marking."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casemate.doors.frame.enter import LANGUAGE
from casemate.missions.host import Missions
from casemate.models import READER
from tests.attacks.scene import LOW, SECRET
from tests.doors.native.test_jobs import ended, kept
from tests.doors.native.test_missions import CSV, a_run, installed, result
from tests.laws.mission_operations import described, install
from tests.laws.world import Seen, World

CALLS = "/api/missions/fit/calls"


def schema(tool: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tool["function"]["parameters"]["properties"]
    return found


def content(seen: Seen) -> tuple[str, Any]:
    """The marking and what stands below it."""
    marking, told = seen.json["data"]["turn"]["content"].split("\n")
    return marking, json.loads(told)


async def called(world: World, arguments: Any, who: str = "ann", label: str = SECRET, **more: Any) -> Seen:
    return await world.call(who, "POST", CALLS, {"arguments": arguments, **more}, label)


async def the_runs(world: World, label: str = SECRET) -> list[dict[str, Any]]:
    """Jobs as ann sees them there."""
    found: list[dict[str, Any]] = (await world.call("ann", "GET", "/api/jobs", acting=label)).json["data"]["jobs"]
    return found


async def test_a_mission_is_a_function_whose_parameters_are_its_form(world: World) -> None:
    await world.person("ann", SECRET)
    spoken = {"en": "A value", "fr": "Une valeur"}
    fields = [
        {"name": "degree", "type": "integer", "default": 1, "low": 0, "high": 3, **spoken},
        {"name": "rate", "type": "number", "default": 0.5, "low": 0.25, "unit": "m/s", **spoken},
        {"name": "kind", "type": "string", "default": "a", "choices": ["a", "b"], **spoken},
        {"name": "names", "type": "string", "many": True, "default": ["x"], **spoken},
    ]
    roles = [
        {"name": "rows", "formats": ["csv"], "required": True, **spoken},
        {"name": "more", "formats": ["csv", "txt"], "many": True, "required": False, **spoken},
    ]
    told = {**described("fit", "1"), "parameters": fields, "roles": roles}
    assert (await installed(world, described=told)).status == 201
    seen = (await world.call("ann", "GET", "/api/missions/fit/tool", acting=SECRET)).json["data"]
    tool = seen["tool"]
    assert (seen["id"], seen["label"], tool["type"], tool["function"]["name"]) == ("fit@1", SECRET, "function", "fit")
    filled = schema(tool)["parameters"]["properties"]
    assert filled["degree"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 3,
        "description": "A value",
        "default": 1,
    }
    assert (filled["rate"]["minimum"], filled["rate"]["description"]) == (0.25, "A value (m/s)")
    assert filled["kind"]["enum"] == ["a", "b"]
    assert (filled["names"]["type"], filled["names"]["items"]["maxLength"]) == ("array", 4000)
    inputs = schema(tool)["inputs"]
    assert (inputs["required"], tool["function"]["parameters"]["required"]) == (["rows"], ["inputs"])
    assert inputs["properties"]["rows"]["type"] == "string"
    assert "dataset:NAME" in inputs["properties"]["rows"]["description"]
    assert (inputs["properties"]["more"]["type"], inputs["properties"]["more"]["minItems"]) == ("array", 0)
    spoken_there = (("cookie", f"{LANGUAGE}=fr"),)
    french = await world.call("ann", "GET", "/api/missions/fit/tool", acting=SECRET, headers=spoken_there)
    assert schema(french.json["data"]["tool"])["parameters"]["properties"]["degree"]["description"] == "Une valeur"


async def test_tools_are_those_that_the_acting_label_sees_the_newest_of_each(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    await installed(world)
    newer = {**install("fit", "2"), "described": {**described("fit", "2"), "titles": {"en": "Newer", "fr": "x"}}}
    assert (await world.call("ann", "POST", "/api/missions", newer, SECRET)).status == 201
    assert (await world.call("ann", "POST", "/api/missions", install("count", "1"), LOW)).status == 201
    every = (await world.call("ann", "GET", "/api/mission-tools", acting=SECRET)).json["data"]
    assert [one["function"]["name"] for one in every] == ["count", "fit"]
    assert every[1]["function"]["description"].startswith("Newer. ")
    below = (await world.call("low", "GET", "/api/mission-tools", acting=LOW)).json["data"]
    assert [one["function"]["name"] for one in below] == ["count"]
    hidden = await world.call("low", "GET", "/api/missions/fit/tool", acting=LOW)
    never = await world.call("low", "GET", "/api/missions/nev/tool", acting=LOW)
    assert (hidden.status, never.status) == (404, 404)
    assert hidden.json["detail"].replace("fit", "nev") == never.json["detail"]


async def test_a_call_is_a_run_at_the_acting_label_and_its_turn_bears_the_marking(world: World) -> None:
    await world.person("ann", SECRET)
    await installed(world, label=LOW)
    made = await called(world, '{"parameters": {"degree": 2}}', id="call_1")
    assert made.status == 201, made.body
    data = made.json["data"]
    assert (data["error"], data["open"], data["turn"]["role"]) == ("", True, "tool")
    assert data["turn"]["tool_call_id"] == "call_1"
    marking, told = content(made)
    assert (marking, told["run"], told["state"]) == (made.json["marking"], data["run"], "SUBMITTED")
    job = (await world.call("ann", "GET", f"/api/jobs/{data['run']}", acting=SECRET)).json["data"]
    assert job["label"] == made.json["label"] == SECRET
    assert job["spec"]["tags"] == {"mission": "fit@1", "called": "yes"}
    assert json.loads(job["spec"]["env"]["CASEMATE_MISSION"])["parameters"] == {"degree": 2}
    assert (await called(world, '{"parameters": {"degree": 2}}', id="call_1")).json["data"]["run"] == data["run"]
    assert (await called(world, {"parameters": {"degree": 2}}, id="call_2")).json["data"]["run"] != data["run"]
    other = await called(world, {"parameters": {"degree": 3}}, id="call_1")
    assert (other.status, other.json["data"]["error"], other.json["data"]["run"]) == (200, "conflict", "")
    assert len(await the_runs(world)) == 2
    assert await the_runs(world, LOW) == []


@pytest.mark.parametrize(
    "arguments",
    [
        "{",
        "[]",
        '"x"',
        "[" * 5000,
        {"parameters": {"degree": 9}},
        {"parameters": {"never": 1}},
        {"parameters": []},
        {"inputs": {"never": "dataset:x"}},
        {"inputs": {"rows": "/etc/passwd"}},
        {"inputs": {"rows": "mission:{digest}"}},
        {"inputs": {"rows": {"a": 1}}},
        *({name: value} for name, value in (("memory_mb", 9), ("engine", "x"), ("queue", "x"), ("model", "m"))),
        {"degree": 1},
    ],
)
async def test_what_does_not_fit_is_told_to_the_model_and_nothing_runs(world: World, arguments: Any) -> None:
    await world.person("ann", SECRET)
    digest = (await installed(world)).json["data"]["digest"]
    said = arguments if isinstance(arguments, str) else json.loads(json.dumps(arguments).replace("{digest}", digest))
    seen = await called(world, said, id="call_1")
    assert (seen.status, seen.json["data"]["error"], seen.json["data"]["run"]) == (200, "malformed", ""), seen.body
    marking, told = content(seen)
    assert (marking, sorted(told)) == (seen.json["marking"], ["detail", "error"])
    assert await the_runs(world) == []


@pytest.mark.parametrize("more", [{"wait_s": -1}, {"wait_s": 21}, {"id": "x" * 101}, {"id": "a\nb"}, {"seed": 1}])
async def test_what_the_program_around_it_sends_wrongly_is_a_problem(world: World, more: dict[str, Any]) -> None:
    await world.person("ann", SECRET)
    await installed(world)
    assert (await called(world, {}, **more)).status == 400
    assert await the_runs(world) == []


async def test_what_its_asker_cannot_see_is_to_a_model_what_never_was(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    await kept(world, "ann", "job_high", ended(), SECRET, **{"out/x.csv": b"a\n1\n"})
    unseen, unknown = [
        await called(world, {"inputs": {"rows": f"job:{name}/out/x.csv"}}, "low", LOW)
        for name in ("job_high", "job_none")
    ]
    assert [one.json["data"]["error"] for one in (unseen, unknown)] == ["absent", "absent"]  # the mission itself
    await installed(world)
    assert (await called(world, {}, "low", LOW)).json["data"]["error"] == "absent"
    assert (await world.call("ann", "POST", "/api/missions", install("fit", "2"), LOW)).status == 201
    bodies = []
    for name in ("job_high", "job_none"):
        seen = await called(world, {"inputs": {"rows": f"job:{name}/out/x.csv"}}, "low", LOW)
        assert (seen.status, seen.json["data"]["error"], seen.json["label"]) == (200, "absent", LOW)
        bodies.append(seen.body.replace(name.encode(), b"-"))
    assert bodies[0] == bodies[1]
    sees = await called(world, {"inputs": {"rows": "job:job_high/out/x.csv"}})
    assert sees.json["data"]["error"] == ""


async def test_a_mark_in_what_a_model_wrote_refuses_however_it_is_wrapped(world: World) -> None:
    await world.person("low", LOW)
    await installed(world, "low", LOW)
    mark = "SECRET//NOFORN"
    for arguments in (
        {"parameters": {"degree": mark}},
        json.dumps({"parameters": {"degree": [1, {"a": f"x\n{mark}"}]}}),
        json.dumps({"parameters": {"degree": mark}}).replace("S", "\\u0053"),
        json.dumps({"inputs": {mark: "x"}}),
        mark,
    ):
        seen = await called(world, arguments, "low", LOW)
        assert (seen.status, seen.json.get("rule")) == (403, "mark-above"), arguments
    assert (await called(world, {}, "low", LOW, id=mark)).json.get("rule") == "mark-above"


async def finished(world: World, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], **blobs: bytes) -> Seen:
    """A call whose run is one that has already ended."""
    files = {"out/result.json": json.dumps(told).encode(), "out/tables/rows.csv": CSV, **blobs}
    await kept(world, "ann", "job_r", a_run(), SECRET, **files)
    await installed(world)

    async def ran(self: Missions, flow: Any, name: str, asked: Any) -> Any:
        del name, asked
        return await self.jobs.named(flow, "job_r")

    monkeypatch.setattr(Missions, "called", ran)
    return await called(world, {}, id="call_1", wait_s=20)


async def test_a_run_that_has_ended_tells_figures_and_first_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.person("ann", SECRET)
    seen = await finished(world, monkeypatch, result())
    assert seen.status == 201, seen.body
    marking, told = content(seen)
    assert marking == seen.json["marking"]
    assert (told["run"], told["open"], told["figures"], told["left_out"]) == ("job_r", False, {"slope": 2.0}, 0)
    assert told["tables"]["rows"]["first"] == [line.split(",") for line in CSV.decode().splitlines()[1:]]
    assert told["tables"]["rows"]["rows"] == 2


async def test_what_a_model_is_told_has_bounds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.person("ann", SECRET)
    rows = b"n,t\n" + b"".join(b"%d,%s\n" % (at, b"x" * 9000) for at in range(200))
    told = result(rows, figures={"long": "y" * 9000, **{f"f{at}": at for at in range(80)}})
    seen = await finished(world, monkeypatch, told, **{"out/tables/rows.csv": rows})
    _, said = content(seen)
    first = said["tables"]["rows"]["first"]
    assert [row[0] for row in first] == [str(at) for at in range(len(first))]
    assert {len(row[1]) for row in first} == {400}
    assert (len(said["figures"]), said["left_out"], len(said["figures"]["long"])) == (50, 31, 400)
    assert len(seen.body) < 20_000


async def test_a_run_that_left_no_result_says_how_it_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.person("ann", SECRET)
    seen = await finished(world, monkeypatch, result(digest=3))
    _, said = content(seen)
    assert (said["exit"], "figures" in said, said["state"]) == (0, False, "SUCCEEDED")


async def test_a_turn_that_goes_on_below_its_label_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.person("ann", SECRET)
    turn = (await finished(world, monkeypatch, result())).json["data"]["turn"]
    function = {"name": "fit", "arguments": "{}"}
    asks = {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    tools = (await world.call("ann", "GET", "/api/mission-tools", acting=SECRET)).json["data"]
    messages = [{"role": "user", "content": "Fit it."}, asks, turn]
    body = {"model": READER, "messages": messages}
    below = await world.call("ann", "POST", "/v1/chat/completions", body, LOW)
    assert (below.status, "mark-above" in below.body.decode()) == (403, True), below.body
    assert (await world.call("ann", "POST", "/v1/chat/completions", body, SECRET)).status != 403
    offered = {"model": READER, "messages": messages[:1], "tools": tools}
    assert (await world.call("ann", "POST", "/v1/chat/completions", offered, SECRET)).status != 403
    lower = await world.call("ann", "POST", "/v1/chat/completions", offered, LOW)
    assert (lower.status, "mark-above" in lower.body.decode()) == (403, True), lower.body
