"""What answers the questions of running missions: they pass by files, since a job has no network.

A program writes OUT/ask/N.json; the loop answers into IN/answers/N.json and the program takes its question away. The
session is the loop's own at the job's class in the name of the job's owner: his quota counts, the request is recorded
and looked at for marks as any other, and what the job's label does not dominate is not found. One question of a job is
answered at a time. What must never happen: that a job of one class waits on those of another, or that a job is answered
whose owner may not ask at its label any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import msgspec

from casemate.access import Flow, Gate, Idle, Lanes
from casemate.clock import Loop
from casemate.errors import BadInput, CasemateError, Internal, Refused
from casemate.identity import Session
from casemate.jobs import JOB, Attempt, Job, Jobs, Scratch, life
from casemate.labels import AccessClass
from casemate.missions.host.host import TAG
from casemate.models import Answerer, Chat, Delta, Message
from casemate.objects import Found, Where
from casemate.policy import Action

__all__ = ["Answers", "Question"]

ANSWER, ASK = Action("answer", "mission"), Action("ask", "answer")
QUESTIONS = 1000
"""Questions of one attempt; those beyond are told that there is no model."""
LONGEST = 256 << 10
"""Bytes of a question."""
TOKENS = 4096
_NUMBERED = re.compile(r"(?:ask/)?([1-9][0-9]{0,5})\.json")


class Question(msgspec.Struct, frozen=True):
    """What a program asks: `most` tokens at most."""

    prompt: str
    most: int = 256


@dataclass(slots=True)
class Answers:
    """The loop. `patience`: seconds that a step waits for its lanes; None waits for all of them."""

    gate: Gate
    jobs: Jobs
    answerer: Answerer
    patience: float | None = 0.5
    _lanes: Lanes = field(init=False)
    _answered: dict[str, set[int]] = field(default_factory=dict)
    _idle: Idle = field(default_factory=lambda: Idle(JOB))

    def __post_init__(self) -> None:
        self._lanes = Lanes(self.gate, self.lane, self.patience)

    def loops(self) -> list[Loop]:
        return [Loop("missions.answer", 0.5, self.step)]

    async def step(self) -> int:
        """Answer what has been asked, each class in its own lane; how many were answered."""
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way: it is asked again after the next start."""
        await self._lanes.stop()

    async def lane(self, access: AccessClass) -> int:
        """The share of one class in a step. Nothing that happens here leaves the lane."""
        moved = 0
        try:
            flow = await self.gate.open(self.gate.service("missions", access), ANSWER)
            tide = await self._idle.turned(flow)
            if tide is None:
                return moved
            running = [one for one in await flow.every(JOB, Where((("phase", "active"),))) if _asks(one, access)]
        except CasemateError:
            return moved
        if not running:
            self._idle.rest(flow, tide)
        known = {f"{access.id}/{one.value.attempts[-1].token}" for one in running if one.value.attempts}
        for gone in [each for each in self._answered if each.startswith(f"{access.id}/") and each not in known]:
            del self._answered[gone]
        for found in running:
            try:
                moved += await self._job(access, found)
            except (CasemateError, OSError):
                continue  # its folder is not there yet, has just gone, or was broken by its job
        return moved

    async def _job(self, access: AccessClass, found: Found[Job]) -> int:
        attempt = life.live(found.value)
        site = self.jobs.sites.site(attempt.engine) if attempt is not None else None
        if attempt is None or site is None:
            return 0
        known = self._answered.setdefault(f"{access.id}/{attempt.token}", set())
        listed = await site.scratch.outputs(access.id, attempt.token, "ask", QUESTIONS + 8)
        waiting = {int(match[1]): size for name, size in listed if (match := _NUMBERED.fullmatch(name)) is not None}
        fresh = sorted(number for number in waiting if number not in known)
        if not fresh:
            return 0
        number = fresh[0]
        answer = await self._answer(access, found, site.scratch, attempt, number, waiting[number])
        known.add(number)  # it was asked and counted, whether or not the answer can be left
        # a line ends what is whole: of two answers, after a new start, the program takes the first
        told = msgspec.json.encode(answer) + b"\n"
        # never made here: what was sealed and removed meanwhile stays removed, and nothing plain is left behind
        await site.scratch.fill(site.scratch.at(access.id, attempt.token), f"answers/{number}.json", told)
        return 1

    async def _answer(
        self, access: AccessClass, found: Found[Job], scratch: Scratch, attempt: Attempt, number: int, size: int
    ) -> dict[str, str]:
        if number > QUESTIONS or size > LONGEST:
            return {"why": "too-large"}
        raw = await scratch.read(access.id, attempt.token, "out", f"ask/{number}.json", 0, LONGEST)
        try:
            asked = msgspec.json.decode(raw, type=Question)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {"why": BadInput.slug}
        flow = await self._flow(access, found)
        if flow is None:
            return {"why": Refused.slug}
        return await self._generated(flow, found, asked, raw)

    async def _flow(self, access: AccessClass, found: Found[Job]) -> Flow | None:
        """In the owner's name at the job's class; None for one who may not ask there any more."""
        job = found.value
        owner = self.gate.directory.principal(job.owner)
        if owner is None or "user" not in owner.roles:
            return None
        session = self.gate.service("missions", access)
        asker = replace(session.principal, id=job.owner, name=job.person)
        session = replace(session, id=job.session or session.id, principal=asker, language=job.language)
        himself = Session(session.id, owner, access.label, access.label, job.language)
        try:
            # a policy of the region that keeps him from asking holds here too; nobody asks it about a service
            await self.gate.open(himself, ASK)
            return await self.gate.open(session, ANSWER)
        except Refused:  # it is recorded once, and not at every step
            return None

    async def _generated(self, flow: Flow, found: Found[Job], asked: Question, raw: bytes) -> dict[str, str]:
        """One answer, recorded as any request is: looked at, BEGIN, answered, END; or the slug of why there is none."""
        model = _model(found.value)
        told: CasemateError
        try:
            await flow.inspect((asked.prompt,))
            await flow.begin(raw, {"operation": "mission", "job": found.id})
            chat = Chat(
                model=model,
                messages=(Message("user", asked.prompt),),
                knowledge=(),
                mode="single",
                max_tokens=min(max(asked.most, 1), TOKENS),
                temperature=0.0,
                language=flow.session.language,
            )
            deltas: list[Delta] = []
            await self.answerer.whole(flow, chat, deltas)
            text = "".join(delta.text for delta in deltas)
            answer = {"text": text}
            await flow.release(msgspec.json.encode(answer), "complete", {"job": found.id})
            return answer
        except CasemateError as error:
            told = error
        except Exception:  # noqa: BLE001 - a defect that this question meets: the others are answered
            told = Internal()
        if flow.begun or not told.entry:
            await self.gate.record_error(flow.session, flow.acting, ANSWER, told, ref=flow.begun)
        return {"why": told.slug}


def _asks(found: Found[Job], access: AccessClass) -> bool:
    """Whether it is a run of this very class that was given a model."""
    return found.ref.class_id == access.id and bool(_model(found.value))


def _model(job: Job) -> str:
    if job.spec is None or TAG not in job.spec.tags:
        return ""
    try:
        order = msgspec.json.decode(job.spec.env.get("CASEMATE_MISSION", "{}"))
    except (msgspec.DecodeError, RecursionError):
        return ""
    model = order.get("model", "") if isinstance(order, dict) else ""
    return model if isinstance(model, str) else ""
