"""Questions of running missions: answered in the owner's name at the job's class, by files, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.identity import Session
from casemate.jobs import Folder, Spec
from casemate.labels import Label
from casemate.missions.host import Answers
from casemate.missions.host.answers import LONGEST, QUESTIONS
from casemate.models import Chat, Delta
from casemate.models.answerer import ByPieces
from casemate.policy import Action, Refuse, Target
from casemate.policy.veto import asked
from tests.attacks.scene import LOW, SECRET
from tests.jobs.yard import Yard
from tests.laws.world import World

ORDER = json.dumps({"model": "toy", "parameters": {}})
RUN = Spec(("run",), env={"CASEMATE_MISSION": ORDER}, tags={"mission": "fit@1"})


class Toy(ByPieces):
    """Says the question backwards, and remembers who asked at which label."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, int]] = []
        self.meanwhile: Callable[[], Awaitable[None]]

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        text = chat.messages[0].text
        self.asked.append((flow.session.principal.name, flow.acting.text, chat.model, chat.max_tokens))
        if text == "fail":
            raise EngineFailed(engine="toy", why="it broke", cause="broken")
        if text == "defect":
            raise RuntimeError(text)
        if text == "end":
            await self.meanwhile()
        yield Delta(text=text[::-1])
        yield Delta(finish="stop")


async def yard_of(world: World, spec: Spec = RUN, at: str = SECRET) -> tuple[Yard, Toy, Answers, Any]:
    """A running job of olga's at that label, and the loop."""
    yard, toy = Yard(world), Toy()
    await yard.person("olga")
    await yard.submit(spec, at=at)
    await yard.step(3)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(1)
    return yard, toy, Answers(world.house.gate, yard.jobs, toy, None), yard.engine.spot(native)


def put(spot: Any, number: int, **question: Any) -> None:
    spot.files[f"ask/{number}.json"] = json.dumps(question).encode()


def said(spot: Any, number: int) -> dict[str, str]:
    text = spot.inputs[f"answers/{number}.json"].decode()
    assert text.endswith("\n")
    [line] = text.splitlines()
    return dict(json.loads(line))


async def test_a_question_is_answered_once_in_the_owners_name_at_the_jobs_label(world: World) -> None:
    _, toy, answers, spot = await yard_of(world)
    assert await answers.step() == 0  # nothing has been asked
    put(spot, 1, prompt="abc", most=9)
    put(spot, 2, prompt="def", most=1 << 20)
    assert [await answers.step() for _ in range(3)] == [1, 1, 0]
    assert (said(spot, 1), said(spot, 2)) == ({"text": "cba"}, {"text": "fed"})
    assert toy.asked == [("olga", SECRET, "toy", 9), ("olga", SECRET, "toy", 4096)]


async def test_what_fails_is_told_by_its_slug_and_the_next_is_answered(world: World) -> None:
    _, toy, answers, spot = await yard_of(world)
    put(spot, 1, prompt="fail")
    put(spot, 2, prompt="defect")
    spot.files["ask/3.json"] = b"no JSON"
    spot.files["ask/4.json"] = b" " * (LONGEST + 1)
    put(spot, QUESTIONS + 1, prompt="one too many")
    put(spot, 5, prompt="ab")
    spot.files["ask/6.part"] = b"{"
    assert sum([await answers.step() for _ in range(8)]) == 6
    assert [said(spot, n) for n in (1, 2, 3, 4, 5)] == [
        {"why": "engine-failed"},
        {"why": "internal"},
        {"why": "malformed"},
        {"why": "too-large"},
        {"text": "ba"},
    ]
    assert said(spot, QUESTIONS + 1) == {"why": "too-large"}
    assert len(toy.asked) == 3


async def test_a_mark_above_the_job_is_not_sent(world: World) -> None:
    _, toy, answers, spot = await yard_of(world, at=LOW)
    put(spot, 1, prompt="SECRET//NOFORN\n\nwhat of it?")
    assert await answers.step() == 1
    assert "why" in said(spot, 1)
    assert toy.asked == []


async def test_an_owner_who_may_not_ask_any_more_is_not_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, toy, answers, spot = await yard_of(world)
    put(spot, 1, prompt="abc")
    directory = world.house.gate.directory
    known = directory.named("olga")
    assert known is not None
    lowered = replace(known, clearance=world.policies.parse(LOW))
    monkeypatch.setattr(type(directory), "principal", lambda self, id: lowered)
    assert await answers.step() == 1
    assert said(spot, 1) == {"why": "refused"}
    assert toy.asked == []


@pytest.mark.parametrize(
    "spec",
    [
        Spec(("run",), env={"CASEMATE_MISSION": ORDER}),
        Spec(("run",), env={"CASEMATE_MISSION": "{}"}, tags={"mission": "fit@1"}),
        Spec(("run",), env={"CASEMATE_MISSION": "["}, tags={"mission": "fit@1"}),
        Spec(("run",), env={"CASEMATE_MISSION": "[" * 10_000}, tags={"mission": "fit@1"}),
    ],
)
async def test_a_job_that_named_no_model_or_is_no_mission_is_not_answered(world: World, spec: Spec) -> None:
    _, toy, answers, spot = await yard_of(world, spec)
    put(spot, 1, prompt="abc")
    assert (await answers.step(), toy.asked) == (0, [])
    await answers.stop()


async def test_what_has_gone_is_forgotten(world: World) -> None:
    yard, _, answers, spot = await yard_of(world)
    put(spot, 1, prompt="abc")
    assert await answers.step() == 1
    [native] = yard.engine.all("running")
    yard.engine.end(native, 0)
    await yard.step(3)
    assert await answers.step() == 0
    assert answers._answered == {}


async def test_what_was_removed_while_a_model_answered_stays_removed(world: World) -> None:
    yard, toy, answers, spot = await yard_of(world)

    async def meanwhile() -> None:
        [native] = yard.engine.all("running")
        yard.engine.end(native, 0)
        await yard.step(3)

    toy.meanwhile = meanwhile
    put(spot, 1, prompt="end")
    assert await answers.step() == 0
    assert len(toy.asked) == 1
    assert yard.scratch.spots == {}  # an answer is plain: no folder of it lies where no job is


async def test_a_job_that_breaks_its_folder_asks_once_and_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard, toy, answers, spot = await yard_of(world)
    await yard.submit(RUN)
    await yard.step(3)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(1)
    other = yard.engine.spot(native)
    put(spot, 1, prompt="abc")
    put(other, 1, prompt="def")
    broken, fill = next(key for key, each in yard.scratch.spots.items() if each is spot), yard.scratch.fill

    async def filled(folder: Folder, name: str, data: bytes) -> str:
        if folder.path.endswith(broken[1]):
            raise NotADirectoryError(name)  # an input named `answers` stands where answers would
        return await fill(folder, name, data)

    monkeypatch.setattr(yard.scratch, "fill", filled)
    escaped = list[OSError]()
    for _ in range(3):
        try:
            await answers.step()
        except OSError as error:
            escaped.append(error)
    assert escaped == []
    assert said(other, 1) == {"text": "fed"}
    assert len(toy.asked) == 2


class Forbids:
    """The region's own policy lets olga have no model."""

    def __init__(self) -> None:
        self.asked = 0

    def refuses(self, session: Session, acting: Label, action: Action, target: Target) -> Refuse | None:
        told = asked(session, acting, action, target)  # as a veto sees it: nothing of services
        if told is None or (told.name, told.action) != ("olga", "answer.ask"):
            return None
        self.asked += 1
        return Refuse("veto")


async def test_an_owner_whom_a_policy_forbids_is_refused_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, toy, answers, spot = await yard_of(world)
    put(spot, 1, prompt="abc")
    forbids = Forbids()
    monkeypatch.setattr(answers.gate, "veto", forbids)
    for _ in range(3):
        await answers.step()
    assert "answers/1.json" in spot.inputs
    assert (said(spot, 1), forbids.asked, toy.asked) == ({"why": "refused"}, 1, [])
