"""Link analysis of one view: degrees, betweenness (Brandes 2001, through rustworkx), PageRank, communities.

Everything is computed on the view's own graph: no number of it depends on an edge that the view does not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import rustworkx

from casemate_intelligence.community import communities, modularity
from casemate_intelligence.view import View

__all__ = ["Measures", "betweenness", "measured"]


@dataclass(frozen=True, slots=True)
class Measures:
    """By entity. `betweenness`: share of all pairs' shortest paths, 0 to 1. `community`: from 0, largest first."""

    degree: Mapping[str, int]
    betweenness: Mapping[str, float]
    rank: Mapping[str, float]
    community: Mapping[str, int]
    modularity: float


def betweenness(nodes: Sequence[str], pairs: Iterable[tuple[str, str]], *, normalized: bool = True) -> dict[str, float]:
    """Of a plain graph without direction. Not normalized: the count of pairs whose shortest paths pass here."""
    graph, _ = _graph(nodes, pairs)
    found = rustworkx.graph_betweenness_centrality(graph, normalized=normalized)
    return {name: round(found[at], 12) for at, name in enumerate(nodes)}


def measured(view: View, seed: int = 0) -> Measures:
    """Edges between the same two count once; an edge to itself counts not at all."""
    nodes = sorted(view.entities)
    pairs = sorted({(min(e.source, e.target), max(e.source, e.target)) for e in view.edges if e.source != e.target})
    graph, _ = _graph(nodes, pairs)
    found = communities(nodes, pairs, seed)
    ranks = rustworkx.pagerank(graph.to_directed()) if nodes else {}
    return Measures(
        {name: graph.degree(at) for at, name in enumerate(nodes)},
        betweenness(nodes, pairs),
        {name: round(ranks[at], 9) for at, name in enumerate(nodes)},
        found,
        round(modularity(pairs, found), 9),
    )


def _graph(
    nodes: Sequence[str], pairs: Iterable[tuple[str, str]]
) -> tuple[rustworkx.PyGraph[str, None], dict[str, int]]:
    graph: rustworkx.PyGraph[str, None] = rustworkx.PyGraph(multigraph=False)
    at = dict(zip(nodes, graph.add_nodes_from(list(nodes)), strict=True))
    graph.add_edges_from([(at[a], at[b], None) for a, b in pairs])
    return graph, at
