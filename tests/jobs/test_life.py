"""Laws of the life of a job: it goes up, ends once, and hears no attempt but the live one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from casemate.jobs import After, Array, Artefact, Collected, Evaluate, Job, Resources, Retry, Spec, Usage, life
from casemate.jobs.job import State

NOW = 1_000_000
TOKENS = ("a" * 32, "b" * 32, "c" * 32)
KEPT = (Artefact("one", 1, "00", ("blob",)),)


def a_job(**more: Any) -> Job:
    return Job("owner", "Owner", Spec(("true",), **more), created=NOW)


def record(code: int = 0, reason: str = "", signal: int = 0) -> Collected:
    return Collected(exit=code, reason=reason, signal=signal, started=5, ended=6, claimed=True, recorded=True)


STEPS = st.one_of(
    st.tuples(st.just("queued"), st.booleans()),
    st.tuples(st.just("begin"), st.sampled_from(TOKENS)),
    st.tuples(st.just("given"), st.sampled_from(TOKENS)),
    st.tuples(st.just("started"), st.sampled_from(TOKENS)),
    st.tuples(st.just("mark"), st.sampled_from(TOKENS), st.sampled_from((life.DEADLINE, life.PREEMPTED))),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("taken")),
    st.tuples(st.just("failed")),
    st.tuples(st.just("lost"), st.sampled_from(TOKENS)),
    st.tuples(st.just("ended"), st.sampled_from(TOKENS), st.sampled_from((0, 1, 137)), st.sampled_from(("", "stop"))),
)


def taken_step(job: Job, step: tuple[Any, ...], retry: Retry) -> Job | None:
    match step:
        case ("queued", waits):
            return life.queued(job, waits)
        case ("begin", token):
            return life.begin(job, token, "e", "n", NOW)
        case ("given", token):
            return life.given(job, token, "native")
        case ("started", token):
            return life.started(job, token, NOW, "n")
        case ("mark", token, reason):
            return life.mark(job, token, reason)
        case ("cancel",):
            return life.cancel(job, "why", NOW)
        case ("taken",):
            return life.taken(job)
        case ("failed",):
            return life.failed(job, "INPUT", NOW)
        case ("lost", token):
            return life.lost(job, token, retry, NOW)
        case (_, token, code, reason):
            return life.ended(job, token, record(code, reason), retry, NOW, KEPT)
    raise AssertionError(step)


@given(st.lists(STEPS, max_size=40), st.integers(1, 3))
def test_a_job_goes_up_ends_once_and_keeps_what_one_attempt_left(steps: list[tuple[Any, ...]], attempts: int) -> None:
    job, retry, commits = a_job(), Retry(attempts), 0
    for step in steps:
        live = life.live(job)
        after = taken_step(job, step, retry)
        if after is None:
            continue
        assert job.open == "yes", "what has ended never changes"
        assert life.progress(after) >= life.progress(job)
        if step[0] in ("given", "started", "mark", "lost", "ended"):
            assert live is not None
            assert live.token == step[1], "only the live attempt is heard"
        commits += bool(after.artefacts) and not job.artefacts
        assert len({one.token for one in after.attempts}) == len(after.attempts)
        assert [one.n for one in after.attempts] == list(range(1, len(after.attempts) + 1))
        assert sum(one.state in life.LIVE for one in after.attempts) <= 1
        counted = [one for one in after.attempts if one.reason != life.PREEMPTED]
        assert len(counted) <= attempts + (life.live(after) is not None and attempts == len(counted) - 1)
        assert (after.open == "no") is (after.state in life.ENDED) is (after.phase == "ended")
        job = after
    assert commits <= 1


def test_a_job_across_nodes_keeps_all_of_them_while_it_runs() -> None:
    begun = life.begin(a_job(), "t", "e", "n1,n2", NOW)
    assert begun is not None
    runs = life.started(begun, "t", NOW, "n1")
    assert runs is not None
    assert runs.attempts[-1].node == "n1,n2"
    ended = life.ended(runs, "t", record(0), Retry(1), NOW)
    assert ended is not None
    assert ended.attempts[-1].node == "n1,n2"
    alone = life.begin(a_job(), "t", "e", "local", NOW)
    assert alone is not None
    runs = life.started(alone, "t", NOW, "box")
    assert runs is not None
    assert runs.attempts[-1].node == "box"


def run(job: Job, token: str, told: Collected | None, retry: Retry) -> Job:
    begun = life.begin(job, token, "e", "n", NOW)
    assert begun is not None
    after = life.lost(begun, token, retry, NOW) if told is None else life.ended(begun, token, told, retry, NOW)
    assert after is not None
    return after


@pytest.mark.parametrize(
    ("retry", "told", "state"),
    [
        (Retry(1), record(1), "FAILED"),
        (Retry(2), record(1), "RUNNABLE"),
        (Retry(2), None, "RUNNABLE"),
        (Retry(1), None, "FAILED"),
        (Retry(3, (Evaluate("EXIT", exit_code="1"),)), record(1), "FAILED"),
        (Retry(3, (Evaluate("EXIT", exit_code="2"),)), record(1), "RUNNABLE"),
        (Retry(3, (Evaluate("EXIT", exit_code="13*"),)), record(137), "FAILED"),
        (Retry(3, (Evaluate("RETRY", exit_code="1"), Evaluate("EXIT"))), record(1), "RUNNABLE"),
        (Retry(3, (Evaluate("RETRY", exit_code="1"), Evaluate("EXIT"))), record(2), "FAILED"),
        (Retry(3, (Evaluate("EXIT", reason="wall"),)), record(143, "wall"), "FAILED"),
        (Retry(3, (Evaluate("EXIT", reason="LO*"),)), None, "FAILED"),
        (Retry(3, (Evaluate("EXIT", exit_code="137"),)), Collected(signal=9, claimed=True, recorded=True), "FAILED"),
        (Retry(3), record(0), "SUCCEEDED"),
    ],
)
def test_the_rules_of_aws_say_what_is_made_again(retry: Retry, told: Collected | None, state: State) -> None:
    assert run(a_job(), TOKENS[0], told, retry).state == state


def test_attempts_are_used_up() -> None:
    job = a_job()
    for token, state in zip(TOKENS, ("RUNNABLE", "RUNNABLE", "FAILED"), strict=True):
        job = run(job, token, None, Retry(3))
        assert job.state == state
    assert job.reason == life.LOST


def test_a_preempted_attempt_counts_for_nothing_and_a_deadline_ends_all() -> None:
    job = life.begin(a_job(), TOKENS[0], "e", "n", NOW)
    assert job is not None
    marked = life.mark(job, TOKENS[0], life.PREEMPTED)
    assert marked is not None
    assert life.mark(marked, TOKENS[0], life.DEADLINE) is None
    assert life.asked_to_end(marked) == "preempted"
    again = life.ended(marked, TOKENS[0], record(143, "stop"), Retry(1), NOW)
    assert again is not None
    assert again.state == "RUNNABLE"
    late = life.mark(job, TOKENS[0], life.DEADLINE)
    assert late is not None
    over = life.ended(late, TOKENS[0], record(143, "stop"), Retry(9), NOW)
    assert over is not None
    assert (over.state, over.reason) == ("FAILED", life.DEADLINE)


@pytest.mark.parametrize(
    ("when", "state", "verdict"),
    [
        ("afterok", "SUCCEEDED", "go"), ("afterok", "FAILED", "never"), ("afterok", "CANCELLED", "never"),
        ("afternotok", "SUCCEEDED", "never"), ("afternotok", "FAILED", "go"), ("afternotok", "CANCELLED", "go"),
        ("afterany", "SUCCEEDED", "go"), ("afterany", "FAILED", "go"), ("afterany", "RUNNING", "wait"),
        ("aftercorr", "SUCCEEDED", "go"), ("aftercorr", "FAILED", "never"), ("afterok", None, "never"),
    ],
)  # fmt: skip
def test_what_waits_for_another(when: Any, state: State | None, verdict: str) -> None:
    assert life.depend((After("job_x", when),), [state]) == verdict
    assert life.depend((After("job_x", when), After("job_y", "afterany")), [state, "RUNNING"]) == (
        "never" if verdict == "never" else "wait"
    )


@given(st.lists(st.sampled_from(("SUCCEEDED", "FAILED", "CANCELLED")), min_size=2, max_size=8), st.booleans())
def test_an_array_ends_with_the_last_of_its_children(ends: list[State], cancelled: bool) -> None:
    job = life.fanned(a_job(array=Array(len(ends))), len(ends), "RUNNABLE")
    assert job is not None
    if cancelled:
        asked = life.cancel(job, "why", NOW)
        assert asked is not None
        assert asked.open == "yes"
        job = asked
    for at, end in enumerate(ends):
        assert job.open == "yes"
        job = life.rolled(job, [("RUNNABLE", "RUNNING"), ("RUNNING", end)], NOW)
        assert sum(job.counts.values()) == len(ends)
        assert (job.open == "no") is (at == len(ends) - 1)
    good = set(ends) == {"SUCCEEDED"}
    assert job.state == ("SUCCEEDED" if good else "CANCELLED" if cancelled else "FAILED")


def test_what_may_not_be_done_is_none() -> None:
    job = a_job()
    over = replace(job, open="no", state="FAILED", phase="ended")
    assert life.queued(over, False) is life.begin(over, "t", "e", "n", NOW) is life.cancel(over, "x", NOW) is None
    assert life.failed(over, "INPUT", NOW) is life.taken(over) is life.fanned(over, 1, "RUNNABLE") is None
    assert life.rolled(over, [], NOW).open == "no"
    begun = life.begin(job, TOKENS[0], "e", "n", NOW)
    assert begun is not None
    assert life.begin(begun, TOKENS[1], "e", "n", NOW) is None
    assert life.failed(begun, "INPUT", NOW) is None
    assert life.ended(begun, TOKENS[0], Collected(), Retry(), NOW) is None
    assert life.asked_to_end(job) == ""
    assert life.fanned(replace(job, cancel="why"), 2, "RUNNABLE") is None


def test_energy_and_seconds_of_gpus_are_reckoned_where_nobody_measured_them() -> None:
    told = Collected(usage=Usage(wall_us=3_000_000))
    assert life.usage(told, Resources(gpus=2, nodes=2, power_w=10)) == Usage(wall_us=3_000_000, gpu_s=12, energy_j=60)
    assert life.usage(Collected(usage=Usage(1, 1, 1, 5, 7)), Resources(gpus=2, power_w=9)).energy_j == 7
