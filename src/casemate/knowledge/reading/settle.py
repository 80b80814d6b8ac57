"""Which policy a document speaks: the same mark may be read in several.

If one policy alone reads every mark, it is that one. Otherwise, if the policies that some mark needs read all marks
between them, it is those. Otherwise every mark means the join of all its readings: higher, never lower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from casemate.knowledge.reading.marks import Piece
from casemate.labels import Label, Reading

__all__ = ["Settled", "Unsettled", "settle"]

_UNLISTED = "unlisted:"


@dataclass(frozen=True, slots=True)
class Settled:
    """The policies that are read; of a mark that none of them reads, every reading counts."""

    policies: frozenset[str]

    def label(self, piece: Piece) -> Label:
        """What a mark says: the join of its readings in the chosen policies."""
        good = _good(piece)
        chosen = [reading for reading in good if reading.policy in self.policies] or good
        return reduce(or_, (reading.label for reading in chosen))


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A mark that nobody can read rightly. `label`: the join of all that could be read, if anything could."""

    reason: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    label: Label | None = None


def settle(marked: Sequence[Piece]) -> Settled | Unsettled:
    """Decide for all marks of a document at once. There is at least one."""
    for piece in marked:
        if not _good(piece):
            return _unsettled(piece, marked)
    readers = [frozenset(reading.policy for reading in _good(piece)) for piece in marked]
    common = frozenset.intersection(*readers)
    if common:
        return Settled(common)
    needed = frozenset(policy for names in readers if len(names) == 1 for policy in names)
    if all(names & needed for names in readers):
        return Settled(needed)
    return Settled(frozenset().union(*readers))


def _good(piece: Piece) -> list[Reading]:
    return [reading for reading in piece.readings if not reading.problem]


def _unsettled(piece: Piece, marked: Sequence[Piece]) -> Unsettled:
    problem = next(str(reading.problem) for reading in piece.readings)
    known = [
        reading.label
        for each in marked
        for reading in each.readings
        if not str(reading.problem or "").startswith(_UNLISTED)
    ]
    label = reduce(or_, known) if known else None
    facts: dict[str, str | int] = {"marking": piece.mark, "page": piece.page}
    if problem.startswith(_UNLISTED):
        policy = problem.removeprefix(_UNLISTED)
        facts |= {"policy": policy, "command": f"casemate config policies add {policy}"}
        return Unsettled("unlisted-policy", facts, label)
    return Unsettled("unknown-marking", facts | {"why": problem}, label)
