"""Watches: what is new is run over once, one run at a time, in its owner's name; notices say what they may."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.access import Flow
from casemate.buckets import NewObject
from casemate.errors import StorageFull
from casemate.identity import Bearer
from casemate.jobs import JOB, Artefact
from casemate.missions.host import Watching
from casemate.missions.host import watching as loop
from casemate.objects import Put
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP
from tests.doors.native.test_missions import installed, result
from tests.jobs.yard import Killed
from tests.laws.world import World, a_world

SINKS = f"""
[missions.sinks.above]
folder = "{{folder}}/above"
accreditation = "{TOP}"
[missions.sinks.below]
folder = "{{folder}}/below"
accreditation = "{LOW}"
announces = "{SECRET}"
[missions.sinks.nobody]
folder = "{{folder}}/nobody"
accreditation = "{LOW}"
"""
NEW: dict[str, Any] = {"name": "w", "mission": "fit", "source": "object:lab/in/", "role": "rows"}


@asynccontextmanager
async def sunk(tmp_path: Path) -> AsyncIterator[World]:
    for name in ("above", "below", "nobody"):
        (tmp_path / name).mkdir()
    async with a_world(0, ("us",), SINKS.format(folder=tmp_path)) as world:
        yield await people(world)


async def people(world: World) -> World:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    await world.person("top", TOP)
    await installed(world, "low", LOW)
    await flow_into(world, "low", LOW)
    return world


async def opened(world: World, who: str, action: Action, label: str = SECRET) -> Flow:
    gate = world.house.gate
    return await gate.open(gate.admit(Bearer(world.keys[who])), action, world.policies.parse(label))


async def flow_into(world: World, who: str, label: str) -> None:
    flow = await opened(world, who, Action("make", "bucket"), label)
    await world.house.buckets.make(flow, "lab")


async def brought(world: World, key: str, text: bytes = b"x", who: str = "ann", label: str = SECRET) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield text

    flow = await opened(world, who, Action("put", "object"), label)
    await world.house.buckets.put(flow, "lab", key, body(), NewObject())


async def watched(world: World, who: str = "ann", label: str = SECRET, **more: Any) -> Any:
    seen = await world.call(who, "POST", "/api/mission-watches", {**NEW, **more}, label)
    assert seen.status == 201, seen.body
    return seen.json["data"]


async def step(world: World) -> None:
    await world.step("missions.watch")


async def jobs(world: World, who: str = "ann", label: str = SECRET) -> list[Any]:
    listed = (await world.call(who, "GET", "/api/jobs", acting=label)).json["data"]["jobs"]
    return [(await world.call(who, "GET", f"/api/jobs/{one['id']}", acting=label)).json["data"] for one in listed]


def read_by(job: Any) -> list[str]:
    return [one["source"] for one in job["spec"]["inputs"][1:]]


async def end(
    world: World, figures: Any = None, who: str = "ann", label: str = SECRET, state: str = "SUCCEEDED"
) -> None:
    """The one open run ends, with these figures."""
    flow = await opened(world, who, Action("submit", "job"), label)
    [found] = [one for one in await flow.every(JOB) if one.value.open == "yes" and one.ref.class_id == flow.access.id]
    left: tuple[Artefact, ...] = ()
    if figures is not None:
        raw = json.dumps(result(figures=figures, tables={})).encode()
        left = (Artefact("out/result.json", len(raw), hashlib.sha384(raw).hexdigest(), (await flow.pour(raw),)),)
    value = msgspec.structs.replace(found.value, state=state, open="no", phase="ended", artefacts=left)
    await flow.commit(Put(JOB, found.id, value, expect=found.version))


async def shown(world: World, id: str, who: str = "ann", label: str = SECRET) -> Any:
    return (await world.call(who, "GET", f"/api/mission-watches/{id}", acting=label)).json["data"]


async def test_what_is_new_is_run_over_once_and_one_run_at_a_time(world: World) -> None:
    await people(world)
    watch = await watched(world, most=2)
    await step(world)
    assert await jobs(world) == []
    for key in ("in/a", "in/b", "in/c", "out/d"):
        await brought(world, key)
    for _ in range(3):
        await step(world)
    begun = await jobs(world)
    assert len(begun) == 1
    first = begun[0]
    assert read_by(first) == ["object:lab/in/a", "object:lab/in/b"]
    assert (first["label"], first["person"], first["owner"]) == (SECRET, "ann", watch["owner"])
    assert first["spec"]["tags"] == {"mission": "fit@1"}
    assert (await shown(world, watch["id"]))["job"] == first["id"]
    await end(world, {})
    for _ in range(3):
        await step(world)
    assert [read_by(one) for one in await jobs(world)] == [read_by(first), ["object:lab/in/c"]]
    await end(world, {})
    await brought(world, "in/a", b"changed")
    await brought(world, "in/b")  # the same again
    for _ in range(3):
        await step(world)
    assert [read_by(one) for one in await jobs(world)][2:] == [["object:lab/in/a"]]
    told = await shown(world, watch["id"])
    assert (told["runs"], told["why"]) == (3, "")


async def test_a_crash_before_the_commit_loses_nothing_and_one_after_it_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(world)
    watch = await watched(world)
    await brought(world, "in/a")

    right = Flow.commit

    async def before(*_: object, **__: object) -> Any:
        raise Killed

    async def after(self: Flow, *args: Any, **more: Any) -> Any:
        await right(self, *args, **more)
        raise Killed

    for dies in (before, after):
        with monkeypatch.context() as dying:
            dying.setattr(Flow, "commit", dies)
            with pytest.raises(Killed):
                await step(world)
        begun = await jobs(world)
        assert len(begun) == int(dies is after)
        assert (await shown(world, watch["id"]))["job"] == (begun[0]["id"] if begun else "")
    for one in world.house.loops:
        if one.name == "missions.watch":
            old = one.step.__self__  # type: ignore[attr-defined]
    fresh = Watching(old.gate, old.missions, old.spool, None)  # a new process: it remembers nothing
    assert [await fresh.step() for _ in range(3)] == [0, 0, 0]
    await end(world, {})
    assert [await fresh.step() for _ in range(3)] == [1, 0, 0]
    assert len(await jobs(world)) == 1


async def test_a_watch_sees_what_its_label_dominates_and_nothing_beside(world: World) -> None:
    await people(world)
    low = await watched(world, "low", LOW)
    high = await watched(world)
    await brought(world, "in/low", b"x", "low", LOW)
    await brought(world, "in/high")
    await step(world)
    assert [read_by(one) for one in await jobs(world, "low", LOW)] == [["object:lab/in/low"]]
    mine = [one for one in await jobs(world) if one["label"] == SECRET]
    assert [read_by(one) for one in mine] == [["object:lab/in/high", "object:lab/in/low"]]
    hidden = await world.call("low", "GET", f"/api/mission-watches/{high['id']}", acting=LOW)
    never = await world.call("low", "GET", f"/api/mission-watches/{'w' * len(high['id'])}", acting=LOW)
    assert (hidden.status, never.status) == (404, 404)
    listed = (await world.call("low", "GET", "/api/mission-watches", acting=LOW)).json["data"]
    assert [one["id"] for one in listed] == [low["id"]]


async def test_a_watch_is_removed_by_its_owner_at_its_label(world: World) -> None:
    await people(world)
    await world.person("bob", SECRET)
    await world.person("oper", SECRET, ("operator", "user"))
    watch, other = await watched(world), await watched(world)
    target = f"/api/mission-watches/{watch['id']}"
    assert (await world.call("bob", "DELETE", target, acting=SECRET)).status == 404
    assert (await world.call("ann", "DELETE", target, acting=LOW)).status == 404
    assert (await world.call("ann", "DELETE", target, acting=SECRET)).status == 200
    assert (await world.call("oper", "DELETE", f"/api/mission-watches/{other['id']}", acting=SECRET)).status == 200
    await brought(world, "in/a")
    await step(world)
    assert await jobs(world) == []


async def test_an_owner_who_may_not_act_there_any_more_is_not_run_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(world)
    watch = await watched(world)
    await brought(world, "in/a")
    directory = world.house.gate.directory
    known = directory.named("ann")
    assert known is not None
    lowered = replace(known, clearance=world.policies.parse(LOW))
    with monkeypatch.context() as now:
        now.setattr(type(directory), "principal", lambda self, id: lowered)
        await step(world)
    assert await jobs(world) == []
    assert (await shown(world, watch["id"]))["why"] == "refused"


async def test_a_schedule_keeps_its_beat_and_what_cannot_begin_is_tried_later(world: World) -> None:
    await people(world)
    plain = {"name": "tick", "mission": "fit", "source": "", "role": "", "every_s": 600}
    watch = await watched(world, **plain)
    await step(world)
    assert await jobs(world) == []
    world.clock.forward(601)
    await step(world)
    await end(world, {})
    world.clock.forward(1810)  # it was down for three turns: one run
    await step(world)
    await step(world)
    assert len(await jobs(world)) == 2
    assert ((await shown(world, watch["id"]))["due"] - watch["due"]) % 600_000_000 == 0
    await end(world, None, state="FAILED")
    await step(world)
    told = await shown(world, watch["id"])
    assert (told["why"], told["job"]) == ("failed", "")
    await world.person("oper", LOW, ("operator",))
    assert (await world.call("oper", "DELETE", "/api/missions/fit", acting=LOW)).status == 200
    world.clock.forward(600)
    await step(world)
    first = await shown(world, watch["id"])
    await step(world)
    assert (await shown(world, watch["id"]), first["why"], first["runs"]) == (first, "absent", 2)


async def test_a_source_that_holds_too_much_or_is_gone_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await people(world)
    monkeypatch.setattr(loop, "FILES", 1)
    watch, gone = await watched(world), await watched(world, source="object:never/in/")
    data = await watched(world, source="dataset:never")
    await brought(world, "in/a")
    await brought(world, "in/b")
    await step(world)
    assert [(await shown(world, one["id"]))["why"] for one in (watch, gone, data)] == ["too-large", "absent", "absent"]
    assert await jobs(world) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../x"},
        {"mission": "never"},
        {"source": "job:x/out"},
        {"source": "object:"},
        {"source": ""},
        {"role": ""},
        {"role": "never"},
        {"every_s": -1},
        {"source": "", "role": "", "every_s": 59},
        {"most": 0},
        {"most": 91},
        {"when": ["alerts"]},
        {"when": ["alerts > 0"] * 9},
        {"sinks": ["desk"]},
        {"when": ["alerts > 0"], "sinks": ["desk"]},
        {"run": {"parameters": {"degree": 9}}},
        {"run": {"inputs": {"rows": ["object:lab/a"]}}},
        {"run": {"inputs": {"never": ["object:lab/a"]}}},
        {"run": {"key": "k"}},
        {"more": 1},
    ],
)
async def test_what_is_no_watch_is_refused(world: World, wrong: dict[str, Any]) -> None:
    await people(world)
    seen = await world.call("ann", "POST", "/api/mission-watches", {**NEW, **wrong}, SECRET)
    assert seen.status in (400, 404, 422), (wrong, seen.body)
    assert (await world.call("ann", "GET", "/api/mission-watches", acting=SECRET)).json["data"] == []


async def test_one_has_no_more_than_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.missions.host import watches

    await people(world)
    monkeypatch.setattr(watches, "MOST", 1)
    await watched(world)
    await watched(world, "low", LOW)
    assert (await world.call("ann", "POST", "/api/mission-watches", NEW, SECRET)).status == 429


async def test_a_mark_in_what_was_typed_refuses(world: World) -> None:
    await people(world)
    for wrong in ({"name": "SECRET//NOFORN"}, {"run": {"parameters": {"degree": "SECRET//NOFORN"}}}):
        seen = await world.call("low", "POST", "/api/mission-watches", {**NEW, **wrong}, LOW)
        assert (seen.status, seen.json.get("rule")) == (403, "mark-above"), wrong


async def test_a_full_store_stops_one_watch_and_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await people(world)
    await watched(world)
    await watched(world, "low", LOW)
    await brought(world, "in/a", b"x", "low", LOW)
    right = Flow.commit

    async def full(self: Flow, *args: Any, **more: Any) -> Any:
        if self.acting.text == SECRET:
            raise StorageFull
        return await right(self, *args, **more)

    with monkeypatch.context() as now:
        now.setattr(Flow, "commit", full)
        await step(world)
    assert len(await jobs(world, "low", LOW)) == 1
    await step(world)
    assert len([one for one in await jobs(world) if one["label"] == SECRET]) == 1
