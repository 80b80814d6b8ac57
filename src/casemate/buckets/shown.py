"""From rows to what is seen: of several objects of a key, the highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casemate.buckets.kinds import ObjectRecord
from casemate.buckets.seen import Seen
from casemate.errors import Ambiguous
from casemate.labels import Label
from casemate.objects import Found

__all__ = ["highest", "listed", "only", "shown"]


def shown(found: Found[ObjectRecord]) -> Seen:
    """An object as it is told."""
    value = found.value
    said = value.said
    return Seen(
        bucket=value.bucket,
        key=value.key,
        label=found.label,
        etag=value.etag,
        size=value.size,
        media=said.media,
        headers=dict(said.headers),
        metadata=dict(said.metadata),
        tags=dict(said.tags),
        at=value.at,
        parts=value.parts,
        version=found.version,
        class_id=found.ref.class_id,
        pieces=tuple((piece.blob, piece.size) for piece in value.pieces),
        lengths=value.lengths,
        origins=tuple((each.id, each.class_id) for each in value.origins),
    )


def highest(found: Sequence[Found[ObjectRecord]]) -> list[Found[ObjectRecord]]:
    """Those above which none is, by the text of their labels: usually one."""
    top = [f for f in found if not any(f.label <= o.label and f.label is not o.label for o in found)]
    return sorted(top, key=_text)


def only(found: Sequence[Found[ObjectRecord]]) -> Found[ObjectRecord] | None:
    """The highest, or None where there is nothing. Raises Ambiguous, with the labels, where there are several."""
    top = highest(found)
    if len(top) > 1:
        labels = "; ".join(each.label.text for each in top)
        raise Ambiguous(key=top[0].value.key, labels=labels)
    return top[0] if top else None


def listed(found: Sequence[Found[ObjectRecord]]) -> Seen | None:
    """How a listing tells a key: of several that are highest the first, with the labels of the others."""
    top = highest(found)
    others: tuple[Label, ...] = tuple(each.label for each in top[1:])
    return replace(shown(top[0]), others=others) if top else None


def _text(found: Found[ObjectRecord]) -> tuple[str, str]:
    return found.label.text, found.ref.class_id
