"""Cron lines against brute force: the next moment is the first minute that is met, and none before it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.clock import SECOND, iso, parse_iso
from casemate.errors import BadInput
from casemate.missions.host.cron import cron

RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@st.composite
def parts(draw: st.DrawFn, low: int, high: int) -> tuple[str, frozenset[int]]:
    """A part of a field, and the values that it means, told without the parser."""
    kind, step = draw(st.sampled_from(["*", "one", "range"])), draw(st.sampled_from([0, 1, 2, 5, 7, 30]))
    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    text = {"*": "*", "one": f"{first}", "range": f"{first}-{last}"}[kind] + (f"/{step}" if step else "")
    top = 6 if high == 7 else high
    bounds = {"*": (low, top), "one": (first, high if step else first), "range": (first, last)}[kind]
    return text, frozenset(n for n in range(bounds[0], bounds[1] + 1) if (n - bounds[0]) % (step or 1) == 0)


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[str], list[frozenset[int]]]:
    texts, values = [], []
    for low, high in RANGES:
        every = draw(st.booleans()) and high in (12, 31, 7)
        told = (
            [("*", frozenset(range(low, high + 1)))]
            if every
            else draw(st.lists(parts(low, high), min_size=1, max_size=2))
        )
        texts.append(",".join(text for text, _ in told))
        values.append(frozenset().union(*(each for _, each in told)))
    return texts, values


def met(texts: list[str], values: list[frozenset[int]], at: datetime) -> bool:
    """Whether that minute is one, by the words of crontab(5)."""
    weekday = (at.weekday() + 1) % 7
    by_month, by_week = at.day in values[2], weekday in values[4] or (weekday == 0 and 7 in values[4])
    free = texts[2][0] == "*" or texts[4][0] == "*"
    days = by_month and by_week if free else by_month or by_week
    return days and at.month in values[3] and at.hour in values[1] and at.minute in values[0]


@given(lines(), st.integers(0, 4 * 10**9))
def test_the_next_moment_is_the_first_that_is_met(line: tuple[list[str], list[frozenset[int]]], at: int) -> None:
    texts, values = line
    try:
        found = cron(" ".join(texts)).after(at * SECOND)
    except BadInput:
        days = [datetime.fromtimestamp(at, UTC) + timedelta(days=n) for n in range(366 * 8)]
        minute, hour = min(values[0]), min(values[1])
        assert not any(met(texts, values, day.replace(hour=hour, minute=minute)) for day in days[1:])
        return
    moment = datetime.fromtimestamp(found // SECOND, UTC)
    assert found % (60 * SECOND) == 0
    assert found > at * SECOND
    assert met(texts, values, moment)
    before = datetime.fromtimestamp(at, UTC).replace(second=0) + timedelta(minutes=1)
    for _ in range(3000):  # two days by the minute
        if before >= moment:
            return
        assert not met(texts, values, before)
        before += timedelta(minutes=1)
    day = before.replace(hour=0, minute=0) + timedelta(days=1)  # and then by the day
    while day.date() < moment.date():
        assert not met(texts, values, day.replace(hour=min(values[1]), minute=min(values[0])))
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("line", "at", "then"),
    [
        ("*/15 8-18 * * mon-fri", "2026-11-20T18:50:00Z", "2026-11-23T08:00:00.000Z"),
        ("0 0 13 * fri", "2026-11-21T00:00:00Z", "2026-11-27T00:00:00.000Z"),
        ("0 0 29 feb *", "2097-01-01T00:00:00Z", "2104-02-29T00:00:00.000Z"),
        ("5/20 * * * *", "2026-11-21T00:00:59.5Z", "2026-11-21T00:05:00.000Z"),
        ("0 3 * * 7", "2026-11-21T00:00:00Z", "2026-11-22T03:00:00.000Z"),
        ("0 3 * JAN,Mar Sun", "2026-11-21T00:00:00Z", "2027-01-03T03:00:00.000Z"),
    ],
)
def test_lines_as_people_write_them(line: str, at: str, then: str) -> None:
    assert iso(cron(line).after(parse_iso(at))) == then


@pytest.mark.parametrize(
    "line",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 * ", "* * * * 8"),
        *("5-1 * * * *", "*/0 * * * *", "a * * * *", "* * jan * *", "* * * mon *", "-1 * * * *", "1,, * * * *"),
        *("@daily", "1" * 130, "*-5 * * * *", "\u0661 * * * *"),
    ],
)
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(BadInput):
        cron(line)


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(BadInput, match="No day"):
        cron("0 0 31 2 *").after(0)


@given(st.text(max_size=130))
def test_any_text_is_a_line_or_refused(text: str) -> None:
    try:
        assert cron(text).minutes
    except BadInput:
        return
