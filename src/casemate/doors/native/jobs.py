"""Jobs: asked for, listed, looked into, ended, made again; what they said and what came out.

A job lies at the acting label of whoever asked for it, and everything of it bears that label: a list, a count, a
position or a log is told of what the acting label dominates, and depends on nothing else.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.jobs_told import headed, told, written
from casemate.doors.native.rooms import Rooms, reply
from casemate.errors import BadInput
from casemate.jobs import JOB, Spec
from casemate.jobs.queues import Queues
from casemate.objects import Where
from casemate.policy import Action
from casemate.words import say

__all__ = ["CancelRequest", "JobRequest", "One", "number", "routes"]

MOST = 1000
BATCH = 1000
LOOKED = 5000
"""Jobs that one request for a state looks at: a page may be short of its limit, and `after` goes on."""
PIECE = 256 << 10
LEAST = 64
WAIT = 20
PAUSE = 0.25
STREAMS = ("out", "err")
STATES = frozenset({"SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"})
_CURSOR = re.compile(r"[a-z0-9_-]{1,64}/(?:[a-z0-9_-]{1,64}:\d{1,18})?")


class One(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One job of a batch. The same key and spec again give the same job; another spec under it is a conflict."""

    spec: Spec
    key: str = ""


class JobRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a `spec`, with a `key` or without, or `jobs`: at most 1,000, all of them or none; or a `definition`.

    `parameters` are the definition's: they stand for `Ref::NAME` in its command. `queue`: instead of its own.
    """

    spec: Spec | None = None
    key: str = ""
    jobs: tuple[One, ...] = ()
    definition: str = ""
    parameters: dict[str, str] = {}
    queue: str = ""


class CancelRequest(msgspec.Struct, frozen=True):
    """Why it is ended; told to whoever may see the job."""

    reason: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """Job routes."""
    at, base, one = _Jobs(rooms), "/api/jobs", "/api/jobs/{id}"
    looks, reads, data = Action("list", "job"), Action("read", "job"), dict[str, Any]
    submits, cancels, again = Action("submit", "job"), Action("cancel", "job"), Action("retry", "job")
    return [
        Route("POST", base, "native", submits, at.submit, takes=JobRequest, gives=data, texts=_said),
        Route("GET", base, "native", looks, at.every, gives=data),
        Route("GET", f"{base}/top", "native", looks, at.top, gives=data),
        Route("GET", one, "native", looks, at.one, gives=data),
        Route("POST", f"{one}/cancel", "native", cancels, at.cancel, takes=CancelRequest, gives=data, texts=_why),
        Route("POST", f"{one}/retry", "native", again, at.retry, gives=data),
        Route("GET", f"{one}/logs", "native", reads, at.logs, gives=data),
        Route("GET", f"{one}/artefacts", "native", reads, at.artefacts, gives=list[Any]),
        Route("GET", f"{one}/artefacts/{{name*}}", "native", reads, at.artefact),
    ]


def _said(request: JobRequest) -> tuple[str, ...]:
    """What a person wrote: it comes to rest with the job."""
    specs = [one.spec for one in request.jobs] + ([request.spec] if request.spec is not None else [])
    named = (request.definition, request.queue, *request.parameters, *request.parameters.values())
    return (*(text for spec in specs for text in written(spec)), *(text for text in named if text))


def _why(request: CancelRequest) -> tuple[str, ...]:
    return (request.reason,)


class _Jobs:
    def __init__(self, rooms: Rooms) -> None:
        self._jobs, self._queues = rooms.jobs, Queues(rooms.gate)

    async def submit(self, call: Call) -> Reply:
        """One job, or up to 1,000 at once: all of them are kept, or none."""
        asked: JobRequest = call.body
        ways = [asked.spec is not None, bool(asked.jobs), bool(asked.definition)]
        drawn = bool(asked.parameters or asked.queue)
        if ways.count(True) != 1 or (asked.jobs and asked.key) or (drawn and not asked.definition):
            raise BadInput(what=say("jobs.door.one_or_many", call.flow.session.language))
        spec = asked.spec
        if asked.definition:
            spec = await self._queues.drawn(call.flow, asked.definition, asked.parameters)
            spec = msgspec.structs.replace(spec, queue=asked.queue or spec.queue)
        if spec is not None:
            found = await self._jobs.submit(call.flow, spec, asked.key)
            return reply(call.flow, told(call.flow, found), status=201, job=found.id)
        if len(asked.jobs) > BATCH:
            raise BadInput(what=say("jobs.door.batch", call.flow.session.language, most=BATCH))
        many = await self._jobs.submit_many(call.flow, [(each.spec, each.key) for each in asked.jobs])
        data = {"jobs": [headed(call.flow, each) for each in many]}
        return reply(call.flow, data, status=201, jobs=len(many))

    async def every(self, call: Call) -> Reply:
        """A page of jobs, oldest first; `after` goes on. Without `parent` the children of arrays are left out."""
        where, states = self._asked(call)
        limit = number(call, "limit", 100, 1, MOST)
        after, looked, found = _cursor(call), 0, list[Any]()
        while True:
            page = await self._jobs.page(call.flow, where, after, limit - len(found))
            found += [each for each in page.items if not states or each.value.state in states]
            after, looked = page.after, looked + len(page.items)
            if after is None or len(found) >= limit or looked >= LOOKED:
                break
        data = {"jobs": [headed(call.flow, each) for each in found], "after": after or ""}
        return reply(call.flow, data)

    def _asked(self, call: Call) -> tuple[Where, frozenset[str]]:
        """What is looked for by index, and the states that are picked from it."""
        query = call.query
        owner = query.get("owner", "")
        equal = [("parent", query.get("parent", ""))]
        equal += [("queue", query["queue"])] if query.get("queue") else []
        equal += [("open", query["open"])] if query.get("open") else []
        equal += [("owner", call.flow.session.principal.id if owner == "me" else owner)] if owner else []
        states = frozenset(each for each in query.get("state", "").upper().split(",") if each)
        if not states <= STATES or query.get("open", "yes") not in ("yes", "no", ""):
            raise BadInput(what=say("jobs.door.filter", call.flow.session.language, states=", ".join(sorted(STATES))))
        # the most telling first: what an index does not match is never read
        order = {"parent": 0 if query.get("parent") else 3, "owner": 1, "open": 2, "queue": 4}
        return Where(tuple(sorted(equal, key=lambda pair: order[pair[0]]))), states

    async def top(self, call: Call) -> Reply:
        """How many stand in which state and queue, and the slots there are: of the acting label's own class alone."""
        return reply(call.flow, await self._jobs.top(call.flow))

    async def one(self, call: Call) -> Reply:
        """One job, with its attempts and what came out; `wait`: seconds to wait for another `version` than that one."""
        found = await self._jobs.named(call.flow, call.path["id"])
        seen, wait = number(call, "version", 0, 0, 1 << 31), number(call, "wait", 0, 0, WAIT)
        for _ in range(int(wait / PAUSE) if seen else 0):
            if found.version != seen:
                break
            await asyncio.sleep(PAUSE)
            found = await self._jobs.named(call.flow, call.path["id"])
        return reply(call.flow, told(call.flow, found, await self._jobs.spec_of(call.flow, found)))

    async def cancel(self, call: Call) -> Reply:
        """It is asked to end: at once where it waits, after its grace where it runs."""
        await self._jobs.cancel(call.flow, call.path["id"], call.body.reason)
        found = await self._jobs.named(call.flow, call.path["id"])
        return reply(call.flow, told(call.flow, found), status=202, job=found.id)

    async def retry(self, call: Call) -> Reply:
        """What has ended is made again, as a new job."""
        found = await self._jobs.retry(call.flow, call.path["id"])
        return reply(call.flow, told(call.flow, found), status=201, job=found.id)

    async def logs(self, call: Call) -> Reply:
        """What it has said from `at` on, which the last answer gave; `wait`: seconds for which to wait for more."""
        language, query = call.flow.session.language, call.query
        stream = query.get("stream", "") or "both"
        streams = STREAMS if stream == "both" else (stream,)
        parts = (query.get("at", "") or ".".join("0" for _ in streams)).split(".")
        good = set(streams) <= set(STREAMS) and len(parts) == len(streams) and all(_digits(part) for part in parts)
        if not good:
            raise BadInput(what=say("jobs.door.logs", language))
        most, wait = number(call, "most", PIECE, LEAST, 4 * PIECE), number(call, "wait", 0, 0, WAIT)
        at = [int(part) for part in parts]
        pieces, following, whole = await self._said(call, streams, at, most)
        for _ in range(int(wait / PAUSE)):
            if whole or pieces:
                break
            await asyncio.sleep(PAUSE)
            pieces, following, whole = await self._said(call, streams, at, most)
        found = await self._jobs.named(call.flow, call.path["id"])
        data = {"pieces": pieces, "at": ".".join(map(str, following)), "whole": whole, **headed(call.flow, found)}
        return reply(call.flow, data)

    async def _said(
        self, call: Call, streams: tuple[str, ...], at: list[int], most: int
    ) -> tuple[list[dict[str, str]], list[int], bool]:
        pieces, following, whole = list[dict[str, str]](), list[int](), True
        for stream, place in zip(streams, at, strict=True):
            raw, reached, ended = await self._jobs.log(call.flow, call.path["id"], stream, place, most)
            text, kept = _text(raw, ended)
            if text:
                pieces.append({"stream": stream, "text": text})
            following.append(reached - kept)
            whole = whole and ended
        return pieces, following, whole

    async def artefacts(self, call: Call) -> Reply:
        """What came out, each with its size and digest."""
        found = await self._jobs.named(call.flow, call.path["id"])
        return reply(call.flow, told(call.flow, found)["artefacts"])

    async def artefact(self, call: Call) -> Stream:
        """The bytes of one of them."""
        found = await self._jobs.named(call.flow, call.path["id"])
        name = call.path["name"]
        one = next((each for each in found.value.artefacts if each.name == name), None)
        if one is None:
            await call.flow.absent(JOB, f"{found.id}/{name[:200]}")
        facts = {"job": found.id, "artefact": name, "bytes": one.size}
        pieces = self._jobs.artefact(call.flow, found.id, name)
        await call.flow.begin(f"{found.id}/{name}".encode(), facts)
        headers = (
            ("Content-Disposition", "attachment"),
            ("X-Content-Type-Options", "nosniff"),
            ("Casemate-Digest", f"sha384:{one.digest}"),
        )
        return Stream(pieces, "application/octet-stream", headers=headers, facts=facts, secret=True, length=one.size)


def _text(raw: bytes, ended: bool) -> tuple[str, int]:
    """The text, and how many bytes at the end are kept for the next answer: half a character is not told."""
    if not ended:
        for back in range(1, min(4, len(raw)) + 1):
            byte = raw[-back]
            if byte >= 0xC0:
                size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                return (raw[:-back].decode("utf-8", "replace"), back) if size > back else (_all(raw), 0)
            if byte < 0x80:
                break
    return _all(raw), 0


def _all(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def number(call: Call, name: str, usual: int, least: int, most: int) -> int:
    """A number of the query within its bounds. Raises BadInput."""
    text = call.query.get(name, "") or str(usual)
    if not _digits(text) or not least <= int(text) <= most:
        facts = {"name": name, "least": least, "most": most}
        raise BadInput(what=say("jobs.door.number", call.flow.session.language, **facts))
    return int(text)


def _cursor(call: Call) -> str | None:
    after = call.query.get("after", "")
    if after and not _CURSOR.fullmatch(after):
        raise BadInput(what=say("jobs.door.after", call.flow.session.language))
    return after or None
