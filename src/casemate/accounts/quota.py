"""Quotas: what a project or a key may use, and what a principal's jobs may hold, at one label domain at a time.

A quota is set at a label and holds for every acting label that dominates it, unless a nearer one is set there: the
highest that is visible counts, and of several of which none is above the other the smallest number. Each acting label
has the whole of its limit to itself. That is its reserved share: what is used at SECRET neither takes from what is left
at UNCLASSIFIED nor adds to it.

`Limits` is all of it as plain values, for the data plane's snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from casemate.access import Flow, Gate
from casemate.accounts.keys import KEY
from casemate.accounts.principals import NAME_LIMIT
from casemate.accounts.project import PROJECT, named_project
from casemate.errors import BadInput, Damaged
from casemate.labels import AccessClass
from casemate.objects import Delete, Found, Kind, Put
from casemate.policy import Action

__all__ = [
    "QUOTA",
    "Binding",
    "Bounds",
    "Limits",
    "Line",
    "Owned",
    "Quota",
    "QuotaRequest",
    "limits_from_bytes",
    "limits_to_bytes",
    "nearest",
    "plain_classes",
    "principal_subject",
    "quotas",
    "read_limits",
    "set_quota",
]

HIGHEST = 1_000_000_000_000  # of anything: beyond it, a limit is none
SECTION = 16 << 20  # bytes of a snapshot's section, and
LINES = 200_000  # how many things it may list
OF_JOBS = frozenset({"job_cpus", "job_gpus", "jobs"})


class Bounds(msgspec.Struct, frozen=True):
    """None: no limit; 0: nothing. `budget_per_month` is in micro-units of the region's currency, months are UTC's.

    The last three are of a principal, the others of a project or key. `job_cpus` and `job_gpus`: what his running jobs
    hold; `jobs`: how many of them have not ended, each child of an array for itself.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    budget_per_month: int | None = None
    concurrent: int | None = None
    job_cpus: int | None = None
    job_gpus: int | None = None
    jobs: int | None = None

    def least(self, other: Bounds) -> Bounds:
        """The smaller of each."""
        return Bounds(*(_least(a, b) for a, b in zip(_each(self), _each(other), strict=True)))


class QuotaRequest(msgspec.Struct, frozen=True):
    """For a project, a key or a principal (by name), one of them. Without any bound the quota is taken away."""

    project: str = ""
    key: str = ""
    bounds: Bounds = Bounds()
    principal: str = ""


class Quota(msgspec.Struct, frozen=True):
    """A quota as it is kept: `subject` is `project:NAME`, `key:ID` or `principal:NAME`."""

    subject: str
    bounds: Bounds
    set_by: str = ""
    at: int = 0


QUOTA = Kind("quota", Quota, snapshot=True, withholds=True)


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A quota and the label at which it was set."""

    label: str
    subject: str
    bounds: Bounds


class Binding(msgspec.Struct, frozen=True, array_like=True):
    """The project that a key names, and the label at which it was issued."""

    label: str
    key: str
    project: str


class Owned(msgspec.Struct, frozen=True, array_like=True):
    """The agency of a project, and the label at which it was added."""

    label: str
    project: str
    agency: str


class Limits(msgspec.Struct, frozen=True):
    """Everything that a meter goes by. Labels are canonical texts."""

    agency: str
    lines: tuple[Line, ...] = ()
    keys: tuple[Binding, ...] = ()
    projects: tuple[Owned, ...] = ()


def _each(bounds: Bounds) -> tuple[int | None, ...]:
    return msgspec.structs.astuple(bounds)


def _least(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else min(one, other)


async def set_quota(flow: Flow, request: QuotaRequest) -> Quota:
    """Set, replace or take away a quota at the acting label. Raises BadInput; Absent where there is no such subject."""
    if [bool(request.project), bool(request.key), bool(request.principal)].count(True) != 1:
        raise BadInput(what="A quota is for a project, for a key or for a principal.")
    asked = {name for name, bound in msgspec.structs.asdict(request.bounds).items() if bound is not None}
    if asked - OF_JOBS if request.principal else asked & OF_JOBS:
        raise BadInput(what="job_cpus, job_gpus and jobs are limits of a principal, the others of a project or key.")
    for bound in _each(request.bounds):
        if bound is not None and not 0 <= bound <= HIGHEST:
            raise BadInput(what=f"A limit is 0 to {HIGHEST}.")
    if request.project:
        await named_project(flow, request.project)
    elif request.key:
        await flow.read(KEY, request.key)
    elif len(request.principal) > NAME_LIMIT or not request.principal.isprintable() or ":" in request.principal:
        # whether somebody bears it is not asked: a principal may lie higher than his quota
        raise BadInput(what=f"A principal's name has 1 to {NAME_LIMIT} printable characters and no colon.")
    subject = _subject(request)
    quota = Quota(subject, request.bounds, flow.session.principal.name, flow.gate.vault.clock.now())
    none = all(bound is None for bound in _each(request.bounds))
    change = Delete(QUOTA, subject) if none else Put(QUOTA, subject, quota)
    told: dict[str, Any] = {name: v for name, v in msgspec.structs.asdict(request.bounds).items() if v is not None}
    await flow.commit(change, facts={"subject": subject, **told})
    return quota


def _subject(request: QuotaRequest) -> str:
    if request.principal:
        return principal_subject(request.principal)
    return f"project:{request.project}" if request.project else f"key:{request.key}"


def principal_subject(name: str) -> str:
    """Under what the quota of a principal's jobs is kept."""
    return f"principal:{name}"


def nearest(found: Sequence[Found[Quota]]) -> Bounds:
    """What holds of the visible quotas of one subject: the highest; of several of which none is above, the smallest."""
    top = [one for one in found if not any(one.label <= other.label and one is not other for other in found)]
    held = Bounds()
    for one in top:
        held = held.least(one.value.bounds)
    return held


async def quotas(flow: Flow) -> list[Found[Quota]]:
    """The quotas that the acting label sees, by subject and label."""
    return sorted(await flow.every(QUOTA), key=_place)


def _place(found: Found[Quota]) -> tuple[str, str]:
    return found.id, found.label.text


def plain_classes(gate: Gate) -> list[AccessClass]:
    """The classes in which a service works."""
    return [c for c in gate.classes.everything() if not c.need and not c.originator]


async def read_limits(gate: Gate) -> Limits:
    """All limits of the region, read class by class with a session of each."""
    lines: list[Line] = []
    keys: list[Binding] = []
    projects: list[Owned] = []
    for access in plain_classes(gate):
        flow = await gate.open(gate.service("accounts", access), Action("read", "quota"))
        text = access.label.text
        lines += [Line(text, q.id, q.value.bounds) for q in await flow.every(QUOTA) if q.ref.class_id == access.id]
        bound = [k for k in await flow.every(KEY) if k.ref.class_id == access.id and k.value.project]
        keys += [Binding(text, k.id, k.value.project) for k in bound]
        owned = [p for p in await flow.every(PROJECT) if p.ref.class_id == access.id]
        projects += [Owned(text, p.id, p.value.agency) for p in owned]
    return Limits(gate.vault.region.agency, tuple(lines), tuple(keys), tuple(projects))


def limits_to_bytes(limits: Limits) -> bytes:
    """A section of the snapshot. Raises Damaged where it would be larger than whoever reads it accepts."""
    raw = msgspec.msgpack.encode(limits)
    if len(raw) > SECTION or _count(limits) > LINES:
        raise Damaged(what="quotas")
    return raw


def limits_from_bytes(raw: bytes) -> Limits:
    """The inverse. Raises Damaged for anything else."""
    if len(raw) > SECTION:
        raise Damaged(what="quotas")
    try:
        limits = msgspec.msgpack.decode(raw, type=Limits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Damaged(what="quotas") from None
    if _count(limits) > LINES or any(b is not None and b < 0 for line in limits.lines for b in _each(line.bounds)):
        raise Damaged(what="quotas")
    return limits


def _count(limits: Limits) -> int:
    return len(limits.lines) + len(limits.keys) + len(limits.projects)
