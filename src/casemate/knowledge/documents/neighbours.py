"""Which documents say nearly the same as one: among the parts of the same access class, and of no other.

So what is shown beside a part is a function of its own class, as far as it is not gone there.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.access import Flow
from casemate.knowledge.documents import near
from casemate.knowledge.documents.document import PART, Part
from casemate.knowledge.documents.gone import Gone
from casemate.objects import Found, Where

__all__ = ["MOST", "neighbours"]

MOST = 32  # candidates of a part that are compared with it, in the order in which they came


async def neighbours(flow: Flow, parts: Iterable[Found[Part]], removed: Gone) -> list[str]:
    """The ids of documents one of whose parts is nearly one of these, by id. `removed`: all removals of the flow."""
    found: set[str] = set()
    for part in parts:
        words = near.runs(_text(part.value))
        for other in await _candidates(flow, part, removed):
            if other.id not in found and near.alike(words, near.runs(_text(other.value))) >= near.LEAST:
                found.add(other.id)
    return sorted(found)


async def _candidates(flow: Flow, part: Found[Part], removed: Gone) -> list[Found[Part]]:
    """Parts of the same class that share a band with it."""
    shared: dict[str, Found[Part]] = {}
    for at, band in enumerate(near.bands(part.value.sketch)):
        for other in await flow.every(PART, Where(((f"near{at}", band),))) if band else ():
            mine = other.ref.class_id == part.ref.class_id and other.id != part.id
            if mine and not removed.rules(other.id, other.label, other.value.by):
                shared.setdefault(other.id, other)
    return list(shared.values())[:MOST]


def _text(part: Part) -> str:
    return "\n".join(passage.text for passage in part.passages)
