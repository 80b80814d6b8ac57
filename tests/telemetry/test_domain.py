"""A domain's numbers: fixed buckets, a bounded number of series, beats, and what survives being written down."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Damaged
from casemate.labels import Policies
from casemate.telemetry import BACKLOG, BREAKER, DURATION, PULSE, QUEUE, SLOTS, Beat, Domain, Kept, beats, merge
from casemate.telemetry.domain import MOST, OTHER
from casemate.telemetry.instrument import INSTRUMENTS, REFUSALS, REQUESTS, TOKENS
from casemate.telemetry.kept import BOUND, STALE, Counted, Measured, read, write
from casemate.telemetry.pulse import quantile

LOW = Policies.load(("us",)).parse("agency=EXERCISE + us:SECRET//REL=USA")
START = 1_000 * PULSE


def asked(domain: Domain, route: str = "/a", took: int = 700, outcome: str = "complete") -> None:
    domain.request("GET", route, "answer.ask", outcome, took)


def counters(kept: Kept, name: str) -> dict[tuple[str, ...], int]:
    return {each.key: each.count for each in kept.counters if each.name == name}


@pytest.mark.parametrize("took", [-5, 0, 1, 500, 501, 120_000_000, 120_000_001])
def test_a_value_stands_in_the_first_bucket_that_holds_it(took: int) -> None:
    domain = Domain(LOW)
    asked(domain, took=took)
    domain.observe(DURATION, ("answer.ask",), took)
    [found] = domain.keep(START).histograms
    took = max(took, 0)
    place = next((n for n, bound in enumerate(DURATION.bounds) if took <= bound), len(DURATION.bounds))
    assert found.counts == tuple(2 * (n == place) for n in range(len(DURATION.bounds) + 1))
    assert found.total == 2 * took


def test_series_are_bounded_and_the_rest_is_counted_together() -> None:
    domain = Domain(LOW)
    for number in range(MOST + 20):
        asked(domain, f"/{number}")
        domain.observe(TOKENS, ("chat", "v", f"m{number}", "input"), 1)
        domain.model("chat", "vendor", f"n{number}").done.observe(1)
    kept = domain.keep(START)
    told = counters(kept, REQUESTS.name)
    assert len(told) == MOST + 1
    assert told[(OTHER,) * 4] == 20
    for name in {each.name for each in kept.histograms}:
        assert len([each for each in kept.histograms if each.name == name]) <= MOST + 1
    assert sum(told.values()) == MOST + 20


def test_beats_hold_what_happened_while_they_lasted() -> None:
    domain = Domain(LOW)
    for beat, count in ((0, 3), (1, 1), (7, 2)):
        now = START + beat * PULSE
        if now >= domain.turn:
            domain.roll(now)
        for _ in range(count):
            asked(domain)
        domain.add(REFUSALS, ("answer.ask", "role"))
        domain.model("chat", "v", "m").output.observe(5)
    now = START + 9 * PULSE
    found = beats(domain.keep(now).beats, now)
    assert [beat.requests for beat in found[-10:]] == [3, 1, 0, 0, 0, 0, 0, 2, 0, 0]
    assert [beat.refusals for beat in found[-10:]] == [1, 1, 0, 0, 0, 0, 0, 1, 0, 0]
    assert [beat.tokens for beat in found[-10:]] == [5, 5, 0, 0, 0, 0, 0, 5, 0, 0]
    assert [sum(beat.latency) for beat in found] == [beat.requests for beat in found]
    assert len(found) == SLOTS
    much_later = START + (9 + SLOTS) * PULSE
    assert not any(beat.requests for beat in beats(domain.keep(much_later).beats, much_later))


def test_a_process_that_is_started_again_goes_on() -> None:
    domain = Domain(LOW)
    domain.roll(START)
    asked(domain)
    domain.model("chat", "v", "m").first.observe(3)
    kept = read(write(domain.keep(START)))
    strange = (Counted("nobody's", ("x",), 1), Counted(REQUESTS.name, ("short",), 1))
    wide = (Measured(DURATION.name, ("x",), (1, 2), 3), Measured("nobody's", (), (1,), 1))
    kept = msgspec.structs.replace(kept, counters=kept.counters + strange, histograms=kept.histograms + wide)
    again = Domain(LOW)
    again.roll(START + PULSE)
    again.restore(kept)
    asked(again)
    told = again.keep(START + PULSE)
    assert counters(told, REQUESTS.name) == {("GET", "/a", "answer.ask", "complete"): 2}
    assert {each.name for each in told.histograms} <= {i.name for i in INSTRUMENTS}
    found = beats(told.beats, START + PULSE)
    assert [beat.requests for beat in found[-2:]] == [1, 1]


@pytest.mark.parametrize("raw", [b"", b"\xc1", b"\x91\x01", msgspec.msgpack.encode(["x"]), b"\0" * (BOUND + 1)])
def test_what_is_no_domain_is_damaged(raw: bytes) -> None:
    with pytest.raises(Damaged):
        read(raw)


def test_several_processes_add_up_and_only_those_of_one_domain() -> None:
    beat = Beat(7, 1)
    one = Kept("a", 100, (Counted("c", ("x",), 1),), (Measured("h", (), (1, 2), 3),), (Counted("g", (), 4),), (beat,))
    other = Kept("b", 100, (Counted("c", ("x",), 50),))
    dead = msgspec.structs.replace(one, at=100 - STALE - 1)
    odd = msgspec.structs.replace(one, histograms=(Measured("h", (), (1, 2, 3), 6),), gauges=(), beats=())
    merged = merge("a", 100, [one, one, other, dead, odd])
    assert merged.counters == (Counted("c", ("x",), 4),)
    assert merged.histograms == (Measured("h", (), (3, 6), 9),)
    assert merged.gauges == (Counted("g", (), 8),), "what a dead process had waiting says nothing any more"
    assert merged.beats == (beat,) * 3
    assert beats(merged.beats, 7 * PULSE)[-1].requests == 3
    assert merge("b", 100, []) == Kept("b", 100)


@given(st.lists(st.integers(0, 50), min_size=len(DURATION.bounds) + 1, max_size=len(DURATION.bounds) + 1))
def test_a_quantile_lies_in_its_bucket_and_grows(counts: list[int]) -> None:
    latency = tuple(counts)
    found = [quantile(latency, part) for part in (0.01, 0.5, 0.9, 0.99, 1.0)]
    assert found == sorted(found)
    assert all(0 <= each <= DURATION.bounds[-1] for each in found)
    if not sum(counts):
        assert found == [0] * 5


def test_instruments_are_told_apart_by_name_and_have_rising_bounds() -> None:
    assert len({i.name for i in INSTRUMENTS}) == len(INSTRUMENTS)
    for each in INSTRUMENTS:
        assert list(each.bounds) == sorted(set(each.bounds))
        assert bool(each.bounds) == (each.kind == "histogram")
        assert "label" not in each.labels
    assert {BACKLOG.kind, BREAKER.kind, QUEUE.kind} == {"gauge"}
    semantic = {i.name: i.bounds for i in INSTRUMENTS if i.name.startswith("gen_ai_")}
    assert semantic["gen_ai_client_token_usage"][-1] == 67_108_864
    assert semantic["gen_ai_client_operation_duration_seconds"][0] == 10_000


def test_beats_of_another_version_are_left_out() -> None:
    assert not any(beat.requests for beat in beats([Beat(7, 1, latency=(1, 2))], 7 * PULSE))
