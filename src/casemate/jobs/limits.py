"""What queues and owners may have in one access class, as its visible queues and quotas say; and what they hold of it.

`Rules` reads both, at a label; the planner keeps them (`plan_limits`), so that over a limit a job waits. What could
never start, and more jobs than an owner may have, is refused when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from casemate.access import Flow
from casemate.accounts import QUOTA, Bounds, Quota, nearest, principal_subject
from casemate.errors import QuotaExceeded
from casemate.jobs.job import JOB, Spec
from casemate.jobs.plan import Node, Running
from casemate.jobs.plan_limits import Cap, Limits, of_owner, of_queue
from casemate.jobs.queues import JOB_QUEUE, Queue, standing
from casemate.objects import Found, Kind, Put, Where
from casemate.policy import Refuse

__all__ = ["JOB_TURN", "Rules", "Turn", "admitted", "own_limits"]

LATER = 60
"""Seconds after which whoever has too many jobs may try again: some may have ended by then."""
PAGE = 500


class Turn(msgspec.Struct, frozen=True):
    """How often an owner with a limit has asked for jobs at this label: of two who count at once, one counts again."""

    times: int


JOB_TURN = Kind("job_turn", Turn)


@dataclass(frozen=True, slots=True)
class Rules:
    """The visible queues by name, and the quotas of principals by name."""

    queues: Mapping[str, Queue]
    bounds: Mapping[str, Bounds]

    @classmethod
    async def read(cls, flow: Flow) -> Rules:
        """As the flow's label sees them. Raises Damaged where a quota cannot be read: nothing begins without it."""
        by_subject: dict[str, list[Found[Quota]]] = {}
        for found in await flow.every(QUOTA):
            by_subject.setdefault(found.id, []).append(found)
        lead = principal_subject("")
        bounds = {id.removeprefix(lead): nearest(each) for id, each in by_subject.items() if id.startswith(lead)}
        return cls(standing(await flow.every(JOB_QUEUE)), bounds)

    def limits(
        self, names: Mapping[str, str], nodes: Sequence[Node], running: Sequence[Running], held: Sequence[Running]
    ) -> Limits:
        """For one engine. `names`: of owners, by id; `running` on this engine, `held` on all of them."""
        shares = {
            (name, id): queue.shares[person]
            for name, queue in self.queues.items()
            for id, person in names.items()
            if person in queue.shares
        }
        caps: dict[str, Cap] = {}
        cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
        for name, queue in self.queues.items():
            if queue.max_share < 100:
                most = (_part(cpus, queue.max_share), _part(gpus, queue.max_share))
                caps[of_queue(name)] = Cap(*most, *_sum(job for job in running if job.queue == name))
        for id, person in names.items():
            bounds = self.bounds.get(person, Bounds())
            if bounds.job_cpus is not None or bounds.job_gpus is not None:
                mine = _sum(job for job in held if job.owner == id)
                caps[of_owner(id)] = Cap(bounds.job_cpus, bounds.job_gpus, *mine)
        return Limits(shares, caps)


def _part(whole: int, percent: int) -> int:
    return -(-whole * percent // 100)


def _sum(jobs: Iterable[Running]) -> tuple[int, int]:
    cpus = gpus = 0
    for job in jobs:
        cpus += job.cpus * len(job.on)
        gpus += job.gpus * len(job.on)
    return cpus, gpus


async def admitted(flow: Flow, specs: Sequence[Spec], instead: Spec | None = None) -> Put | None:
    """Whether the caller may ask for these jobs beside those that he has, at the acting label.

    `instead`: what one of those that he has was asked for until now; less than that may always be asked for. What is
    given is to be committed with them: of two requests that count at the same time one meets a Conflict. None where
    nothing counts. Raises Refused (`job-quota`) for what could never run, QuotaExceeded (`jobs`).
    """
    who = flow.session.principal
    bounds = nearest(await flow.read_each(QUOTA, principal_subject(who.name)))
    for spec in specs:
        asked = spec.resources
        for name, most, many in (
            ("job_cpus", bounds.job_cpus, asked.cpus * asked.tasks * asked.nodes),
            ("job_gpus", bounds.job_gpus, asked.gpus * asked.nodes),
        ):
            if most is not None and many > most:
                await flow.refuse(Refuse("job-quota", {"limit": name, "most": str(most), "asked": str(many)}))
    if bounds.jobs is None:
        return None
    turn = next((one for one in await flow.read_each(JOB_TURN, who.id) if one.ref.class_id == flow.access.id), None)
    many, less = sum(_many(spec) for spec in specs), _many(instead) if instead is not None else 0
    if many <= less:
        return None
    if many > bounds.jobs or many - less + await _open(flow, bounds.jobs - many + less) > bounds.jobs:
        raise QuotaExceeded(limit="jobs", of="principal", retry_after=LATER)
    times = turn.value.times + 1 if turn is not None else 1
    return Put(JOB_TURN, who.id, Turn(times), expect=turn.version if turn is not None else 0)


async def own_limits(flow: Flow) -> dict[str, int | None]:
    """What the caller's running jobs may hold at the acting label, and how many may be open; None for no limit."""
    bounds = nearest(await flow.read_each(QUOTA, principal_subject(flow.session.principal.name)))
    return {"job_cpus": bounds.job_cpus, "job_gpus": bounds.job_gpus, "jobs": bounds.jobs}


async def _open(flow: Flow, enough: int) -> int:
    """How many of his jobs have not ended at this label, children of arrays each for itself; counted past `enough`."""
    where = Where((("owner", flow.session.principal.id), ("open", "yes"), ("parent", "")))
    after: str | None = f"{flow.access.id}/"
    many = 0
    while after is not None and after.startswith(f"{flow.access.id}/") and many <= enough:
        page = await flow.scan(JOB, where, after, PAGE)
        specs = [one.value.spec for one in page.items if one.ref.class_id == flow.access.id]
        many += sum(_many(spec) for spec in specs if spec is not None)
        after = page.after
    return many


def _many(spec: Spec) -> int:
    """Children of an array, replicas of a service, or one."""
    return spec.service.replicas if spec.service is not None else max(1, spec.array.size)
