"""POST /v1/vector_stores/{id}/search, and what it has in common with the tool `file_search`: filters and ranking.

Nothing is rewritten and nothing is ranked again behind the caller's back: what would be asked for that is refused.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.openai.asked import refuse
from casemate.doors.openai.brought import Body, given, looked_at, read
from casemate.doors.openai.vector_store_files import described
from casemate.doors.openai.vector_stores import expired
from casemate.errors import BadInput
from casemate.models import within
from casemate.models.filter import comparisons
from casemate.models.shelf import Attribute, Compare, Every, Filter, HitSeen, Search, Shelf, Some
from casemate.policy import Action
from casemate.words import say

__all__ = ["MOST", "Ranking", "filter_of", "found", "least_of", "ready", "routes"]

USUAL, MOST = 10, 50
QUERIES, CHARACTERS = 16, 20_000
_DEPTH, _COMPARED, _VALUES, _KEY = 8, 64, 256, 64
_RANKERS = (None, "none", "auto", "default-2024-11-15")
_JOINS: dict[str, type[Every | Some]] = {"and": Every, "or": Some}
_ORDERED = ("gt", "gte", "lt", "lte")
_LISTS = ("in", "nin")
_OPERATORS = ("eq", "ne", *_ORDERED, *_LISTS)
Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]


class Ranking(msgspec.Struct, forbid_unknown_fields=True):
    """How results are ranked: in one way, whatever is named."""

    ranker: str | None = None
    score_threshold: float | None = None
    hybrid_search: Any = None


class Asked(msgspec.Struct, kw_only=True):
    """A search."""

    query: str | list[str]
    filters: dict[str, Any] | None = None
    max_num_results: int | None = None
    ranking_options: Ranking | None = None
    rewrite_query: bool | None = None


def routes(plane: str, shelf: Shelf) -> list[Route]:
    """The one operation. What is asked is recorded before it is looked for, as every question is."""
    search = Action("search", "knowledge")

    async def handle(call: Call) -> Reply:
        return await _search(shelf, call)

    path = "/v1/vector_stores/{id}/search"
    return [Route("POST", path, plane, search, handle, takes=Body, texts=looked_at, asks=True)]


async def _search(shelf: Shelf, call: Call) -> Reply:
    language = call.flow.session.language
    asked = read(Asked, call.body, language)
    for name in given(call.body, Asked.__struct_fields__):
        raise refuse(name, language)
    if asked.rewrite_query:
        raise refuse("rewrite_query", language)
    queries = (asked.query,) if isinstance(asked.query, str) else tuple(asked.query)
    if not 0 < len(queries) <= QUERIES or not all(q.strip() and len(q) <= CHARACTERS for q in queries):
        raise BadInput(what=say("openai.query", language, most=QUERIES, characters=CHARACTERS))
    within("max_num_results", asked.max_num_results, 1, MOST, language)
    base = call.path["id"][:200]
    search = Search(
        queries=queries,
        bases=(base,),
        k=USUAL if asked.max_num_results is None else asked.max_num_results,
        filter=filter_of(asked.filters, language),
        least=least_of(asked.ranking_options, language),
    )
    await ready(shelf, call, search.bases)
    hits = (await shelf.search(call.flow, search)).hits
    told = {
        "object": "vector_store.search_results.page",
        "search_query": list(queries),
        "data": [_result(hit) for hit in hits],
        "has_more": False,
        "next_page": None,
    }
    return Reply(msgspec.json.encode(told), facts={"base": base, "results": len(hits)})


async def ready(shelf: Shelf, call: Call, bases: tuple[str, ...]) -> None:
    """Raises UnknownKnowledge for a base that is not there, BadInput for one whose time is over."""
    for name in bases:
        if expired(call, await shelf.base(call.flow, name)):
            raise BadInput(what=say("openai.expired", call.flow.session.language, name=name[:200]))


def least_of(ranking: Ranking | None, language: str) -> float:
    """The least score that is asked for. Raises BadInput."""
    if ranking is None:
        return 0.0
    if ranking.ranker not in _RANKERS:
        raise refuse(f"ranker {str(ranking.ranker)[:60]}", language)
    if ranking.hybrid_search is not None:
        raise refuse("ranking_options.hybrid_search", language)
    within("score_threshold", ranking.score_threshold, 0, 1, language)
    return ranking.score_threshold or 0.0


def filter_of(raw: Any, language: str) -> Filter | None:
    """A filter as this protocol writes it. Raises BadInput."""
    if raw is None:
        return None
    found = _filter(raw, 0, language)
    if sum(1 for _ in comparisons(found)) > _COMPARED:
        raise _malformed(language)
    return found


def found(hit: HitSeen) -> dict[str, Any]:
    """What a result says of the file that it stands in; mark and label are the passage's own."""
    return {
        "file_id": hit.file,
        "filename": hit.name,
        "score": hit.score,
        "attributes": hit.attributes,
        "mark": hit.mark,
        "label": hit.label,
        "passage": hit.passage,
        "document": hit.document,
    }


def _result(hit: HitSeen) -> dict[str, Any]:
    return {**found(hit), "content": [{"type": "text", "text": hit.text}]}


def _filter(raw: Any, depth: int, language: str) -> Filter:
    if not isinstance(raw, dict) or depth >= _DEPTH:
        raise _malformed(language)
    kind = raw.get("type")
    if kind in _JOINS:
        inner = raw.get("filters")
        if set(raw) != {"type", "filters"} or not isinstance(inner, list) or not inner:
            raise _malformed(language)
        return _JOINS[kind](tuple(_filter(each, depth + 1, language) for each in inner))
    key = raw.get("key")
    if set(raw) != {"type", "key", "value"} or kind not in _OPERATORS:
        raise _malformed(language)
    if not isinstance(key, str) or not 0 < len(key) <= _KEY:
        raise _malformed(language)
    return Compare(f"attr.{key}", cast(Operator, kind), _value(cast(str, kind), raw["value"], language))


def _value(kind: str, raw: Any, language: str) -> Attribute | tuple[Attribute, ...]:
    """One value, or several for `in` and `nin`; a truth value is neither greater nor less than another."""
    if kind in _LISTS:
        if not isinstance(raw, list) or not 0 < len(raw) <= _VALUES:
            raise _malformed(language)
        return tuple(_plain(each, language) for each in raw)
    value = _plain(raw, language)
    if kind in _ORDERED and isinstance(value, bool):
        raise _malformed(language)
    return value


def _plain(raw: Any, language: str) -> Attribute:
    return described({"value": raw}, language)["value"]


def _malformed(language: str) -> BadInput:
    return BadInput(what=say("openai.filter", language, depth=_DEPTH, most=_COMPARED))
