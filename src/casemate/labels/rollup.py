"""Roll-up: the label of a whole from its parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from casemate.labels.label import Label

__all__ = ["rollup"]


def rollup(labels: Iterable[Label], floor: Label) -> Label:
    """The join of `floor` and all `labels`: never below any portion, whatever its banner will look like."""
    return reduce(or_, labels, floor)
