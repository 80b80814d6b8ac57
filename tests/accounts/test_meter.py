"""The meter: each limit, each period, each worker's share, and domains that never notice one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.accounts import Bounds, Limits, Meter, Price, Tally
from casemate.accounts.meter import share
from casemate.accounts.quota import Binding, Line, Owned
from casemate.clock import SECOND, ManualClock, parse_iso
from casemate.errors import MarkingError, QuotaExceeded, Unavailable
from casemate.identity import Principal, Session
from casemate.labels import Label, Policies

POLICIES = Policies.load(("us",))
LOW, SECRET, TOP = (POLICIES.parse(f"us:{level}") for level in ("UNCLASSIFIED", "SECRET", "TOP SECRET"))
NOON = parse_iso("2026-11-20T12:00:00Z")
EUROS = Price(2_000_000, 6_000_000, 1_000_000, "EUR")


@dataclass
class Flow:
    """As much of a flow as the meter looks at."""

    domain: Label
    asker: Session


def flow(domain: Label = SECRET, key: str = "k") -> Any:
    return Flow(domain, Session(key, Principal(f"p-{key}", f"ann-{key}", TOP, frozenset({"user"})), LOW, TOP))


def limits(*lines: tuple[Label, str, Bounds], **more: Any) -> Limits:
    return Limits("AGY", tuple(Line(label.text, subject, bounds) for label, subject, bounds in lines), **more)


def meter(*lines: tuple[Label, str, Bounds], worker: int = 0, workers: int = 1, **more: Any) -> Meter:
    made = Meter(ManualClock(NOON), POLICIES, Tally("run", worker), worker, workers)
    made.adopt(made.understood(limits(*lines, **more)))
    return made


def told(made: Meter, *args: Any) -> tuple[str, str, int]:
    """What a refused reservation says."""
    with pytest.raises(QuotaExceeded) as error:
        made.reserve(*args)
    facts: dict[str, Any] = dict(error.value.facts)
    return facts["limit"], facts["of"], facts["retry_after"]


def later(made: Meter, seconds: float) -> None:
    assert isinstance(made.clock, ManualClock)
    made.clock.forward(seconds)


def test_without_limits_known_nobody_comes_in() -> None:
    with pytest.raises(Unavailable):
        Meter(ManualClock(), POLICIES, Tally("run")).reserve(flow(), 1)


def test_without_quotas_everybody_does() -> None:
    made = meter()
    for _ in range(100):
        made.reserve(flow(), 10**9).settle(5, 6)
    [row] = made.tally.rows[SECRET].values()
    assert (row.requests, row.prompt, row.completion) == (100, 500, 600)


def test_requests_by_the_minute_come_back_evenly() -> None:
    made = meter((LOW, "key:k", Bounds(requests_per_minute=6)))
    for _ in range(6):
        made.reserve(flow(), 1).cancel()
    assert told(made, flow(), 1) == ("requests-per-minute", "key", 10)
    later(made, 9.9)
    assert told(made, flow(), 1) == ("requests-per-minute", "key", 1)
    later(made, 0.1)
    made.reserve(flow(), 1)
    assert told(made, flow(), 1)[2] == 10
    later(made, 10_000)
    for _ in range(6):
        made.reserve(flow(), 1)
    assert told(made, flow(), 1)[0] == "requests-per-minute"


def test_tokens_by_the_minute_are_owed_and_given_back() -> None:
    made = meter((LOW, "project:default", Bounds(tokens_per_minute=600)))
    made.reserve(flow(), 500).settle(50, 50)  # 500 left
    made.reserve(flow(), 400).settle(400, 300)  # used 300 more than it asked for: 200 are owed
    assert told(made, flow(), 100) == ("tokens-per-minute", "project", 30)
    later(made, 30)
    made.reserve(flow(), 100).cancel()
    later(made, 50)
    made.reserve(flow(), 10_000).cancel()  # more than a minute's worth comes in when the bucket is full
    made.reserve(flow(), 600)
    assert told(made, flow(), 1)[0] == "tokens-per-minute"


def test_tokens_by_the_day_begin_anew_at_midnight() -> None:
    made = meter((LOW, "key:k", Bounds(tokens_per_day=1000)))
    made.reserve(flow(), 900).settle(100, 200)
    made.reserve(flow(), 700).settle(400, 300)
    assert told(made, flow(), 1) == ("tokens-per-day", "key", 12 * 3600)
    later(made, 12 * 3600)
    over = made.reserve(flow(), 1000)
    later(made, 86_400)
    made.reserve(flow(), 1000).cancel()
    over.settle(300, 0)  # of yesterday's reservation, what was used counts today
    assert told(made, flow(), 701)[0] == "tokens-per-day"
    made.reserve(flow(), 700)


def test_money_by_the_month_is_exact() -> None:
    made = meter((LOW, "key:k", Bounds(budget_per_month=10)))  # 10 micro-units are 10 000 000 pico-units
    made.reserve(flow(), 1, "m", "v", EUROS).settle(1, 1)  # 8 micro-units
    assert told(made, flow(), 1, "m", "v", EUROS)[:2] == ("budget-per-month", "key")
    assert told(made, flow(), 1, "m", "v", EUROS)[2] == (10 * 24 + 12) * 3600
    made.reserve(flow(), 1, "m", "v", Price(1_000_000, 2_000_000)).settle(0, 1)
    assert told(made, flow(), 1, "m", "v", Price(1, 1))[0] == "budget-per-month"
    made.reserve(flow(), 10**6, "free", "v").settle(10**6, 0)
    over = made.reserve(flow(), 5, "free", "v")
    later(made, 11 * 86_400)
    over.price = EUROS
    over.settle(0, 1)  # in the new month
    assert told(made, flow(), 1, "m", "v", EUROS)[0] == "budget-per-month"
    made.reserve(flow(), 2, "m", "v", Price(2_000_000, 2_000_000)).settle(2, 0)


def test_money_of_the_month_that_was_reserved_on_another_day_of_it() -> None:
    made = meter((LOW, "key:k", Bounds(budget_per_month=60)))
    held = made.reserve(flow(), 10, "m", "v", EUROS)
    later(made, 86_400)
    held.settle(1, 1)
    assert told(made, flow(), 9, "m", "v", EUROS)[0] == "budget-per-month"
    made.reserve(flow(), 8, "m", "v", EUROS)


def test_room_for_so_many_at_once() -> None:
    made = meter((LOW, "project:default", Bounds(concurrent=2)))
    first, second = made.reserve(flow(), 1), made.reserve(flow(key="other"), 1)
    assert told(made, flow(), 1) == ("concurrent", "project", 1)
    first.cancel()
    first.cancel()
    first.settle(10, 10)
    third = made.reserve(flow(), 1)
    assert told(made, flow(), 1)[0] == "concurrent"
    with third:
        second.settle(1, 1)
    with made.reserve(flow(), 1) as kept:
        kept.settle(1, 1)
    assert sum(row.requests for row in made.tally.rows[SECRET].values()) == 2


@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute", "tokens_per_day", "concurrent"])
def test_nought_is_nothing(name: str) -> None:
    made = meter((LOW, "key:k", Bounds(**{name: 0})))
    assert told(made, flow(), 1)[0] == name.replace("_", "-")
    later(made, 40 * 86_400)
    assert 1 <= told(made, flow(), 1)[2] <= 31 * 86_400


def test_a_refused_request_takes_nothing() -> None:
    made = meter((LOW, "key:k", Bounds(tokens_per_day=100)), (LOW, "project:default", Bounds(concurrent=0)))
    for _ in range(10):
        assert told(made, flow(), 100)[1] == "project"
    made.adopt(made.understood(limits((LOW, "key:k", Bounds(tokens_per_day=100)))))
    made.reserve(flow(), 100)


def test_a_domain_never_notices_another() -> None:
    """The law of two worlds, in small: at LOW everything is the same whatever is done above or beside."""
    bounds = Bounds(3, 1000, 5000, 10**9, 2)

    def seen(above: int) -> list[Any]:
        made = meter((LOW, "key:k", bounds), (LOW, "project:default", bounds))
        kept, found = [], []
        for turn in range(40):
            for _ in range(above):
                try:
                    kept.append(made.reserve(flow(SECRET), 400))
                except QuotaExceeded:
                    kept.pop().settle(900, 900) if kept else None
            try:
                found.append(made.reserve(flow(LOW), 100 + turn).settle(40, 10 * turn).facts())
            except QuotaExceeded as error:
                found.append(error.facts)
            later(made, 7)
        rows = made.tally.rows[LOW]
        return [*found, *[(row.requests, row.cost) for row in rows.values()]]

    assert seen(0) == seen(1) == seen(5)
    assert any("limit" in each for each in seen(0) if isinstance(each, dict))


def test_the_nearest_quota_counts() -> None:
    made = meter(
        (LOW, "key:k", Bounds(requests_per_minute=1)),
        (TOP, "key:k", Bounds(requests_per_minute=3)),
    )
    for domain, count in ((LOW, 1), (SECRET, 1), (TOP, 3)):
        for _ in range(count):
            made.reserve(flow(domain), 1)
        assert told(made, flow(domain), 1)[0] == "requests-per-minute"


def test_of_quotas_beside_one_another_the_smallest_number_counts() -> None:
    left, right = (POLICIES.parse(f"us:SECRET//SCI={name}") for name in ("SI", "TK"))
    made = meter((left, "key:k", Bounds(5, None, 90)), (right, "key:k", Bounds(2, 70)))
    assert made._bounds("key:k", left | right) == Bounds(2, 70, 90)
    assert made._bounds("key:k", left) == Bounds(5, None, 90)
    assert made._bounds("key:k", LOW) == Bounds()


def test_projects_and_agencies_have_a_name_where_they_are_visible() -> None:
    made = meter(
        keys=(Binding(LOW.text, "k", "alpha"), Binding(SECRET.text, "s", "alpha"), Binding(LOW.text, "g", "gone")),
        projects=(Owned(LOW.text, "alpha", "ONE"), Owned(TOP.text, "alpha", "TWO"), Owned(SECRET.text, "gone", "X")),
    )

    def who(domain: Label, key: str) -> tuple[str, str]:
        charge = made.reserve(flow(domain, key), 1).settle(1, 1)
        assert (charge.who.principal, charge.who.key) == (f"ann-{key}", key)
        return charge.who.project, charge.who.agency

    assert who(LOW, "k") == who(SECRET, "k") == ("alpha", "ONE")
    assert who(TOP, "k") == ("alpha", "TWO")
    assert who(LOW, "s") == ("default", "AGY"), "the key was bound above"
    assert who(LOW, "g") == ("default", "AGY"), "the project was added above"
    assert who(SECRET, "g") == ("gone", "X")
    assert who(SECRET, "free") == ("default", "AGY")


def test_new_limits_count_at_once_and_what_was_used_stays_used() -> None:
    made = meter()
    made.reserve(flow(), 100).settle(60, 40)
    running = made.reserve(flow(), 10)
    tighter = limits((LOW, "key:k", Bounds(5, 500, 150, None, 2)))
    made.adopt(made.understood(tighter))
    made.adopt(made.understood(tighter))
    assert told(made, flow(), 41)[0] == "tokens-per-day"
    made.reserve(flow(), 40)
    assert told(made, flow(), 0)[0] == "concurrent"
    running.settle(1, 1)
    made.adopt(made.understood(limits((LOW, "key:k", Bounds(2, 20, None, None, None)))))
    made.reserve(flow(), 20)
    assert told(made, flow(), 20)[0] == "tokens-per-minute"
    with pytest.raises(MarkingError):
        made.understood(Limits("A", (Line("nowhere:SECRET", "key:k", Bounds()),)))


@given(st.integers(0, 10**12), st.integers(1, 64))
def test_shares_add_up_to_the_limit(limit: int, workers: int) -> None:
    parts = [share(limit, worker, workers) for worker in range(workers)]
    assert sum(parts) == limit
    assert max(parts) - min(parts) <= 1


@given(st.integers(1, 5), st.integers(1, 40), st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_workers_together_stay_within_the_rate(workers: int, limit: int, pauses: list[int]) -> None:
    """In any stretch: not more than a minute's worth, what came in meanwhile, and one request of each worker."""
    bounds = (LOW, "key:k", Bounds(requests_per_minute=limit))
    all_of_them = [meter(bounds, worker=number, workers=workers) for number in range(workers)]
    let_in = passed = 0
    for pause in pauses:
        for made in all_of_them:
            later(made, pause)
            try:
                while let_in < 10_000:
                    made.reserve(flow(), 1).cancel()
                    let_in += 1
            except QuotaExceeded:
                pass
        passed += pause
    assert let_in <= limit + limit * passed / 60 + workers
    assert let_in >= max(1, limit - workers)


def test_what_was_used_before_a_restart_counts_again() -> None:
    made = meter((LOW, "project:alpha", Bounds(tokens_per_day=100, budget_per_month=5)))
    made.recall(SECRET, "k", "alpha", 80, 4_000_000)
    made.recall(LOW, "k", "alpha", 999, 0)
    counter = made._counters[SECRET]["project:alpha"]
    assert (counter.tokens, counter.cost) == (80, 4_000_000)
    assert made._counters[SECRET]["key:k"].tokens == 80


def test_idle_counters_are_let_go_of_when_their_month_is_over() -> None:
    made = meter((LOW, "key:kept", Bounds(concurrent=5)))
    running = made.reserve(flow(key="busy"), 1)
    made.reserve(flow(), 1).settle(1, 1)
    made.reserve(flow(key="kept"), 1).cancel()
    assert made.forget() == 0
    later(made, 11 * 86_400)
    assert made.forget() == 1
    assert set(made._counters[SECRET]) == {"key:busy", "key:kept", "project:default"}
    running.cancel()
    assert made.forget() == 0, "they have a new month now"
    later(made, 31 * 86_400)
    assert made.forget() == 2


def test_another_model_may_have_answered() -> None:
    made = meter()
    held = made.reserve(flow(), 10, "first", "one", EUROS)
    held.model, held.vendor, held.price = "second", "two", Price(1, 1, 1, "EUR")
    charge = held.settle(5, 5, 9, estimated=True)
    assert (charge.model, charge.vendor, charge.cached, charge.cost, charge.estimated) == ("second", "two", 5, 10, True)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    made = meter((LOW, "key:k", Bounds(requests_per_minute=1)))
    made.reserve(flow(), 1)
    assert isinstance(made.clock, ManualClock)
    made.clock.at -= 100 * SECOND
    assert told(made, flow(), 1)[0] == "requests-per-minute"
