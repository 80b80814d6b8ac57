"""Citations: which passage stands behind which number, under which mark. Numbered within a rung, from 1."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from casemate.knowledge import Hit
from casemate.labels import Policies

__all__ = ["Citation", "cite", "permalink", "used"]

_NUMBER = re.compile(r"\[(\d{1,3})\]")


class Citation(msgspec.Struct, frozen=True):
    """A source as it is shown. `title` is made of what the passage's label may know and may be empty."""

    number: int
    title: str
    document: str
    passage: str
    mark: str
    permalink: str
    quote: str
    page: int = 0


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
        permalink=permalink(passage.document, passage.id),
        quote=quote or passage.text,
        page=passage.page,
    )


def used(text: str, citations: Sequence[Citation]) -> tuple[Citation, ...]:
    """Those whose number stands in a text that an engine wrote, in the order of their numbers."""
    named = {int(match.group(1)) for match in _NUMBER.finditer(text)}
    return tuple(citation for citation in citations if citation.number in named)
