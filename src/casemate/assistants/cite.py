"""Citations: which passage stands behind which number, under which mark. Numbered within a rung, from 1."""

from __future__ import annotations

import re
from collections.abc import Sequence

from casemate.knowledge import Hit
from casemate.labels import Policies
from casemate.models import Citation

__all__ = ["cite", "permalink", "used"]

_NUMBER = re.compile(r"\[(\d{1,3})\]")


def permalink(document: str, passage: str) -> str:
    """Where a passage opens, relative to the region's address."""
    return f"/documents/{document}#{passage}"


def cite(number: int, hit: Hit, policies: Policies, quote: str = "") -> Citation:
    """The citation of a hit; the quote is the whole passage unless a part of it is given."""
    passage = hit.passage
    return Citation(
        number=number,
        title=passage.title,
        document=passage.document,
        passage=passage.id,
        mark=policies.portion(hit.label),
        label=hit.label.text,
        link=permalink(passage.document, passage.id),
        quote=quote or passage.text,
        page=passage.page,
    )


def used(text: str, citations: Sequence[Citation]) -> tuple[Citation, ...]:
    """Those whose number stands in a text that an engine wrote, in the order of their numbers."""
    named = {int(match.group(1)) for match in _NUMBER.finditer(text)}
    return tuple(citation for citation in citations if citation.number in named)
