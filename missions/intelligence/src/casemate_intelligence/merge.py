"""Which entities are one: judgements first, then names that are alike, never against a judgement. Pure.

It is given what one view may see, and nothing else: so a merge that stands on a hidden record is not made below it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from casemate_intelligence.kin import Kin
from casemate_intelligence.record import Judgement

__all__ = ["Alike", "Candidate", "Join", "Known", "Merged", "folded", "merged", "same_name"]

Alike = Callable[[str, str], float]
MOST_IN_BLOCK = 200
"""A word that more names than this share says nothing about any two of them."""
_TITLES = frozenset(
    "mr mrs ms miss dr prof herr frau sir dame lord lady monsieur madame mme m gmbh ag kg co mbh ltd limited inc corp "
    "corporation company plc llc sa sarl se bv nv spa srl ev the and und et de der von".split()
)


@dataclass(frozen=True, slots=True)
class Known:
    """What of an entity decides: its names, and values of which two that are the same thing have not two (`only`)."""

    schema: str
    names: tuple[str, ...]
    only: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two entities whose names are alike, for a person to judge. `score`: 0 to 1."""

    left: str
    right: str
    score: float


@dataclass(frozen=True, slots=True)
class Join:
    """Why two came together: `by` is "judgement", with it, or "names", or "rows" (a table's linker)."""

    left: str
    right: str
    score: float
    by: str
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """`of`: entity -> the one that it is part of, named by the first of its members. `candidates`: best first."""

    of: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    joins: tuple[Join, ...] = ()


def folded(name: str) -> str:
    """A name without accents, case, titles and forms of company, its words in the order of the alphabet."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    words = re.findall(r"\w+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    return " ".join(sorted(word for word in words if word not in _TITLES) or sorted(words))


def same_name(left: str, right: str) -> float:
    """1 where both are the same once folded, else 0: what is used where no better measure is given."""
    return float(folded(left) == folded(right) != "")


def merged(
    known: Mapping[str, Known],
    judgements: Iterable[Judgement],
    kin: Kin,
    *,
    alike: Alike = same_name,
    merge_at: float = 0.98,
    suggest_at: float = 0.85,
    more: Iterable[Candidate] = (),
) -> Merged:
    """What is one, and what is asked. `more`: pairs that something else scored (a table's linker).

    A pair that a person parted is never joined, not by way of a third either; between two persons, parted wins.
    """
    told = [one for one in judgements if one.left in known and one.right in known and one.left != one.right]
    apart = {frozenset((one.left, one.right)) for one in told if not one.same}
    groups = _Groups(sorted(known), apart)
    joins = list[Join]()
    for one in sorted(told, key=lambda each: (min(each.left, each.right), max(each.left, each.right), each.id)):
        # a second judgement of the same says nothing new: what stands is that of the lowest id
        if one.same and groups.head(one.left) != groups.head(one.right) and groups.join(one.left, one.right):
            joins.append(Join(one.left, one.right, 1.0, "judgement", one))
    candidates = dict[tuple[str, str], Candidate]()
    pairs = [(*each, "names") for each in _scored(known, kin, alike, suggest_at)]
    pairs += [(*each, "rows") for each in _checked(known, kin, more, suggest_at)]
    for score, left, right, by in sorted(set(pairs), key=lambda each: (-each[0], *each[1:])):
        if groups.head(left) == groups.head(right):
            continue
        if score >= merge_at and groups.join(left, right):
            joins.append(Join(left, right, score, by))
        elif frozenset((left, right)) not in apart:
            candidates.setdefault((left, right), Candidate(left, right, score))
    kept = tuple(one for one in candidates.values() if groups.head(one.left) != groups.head(one.right))
    return Merged({each: groups.head(each) for each in known}, kept, tuple(joins))


class _Groups:
    """Sets of entities that are one; two that were parted never come into one set."""

    def __init__(self, ids: Sequence[str], apart: set[frozenset[str]]) -> None:
        self._head = {each: each for each in ids}
        self._members = {each: [each] for each in ids}
        self._apart = apart

    def head(self, each: str) -> str:
        return self._head[each]

    def join(self, left: str, right: str) -> bool:
        """Whether they came together now; the set is named by its first member."""
        one, other = sorted((self._head[left], self._head[right]))
        if any(frozenset((a, b)) in self._apart for a in self._members[one] for b in self._members[other]):
            return False
        self._members[one] += self._members.pop(other)
        for each in self._members[one]:
            self._head[each] = one
        return True


def _scored(known: Mapping[str, Known], kin: Kin, alike: Alike, least: float) -> list[tuple[float, str, str]]:
    """Pairs that share a word of a name, and nothing that speaks against it."""
    blocks = dict[str, list[str]]()
    for each in sorted(known):
        for word in sorted({word for name in known[each].names for word in folded(name).split()}):
            blocks.setdefault(word, []).append(each)
    pairs = {
        (left, right)
        for block in blocks.values()
        if len(block) <= MOST_IN_BLOCK
        for at, left in enumerate(block)
        for right in block[at + 1 :]
    }
    scored = []
    for left, right in sorted(pairs):
        one, other = known[left], known[right]
        if kin.may_be_one(one.schema, other.schema) and not _differ(one, other):
            score = round(max(alike(a, b) for a in one.names for b in other.names), 6)
            if score >= least:
                scored.append((score, left, right))
    return scored


def _checked(
    known: Mapping[str, Known], kin: Kin, more: Iterable[Candidate], least: float
) -> list[tuple[float, str, str]]:
    """A linker weighs what differs by itself; but it joins no two things that are of different kinds."""
    return [
        (one.score, min(one.left, one.right), max(one.left, one.right))
        for one in more
        if one.score >= least and kin.may_be_one(known[one.left].schema, known[one.right].schema)
    ]


def _differ(one: Known, other: Known) -> bool:
    """Two dates of birth, two numbers of registration: two things."""
    return any(one.only[name].isdisjoint(other.only[name]) for name in one.only.keys() & other.only.keys())
