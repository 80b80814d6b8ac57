"""A search as people and programs ask it of the flow's visible world: operators, facets, snippets and suggestions.

What takes long is computed beside the loop that serves everybody; the view itself is asked on the loop, since requests
of one label domain share it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from casemate.access import Flow
from casemate.knowledge.documents.used import use
from casemate.knowledge.embedders import serves
from casemate.knowledge.index.find import Finding, Wanted, narrow, tell
from casemate.knowledge.index.query import Query
from casemate.knowledge.library import Library
from casemate.knowledge.reading.language import detect

__all__ = ["Sought", "sought"]


@dataclass(frozen=True, slots=True)
class Sought:
    """`ranked`: by what was asked, else by age. `unserved`: embedders that do not serve the question's language."""

    finding: Finding
    ranked: bool
    language: str
    unserved: tuple[str, ...]


async def sought(flow: Flow, library: Library, query: Query, bases: tuple[str, ...], wanted: Wanted) -> Sought:
    """Everything that a search of these bases gives. Raises UnknownKnowledge."""
    await library.check(flow, bases)
    asked = await library.ask(flow, query.text, bases)
    view = await library.view(flow, bases)
    policies = flow.gate.vault.region.policies
    wanted = replace(wanted, marks={shard.label: policies.portion(shard.label) for shard in view.shards})
    narrowed = await flow.beside(narrow, query, asked, view.shards, wanted)
    results = asked.search(view, wanted.k, narrowed.mask, wanted.method)
    finding = await flow.beside(tell, query, asked, narrowed, results, wanted)
    use(flow, ((shown.hit.passage.document, shown.hit.label) for shown in finding.hits))
    embedders = [
        each for name in view.embedders if (each := library.embedders.named(name, flow.acting, flow.floor)) is not None
    ]
    unserved = tuple(each.name for each in embedders if not serves(each, query.text))
    return Sought(finding, bool(query.text.strip()), detect(query.text), unserved)
