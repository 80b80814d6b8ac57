"""How the exercise's tests read a mark: with the house's policies, in the policy that the file name tells."""

from __future__ import annotations

from casemate import exercise
from casemate.labels import Label, Policies

POLICIES = Policies.load(exercise.POLICIES)
PREFIXES = {"fr-": "fr", "nato-": "nato", "tlp-": "tlp", "house-": "house"}


def policy_of(document: exercise.Document) -> str:
    return next((policy for prefix, policy in PREFIXES.items() if document.name.startswith(prefix)), "us")


def portion(paragraph: str, policy: str) -> tuple[Label, str]:
    """The label of a paragraph and its text without the mark."""
    readings, rest = POLICIES.read_portion(paragraph)
    own = [reading for reading in readings if reading.policy == policy]
    assert len(own) == 1, f"not one reading in {policy}: {paragraph[:60]}"
    assert own[0].problem is None, own[0].problem
    assert rest
    return own[0].label, rest
