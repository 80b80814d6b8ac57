"""Breakers, latencies and retry budgets, each domain its own."""

from __future__ import annotations

import pytest

from casemate.clock import SECOND
from casemate.errors import EngineFailed
from casemate.models.health import KEPT, LONGEST_REST, REST, STRIKES, Health


def failure(cause: str = "down", wait: float = 0) -> EngineFailed:
    error = EngineFailed(cause=cause, engine="m", why="it did")  # type: ignore[arg-type]
    if wait:
        error.retry_after = wait  # type: ignore[attr-defined]
    return error


def fail(health: Health, times: int, now: int = 0, cause: str = "down") -> None:
    for _ in range(times):
        health.failed("low", "m", failure(cause), now)


def test_a_breaker_opens_after_some_failures_and_tries_again_after_a_rest() -> None:
    health = Health()
    fail(health, STRIKES - 1)
    assert health.works("low", "m", 0)
    fail(health, 1)
    assert not health.works("low", "m", REST - 1)
    assert health.works("low", "m", REST)


def test_whoever_fails_again_rests_longer_up_to_a_bound() -> None:
    health, now = Health(), 0
    fail(health, STRIKES)
    rests = []
    for _ in range(12):
        until = health.of("low", "m").until
        rests.append(until - now)
        now = until
        fail(health, 1, now)
    assert rests[:4] == [REST, 2 * REST, 4 * REST, 8 * REST]
    assert rests[-1] == LONGEST_REST


def test_an_answer_closes_it() -> None:
    health = Health()
    fail(health, STRIKES)
    health.answered("low", "m", 100)
    assert health.works("low", "m", 0)
    fail(health, STRIKES - 1)
    assert health.works("low", "m", 0)


def test_told_to_wait_it_waits_and_no_longer_than_the_bound() -> None:
    health = Health()
    health.failed("low", "m", failure("busy", 7), 0)
    assert not health.works("low", "m", 7 * SECOND - 1)
    assert health.works("low", "m", 7 * SECOND)
    health.failed("low", "m", failure("busy", 1e9), 0)
    assert health.of("low", "m").until == LONGEST_REST
    health.failed("low", "other", failure("busy"), 0)
    assert health.works("low", "other", 0)


def test_a_credential_that_is_not_taken_opens_at_once_and_a_request_that_is_not_never() -> None:
    health = Health()
    health.failed("low", "m", failure("denied"), 0)
    assert not health.works("low", "m", 0)
    for _ in range(50):
        health.failed("low", "n", failure("rejected"), 0)
    assert health.of("low", "n").strikes == 0


def test_latency_runs_with_the_newest() -> None:
    health = Health()
    health.answered("low", "m", 1000)
    assert health.of("low", "m").latency == 1000
    health.answered("low", "m", 2000)
    assert health.of("low", "m").latency == pytest.approx(1200)


def test_what_one_domain_meets_no_other_sees() -> None:
    health = Health()
    fail(health, STRIKES)
    health.answered("low", "m", 5)
    fail(health, STRIKES)
    while health.may_retry("low"):
        pass
    assert health.works("high", "m", 0)
    assert (health.of("high", "m").latency, health.of("high", "m").strikes) == (0, 0)
    health.asked("high")
    assert health.may_retry("high")


def test_at_most_a_tenth_is_asked_again() -> None:
    health, again = Health(), 0
    for _ in range(1000):
        health.asked("low")
        again += health.may_retry("low")
    assert 95 <= again <= 102
    assert not health.may_retry("never asked")
    for _ in range(1000):
        health.asked("low")
    assert sum(health.may_retry("low") for _ in range(100)) == 10


def test_only_so_much_is_remembered() -> None:
    health = Health()
    for n in range(KEPT + 5):
        health.of("low", f"m{n}").strikes = 1
    assert health.of("low", f"m{KEPT}").strikes == 1
    assert health.of("low", "m0").strikes == 0


def test_one_domain_forgets_nothing_because_another_remembers_much() -> None:
    health = Health()
    fail(health, STRIKES)
    for place in range(KEPT + 5):
        health.of(f"high{place}", "m").strikes = 1
    for place in range(KEPT + 5):
        health.of("high", f"m{place}").strikes = 1
    assert not health.works("low", "m", 0)
    assert health.open("low", 0) == [("m", True)]
    assert health.open("nobody", 0) == []
