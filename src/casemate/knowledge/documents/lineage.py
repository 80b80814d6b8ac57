"""Where a document comes from and what was made of it, as far as the acting label sees.

Every line of it is a record that is visible by itself; what is hidden leaves no gap and no count.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.knowledge.documents.document import DOCUMENT, SEGMENT, Document, Part, opened
from casemate.knowledge.documents.gone import Gone, gone
from casemate.labels import Label
from casemate.objects import Found, Where

__all__ = ["Lineage", "Made", "Piece", "lineage", "source"]


class Piece(msgspec.Struct, frozen=True):
    """What of the document lies at a label: its passages, and in how many segments of its base they may lie."""

    label: str
    passages: int
    language: str
    segments: int


class Made(msgspec.Struct, frozen=True):
    """Something that names the document as what it was made from."""

    kind: str
    id: str
    label: str


class Lineage(msgspec.Struct, frozen=True):
    """`origin`: where it came from, where a program brought it. `source`: whether its file can be had here."""

    id: str
    base: str
    name: str
    by: str
    at: int
    origin: str
    media: str
    source: bool
    replaces: str
    replaced_by: tuple[str, ...]
    pieces: tuple[Piece, ...]
    made: tuple[Made, ...]


async def lineage(flow: Flow, id: str) -> Lineage:
    """What is visible of a document's origin and of what was made from it. Raises Absent."""
    whole, parts = await opened(flow, id)
    removed = await gone(flow)
    successors = await flow.every(DOCUMENT, Where((("replaces", id),)))
    base = whole.value.base if whole else parts[0].value.base
    labels: dict[str, int] = {}
    for segment in await flow.every(SEGMENT, Where((("base", base),))):
        labels[segment.ref.class_id] = labels.get(segment.ref.class_id, 0) + 1
    first = parts[0].value if parts else None
    return Lineage(
        id=id,
        base=base,
        name=whole.value.name if whole else "",
        by=whole.value.added_by if whole else first.by if first else "",
        at=whole.value.at if whole else first.at if first else 0,
        origin=whole.value.origin if whole else first.origin if first else "",
        media=whole.value.media if whole else first.media if first else "",
        source=bool(whole and _had(flow, whole)),
        replaces=whole.value.replaces if whole else "",
        replaced_by=tuple(sorted(each.id for each in successors if not _ruled(each, removed))),
        pieces=tuple(_piece(part, labels) for part in parts),
        made=await _made(flow, whole, parts),
    )


async def source(flow: Flow, id: str) -> tuple[Found[Document], bytes]:
    """The file itself, which lies at the label of the whole. Raises Absent, also where no file of its own was kept."""
    whole, _ = await opened(flow, id)
    if whole is None or not _had(flow, whole):
        return await flow.absent(DOCUMENT, id)
    return whole, await flow.blob(whole.ref.class_id, whole.value.source)


def _had(flow: Flow, whole: Found[Document]) -> bool:
    """Whether its file can be had here: of what was put aside nobody knows how high it lies, so only by its bringer."""
    mine = whole.value.added_by == flow.session.principal.name
    return bool(whole.value.source) and (whole.value.state == "ready" or mine)


async def _made(flow: Flow, whole: Found[Document] | None, parts: list[Found[Part]]) -> tuple[Made, ...]:
    made: dict[tuple[str, str, str], Made] = {}
    pieces: list[Found[Any]] = [*([whole] if whole else []), *parts]
    for piece in pieces:
        for ref in await flow.children(piece.ref):
            label: Label = flow.gate.classes.by_id(ref.class_id).label
            made[ref.kind, ref.id, ref.class_id] = Made(ref.kind, ref.id, label.text)
    return tuple(made[key] for key in sorted(made))


def _piece(part: Found[Part], segments: dict[str, int]) -> Piece:
    count = segments.get(part.ref.class_id, 0)
    return Piece(part.label.text, len(part.value.passages), part.value.language, count)


def _ruled(found: Found[Document], removed: Gone) -> bool:
    return removed.rules(found.id, found.label, found.value.added_by)
