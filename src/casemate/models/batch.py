"""Batches: many requests in a file, answered in the background, a line at a time.

    validating -> in_progress -> completed | expired        cancelling -> cancelled        validating -> failed

All of it lies in the store: the batch with how far it has come, and the answers of each slice of lines. A slice is one
commit with the progress that it makes, so a process that dies answers at most one slice again, and no line is ever
missing or double in the output. What it writes lies at the label of the batch, which is where it was made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from casemate.access import Flow
from casemate.clock import SECOND
from casemate.errors import BadInput, CasemateError, Conflict
from casemate.ids import fresh
from casemate.models.files import own
from casemate.objects import Found, Kind, Put, Where
from casemate.words import say

__all__ = ["BATCH", "ENDED", "SLICE", "Answered", "Batch", "Fault", "Slice", "Wire", "begin", "cancel", "mine", "read"]

WINDOW = 24 * 3600 * SECOND
BATCHES = 100
"""Batches that one principal may have under way at one label."""
ENDED = ("completed", "failed", "expired", "cancelled")


class Fault(msgspec.Struct, frozen=True):
    """Why a batch could not begin; `line` counts from 1, 0 is the whole file."""

    code: str
    message: str
    line: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch and how far it is. Times are microseconds; `times` has the moment of each state that it has been in.

    `owner` and `person` are the principal's id and name, `session` is his key's: what lines use counts against it.
    """

    owner: str
    person: str
    session: str
    language: str
    endpoint: str
    input: str
    metadata: dict[str, str]
    at: int
    expires: int
    state: str = "validating"
    live: str = "yes"
    total: int = 0
    done: int = 0
    completed: int = 0
    failed: int = 0
    faults: tuple[Fault, ...] = ()
    output: str = ""
    errors: str = ""
    times: dict[str, int] = {}


class Slice(msgspec.Struct, frozen=True):
    """The answers to some lines, from `start` on: blobs of the good ones and of the others, "" for none."""

    batch: str
    start: int
    good: str = ""
    bad: str = ""


def _lines(part: Slice) -> tuple[str, ...]:
    return tuple(blob for blob in (part.good, part.bad) if blob)


def _asked_in(id: str, batch: Batch) -> tuple[tuple[str, str], ...]:
    del id
    return (("file", batch.input),)


def _of(id: str, lines: Slice) -> tuple[tuple[str, str], ...]:
    del id
    return (("batch", lines.batch),)


BATCH = Kind("batch", Batch, indexed=("owner", "live"), sources=_asked_in)
SLICE = Kind("batch.slice", Slice, indexed=("batch",), blobs=_lines, sources=_of, withholds=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """A line's answer as its wire writes it, and what its entry says."""

    body: bytes
    facts: dict[str, Any] = field(default_factory=dict)


class Wire(Protocol):
    """The protocol whose requests the lines are."""

    def serves(self, url: str) -> bool:
        """Whether a line of that url is one of its requests."""
        ...

    def texts(self, body: dict[str, Any]) -> list[str]:
        """Everything that somebody wrote in a request."""
        ...

    async def answer(self, flow: Flow, url: str, body: dict[str, Any]) -> Answered:
        """Answer one request, whole. Raises CasemateError."""
        ...

    def told(self, error: CasemateError, flow: Flow) -> bytes:
        """An error in this protocol's brackets."""
        ...


async def begin(flow: Flow, endpoint: str, input: str, metadata: dict[str, str]) -> tuple[str, Batch]:
    """A new batch at the acting label over a file of the caller's. Raises Absent, BadInput."""
    file = await own(flow, input)
    live = [found for found in await mine(flow) if found.value.live == "yes" and found.ref.class_id == flow.access.id]
    if len(live) >= BATCHES:
        raise BadInput(what=say("files.many", flow.session.language, most=BATCHES))
    now = flow.gate.vault.clock.now()
    batch = Batch(
        owner=flow.session.principal.id,
        person=flow.session.principal.name,
        session=flow.session.id,
        language=flow.session.language,
        endpoint=endpoint,
        input=file.id,
        metadata=metadata,
        at=now,
        expires=now + WINDOW,
    )
    id = fresh("batch", flow.gate.vault.entropy, f"batch/{flow.access.id}/{flow.session.id}")
    await flow.commit(Put(BATCH, id, batch, parents=(file.ref,), expect=0))
    return id, batch


async def mine(flow: Flow) -> list[Found[Batch]]:
    """The caller's own batches in the visible world, oldest first."""
    found = await flow.every(BATCH, Where((("owner", flow.session.principal.id),)))
    return sorted(found, key=lambda one: (one.value.at, one.id))


async def read(flow: Flow, id: str) -> Found[Batch]:
    """A batch of the caller's. Somebody else's is as absent as one that never was."""
    for found in await flow.read_each(BATCH, id):
        if found.value.owner == flow.session.principal.id:
            return found
    return await flow.absent(BATCH, id)


async def cancel(flow: Flow, id: str) -> Batch:
    """Ask that a batch ends; what is answered by then is kept. Raises Conflict where it has ended already."""
    found = await read(flow, id)
    batch = found.value
    if batch.state in ENDED:
        raise Conflict(what=say("files.ended", flow.session.language))
    if batch.state != "cancelling":
        batch = at_state(batch, "cancelling", flow.gate.vault.clock.now())
        await flow.commit(Put(BATCH, found.id, batch, expect=found.version), at=found.label)
    return batch


def at_state(batch: Batch, state: str, now: int, **more: Any) -> Batch:
    """The batch in another state; one that has ended is not looked at again."""
    live = "no" if state in ENDED else "yes"
    return msgspec.structs.replace(batch, state=state, live=live, times={**batch.times, state: now}, **more)
