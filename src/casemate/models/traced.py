"""What custody is told of this room: files, batches and what they give back, models, what was brought into a base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.access import Flow
from casemate.custody.kinds import Link, Traced, Untraced, always
from casemate.models.batch import BATCH, SLICE
from casemate.models.files import FILE, OUTPUT
from casemate.models.guardrail import GUARDRAIL, GUARDRAIL_VERSION
from casemate.models.record import MODEL
from casemate.models.shelf_batch import FILE_BATCH
from casemate.objects import Found

__all__ = ["TRACED"]


async def _own(flow: Flow, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    """A file, or a batch, is its owner's alone."""
    return [one for one in found if one.value.owner == flow.session.principal.id]


async def _none(flow: Flow, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    """A part of a batch is told to nobody."""
    del flow, found
    return []


TRACED: tuple[Traced | Untraced, ...] = (
    Traced(
        FILE,
        title=lambda file: file.name,
        shown=_own,
        made=lambda file: file.purpose == OUTPUT,
    ),
    Traced(BATCH, (Link(FILE.name),), title=lambda batch: batch.endpoint, shown=_own, touched=True),
    Traced(SLICE, (Link(BATCH.name, "batch"),), shown=_none, made=always),
    Traced(FILE_BATCH, (Link(FILE.name),), shown=_own, fixed=True),
    Traced(MODEL, title=lambda model: model.name, fixed=True),
    Untraced(GUARDRAIL, "people write its rules; nothing of an object comes into them"),
    Untraced(GUARDRAIL_VERSION, "a guardrail as it once stood"),
)
