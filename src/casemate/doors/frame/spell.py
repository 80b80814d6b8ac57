"""Labels in a problem's facts, written for people: an entry keeps canonical text, a sentence shows the marking."""

from __future__ import annotations

from casemate.errors import CasemateError, MarkingError
from casemate.labels import Policies
from casemate.words import Problem, problem

__all__ = ["spelled"]

LABELS = ("acting", "asked", "ceiling", "clearance", "floor", "held")


def spelled(error: CasemateError, policies: Policies, language: str, label: str, entry: str) -> Problem:
    """The one telling of an error, with markings where its facts hold labels."""
    facts = {
        name: _banner(value, policies, language) if name in LABELS else value for name, value in error.facts.items()
    }
    return problem(type(error)(**facts), language, label, entry)


def _banner(value: str | int | float, policies: Policies, language: str) -> str | int | float:
    if not isinstance(value, str):
        return value
    try:
        return policies.banner(policies.parse(value), language)
    except MarkingError:
        return value
