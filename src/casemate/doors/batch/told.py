"""A job in the words of this protocol. Times are milliseconds; what is not known is left out, nothing is made up."""

from __future__ import annotations

from typing import Any

from casemate.access import Flow
from casemate.doors.batch.acting import LABEL
from casemate.doors.batch.definitions import KIND
from casemate.doors.batch.desk import arn
from casemate.doors.batch.queues import KIND as QUEUE
from casemate.doors.batch.spec import OWN, image_of, public
from casemate.jobs import Attempt, Job, Retry, Spec
from casemate.objects import Found

__all__ = ["GROUP", "detail", "status", "summary"]

GROUP = "/aws/batch/job"
_TYPES = {"aftercorr": "N_TO_N"}


def status(job: Job) -> str:
    """The state: this protocol calls what was cancelled failed."""
    return "FAILED" if job.state == "CANCELLED" else job.state


def summary(flow: Flow, found: Found[Job], spec: Spec | None) -> dict[str, Any]:
    """An item of a list."""
    job = found.value
    last = job.attempts[-1] if job.attempts else None
    told = {
        **_head(flow, found),
        "createdAt": job.created // 1000,
        "status": status(job),
        "statusReason": _reason(job),
        "startedAt": _moment(job.started),
        "stoppedAt": _moment(job.ended),
        "jobDefinition": _definition(flow, spec),
        "container": _exit(last) or None,
        "arrayProperties": _array(job, spec) or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def detail(flow: Flow, found: Found[Job], spec: Spec) -> dict[str, Any]:
    """The whole of a job."""
    job = found.value
    last = job.attempts[-1] if job.attempts else None
    told: dict[str, Any] = {
        **_head(flow, found),
        "jobQueue": arn(flow, QUEUE, job.queue),
        "status": status(job),
        "statusReason": _reason(job),
        "attempts": [_attempt(found.id, one) for one in job.attempts],
        "createdAt": job.created // 1000,
        "retryStrategy": _retry(spec.retry),
        "startedAt": _moment(job.started) or 0,
        "stoppedAt": _moment(job.ended),
        "dependsOn": [_depends(one.job, one.when) for one in spec.after],
        "jobDefinition": _definition(flow, spec) or "",
        "schedulingPriority": spec.priority,
        "parameters": {},
        "container": {
            "image": image_of(spec),
            "command": list(spec.command),
            "volumes": [],
            "environment": [{"name": name, "value": text} for name, text in spec.env.items()],
            "mountPoints": [],
            "ulimits": [],
            "networkInterfaces": [],
            "secrets": [],
            "resourceRequirements": _requirements(spec),
            **_exit(last),
            **({"logStreamName": f"{found.id}/out"} if last is not None else {}),
        },
        "arrayProperties": _array(job, spec) or None,
        "timeout": {"attemptDurationSeconds": spec.resources.wall_s},
        "tags": {**public(spec.tags), LABEL: found.label.text},
        "platformCapabilities": [],
        "isCancelled": bool(job.cancel) and not job.attempts,
        "isTerminated": bool(job.cancel) and bool(job.attempts),
    }
    return {name: value for name, value in told.items() if value is not None}


def _head(flow: Flow, found: Found[Job]) -> dict[str, str]:
    return {"jobArn": arn(flow, "job", found.id), "jobId": found.id, "jobName": found.value.name}


def _definition(flow: Flow, spec: Spec | None) -> str | None:
    name = spec.tags.get(OWN[0], "") if spec is not None else ""
    return arn(flow, KIND, name) if name else None


def _moment(at: int) -> int | None:
    return at // 1000 if at else None


def _reason(job: Job) -> str | None:
    return job.cancel or job.reason or None


def _exit(last: Attempt | None) -> dict[str, Any]:
    if last is None:
        return {}
    code = 128 + last.signal if last.signal and last.exit is None else last.exit
    told = {"exitCode": code, "reason": last.reason or None}
    return {name: value for name, value in told.items() if value is not None}


def _attempt(id: str, one: Attempt) -> dict[str, Any]:
    told = {
        "container": {**_exit(one), "logStreamName": f"{id}/out"},
        "startedAt": _moment(one.started),
        "stoppedAt": _moment(one.ended),
        "statusReason": one.reason or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _retry(retry: Retry) -> dict[str, Any]:
    rules = [
        {"action": rule.action, **_given("onExitCode", rule.exit_code), **_given("onReason", rule.reason)}
        for rule in retry.evaluate
    ]
    return {"attempts": retry.attempts, "evaluateOnExit": rules}


def _given(name: str, text: str) -> dict[str, str]:
    return {name: text} if text else {}


def _depends(job: str, when: str) -> dict[str, str]:
    return {"jobId": job, **_given("type", _TYPES.get(when, ""))}


def _requirements(spec: Spec) -> list[dict[str, str]]:
    asked = spec.resources
    told = [{"type": "VCPU", "value": str(asked.cpus)}, {"type": "MEMORY", "value": str(asked.memory_mb)}]
    return [*told, {"type": "GPU", "value": str(asked.gpus)}] if asked.gpus else told


def _array(job: Job, spec: Spec | None) -> dict[str, Any]:
    if job.parent:
        return {"index": job.index}
    if spec is None or not spec.array.size:
        return {}
    states = dict.fromkeys(("PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"), 0)
    for name, many in job.counts.items():
        states["FAILED" if name == "CANCELLED" else name] = states.get(name, 0) + many
    return {"size": spec.array.size, "statusSummary": states}
