"""Search: the best passages of the visible world, with snippets; how many there are, facets and suggestions.

The short form (GET) gives the hits alone; the long one (POST) takes filters and gives all of it. A question may hold
operators in both: "phrases", -exclusions, field:word, filters. What cannot be read as one is a word, unless `strict`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.knowledge import (
    FACETS,
    Compare,
    Filter,
    Shown,
    Sought,
    Wanted,
    checked,
    parse,
    parse_strict,
    sought,
)
from casemate.policy import Action
from casemate.words import say

__all__ = ["ALL", "MOST", "SEARCH", "SearchRequest", "routes", "said"]

SEARCH = Action("search", "knowledge")
ALL = "all"
MOST = 100  # hits
FACETS_MOST = 16
BASES = 64
USUAL = 20


class SearchRequest(msgspec.Struct, frozen=True):
    """`bases`: names, or all. `facets`: base, mark, media, language, document, month, attr (each), attr.KEY.

    `filter` holds beside what the question says. `strict`: an operator that cannot be read is an error, not a word.
    """

    question: str = ""
    bases: tuple[str, ...] = (ALL,)
    k: int = USUAL
    filter: Filter | None = None
    facets: tuple[str, ...] = ()
    method: Literal["hybrid", "text", "dense"] = "hybrid"
    strict: bool = False


def routes(rooms: Rooms) -> list[Route]:
    """The short form and the long one."""
    search = _Search(rooms)
    return [
        Route("GET", "/api/search", "native", SEARCH, search.short, gives=list[Any], texts=_words, asks=True),
        Route(
            "POST",
            "/api/search",
            "native",
            SEARCH,
            search.long,
            takes=SearchRequest,
            gives=dict[str, Any],
            texts=said,
            asks=True,
        ),
    ]


def said(request: Any) -> Iterable[str]:
    """What a person wrote: the question, and the texts of filters but for those that name a mark."""
    yield request.question
    below: list[Filter] = [] if request.filter is None else [request.filter]
    while below:
        each = below.pop()
        if not isinstance(each, Compare):
            below.extend(each.of)
        elif each.key != "mark":
            values = each.value if isinstance(each.value, tuple) else (each.value,)
            yield from (value for value in values if isinstance(value, str))


def _words(query: dict[str, str]) -> Iterable[str]:
    return (query.get("q", ""),)


class _Search:
    """Search needs the library."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def short(self, call: Call) -> Reply:
        """The best passages of the visible world, with exact scores."""
        names = tuple(n for n in call.query.get("base", ALL).split(",") if n) or (ALL,)
        text = call.query.get("q", "")
        told = await sought(call.flow, self._rooms.library, parse(text), names[:BASES], Wanted(USUAL))
        return reply(call.flow, [_hit(call, shown) for shown in told.finding.hits] if text.strip() else [])

    async def long(self, call: Call) -> Reply:
        """Hits with snippets, how many there are, facets and suggestions."""
        request: SearchRequest = call.body
        _bounded(request)
        query = (parse_strict if request.strict else parse)(request.question)
        rule = None if request.filter is None else checked(request.filter)
        wanted = Wanted(request.k, rule, request.facets, request.method)
        told = await sought(call.flow, self._rooms.library, query, request.bases, wanted)
        return reply(call.flow, _told(call, told), hits=len(told.finding.hits))


def _bounded(request: SearchRequest) -> None:
    if not 1 <= request.k <= MOST:
        raise BadInput(what=f"From 1 to {MOST} passages can be asked for.")
    if not 1 <= len(request.bases) <= BASES:
        raise BadInput(what=f"A search names 1 to {BASES} knowledge bases.")
    if len(request.facets) > FACETS_MOST:
        raise BadInput(what=f"A search has at most {FACETS_MOST} facets.")
    for name in request.facets:
        if name not in FACETS and not name.startswith("attr."):
            raise BadInput(what=f"Facets are {', '.join(FACETS)} and attr.KEY.")


def _told(call: Call, told: Sought) -> dict[str, Any]:
    finding, language = told.finding, call.flow.session.language
    note = ""
    if told.unserved:
        asked = say(f"search.language.{told.language}", language)
        note = say("search.unserved", language, asked=asked, embedders=", ".join(told.unserved))
    return {
        "hits": [_hit(call, shown) for shown in finding.hits],
        "total": finding.total,
        "ranked": told.ranked,
        "facets": finding.facets,
        "suggestions": finding.suggestions,
        "language": told.language,
        "language_note": note,
        "passages": finding.statistics.count,
    }


def _hit(call: Call, shown: Shown) -> dict[str, Any]:
    hit, passage = shown.hit, shown.hit.passage
    return {
        "document": passage.document,
        "passage": passage.id,
        "title": passage.title,
        "heading": passage.heading,
        "page": passage.page,
        "text": passage.text,
        "snippet": shown.snippet,
        "base": hit.base,
        "at": hit.filed.at if hit.filed else 0,
        "media": hit.filed.media if hit.filed else "",
        "language": hit.filed.language if hit.filed else "",
        "attributes": hit.filed.attributes if hit.filed else {},
        "bm25": hit.bm25,
        "cosine": hit.cosine,
        "score": hit.fused,
        **marked(call.flow, hit.label),
    }
