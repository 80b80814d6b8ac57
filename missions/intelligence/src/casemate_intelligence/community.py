"""Communities by modularity: Louvain (Blondel et al. 2008) from several starts, then single moves; the best is kept.

rustworkx finds no communities, and igraph's licence does not fit; this is standard library. It gives no promise of the
optimum, which is hard to find: the tests say what it reaches where the optimum is known.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["communities", "modularity"]

STARTS = 10
Weights = dict[int, dict[int, float]]


def modularity(pairs: Iterable[tuple[str, str]], of: Mapping[str, int]) -> float:
    """Newman and Girvan 2004, equation 5, of a graph without direction or weights. 0 where it has no edge."""
    edges = list(pairs)
    inside, degree = Counter[int](), Counter[int]()
    for a, b in edges:
        degree[of[a]] += 1
        degree[of[b]] += 1
        inside[of[a]] += of[a] == of[b]
    many = len(edges)
    return sum(inside[c] / many - (degree[c] / (2 * many)) ** 2 for c in degree) if many else 0.0


def communities(nodes: Sequence[str], pairs: Iterable[tuple[str, str]], seed: int = 0) -> dict[str, int]:
    """Numbered from 0, largest first, then by the first name in it. The same graph and seed give the same."""
    edges = sorted(pairs)
    at = {name: number for number, name in enumerate(nodes)}
    weights: Weights = {number: {} for number in at.values()}
    for a, b in edges:
        weights[at[a]][at[b]] = weights[at[b]][at[a]] = 1.0
    best, most = dict(at), -1.0
    for start in range(STARTS if edges else 0):
        found = _louvain(weights, random.Random(f"{seed}:{start}"))  # noqa: S311 - the order in which nodes are tried
        named = {name: found[number] for name, number in at.items()}
        reached = modularity(edges, named)
        if reached > most + 1e-12:
            best, most = named, reached
    return _numbered(best)


def _numbered(of: Mapping[str, int]) -> dict[str, int]:
    groups = dict[int, list[str]]()
    for name in sorted(of):
        groups.setdefault(of[name], []).append(name)
    order = sorted(groups.values(), key=lambda group: (-len(group), group[0]))
    return {name: number for number, group in enumerate(order) for name in group}


def _louvain(weights: Weights, draw: random.Random) -> dict[int, int]:
    """Moves and folds until nothing more is won, then moves single nodes of the whole graph once more."""
    of = {node: node for node in weights}
    folded = weights
    while True:
        moved = _moved(folded, {node: node for node in folded}, draw)
        if len(set(moved.values())) == len(folded):
            break
        of = {node: moved[group] for node, group in of.items()}
        folded = _folded(folded, moved)
    return _moved(weights, of, draw)


def _moved(weights: Weights, of: dict[int, int], draw: random.Random) -> dict[int, int]:
    """Each node to the neighbouring community that wins most, until none does. An edge to itself counts twice."""
    degree = {node: sum(row.values()) + row.get(node, 0.0) for node, row in weights.items()}
    total, of = sum(degree.values()), dict(of)
    inside = Counter[int]()
    for node, group in of.items():
        inside[group] += degree[node]  # type: ignore[assignment]  # a Counter of weights
    order, changed = list(weights), True
    draw.shuffle(order)
    while changed:
        changed = False
        for node in order:
            own, gains = of[node], dict[int, float]()
            for other, weight in weights[node].items():
                if other != node:
                    gains[of[other]] = gains.get(of[other], 0.0) + weight
            inside[own] -= degree[node]  # type: ignore[assignment]
            best = max(
                sorted({own, *gains}),
                key=lambda g: (round(gains.get(g, 0.0) - inside[g] * degree[node] / total, 12), g == own),
            )
            inside[best] += degree[node]  # type: ignore[assignment]
            if best != own:
                of[node], changed = best, True
    return of


def _folded(weights: Weights, of: Mapping[int, int]) -> Weights:
    """Each community a node; what lies inside of it an edge to itself."""
    folded: Weights = {group: {} for group in sorted(set(of.values()))}
    for node, row in weights.items():
        for other, weight in row.items():
            if node <= other:
                a, b = of[node], of[other]
                folded[a][b] = folded[a].get(b, 0.0) + weight
                if a != b:
                    folded[b][a] = folded[a][b]
    return folded
