"""Findings: what a run saw, without what it saw it by, kept so that two people may let it go down.

    a run leaves releasable.jsonl ──▶ one line of it, by its key, a finding at the acting label
    a finding ──▶ the release door: asked for, approved twice, carried out ──▶ a finding below, made of the text alone

A mission writes what it saw (a host, a time, a record) apart from what must not leave with it (a rule's name, id,
author and pattern): each value that holds a word of these is left out, whoever wrote the line. What must never happen:
that a finding leaves with its run, its key or such a word. Nothing here writes below: that is the release door's.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import msgspec

from casemate.access import Arriving, Flow, Releasable
from casemate.errors import BadInput, TooLarge
from casemate.ids import fresh
from casemate.jobs import JOB, Job
from casemate.missions.host.host import Missions
from casemate.missions.withheld import stripped
from casemate.objects import Found, Kind, Put, Ref

__all__ = ["FINDING", "RELEASABLE", "Finding", "FindingRequest", "Findings", "found_by"]

FILE = "out/files/releasable.jsonl"
LINE, WHOLE = 64 << 10, 256 << 20
"""Bytes of a line, and of the file that it is looked for in."""
FIELDS, LONGEST, WORDS = 20, 500, 2000
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NAMED = re.compile(r"[a-z][a-z0-9_ ]{0,39}")


class FindingRequest(msgspec.Struct, frozen=True):
    """Which of a run's findings: its key, as the run's tables show it."""

    key: str


class Finding(msgspec.Struct, frozen=True):
    """`text` is all that may leave. `run` and `run_at` (its class), `mission` and `key`: "" for what came down."""

    text: str
    at: int
    by: str
    run: str = ""
    run_at: str = ""
    mission: str = ""
    key: str = ""


class _Line(msgspec.Struct, frozen=True):
    """What a mission writes of one: what it `saw`, by name, and the words that are `withheld`."""

    key: str
    saw: dict[str, str | int]
    withheld: tuple[str, ...]


def found_by(value: Finding) -> tuple[Ref, ...]:
    """The run that it was made of; nothing for what has come down."""
    return (Ref(JOB.name, value.run, value.run_at),) if value.run else ()


FINDING = Kind("mission-finding", Finding, indexed=("run",))


@dataclass(slots=True)
class Findings:
    """What doors speak to."""

    missions: Missions

    async def keep(self, flow: Flow, run: str, key: str) -> Found[Finding]:
        """A finding of a visible run, at the acting label. Raises Absent, BadInput, TooLarge."""
        if not _KEY.fullmatch(key):
            raise BadInput(what="A finding's key has at most 64 letters, digits and '._-'.")
        job, spec = await self.missions.ran(flow, run)
        line = await self._line(flow, job, key)
        if line is None:
            await flow.absent(FINDING, f"{job.id}/{key}")
        text = stripped(line.saw, line.withheld)
        if not text:
            raise BadInput(what="Nothing of this finding can be said without what it was found by.")
        who, now = flow.session.principal.name, flow.gate.vault.clock.now()
        value = Finding(text, now, who, job.id, job.ref.class_id, spec.tags["mission"], key)
        id = fresh("fnd", flow.gate.vault.entropy, f"finding/{flow.access.id}/{flow.session.id}")
        await flow.commit(Put(FINDING, id, value, found_by(value), expect=0), facts={"finding": id, "run": job.id})
        return await flow.read(FINDING, id)

    async def every(self, flow: Flow) -> list[Found[Finding]]:
        """The visible ones, newest first."""
        found = sorted(await flow.every(FINDING), key=lambda one: (-one.value.at, one.id))
        flow.use(*(one.ref for one in found))
        return found

    async def _line(self, flow: Flow, job: Found[Job], key: str) -> _Line | None:
        """The line of that key; None where there is none. Raises BadInput, TooLarge."""
        left = next((one for one in job.value.artefacts if one.name == FILE), None)
        if left is None:
            return None
        if left.size > WHOLE:
            raise TooLarge(what=FILE, limit=WHOLE)
        rest, sign = b"", f'"{key}"'.encode()
        pieces = self.missions.jobs.artefact(flow, job.id, FILE)
        async with aclosing(cast("AsyncGenerator[bytes]", pieces)) as every:
            async for piece in every:
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if sign in line and (found := _read(line, key)) is not None:
                        return found
                if len(rest) > LINE:
                    raise BadInput(what="What this run left is no list of findings.")
        return _read(rest, key) if sign in rest else None


def _read(line: bytes, key: str) -> _Line | None:
    """The line if it is that one. Raises BadInput where it is none at all."""
    try:
        found = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput(what="What this run left is no list of findings.") from None
    if found.key != key:
        return None
    sizes = len(found.saw) <= FIELDS and len(found.withheld) <= WORDS and len(line) <= LINE
    if not sizes or any(not _NAMED.fullmatch(name) or len(str(value)) > LONGEST for name, value in found.saw.items()):
        raise BadInput(what="What this run left is no list of findings.")
    return found


def _text(finding: Finding, part: str) -> str | None:
    return None if part else finding.text


def _arrived(arriving: Arriving) -> Put:
    """A released finding: of its run, its key and who kept it, nothing comes along."""
    return Put(FINDING, arriving.id, Finding(arriving.text, arriving.at, arriving.by), expect=0)


RELEASABLE = Releasable(FINDING, _text, _arrived, "fnd")
