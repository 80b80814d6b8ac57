"""What custody is told of every kind that the region stores: each room says it of its own, and the rooms beside custody
have it said here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from casemate.access import Flow
from casemate.assistants.traced import TRACED as OF_ASSISTANTS
from casemate.buckets.kinds import (
    BUCKET,
    CHANGE,
    KEYS,
    MAP,
    OBJECT,
    PART,
    UPLOAD,
    ChangeRecord,
    ObjectRecord,
    Piece,
    place,
)
from casemate.custody.below import TRACED as OF_WHAT_IS_BELOW
from casemate.custody.kinds import Kinds, Link, Onto, Traced, Untraced
from casemate.datasets.dataset import DATASET
from casemate.ids import fresh
from casemate.knowledge.traced import TRACED as OF_KNOWLEDGE
from casemate.labels import AccessClass
from casemate.models.traced import TRACED as OF_MODELS
from casemate.objects import Change, Found, Put

__all__ = ["kinds"]


def kinds() -> Kinds:
    """All of them. A kind that stands nowhere here fails `tests/custody/test_kinds.py`."""
    return Kinds.of(*OF_WHAT_IS_BELOW, *OF_MODELS, *OF_KNOWLEDGE, *OF_ASSISTANTS, *BESIDE)


async def _raised(flow: Flow, onto: Onto, found: Found[ObjectRecord]) -> list[Put]:
    """The object under its own key; where another lies there already, under one that tells where it came from."""
    value, key = found.value, found.value.key
    if any(each.ref.class_id == onto.access.id for each in await flow.read_each(OBJECT, found.id)):
        short = key.encode()[:960].decode(errors="ignore")
        key = f"{short}~{fresh('obj', flow.gate.vault.entropy, f'raise/{onto.access.id}/{found.id}')}"
    pieces = [
        Piece(await onto.pour(await flow.blob(found.ref.class_id, each.blob)), each.size) for each in value.pieces
    ]
    change = Put(CHANGE, place(value.bucket, key), ChangeRecord(value.bucket, key, there=True))
    raised = replace(value, key=key, pieces=tuple(pieces))
    return [Put(OBJECT, place(value.bucket, key), raised, expect=0), change]


async def _out_of_order(flow: Flow, access: AccessClass, going: Sequence[Found[Any]]) -> tuple[list[Change], list[str]]:
    """The keys of these objects leave the order of their buckets."""
    del flow, access
    keys = [(one.value.bucket, one.value.key) for one in going if one.ref.kind == OBJECT.name]
    return [Put(CHANGE, place(*each), ChangeRecord(*each, there=False)) for each in keys], []


BESIDE: tuple[Traced | Untraced, ...] = (
    Traced(OBJECT, title=lambda one: f"{one.bucket}/{one.key}", raised=_raised, take_out=_out_of_order),
    Traced(UPLOAD, title=lambda one: f"{one.bucket}/{one.key}", fixed=True),
    Traced(PART, (Link(UPLOAD.name, "upload"),), fixed=True),
    Traced(DATASET, title=lambda one: one.title or one.name, fixed=True),
    Untraced(BUCKET, "a place, with its floor and ceiling"),
    Untraced(CHANGE, "a key that has come or gone, to be sorted in"),
    Untraced(MAP, "the order of keys"),
    Untraced(KEYS, "the order of keys"),
)
