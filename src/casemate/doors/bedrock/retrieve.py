"""POST /knowledgebases/{knowledgeBaseId}/retrieve: the passages of a base that answer a text, best first, by pages.

What is found is a function of the request and of the world at its acting label; each result bears its own mark and
label. A page is a stretch of the first 200 results: nothing is kept between two pages.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from casemate.doors.bedrock.knowledge import base_of, convert, filter_of, offered, reference
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.models import within
from casemate.models.shelf import HitSeen, Search, Shelf
from casemate.words import say

__all__ = ["Retrieval", "Vectors", "retrieve"]

_METHODS: dict[str, Literal["hybrid", "dense"]] = {"HYBRID": "hybrid", "SEMANTIC": "dense"}
_COUNT, _PAGE, _WINDOW = 5, 100, 200
_TEXT = 20_000  # characters


class Query(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What is asked; a picture is not."""

    text: str = ""
    type: str = "TEXT"
    image: Any = None


class Vectors(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How it is searched."""

    number_of_results: int | None = None
    override_search_type: str | None = None
    filter: Any = None
    implicit_filter_configuration: Any = None
    reranking_configuration: Any = None


class Retrieval(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A managed search belongs to a store that is not here."""

    vector_search_configuration: Vectors | None = None
    managed_search_configuration: Any = None


class Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The request."""

    retrieval_query: Query
    retrieval_configuration: Retrieval | None = None
    next_token: str | None = None
    guardrail_configuration: Any = None
    user_context: Any = None


async def retrieve(shelf: Shelf, call: Call) -> Reply:
    """A page of results. Raises UnknownKnowledge, BadInput."""
    language = call.flow.session.language
    body = convert(call.body, Body, language)
    retrieval = body.retrieval_configuration or Retrieval()
    vectors = retrieval.vector_search_configuration or Vectors()
    _refused(body, retrieval, vectors, language)
    text = body.retrieval_query.text
    if not text.strip() or len(text) > _TEXT:
        raise BadInput(what=say("bedrock.query", language, most=_TEXT))
    within("numberOfResults", vectors.number_of_results, 1, _PAGE, language)
    size, start = vectors.number_of_results or _COUNT, _start(body.next_token, language)
    search = Search(
        queries=(text,),
        bases=(base_of(call.path["base"]),),
        k=min(start + size + 1, _WINDOW),
        filter=filter_of(vectors.filter, language),
        method=_method(vectors.override_search_type, language),
    )
    hits = (await shelf.search(call.flow, search)).hits
    told: dict[str, Any] = {"retrievalResults": [_result(hit) for hit in hits[start : start + size]]}
    if start + size < len(hits):
        told["nextToken"] = str(start + size)
    return Reply(msgspec.json.encode(told), facts={"results": len(told["retrievalResults"])})


def _refused(body: Body, retrieval: Retrieval, vectors: Vectors, language: str) -> None:
    """Raises BadInput for what would change the results and is not offered."""
    query = body.retrieval_query
    offered(
        {
            "guardrailConfiguration": body.guardrail_configuration,
            "userContext": body.user_context,
            "retrievalQuery.image": query.image,
            f"retrievalQuery.type {query.type[:40]}": query.type != "TEXT" or None,
            "managedSearchConfiguration": retrieval.managed_search_configuration,
            "implicitFilterConfiguration": vectors.implicit_filter_configuration,
            "rerankingConfiguration": vectors.reranking_configuration,
        },
        language,
    )


def _method(given: str | None, language: str) -> Literal["hybrid", "dense"]:
    found = _METHODS.get(given or "HYBRID")
    if found is None:
        raise BadInput(what=say("models.not_offered", language, name=f"overrideSearchType {(given or '')[:40]}"))
    return found


def _start(token: str | None, language: str) -> int:
    """Where the page begins: what the last page gave. Raises BadInput."""
    if token is None:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 4 and 0 < int(token) < _WINDOW):
        raise BadInput(what=say("bedrock.next", language))
    return int(token)


def _result(hit: HitSeen) -> dict[str, Any]:
    ours = {"mark": hit.mark, "label": hit.label, "title": hit.title, "heading": hit.heading, "name": hit.name}
    ours |= {"base": hit.base, "passage": hit.passage, "file": hit.file}
    found = reference(hit.text, hit.document, hit.attributes, page=hit.page, **ours)
    return {**found, "documentId": hit.document, "score": hit.score}
