"""A job as it is told: flat, with its mark; times in microseconds, nothing that only an engine needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.doors.native.rooms import marked
from casemate.jobs import Attempt, Job, Plot, Spec
from casemate.jobs.space import Parameter
from casemate.objects import Found
from casemate.policy import ACTIONS

__all__ = ["headed", "swept", "told", "written"]


def headed(flow: Flow, found: Found[Job]) -> dict[str, Any]:
    """What a list tells of it. `exit` and `signal` are those of its last attempt that ended."""
    job = found.value
    last = next((each for each in reversed(job.attempts) if each.exit is not None or each.signal), None)
    return {
        "id": found.id,
        "name": job.name,
        "state": job.state,
        "open": job.open == "yes",
        "queue": job.queue,
        "owner": job.owner,
        "person": job.person,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "reason": job.reason,
        "exit": last.exit if last is not None else None,
        "signal": last.signal if last is not None else 0,
        "tried": len(job.attempts),
        "parent": job.parent,
        "index": job.index,
        "size": job.spec.array.size if job.spec is not None else 0,
        "counts": job.counts,
        **marked(flow, found.label),
    }


def told(flow: Flow, found: Found[Job], spec: Spec | None = None) -> dict[str, Any]:
    """The whole of it; `spec` where it is its array's."""
    job = found.value
    return {
        **headed(flow, found),
        "version": found.version,
        "cancel": job.cancel,
        "attempts": [_attempt(each) for each in job.attempts],
        "artefacts": [
            {"name": each.name, "size": each.size, "digest": each.digest, "place": each.place} for each in job.artefacts
        ],
        "usage": _usage(job),
        "service": _service(job),
        "spec": msgspec.to_builtins(spec or job.spec) if _reads(flow) else None,
    }


def _service(job: Job) -> dict[str, Any] | None:
    """Of a service: how many replicas are wanted, which there are, and why the last one that failed did."""
    if job.serving is None or job.spec is None or job.spec.service is None:
        return None
    told = job.serving
    return {
        "wanted": job.spec.service.replicas if job.open == "yes" and not job.cancel else 0,
        "healthy": sum(one.state == "healthy" for one in told.replicas),
        "revision": told.revision,
        "failures": told.failures,
        "why": told.why,
        "replicas": [msgspec.to_builtins(one) for one in told.replicas],
    }


def written(spec: Spec) -> Iterator[str]:
    """Every text of it that a person chose."""
    yield from (spec.name, *spec.command)
    yield from (text for pair in (*spec.env.items(), *spec.tags.items()) for text in pair)
    yield from (text for one in spec.inputs for text in (one.name, one.source))
    yield from (text for one in spec.outputs for text in (one.name, one.path))
    yield spec.service.path if spec.service is not None else ""
    if spec.sweep is not None:
        yield from swept(spec.sweep.space.parameters, spec.sweep.plot)


def swept(parameters: Mapping[str, Parameter], plot: Plot | None) -> Iterator[str]:
    """Every text of a sweep that a person chose."""
    yield from parameters
    yield from (value for one in parameters.values() for value in one.values if isinstance(value, str))
    yield from (plot.x, plot.y, plot.colour) if plot is not None else ()


def _attempt(attempt: Attempt) -> dict[str, Any]:
    """An attempt without its token: whoever has that could claim its folder."""
    fields = ("n", "state", "engine", "node", "begun", "started", "ended", "exit", "signal", "reason", "level")
    plain = {name: getattr(attempt, name) for name in fields}
    return {**plain, "usage": msgspec.to_builtins(attempt.usage)}


def _reads(flow: Flow) -> bool:
    """Whether the caller reads content: whoever only runs the region is not told commands."""
    return bool(flow.session.principal.roles & ACTIONS["job.read"].roles)


def _usage(job: Job) -> dict[str, int]:
    """Of all attempts together; memory is the most of any."""
    sums = {"cpu_us": 0, "wall_us": 0, "gpu_s": 0, "energy_j": 0}
    for attempt in job.attempts:
        for name in sums:
            sums[name] += getattr(attempt.usage, name)
    return {**sums, "rss_kb": max((attempt.usage.rss_kb for attempt in job.attempts), default=0)}
