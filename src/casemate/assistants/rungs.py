"""Rungs: at which labels an answer is written, in which order, and from which hits.

A rung is the answer to the same question and floor at a lower acting label. It is made from those passages, among the
top k of a search *at that label*, whose label joined with the floor is that label: so it depends on nothing above.
Pure; the caller searches. What must never happen here: a rung chosen, cut or numbered by anything that its own label
does not dominate, except the choice of which rungs an answer at A holds, which is A's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from casemate.knowledge import Hit
from casemate.labels import Element, Label

__all__ = ["CAP", "candidates", "keep", "order", "select", "visiting"]

CAP = 12
_OPEN = 1 << 20  # a releasable set is as restrictive as this many tokens, less one for each country in it


def candidates(floor: Label, acting: Label, visible: Iterable[Label]) -> tuple[Label, ...]:
    """The labels of the rungs that an answer at `acting` may have, lowest first.

    `visible` are labels at which something lies; those that do not flow to `acting` are none of this answer's business.
    """
    return order({label | floor for label in visible if label <= acting})


def order(labels: Iterable[Label]) -> tuple[Label, ...]:
    """One fixed linear extension of the order: by height, and among equals by canonical text.

    The height of a label is its own, so the place of two rungs never depends on which others there are.
    """
    return tuple(sorted(set(labels), key=lambda label: (_height(label), label.text)))


def select(hits: Iterable[Hit], floor: Label, rung: Label) -> tuple[Hit, ...]:
    """Of the hits of a search at `rung`, those that its paragraph is made from, best first."""
    return tuple(hit for hit in hits if (hit.label | floor) is rung)


def visiting(labels: Sequence[Label], acting: Label, hits: Iterable[Hit], floor: Label) -> tuple[Label, ...]:
    """The candidates in the order in which rank at `acting` prefers them: its own first, then by best hit there.

    Whoever writes the rungs in this order and stops at `CAP` that are not empty has those that `keep` would keep.
    """
    best: dict[Label, int] = {}
    for place, hit in enumerate(hits):
        best.setdefault(hit.label | floor, place)
    places = {label: at for at, label in enumerate(order(labels))}
    return tuple(sorted(set(labels), key=lambda label: (label is not acting, best.get(label, _OPEN), places[label])))


def keep(filled: Iterable[Label], preferred: Sequence[Label], cap: int = CAP) -> tuple[Label, ...]:
    """Of the rungs that are not empty, at most `cap` by preference, lowest first."""
    chosen = frozenset(filled)
    return order([label for label in preferred if label in chosen][:cap])


def _height(label: Label) -> int:
    """Strictly greater for whatever is strictly above."""
    return len(label.agencies) + len(label.needs) + sum(_weight(element) for _, element in label.elements)


def _weight(element: Element) -> int:
    narrowed = sum(_OPEN - len(tokens) for _, tokens in element.permissive)
    return element.level + len(element.restrictive) + narrowed
