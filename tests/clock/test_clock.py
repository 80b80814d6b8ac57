"""Time as whole microseconds, its text, and a clock in somebody's hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.clock import SECOND, ManualClock, SystemClock, iso, parse_iso


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_a_moment_is_read_back_to_the_millisecond(milliseconds: int) -> None:
    at = milliseconds * 1000
    assert parse_iso(iso(at)) == at


def test_the_form_is_rfc_3339() -> None:
    assert iso(1_790_000_000 * SECOND + 7_000) == "2026-09-21T14:13:20.007Z"
    assert parse_iso("2026-09-21T16:13:20+02:00") == 1_790_000_000 * SECOND


@pytest.mark.parametrize("text", ["2026-09-21T16:13:20", "yesterday", ""])
def test_a_moment_without_an_offset_or_a_form_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_iso(text)


def test_a_manual_clock_moves_only_when_it_is_told() -> None:
    clock = ManualClock(5)
    assert (clock.now(), clock.now()) == (5, 5)
    clock.forward(1.5)
    assert clock.now() == 5 + 1_500_000


def test_the_machine_s_clock_counts_microseconds() -> None:
    before = SystemClock().now()
    assert 1_700_000_000 * SECOND < before <= SystemClock().now()
