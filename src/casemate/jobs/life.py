"""The life of a job: from one value to the next, and nothing else. It knows no store, no engine and no clock.

    SUBMITTED ──> PENDING ──> RUNNABLE ──> STARTING ──> RUNNING ──> SUCCEEDED
                  (waits for   (waits for   (intent,     (the shim   FAILED
                   others)      room)        given)       began)     CANCELLED
                                  ^             │           │
                                  └─── again: ended badly, lost or preempted, and attempts are left

An attempt: intent (its token is durable, nobody has been asked) -> given (the engine said an id) -> running -> ended
(its record counts) or lost (fenced: what bears its token changes nothing any more). A job that has ended never changes
again, and of its attempts at most one is live: the last. So a job goes up in (attempts that are over, state), and what
an attempt leaves counts only while its token is that of the live one. Every arrow gives None where it may not be taken.

Of an array: `counts` says how many children stand where; it has ended when all of them have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec.structs import replace

from casemate.jobs.executor import Collected
from casemate.jobs.job import After, Artefact, Attempt, Evaluate, Job, Resources, Retry, State, Usage

__all__ = [
    "DEADLINE",
    "ENDED",
    "LOST",
    "PREEMPTED",
    "asked_to_end",
    "begin",
    "cancel",
    "depend",
    "ended",
    "failed",
    "fanned",
    "given",
    "live",
    "lost",
    "mark",
    "progress",
    "queued",
    "rolled",
    "started",
    "stopped",
    "taken",
    "usage",
]

ENDED: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
LIVE = frozenset({"intent", "given", "running"})
LOST, DEADLINE, PREEMPTED, DEPENDENCY, CHILDREN = "LOST", "DEADLINE", "PREEMPTED", "DEPENDENCY", "CHILDREN"
OWNER = "OWNER"
_RANK: dict[str, int] = {"SUBMITTED": 0, "PENDING": 1, "RUNNABLE": 2, "STARTING": 3, "RUNNING": 4}
Verdict = Literal["go", "wait", "never"]


def live(job: Job) -> Attempt | None:
    """The attempt that may still count, or None."""
    last = job.attempts[-1] if job.attempts else None
    return last if last is not None and last.state in LIVE and job.open == "yes" else None


def progress(job: Job) -> tuple[int, int, int]:
    """What never goes down from one value to the next."""
    over = sum(one.state not in LIVE for one in job.attempts)
    return (1, 0, 0) if job.open == "no" else (0, over, _RANK[job.state])


def queued(job: Job, waits: bool) -> Job | None:
    """Taken up: it waits for others, or for room."""
    if job.open == "no" or live(job) is not None or job.cancel:
        return None
    if waits and job.state not in ("SUBMITTED", "PENDING"):
        return None
    return replace(job, phase="queued", state="PENDING" if waits else "RUNNABLE")


def begin(job: Job, token: str, engine: str, node: str, now: int) -> Job | None:
    """A new attempt that nobody has been asked for yet. `token`: unguessable, and never used before."""
    if job.open == "no" or live(job) is not None or job.cancel or any(one.token == token for one in job.attempts):
        return None
    attempt = Attempt(len(job.attempts) + 1, token, "intent", engine=engine, node=node, begun=now)
    return replace(job, phase="active", state="STARTING", attempts=(*job.attempts, attempt))


def given(job: Job, token: str, native: str) -> Job | None:
    """The engine has taken it, under this id; an attempt that was found again may have another one."""
    attempt = _of(job, token)
    if attempt is None:
        return None
    state = "given" if attempt.state == "intent" else attempt.state
    return _last(job, replace(attempt, state=state, native=native))


def started(job: Job, token: str, at: int, node: str) -> Job | None:
    """Its program runs. `node`: where, as the engine says."""
    attempt = _of(job, token)
    if attempt is None or attempt.state == "running":
        return None
    attempt = replace(attempt, state="running", started=at, node=_where(attempt, node))
    return replace(_last(job, attempt), state="RUNNING", started=job.started or at)


def _where(attempt: Attempt, node: str) -> str:
    """The nodes that it was given, where they are several: what runs says the name of its first one alone."""
    return attempt.node if "," in attempt.node else node or attempt.node


def mark(job: Job, token: str, reason: str) -> Job | None:
    """Why the region is about to end the attempt: DEADLINE or PREEMPTED; the first reason stays."""
    attempt = _of(job, token)
    if attempt is None or attempt.reason:
        return None
    return _last(job, replace(attempt, reason=reason))


def asked_to_end(job: Job) -> str:
    """Why the live attempt is to be stopped, or ""."""
    attempt = live(job)
    return "" if attempt is None else "cancel" if job.cancel else attempt.reason.lower()


def cancel(job: Job, reason: str, now: int) -> Job | None:
    """It is to end. At once where nothing runs; else the loop is told, and says how it ended. None: nothing to do."""
    if job.open == "no" or job.cancel:
        return None
    job = replace(job, cancel=reason)
    if job.phase == "serving":
        return job
    if live(job) is not None or job.parent or (job.spec is not None and job.spec.array.size):
        return replace(job, phase="new")
    return _end(job, "CANCELLED", reason, now)


def stopped(job: Job, now: int) -> Job | None:
    """A service that was to end, and of which no replica is left."""
    if job.phase != "serving" or not job.cancel:
        return None
    return _end(job, "CANCELLED", job.cancel, now)


def taken(job: Job) -> Job | None:
    """The loop has seen that it is to end."""
    if job.phase != "new" or job.open == "no":
        return None
    return replace(job, phase="active" if live(job) is not None or job.counts else "queued")


def failed(job: Job, reason: str, now: int) -> Job | None:
    """It cannot run, and nothing of it does."""
    if job.open == "no" or live(job) is not None:
        return None
    return _end(job, "CANCELLED", job.cancel, now) if job.cancel else _end(job, "FAILED", reason, now)


def ended(
    job: Job,
    token: str,
    told: Collected,
    retry: Retry,
    now: int,
    artefacts: tuple[Artefact, ...] = (),
    logs: tuple[Artefact, ...] = (),
    used: Usage | None = None,
) -> Job | None:
    """The attempt's record counts: the one commit of what came out. None where the token is not the live one's."""
    attempt = _of(job, token)
    if attempt is None or not told.recorded:
        return None
    asked = attempt.reason
    attempt = replace(
        attempt,
        state="ended",
        exit=told.exit,
        signal=told.signal,
        reason=asked or told.reason,
        started=attempt.started or told.started,
        ended=told.ended or now,
        node=_where(attempt, told.node),
        level=told.level,
        usage=used or told.usage,
    )
    job = replace(_last(job, attempt), started=job.started or attempt.started)
    kept: dict[str, Any] = {"artefacts": artefacts, "logs": logs}
    if told.exit == 0 and not told.signal and not told.reason:
        return _end(replace(job, **kept), "SUCCEEDED", "", now)
    code = told.exit if told.exit is not None else 128 + told.signal
    reason = told.reason or f"exit {code}"
    return _after(job, asked, reason, str(code), retry, now, kept)


def lost(job: Job, token: str, retry: Retry, now: int, reason: str = LOST) -> Job | None:
    """Contact was lost, and the folder is fenced: another attempt, or the end."""
    attempt = _of(job, token)
    if attempt is None:
        return None
    asked = attempt.reason
    job = _last(job, replace(attempt, state="lost", reason=asked or reason, ended=now))
    return _after(job, asked, reason, "", retry, now, {})


def _after(job: Job, asked: str, reason: str, code: str, retry: Retry, now: int, kept: dict[str, Any]) -> Job:
    """What comes after an attempt that did not succeed."""
    if job.cancel:
        return _end(replace(job, **kept), "CANCELLED", job.cancel, now)
    if asked == DEADLINE:
        return _end(replace(job, **kept), "FAILED", DEADLINE, now)
    again = replace(job, state="RUNNABLE", phase="queued")
    if asked == PREEMPTED:
        return again
    used = sum(one.reason != PREEMPTED for one in job.attempts)
    if used < retry.attempts and _rule(retry.evaluate, code, reason) == "RETRY":
        return again
    return _end(replace(job, **kept), "FAILED", reason, now)


def _rule(rules: Sequence[Evaluate], code: str, reason: str) -> str:
    """AWS Batch, job_retries: the first rule of which every pattern holds; none: RETRY."""
    for rule in rules:
        if _holds(rule.exit_code, code) and _holds(rule.reason, reason):
            return rule.action
    return "RETRY"


def _holds(pattern: str, text: str) -> bool:
    if pattern.endswith("*"):
        return text.lower().startswith(pattern[:-1].lower())
    return not pattern or text.lower() == pattern.lower()


def depend(after: Sequence[After], states: Sequence[State | None]) -> Verdict:
    """Whether it may go, by the states of those that it waits for; None: there is no such job to be seen any more."""
    found: Verdict = "go"
    for one, state in zip(after, states, strict=True):
        if state is None:
            return "never"
        if state not in ENDED:
            found = "wait"
        elif (state == "SUCCEEDED") is (one.when == "afternotok") and one.when != "afterany":
            return "never"
    return found


def fanned(job: Job, many: int, state: State) -> Job | None:
    """So many more children stand in the store in that state, the next ones in order. None where it is to end."""
    if job.spec is None or job.open == "no" or job.cancel:
        return None
    counts = {**job.counts, state: job.counts.get(state, 0) + many}
    return replace(job, counts=counts, phase="active", state="PENDING" if job.state == "SUBMITTED" else job.state)


def rolled(job: Job, moved: Sequence[tuple[State, State]], now: int) -> Job:
    """An array after some of its children have gone from one state to another."""
    counts = dict(job.counts)
    for before, after in moved:
        counts[before] = counts.get(before, 0) - 1
        counts[after] = counts.get(after, 0) + 1
    counts = {state: many for state, many in counts.items() if many}
    job = replace(job, counts=counts)
    if job.open == "no":
        return job
    made = sum(counts.values())
    whole = job.spec.array.size if job.spec is not None else 0
    if any(state in counts for state in ("STARTING", "RUNNING")) or ENDED & counts.keys():
        job = replace(job, state="RUNNING", started=job.started or now)
    if sum(counts.get(state, 0) for state in ENDED) < (made if job.cancel else whole):
        return job
    if counts.get("SUCCEEDED", 0) == whole:
        return _end(job, "SUCCEEDED", "", now)
    return _end(job, "CANCELLED", job.cancel, now) if job.cancel else _end(job, "FAILED", CHILDREN, now)


def usage(told: Collected, asked: Resources) -> Usage:
    """What the record says, with seconds of GPUs and the energy by the estimate of the spec."""
    seconds = told.usage.wall_us / 1_000_000
    return replace(
        told.usage,
        gpu_s=told.usage.gpu_s or int(seconds * asked.gpus * asked.nodes),
        energy_j=told.usage.energy_j or int(seconds * asked.power_w * asked.nodes),
    )


def _of(job: Job, token: str) -> Attempt | None:
    """The live attempt, where this is its token."""
    attempt = live(job)
    return attempt if attempt is not None and attempt.token == token else None


def _last(job: Job, attempt: Attempt) -> Job:
    return replace(job, attempts=(*job.attempts[:-1], attempt))


def _end(job: Job, state: State, reason: str, now: int) -> Job:
    return replace(job, state=state, open="no", phase="ended", ended=now, reason=reason)
