"""Jobs with a face: the queue, and one job with its attempts on a time line, what it said, used and left.

The pages stand still until somebody asks them to follow: each look is an entry in the ledger. What follows asks again
by itself, and stops when the job has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.console.view import SAFE
from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.jobs import CancelRequest
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say
from casemate.words.say import sentences

__all__ = ["Bar", "Span", "routes", "spans"]

LIST, READ = Action("list", "job"), Action("read", "job")
WIDTH = 1000  # units of a time line
PAGE = "50"
CHILDREN = "200"
LOG = "65536"


class CancelForm(msgspec.Struct, frozen=True):
    """`sure`: the box was ticked."""

    sure: str = ""
    why: str = ""


class RetryForm(msgspec.Struct, frozen=True):
    """As of `CancelForm`."""

    sure: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """An attempt on the time line of its job, in its units: from where it waited, ran, and to where."""

    waited: float
    ran: float
    end: float
    seconds: float
    tone: str


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of what there was: `share` of it, 0 to 100."""

    words: str
    share: float


def routes(face: Face) -> list[Route]:
    """The queue, one job, what it said, what came out, and two deeds."""
    at = _Jobs(face)
    cancel, retry = Action("cancel", "job"), Action("retry", "job")
    return [
        *page("GET", "/jobs", LIST, at.show),
        *page("GET", "/jobs/{id}", LIST, at.one),
        *page("GET", "/jobs/{id}/said", READ, at.said),
        part("GET", "/jobs/{id}/artefacts/{name*}", READ, at.artefact),
        part("POST", "/jobs/{id}/cancel", cancel, at.cancel, takes=CancelForm, texts=_why),
        part("POST", "/jobs/{id}/retry", retry, at.retry, takes=RetryForm),
    ]


def _why(form: CancelForm) -> Iterable[str]:
    return (form.why,)


class _Jobs:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """The jobs that are open, or all of them; and how many stand in which state here."""
        whole = call.query.get("all", "") != ""
        asked = {name: call.query.get(name, "") for name in ("after", "parent", "queue")}
        asked |= {"limit": PAGE, "open": "" if whole else "yes"}
        data, facts = await self._face.ask("GET /api/jobs", replace(call, query=asked))
        data["jobs"] = [_reasoned(call, each) for each in data["jobs"]]
        data["top"] = await self._face.data("GET /api/jobs/top", call)
        more: dict[str, Any] = {"whole": whole, "follow": "follow" in call.query}
        more |= {name: asked[name] for name in ("after", "parent", "queue")}
        return Shown("jobs.html", data, part="jobs/rows.html", facts=facts, more=more)

    async def one(self, call: Call) -> Shown:
        """One job; of an array also its children."""
        data, facts = await self._face.ask("GET /api/jobs/{id}", replace(call, query={}))
        data["children"], data["further"] = [], ""
        if data["size"]:
            asked = replace(call, query={"parent": data["id"], "limit": CHILDREN})
            page = (await self._face.ask("GET /api/jobs", asked))[0]
            data["children"] = [_reasoned(call, each) for each in page["jobs"]]
            data["further"] = page["after"]
        data["attempts"] = [_reasoned(call, each) for each in data["attempts"]]
        part = bool(call.headers.get("hx-request"))
        more = {**self._more(call, _reasoned(call, data)), "part": part}
        more["logs"] = None if part or data["size"] else await self._said(call, "")
        return Shown("job.html", data, part="jobs/standing.html", facts=facts, more=more)

    async def said(self, call: Call) -> Shown:
        """What it said from `at` on."""
        follow = "follow" in call.query
        data = await self._said(call, call.query.get("at", ""))
        return Shown("jobs/log.html", data, part="jobs/said.html", more={"follow": follow, "logs": data})

    async def _said(self, call: Call, at: str) -> dict[str, Any]:
        asked = replace(call, query={"stream": "both", "at": at, "most": LOG})
        data: dict[str, Any] = (await self._face.ask("GET /api/jobs/{id}/logs", asked))[0]
        return data

    async def artefact(self, call: Call) -> Stream:
        """The bytes of what came out, as a file."""
        stream = await self._face.stream("GET /api/jobs/{id}/artefacts/{name*}", call)
        stream.headers = (*SAFE, *(each for each in stream.headers if each[0] not in dict(SAFE)))
        return stream

    async def cancel(self, call: Call) -> Reply:
        """Ended, where the box that says so is ticked."""
        _sure(call, call.body.sure)
        _, facts = await self._face.ask("POST /api/jobs/{id}/cancel", call, CancelRequest(call.body.why.strip()))
        return go(f"/jobs/{call.path['id']}", acting=acting(call), facts=facts)

    async def retry(self, call: Call) -> Reply:
        _sure(call, call.body.sure)
        data, facts = await self._face.ask("POST /api/jobs/{id}/retry", call)
        return go(f"/jobs/{data['id']}", acting=acting(call), facts=facts)

    def _more(self, call: Call, data: dict[str, Any]) -> dict[str, Any]:
        now = call.gate.vault.clock.now()
        begun = data["attempts"][0]["begun"] if data["attempts"] else data["created"]
        return {
            "follow": "follow" in call.query,
            "id": data["id"],
            "here_label": data["label"] == call.flow.acting.text,
            "spans": spans(data["attempts"], min(begun or now, data["created"] or now), data["ended"] or now),
            "bars": [_bars(call, data, each) for each in data["attempts"]],
        }


def _sure(call: Call, ticked: str) -> None:
    if not ticked:
        raise BadInput(what=say("console.jobs.not_sure", call.flow.session.language))


def _reasoned(call: Call, told: dict[str, Any]) -> dict[str, Any]:
    """With `why`: the reason in the reader's words, nothing where it only says the exit again."""
    reason, language = str(told["reason"]), call.flow.session.language
    slug = f"console.jobs.why_ended.{reason}"
    told["why"] = "" if reason.startswith("exit ") else say(slug, language) if slug in sentences(language) else reason
    return told


def spans(attempts: list[dict[str, Any]], first: int, last: int) -> list[Span]:
    """The attempts between two moments (microseconds), each as a stretch of waiting and one of running."""
    whole = max(last - first, 1)

    def place(at: int) -> float:
        return round(WIDTH * min(max(at - first, 0), whole) / whole, 1)

    found = []
    for each in attempts:
        end = each["ended"] or last
        start = each["started"] or end
        good = each["exit"] == 0 and not each["signal"]
        tone = "on" if not each["ended"] else "good" if good else "bad"
        seconds = (end - each["started"]) / 1e6 if each["started"] else 0.0
        found.append(Span(place(each["begun"] or start), place(start), place(end), seconds, tone))
    return found


def _bars(call: Call, data: dict[str, Any], attempt: dict[str, Any]) -> list[Bar]:
    """What an attempt used of what it was given; nothing where that is not known yet."""
    used, given = attempt["usage"], (data["spec"] or {}).get("resources", {})
    if not used["wall_us"]:
        return []

    def told(slug: str, **facts: object) -> str:
        return say(f"console.jobs.{slug}", call.flow.session.language, **facts)

    cpu, wall, cpus = used["cpu_us"] / 1e6, used["wall_us"] / 1e6, given.get("cpus", 1) or 1
    found = [Bar(told("cpu", cpu=f"{cpu:.1f}", wall=f"{wall:.1f}"), _share(cpu, wall * cpus))]
    memory = given.get("memory_mb", 512) or 1
    mb = used["rss_kb"] / 1024
    found.append(Bar(told("memory", mb=f"{mb:.0f}", given=memory), _share(mb, memory)))
    if given.get("gpus"):
        found.append(Bar(told("gpu", gpu=used["gpu_s"]), _share(used["gpu_s"], wall * given["gpus"])))
    if used["energy_j"]:
        found.append(Bar(told("energy", energy=used["energy_j"]), 0.0))
    return found


def _share(part: float, whole: float) -> float:
    return round(min(100 * part / whole, 100), 1) if whole else 0.0
