"""A model calls missions in the region: at its asker's label, told what comes out, and nothing that he may not see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from casemate.access import Flow
from casemate.identity import Bearer
from casemate.jobs import JOB, Artefact
from casemate.models import Chat, Delta, ToolPiece, ToolResult
from casemate.objects import Put
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP
from tests.doors.native.test_missions import installed, result
from tests.laws.mission_operations import install
from tests.laws.world import Seen, World

TALKS = "/api/mission-talks"
ASKED = {"role": "user", "content": "How steep is it?"}


class Scripted:
    """A model that says one thing after the other; `chats` are what it was asked, and at which label it is lent."""

    def __init__(self, *answers: list[Delta]) -> None:
        self.answers = list(answers)
        self.chats: list[tuple[str, Chat]] = []

    async def whole(self, _: Any, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        self.chats.append((flow.floor.text, chat))
        told += self.answers.pop(0)

    def results(self) -> Iterator[str]:
        """What tools have answered, as the model was last told it."""
        for message in self.chats[-1][1].messages:
            for part in message.parts:
                if isinstance(part, ToolResult):
                    yield from (each.text for each in part.parts if hasattr(each, "text"))


def calls(*named: tuple[str, str]) -> list[Delta]:
    """An answer that calls these, in two pieces each."""
    found = []
    for at, (name, arguments) in enumerate(named):
        found.append(Delta(call=ToolPiece(at, arguments[:3], f"c{at}", name)))
        found.append(Delta(call=ToolPiece(at, arguments[3:])))
    return [*found, Delta(finish="tool")]


def says(text: str) -> list[Delta]:
    return [Delta(text=text[:2]), Delta(text=text[2:]), Delta(finish="stop")]


async def ready(world: World) -> World:
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    assert (await installed(world)).status == 201
    return world


def speaks(world: World, patched: pytest.MonkeyPatch, *answers: list[Delta]) -> Scripted:
    model = Scripted(*answers)

    async def whole(self: Any, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        await model.whole(self, flow, chat, told)

    patched.setattr(type(world.house.answerer), "whole", whole)
    return model


async def talk(world: World, *turns: Any, who: str = "ann", label: str = SECRET, **more: Any) -> Seen:
    said = {"model": "toy", "turns": turns or [ASKED], "wait_s": 0, **more}
    return await world.call(who, "POST", TALKS, said, label)


async def ends(world: World, id: str, figures: dict[str, float]) -> None:
    """The run ends with these figures."""
    gate = world.house.gate
    flow = await gate.open(gate.admit(Bearer(world.keys["ann"])), Action("submit", "job"), world.policies.parse(SECRET))
    found = await flow.read(JOB, id)
    raw = json.dumps(result(figures=figures, tables={})).encode()
    left = (Artefact("out/result.json", len(raw), hashlib.sha384(raw).hexdigest(), (await flow.pour(raw),)),)
    value = replace(found.value, state="SUCCEEDED", open="no", phase="ended", artefacts=left)
    await flow.commit(Put(JOB, id, value, expect=found.version))


async def test_what_a_model_calls_is_run_once_and_told_and_then_it_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(world)
    model = speaks(world, monkeypatch, calls(("fit", '{"parameters": {"degree": 2}}')), says("Two."))
    first = (await talk(world)).json["data"]
    assert (first["finish"], len(first["turns"])) == ("open", 2)
    [run] = first["runs"]
    job = (await world.call("ann", "GET", f"/api/mission-runs/{run}", acting=SECRET)).json["data"]
    assert (job["parameters"]["degree"], job["job"]["label"]) == (2, SECRET)
    again = (await talk(world, *first["turns"])).json["data"]
    assert again == first  # the same conversation is the same run, and the model is not asked meanwhile
    assert len(model.chats) == 1
    await ends(world, run, {"slope": 2.0})
    seen = await talk(world, *first["turns"])
    told = seen.json["data"]
    assert (told["finish"], told["turns"][-1]["content"], told["runs"]) == ("stop", "Two.", [])
    assert seen.json["label"] == SECRET
    [said] = model.results()
    assert json.loads(said.split("\n", 1)[1])["figures"] == {"slope": 2.0}
    assert said.startswith("SECRET")
    label, chat = model.chats[-1]
    assert (label, [each.name for each in chat.tools], chat.knowledge) == (SECRET, ["fit"], ())
    below = await talk(world, *told["turns"], {"role": "user", "content": "And?"}, who="low", label=LOW)
    assert (below.status, below.json["rule"]) == (403, "mark-above")  # what it has found goes nowhere below


async def test_another_conversation_is_another_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ready(world)
    one = calls(("fit", '{"parameters": {"degree": 2}}'))
    speaks(world, monkeypatch, one, one)
    first, second = [(await talk(world, {**ASKED, "content": text})).json["data"] for text in ("a?", "b?")]
    assert first["runs"] != second["runs"]


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("fit", '{"parameters": {"degree": 9}}', "malformed"),
        ("fit", '{"queue": "x"}', "malformed"),
        ("fit", "{", "malformed"),
        ("fit", '{"inputs": {"rows": "object:lab/hidden"}}', "absent"),
        ("other", "{}", "malformed"),
    ],
)
async def test_what_it_may_not_have_is_told_the_model_and_nothing_runs(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, arguments: str, error: str
) -> None:
    await ready(world)
    model = speaks(world, monkeypatch, calls((name, arguments)), says("No."))
    told = (await talk(world)).json["data"]
    assert (told["finish"], told["turns"][-1]["content"]) == ("stop", "No.")
    [said] = model.results()
    assert json.loads(said.split("\n", 1)[1])["error"] == error
    assert (await world.call("ann", "GET", "/api/jobs", acting=SECRET)).json["data"]["jobs"] == []


async def test_a_mark_that_a_model_writes_into_a_call_refuses_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is wrapped. Killed: what a model wrote taken for less than its asker's own words."""
    await ready(world)
    await world.call("low", "POST", "/api/missions", install("fit", "1"), LOW)
    model = speaks(world, monkeypatch, calls(("fit", '{"inputs": {"\\u0053ECRET//NOFORN": "x"}}')), says("No."))
    told = (await talk(world, who="low", label=LOW)).json["data"]
    [said] = model.results()
    assert json.loads(said.split("\n", 1)[1])["error"] == "refused"
    assert told["finish"] == "stop"


async def test_a_model_that_calls_for_ever_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ready(world)
    model = speaks(world, monkeypatch, *[calls(("other", "{}"))] * 9)
    told = (await talk(world)).json["data"]
    assert (told["finish"], len(model.chats), told["runs"]) == ("rounds", 8, [])


async def test_it_is_told_of_those_missions_alone_that_its_asker_sees(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(world)
    model = speaks(world, monkeypatch, says("Yes."), says("Yes."))
    await world.person("top", TOP)
    assert (await world.call("top", "POST", "/api/missions", install("above", "1"), TOP)).status == 201
    assert (await talk(world)).json["data"]["finish"] == "stop"
    assert [each.name for each in model.chats[0][1].tools] == ["fit"]
    for name in ("above", "never"):
        assert (await talk(world, missions=[name])).status == 404
    assert (await talk(world, missions=["fit", "fit"])).status == 200


async def test_a_mission_that_is_not_offered_is_not_called(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ready(world)
    assert (await world.call("ann", "POST", "/api/missions", install("other", "1"), SECRET)).status == 201
    model = speaks(world, monkeypatch, calls(("other", "{}")), says("No."))
    assert (await talk(world, missions=["fit"])).json["data"]["finish"] == "stop"
    [said] = model.results()
    assert json.loads(said.split("\n", 1)[1])["error"] == "malformed"


ANSWERS = {"role": "assistant", "calls": [{"id": "c", "name": "fit"}, {"id": "d", "name": "fit"}]}


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "tool", "call": "c"}],
        [ASKED, ANSWERS, {"role": "tool", "call": "c"}, {"role": "tool", "call": "c"}],
        [ASKED, ANSWERS, {"role": "tool", "call": "c"}, ASKED],
        [ASKED, {**ANSWERS, "calls": [ANSWERS["calls"][0]] * 2}],
        [{**ASKED, "calls": ANSWERS["calls"]}],
        [ASKED, {**ANSWERS, "calls": [{"id": str(n), "name": "fit"} for n in range(9)]}],
        [ASKED] * 257,
        [{"role": "system", "content": "x"}],
    ],
)
async def test_what_is_no_conversation_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, turns: list[Any]
) -> None:
    await ready(world)
    model = speaks(world, monkeypatch)
    assert (await talk(world, *turns)).status == 400
    assert (await talk(world, wait_s=21)).status == 400
    assert (await talk(world, missions=["fit"] * 17)).status == 400
    assert model.chats == []
