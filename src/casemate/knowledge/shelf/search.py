"""A search as the wires ask for one: several queries, a filter over attributes, scores as shares of the best possible.

All of it is reckoned from the shards of the flow's visible world. A filter narrows what is ranked, never what is
counted; what a document is filtered by is what its shard says, which the library has from its bringer's last word.
"""

from __future__ import annotations

from dataclasses import replace

from casemate.access import Flow
from casemate.knowledge.documents.used import use
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.filter import checked
from casemate.knowledge.index.find import Wanted, narrow
from casemate.knowledge.index.query import Query
from casemate.knowledge.index.search import RRF, Asked, Hit, Mask, Results
from casemate.knowledge.index.view import View
from casemate.knowledge.library import Library
from casemate.knowledge.shelf.seen import known
from casemate.models.filter import Filter, Narrowed
from casemate.models.shelf import HitSeen, Search, Searched

__all__ = ["narrowed", "search"]

NOTHING = Query("")


async def search(flow: Flow, library: Library, search: Search) -> Searched:
    """The best passages; one that several queries find counts by its best."""
    best: dict[tuple[str, str], tuple[float, Hit]] = {}
    for query in dict.fromkeys(search.queries):
        asked = await library.ask(flow, query, search.bases)
        view = await library.view(flow, search.bases)
        mask = await _masked(flow, view, search.filter)
        hits = asked.search(view, search.k, mask, search.method).hits
        for hit in hits:
            score = _share(hit, asked, search.method)
            held = best.get((hit.base, hit.passage.id))
            if score >= search.least and (held is None or held[0] < score):
                best[hit.base, hit.passage.id] = (score, hit)
    found = sorted(best.values(), key=lambda one: (-one[0], one[1].passage.id, one[1].base))[: search.k]
    return Searched(await _told(flow, found))


async def narrowed(
    flow: Flow, library: Library, asked: Asked, bases: tuple[str, ...], wanted: Narrowed | None, usual: int
) -> Results:
    """What an answer is made from: the best `usual` passages, or those that it was narrowed to."""
    if wanted is None:
        return await library.search(flow, asked, bases, usual)
    view = await library.view(flow, bases)
    mask = await _masked(flow, view, wanted.filter)
    found = asked.search(view, min(wanted.k or usual, usual), mask)
    return replace(found, hits=tuple(hit for hit in found.hits if _share(hit, asked, "hybrid") >= wanted.least))


def _share(hit: Hit, asked: Asked, method: str) -> float:
    """The fused score as a share of what a passage has that stands first in every list."""
    lists = (method != "dense") + (method != "text" and bool(asked.vectors))
    return min(1.0, hit.fused * (RRF + 1) / max(1, lists))


async def _masked(flow: Flow, view: View, wanted: Filter | None) -> Mask | None:
    """The rows that pass the filter; None for all of them. Raises BadInput where it is too large."""
    if wanted is None:
        return None
    policies = flow.gate.vault.region.policies
    marks = {shard.label: policies.portion(shard.label) for shard in view.shards}
    narrowed = Wanted(filter=checked(wanted), marks=marks)
    return (await flow.beside(narrow, NOTHING, Asked(()), view.shards, narrowed)).mask


async def _told(flow: Flow, found: list[tuple[float, Hit]]) -> tuple[HitSeen, ...]:
    use(flow, ((hit.passage.document, hit.label) for _, hit in found))
    documents = tuple(dict.fromkeys(hit.passage.document for _, hit in found))
    files = {file.document: file for file in await known(flow, documents)}
    policies = flow.gate.vault.region.policies
    told: list[HitSeen] = []
    for score, hit in found:
        passage, filed = hit.passage, hit.filed or Filed(hit.passage.document)
        file = files.get(passage.document)
        told.append(
            HitSeen(
                document=passage.document,
                file=file.id if file else passage.document,
                passage=passage.id,
                base=hit.base,
                title=passage.title,
                name=file.name if file else passage.title,
                heading=passage.heading,
                text=passage.text,
                page=passage.page,
                score=score,
                attributes=filed.attributes,
                label=hit.label.text,
                mark=policies.portion(hit.label),
            )
        )
    return tuple(told)
