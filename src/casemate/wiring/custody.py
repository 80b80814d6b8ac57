"""What custody is told of every kind that the region stores: each room says it of its own, and the rooms beside custody
have it said here."""

from __future__ import annotations

from casemate.assistants.traced import TRACED as OF_ASSISTANTS
from casemate.buckets.kinds import BUCKET, CHANGE, KEYS, MAP, OBJECT, PART, UPLOAD
from casemate.custody.below import TRACED as OF_WHAT_IS_BELOW
from casemate.custody.kinds import Kinds, Link, Traced, Untraced
from casemate.datasets.dataset import DATASET
from casemate.knowledge.traced import TRACED as OF_KNOWLEDGE
from casemate.models.traced import TRACED as OF_MODELS

__all__ = ["kinds"]


def kinds() -> Kinds:
    """All of them. A kind that stands nowhere here fails `tests/custody/test_kinds.py`."""
    return Kinds.of(*OF_WHAT_IS_BELOW, *OF_MODELS, *OF_KNOWLEDGE, *OF_ASSISTANTS, *BESIDE)


BESIDE: tuple[Traced | Untraced, ...] = (
    Traced(OBJECT, title=lambda one: f"{one.bucket}/{one.key}", fixed=True),
    Traced(UPLOAD, title=lambda one: f"{one.bucket}/{one.key}", fixed=True),
    Traced(PART, (Link(UPLOAD.name, "upload"),), fixed=True),
    Traced(DATASET, title=lambda one: one.title or one.name, fixed=True),
    Untraced(BUCKET, "a place, with its floor and ceiling"),
    Untraced(CHANGE, "a key that has come or gone, to be sorted in"),
    Untraced(MAP, "the order of keys"),
    Untraced(KEYS, "the order of keys"),
)
