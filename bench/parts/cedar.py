"""Dominance put to Cedar: each label as a set of words, and `principal.bears.containsAll(resource.bears)`.

As a program (`python bench/parts/cedar.py`, in an environment that has cedarpy) it reads {"bears", "pairs"} as JSON and
prints {"allowed", "seconds"}: policies and entities are parsed beforehand and are not in the time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casemate.labels import Label

CEDARPY = "4.12.2"
POLICY = "permit(principal, action, resource) when { principal.bears.containsAll(resource.bears) };"


def words(labels: Sequence[Label]) -> list[list[str]]:
    """Each label as what its reader must bear: levels by their steps, sets by what they leave out.

    What is left out is counted among the recipients that occur in any of these labels.
    """
    known: dict[tuple[str, str], set[str]] = {}
    for label in labels:
        for policy, element in label.elements:
            for category, tokens in element.permissive:
                known.setdefault((policy, category), set()).update(tokens)
    return [sorted(_borne(label, known)) for label in labels]


def _borne(label: Label, known: dict[tuple[str, str], set[str]]) -> Iterable[str]:
    yield from (f"agency {name}" for name in label.agencies)
    yield from (f"need {name}" for name in label.needs)
    for policy, element in label.elements:
        yield from (f"{policy} level {step}" for step in range(1, element.level + 1))
        yield from (f"{policy} {category} {token}" for category, token in element.restrictive)
        for category, tokens in element.permissive:
            yield f"{policy} {category} is restricted"
            yield from (f"{policy} {category} without {token}" for token in known[policy, category] - tokens)


def decide(bears: Sequence[Sequence[str]], pairs: Sequence[Sequence[int]], size: int = 200) -> tuple[list[bool], float]:
    """For each (what, reader) Cedar's decision, asked in batches of `size`, and the CPU seconds that they took."""
    import cedarpy

    policies = cedarpy.PolicySet.from_str(POLICY)
    known = cedarpy.Entities.from_json_str(json.dumps([_entity(at, said) for at, said in enumerate(bears)]))
    asked: list[dict[str, Any]] = [
        {"principal": f'L::"{reader}"', "action": 'Action::"read"', "resource": f'L::"{what}"'}
        for what, reader in pairs
    ]
    answers: list[Any] = []
    began = time.process_time()
    for start in range(0, len(asked), size):
        answers += cedarpy.is_authorized_batch(asked[start : start + size], policies, known)
    spent = time.process_time() - began
    wrong = next((answer.diagnostics.errors for answer in answers if answer.diagnostics.errors), None)
    if wrong:
        raise SystemExit(f"Cedar could not decide: {wrong}")
    return [answer.allowed for answer in answers], spent


def _entity(at: int, said: Sequence[str]) -> dict[str, Any]:
    return {"uid": {"type": "L", "id": str(at)}, "attrs": {"bears": list(said)}, "parents": []}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    allowed, seconds = decide(given["bears"], given["pairs"])
    print(json.dumps({"allowed": allowed, "seconds": seconds}))
