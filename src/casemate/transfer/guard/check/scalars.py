"""Numbers, dates and single values in the one form that they have, by expressions written here."""

from __future__ import annotations

import re
from typing import Final

from casemate.transfer.guard.schema import Number, Whole
from casemate.transfer.guard.verdict import held

__all__ = ["date", "number", "whole"]

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,24}")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{0,80}[1-9])?")
_DATE: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def whole(said: str, of: Whole) -> str:
    """A whole number within bounds. Raises Refused."""
    if not _WHOLE.fullmatch(said) or not of.least <= int(said) <= of.most:
        raise held("guard-schema", "integer")
    return said


def number(said: str, of: Number) -> str:
    """A decimal number of so many digits. Raises Refused."""
    digits = said.lstrip("-").replace(".", "").lstrip("0")
    if "." not in said:
        digits = digits.rstrip("0")
    if not _NUMBER.fullmatch(said) or said == "-0" or len(digits) > of.digits:
        raise held("guard-schema", "number")
    return said


def date(said: str) -> str:
    """A day that there is, in the calendar of ISO 8601. Raises Refused."""
    found = _DATE.fullmatch(said)
    if found is None:
        raise held("guard-schema", "date")
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    short = month == 2 and day == 29 and (year % 4 != 0 or (year % 100 == 0 and year % 400 != 0))
    if year == 0 or day > _DAYS[month - 1] or short:
        raise held("guard-schema", "date")
    return said
