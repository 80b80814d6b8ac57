"""An attempt is made ready: its folder, what it reads, and the order that its shim follows.

What a job reads is looked up again, in the world of its label, before its attempt begins: what has been raised, frozen
or replaced since it was asked for ends it. Bytes go into the folder through the gate (`lend`), against what the engine
is accredited for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from casemate.access import Flow
from casemate.errors import Absent, Conflict, Damaged, FileChanged, Refused
from casemate.jobs import checkpoint
from casemate.jobs.environment import Environments
from casemate.jobs.executor import Mount, Order, Serve
from casemate.jobs.inputs import Inputs, Looked
from casemate.jobs.job import Attempt, Job, Spec
from casemate.jobs.pointed import at_point
from casemate.jobs.sites import Level, Site
from casemate.jobs.unpack import Standing, Unusable, prepare
from casemate.labels import Labelled

__all__ = ["FAULTS", "Ready", "ready", "stage"]

FAULTS = (Absent, Conflict, FileChanged, Refused)
"""What a later try would meet again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What was found when it was dispatched."""

    site: Site
    spec: Spec
    level: Level
    looked: tuple[Looked, ...]
    environment: Standing = field(default_factory=Standing)


async def ready(
    flow: Flow, inputs: Inputs, environments: Environments, site: Site, spec: Spec, level: Level
) -> Ready | str | None:
    """Everything that it reads, as it is now; or why it cannot begin: INPUT, ENVIRONMENT, UNSQUASHFS or ACCREDITATION.

    None while its environment is being unpacked. Raises EngineFailed, StorageFull where that cannot be done now.
    """
    try:
        await flow.lend(Labelled(flow.acting, spec.command), site.executor.ceiling)
    except Refused:
        return "ACCREDITATION"
    looked: list[Looked] = []
    for one in spec.inputs:
        try:
            seen = await inputs.look(flow, one)
        except FAULTS:
            return "INPUT"
        if one.digest and seen.digest != one.digest:
            return "INPUT"  # it is another one than the one that was asked for
        looked.append(seen)
    standing: Standing | None = Standing()
    if spec.environment:
        try:
            chosen = await environments.look(flow, spec.environment)
            standing = await prepare(flow, environments, (site.executor, site.scratch), chosen, level)
        except Unusable as unusable:
            return unusable.reason
        except (*FAULTS, Damaged):
            return "ENVIRONMENT"
    return None if standing is None else Ready(site, spec, level, tuple(looked), standing)


async def stage(flow: Flow, inputs: Inputs, found: Ready, id: str, job: Job, attempt: Attempt) -> Order:
    """The folder, filled, with its order; durable. Raises StorageFull, Uncarried, or one of FAULTS."""
    scratch, domain, ceiling = found.site.scratch, flow.access.id, found.site.executor.ceiling
    mounts: list[Mount] = []
    copied: list[Looked] = []
    for looked in found.looked:
        lies = await inputs.mounts(flow, looked)
        mounts += lies
        if not lies:
            copied.append(looked)
    before = checkpoint.former(job, attempt, found.spec)
    folder = scratch.at(domain, attempt.token)
    if copied or before:  # half of an input may be there from before: pieces are appended
        await scratch.remove(domain, attempt.token)
        await scratch.make(domain, attempt.token)
    await checkpoint.carry(scratch, domain, attempt.token, before, found.spec)
    for looked in copied:
        async for name, piece in inputs.read(flow, looked):
            data = await flow.lend(Labelled(flow.acting, piece), ceiling)
            await scratch.fill(folder, f"{looked.input.name}/{name}" if name else looked.input.name, data)
    spec = at_point(found.spec, job.index) if job.parent else found.spec
    asked = spec.resources
    order = Order(
        token=attempt.token,
        attempt=attempt.n,
        domain=domain,
        folder=folder.path,
        command=spec.command,
        env={**found.environment.env, **_env(id, job, attempt, spec)},
        resources=asked,
        level=found.level,
        mounts=(*found.environment.mounts, *mounts),
        rootfs=found.environment.rootfs,
        node=attempt.node,
        service=spec.kind == "service",
        serve=await _serve(flow, found.site, spec),
        interactive=spec.interactive,
    )
    await scratch.order(folder, order)
    return order


async def _serve(flow: Flow, site: Site, spec: Spec) -> Serve | None:
    """A service's way in; over the network too, for whoever can read the folder, where it may run elsewhere.

    What is said first is drawn for the attempt, and stands in its order alone: its token is what engines show.
    """
    told = spec.service
    if spec.interactive is not None and spec.interactive.kind == "notebook":
        return Serve(spec.interactive.port)
    if told is None:
        return None
    away = (await site.executor.capabilities()).away
    draw = flow.gate.vault.entropy.draw
    knock = "".join(draw(f"job-service/{flow.access.id}").hex() for _ in range(2)) if away else ""
    return Serve(told.port, told.path, told.every_s, knock)


def _env(id: str, job: Job, attempt: Attempt, spec: Spec) -> dict[str, str]:
    """What the program is told of itself, under the names of AWS Batch; what the spec says stands above."""
    told = {"AWS_BATCH_JOB_ID": id, "AWS_BATCH_JOB_ATTEMPT": str(attempt.n), "AWS_BATCH_JQ_NAME": job.queue}
    if spec.service is not None:
        told["PORT"] = str(spec.service.port)
    elif spec.interactive is not None and spec.interactive.kind == "notebook":
        told["PORT"] = str(spec.interactive.port)
    elif job.parent:
        told["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.index)
    return {**told, **spec.env}
