"""Many things that bear few labels: each label is decided once, and the things are looked up.

    import numpy as np
    table = np.frombuffer(dominated(labels, reader), dtype=np.bool_)    # 2,000 labels: 2,000 decisions
    rows = vectors.take(np.flatnonzero(table.take(numbers)), axis=0)    # a million rows, each the number of a label

It must keep no decision: the next question decides again.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.labels.label import Label

__all__ = ["dominated"]


def dominated(labels: Iterable[Label], reader: Label) -> bytes:
    """A byte for each label in its order: 1 where what bears it may flow to `reader`, else 0."""
    borne = [label._bears for label in labels]
    lacks = reader._lacks  # after the others: a room may be growing (`label._spread`)
    return bytes([not bears & lacks for bears in borne])
