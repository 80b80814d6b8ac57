"""The authority block of a classified document of the United States: who classified it, why, and until when.

It is no part of a mark and has no access effect. Two renderings: the words of ISM.XML version 10 (`block`), and those
of the manual of 2016, section E (`manual_block`). It must never supply what is missing: it says that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date as day

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.xml.ism import NAMESPACE

__all__ = ["Authority", "authority_of", "block", "manual_block", "missing"]

_ATTRIBUTES = {
    "classified_by": "classifiedBy",
    "derivatively_classified_by": "derivativelyClassifiedBy",
    "reason": "classificationReason",
    "derived_from": "derivedFrom",
    "exception": "declassException",
    "date": "declassDate",
    "event": "declassEvent",
}
# Exemptions that stand without a date or an event, and what is not dated at all because another law governs it.
_UNDATED = frozenset({"AEA", "NATO", "NATO-AEA", "50X1-HUM", "50X2-WMD"})
_ELSEWHERE = {"AEA": "RD/FRD/TFNI", "NATO": "NATO", "NATO-AEA": "RD/FRD/TFNI and NATO"}
_NO_AUTHORITY = (
    "(\xa0WARNING! This document does not contain required markings"
    " for either an originally or derivatively classified document.\xa0)"
)
_NO_END = "(\xa0WARNING! This document does not contain required declassification instructions or markings.\xa0)"
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True, slots=True)
class Authority:
    """Who classified, why, and until when; "" is not said. `date` is YYYY-MM-DD. MarkingError if it is no date."""

    classified_by: str = ""
    derivatively_classified_by: str = ""
    reason: str = ""
    derived_from: str = ""
    exception: str = ""
    date: str = ""
    event: str = ""

    def __post_init__(self) -> None:
        if self.date:
            _day(self.date)

    def attributes(self) -> dict[str, str]:
        """As attributes of ISM, without their namespace."""
        said = {attribute: getattr(self, name) for name, attribute in _ATTRIBUTES.items()}
        return {attribute: value for attribute, value in said.items() if value}


def authority_of(attributes: Mapping[str, str]) -> Authority | None:
    """The authority block that attributes of ISM say; None if they say none."""
    said = {name.removeprefix(f"{{{NAMESPACE}}}"): " ".join(value.split()) for name, value in attributes.items()}
    found = {field.name: said.get(_ATTRIBUTES[field.name], "") for field in fields(Authority)}
    return Authority(**found) if any(found.values()) else None


def missing(authority: Authority | None, *, classified: bool) -> tuple[str, ...]:
    """What the block of a classified document lacks or contradicts, as slugs."""
    if not classified:
        return ("authority-unclassified",) if authority else ()
    said = authority or Authority()
    end = said.date or said.event
    found = {
        "authority-none": not said.classified_by and not said.derived_from,
        "authority-both": bool(said.classified_by and said.derived_from),
        "authority-reason": bool(said.classified_by) and not said.reason,
        "authority-end": not end and not said.exception,
        "authority-date": bool(said.exception) and said.exception not in _UNDATED and not end,
    }
    return tuple(slug for slug, lacks in found.items() if lacks)


def block(authority: Authority | None, *, classified: bool) -> tuple[str, ...]:
    """The lines that ISM.XML version 10 writes; () where nothing is to be said."""
    if authority is None and not classified:
        return ()
    said = authority or Authority()
    lacks = missing(authority, classified=classified)
    lines = [
        _NO_AUTHORITY if "authority-none" in lacks else "",
        _line("Classified by", said.classified_by or said.derivatively_classified_by),
        _line("Derived from", said.derived_from),
        _line("Reason", said.reason),
        _NO_END if "authority-end" in lacks else _line("Declassify on", _until(said)),
    ]
    return tuple(line for line in lines if line)


def manual_block(authority: Authority) -> tuple[str, ...]:
    """The lines of the manual of 2016: E.1 for an original decision, E.2 for a derivative one; dates as YYYYMMDD."""
    elsewhere = _ELSEWHERE.get(authority.exception)
    end = [authority.exception, authority.date.replace("-", ""), authority.event]
    until = (
        f"N/A to {elsewhere} portions. See source list for NSI portions." if elsewhere else ", ".join(filter(None, end))
    )
    lines = [
        _line("Classified By", authority.classified_by or authority.derivatively_classified_by),
        _line("Derived From", authority.derived_from),
        _line("Classification Reason", "" if authority.derived_from else authority.reason),
        _line("Declassify On", until),
    ]
    return tuple(line for line in lines if line)


def _line(title: str, said: str) -> str:
    return f"{title}: {said}" if said else ""


def _until(authority: Authority) -> str:
    elsewhere = _ELSEWHERE.get(authority.exception)
    first = (
        f"Not Applicable to {elsewhere} portions. See source list for NSI portions."
        if elsewhere
        else authority.exception
    )
    end = " or ".join(filter(None, (_spelled(authority.date) if authority.date else "", authority.event)))
    return ", ".join(filter(None, (first, end)))


def _spelled(date: str) -> str:
    found = _day(date)
    return f"{_MONTHS[found.month - 1]} {found.day}, {found.year}"


def _day(date: str) -> day:
    try:
        found = day.fromisoformat(date)
    except ValueError:
        raise MarkingError(marking=shown(date), why="not a date: YYYY-MM-DD") from None
    if found.isoformat() != date:
        raise MarkingError(marking=shown(date), why="not a date: YYYY-MM-DD")
    return found
