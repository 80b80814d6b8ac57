"""Cron lines: five fields in UTC, as crontab(5) of Vixie's cron reads them, and when one is met next.

    minute 0-59   hour 0-23   day of month 1-31   month 1-12, jan-dec   day of week 0-7, sun-sat (0 and 7 are Sunday)

A field is `*`, a number, a range `a-b`, either with a step `/n`, or a list of them. Where neither day begins with `*`,
one of the two suffices. Pure: no zone, no summer time, no seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from casemate.clock import SECOND
from casemate.errors import BadInput

__all__ = ["Cron", "cron"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_PART = re.compile(r"(?:\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?")
LONGEST = 120
_HORIZON = 366 * 8 + 2
"""Days: 29 February comes again after eight years where a century is no leap year."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The values of each field. `either`: one of the two days suffices."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def after(self, at: int) -> int:
        """The first moment that is met after `at`, both in microseconds. Raises BadInput where there is none."""
        begun = datetime.fromtimestamp(at // SECOND, UTC).replace(second=0) + timedelta(minutes=1)
        day = begun.replace(hour=0, minute=0)
        for _ in range(_HORIZON):
            if self._on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = day.replace(hour=hour, minute=minute)
                        if found >= begun:
                            return int(found.timestamp()) * SECOND
            day += timedelta(days=1)
        raise BadInput(what="No day ever meets this cron line.")

    def _on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_month or by_week if self.either else by_month and by_week


def cron(text: str) -> Cron:
    """What `*/15 8-18 * * mon-fri` says. Raises BadInput, naming the field."""
    fields = text.lower().split() if len(text) <= LONGEST else []
    if len(fields) != len(_FIELDS):
        raise BadInput(what=f"A cron line has five fields, and at most {LONGEST} characters.")
    minutes, hours, days, months, weekdays = (
        _values(field, *told) for field, told in zip(fields, _FIELDS, strict=True)
    )
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    week = frozenset(day % 7 for day in weekdays)
    return Cron(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, week, either)


def _values(field: str, name: str, low: int, high: int) -> frozenset[int]:
    """The values of a field. Raises BadInput."""
    wrong = BadInput(what=f"In a cron line, {name} is {low} to {high}: *, a-b, a list of these, with /step.")
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise wrong
        step = int(match[3]) if match[3] else 1
        first = _number(match[1], name) if match[1] else low
        last = _number(match[2], name) if match[2] else first if match[1] and not match[3] else high
        if match[1] is None and name == "day of week":
            last = 6
        if not (low <= first <= last <= high) or not step >= 1:
            raise wrong
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str) -> int:
    """A number, or the number of a name; -1 for what is neither."""
    if text.isdigit():
        return int(text)
    if name == "month" and text in _MONTHS:
        return _MONTHS.index(text) + 1
    return _DAYS.index(text) if name == "day of week" and text in _DAYS else -1
