"""Sweeps through the native API: two jobs at the acting label, told to whoever sees it and to nobody else."""

from __future__ import annotations

from typing import Any

from tests.attacks.scene import LOW, SECRET
from tests.laws.world import World

BODY: dict[str, Any] = {
    "job": {"command": ["/bin/true", "{rate}"], "name": "rates"},
    "parameters": {"rate": {"from": 1, "to": 2, "steps": 3}, "kind": {"values": ["a", "b"]}},
    "plot": {"x": "rate", "y": "loss"},
}


async def test_a_sweep_is_kept_and_told_at_the_acting_label(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    made = await world.call("ann", "POST", "/api/sweeps", BODY, SECRET)
    assert made.status == 201, made.body
    data = made.json["data"]
    assert (data["points"], data["parameters"], data["method"]) == (6, ["rate", "kind"], "grid")
    assert data["label"] == data["array"]["label"] == made.json["label"] == SECRET
    seen = await world.call("ann", "GET", f"/api/sweeps/{data['id']}", acting=SECRET)
    assert seen.json["data"] == data
    one = await world.call("ann", "GET", f"/api/jobs/{data['array']['id']}", acting=SECRET)
    space = one.json["data"]["spec"]["sweep"]["space"]
    assert space["parameters"]["rate"]["from"] == 1
    for who, id, label in (("low", data["id"], LOW), ("ann", data["id"], LOW), ("ann", data["array"]["id"], SECRET)):
        assert (await world.call(who, "GET", f"/api/sweeps/{id}", acting=label)).status == 404


async def test_what_is_asked_wrongly_is_told_and_nothing_is_kept(world: World) -> None:
    await world.person("ann", SECRET)
    for wrong in (
        {"job": {"command": []}},
        {"parameters": {}},
        {"parameters": {"rate": {"from": 1, "to": 2}}},
        {"method": "guess"},
        {"plot": {"x": "rate"}},
        {"job": {"command": ["/bin/true"], "array": {"size": 4}}},
        {"points": 3},
    ):
        assert (await world.call("ann", "POST", "/api/sweeps", {**BODY, **wrong}, SECRET)).status in (400, 422), wrong
    assert (await world.call("ann", "GET", "/api/jobs", acting=SECRET)).json["data"]["jobs"] == []


async def test_a_mark_in_what_was_typed_refuses(world: World) -> None:
    await world.person("low", LOW)
    mark = "SECRET//NOFORN"
    for wrong in (
        {"job": {"command": ["/bin/true"], "name": mark}},
        {"parameters": {"kind": {"values": ["a", mark]}}},
        {"plot": {"x": "rate", "y": mark}},
        {"result": mark},
    ):
        seen = await world.call("low", "POST", "/api/sweeps", {**BODY, **wrong}, LOW)
        assert (seen.status, seen.json.get("rule")) == (403, "mark-above"), wrong
    job = {"command": ["/bin/true"], "array": {"size": 2}}
    space = {"parameters": {"kind": {"values": ["a", mark]}}}
    seen = await world.call("low", "POST", "/api/jobs", {"spec": {**job, "sweep": {"space": space}}}, LOW)
    assert (seen.status, seen.json.get("rule")) == (403, "mark-above")
