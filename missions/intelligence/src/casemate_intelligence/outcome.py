"""What a run leaves: tables over all views, and the pictures and exports of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from casemate.missions import Context, Result, Table
from casemate.reports import Cell
from casemate_intelligence import export, picture
from casemate_intelligence.label import Label, Scheme
from casemate_intelligence.measure import Measures, measured
from casemate_intelligence.question import answered, digest_of, named, question
from casemate_intelligence.schema import kin
from casemate_intelligence.view import Edge, Entity, Shown, View
from casemate_intelligence.walk import Places, walked

__all__ = ["VIEWS", "Walk", "outcome"]

VIEWS = (
    "view",
    "file",
    "entities",
    "edges",
    "merged",
    "to judge",
    "communities",
    "modularity",
    "places",
    "dated edges",
)
ENTITIES = ("view", "entity", "name", "schema", "mark", "members", "degree", "betweenness", "rank", "community")
EDGES = ("view", "edge", "schema", "from", "to", "date", "mark", "from entity", "to entity")
EVIDENCE = ("view", "of", "property", "value", "quotation", "source", "start", "end")
MOST_EVIDENCE = 50_000
MOST_ANSWER = 500
Rows = list[list[Cell]]


def outcome(views: Sequence[tuple[str, View]], context: Context[Any], scheme: Scheme) -> Result:
    """Rows of a view stand together and bear its mark; the whole bears the label of the run."""
    told: dict[str, Rows] = {name: [] for name in ("views", "entities", "edges", "candidates", "evidence", "answers")}
    files, figures = dict[str, Path](), dict[str, float | int | str]()
    schemata = {name: kin().above.get(name, frozenset[str]()) for name in kin().edges}
    asked = [question(text, schemata) for text in context.parameters.questions]
    walk = Walk(context.seed, len(views), scheme)
    for slug, view in views:
        measures = measured(view, context.seed)
        mark = scheme.write(view.label)
        counts = _counts(view, measures)
        told["views"].append([mark, slug, *counts])
        figures[f"{mark}: entities"], figures[f"{mark}: edges"] = len(view.entities), len(view.edges)
        told["entities"] += _entities(view, measures, mark, scheme)
        told["edges"] += _edges(view, mark, scheme)
        told["candidates"] += [
            [
                mark,
                one.left,
                one.right,
                one.score,
                *(view.entities[view.of[each]].name for each in (one.left, one.right)),
            ]
            for one in view.candidates
        ]
        told["evidence"] += _evidence(view, mark, scheme)
        told["answers"] += _answers(view, mark, scheme, context.parameters)
        for number, one in enumerate(asked, start=1):
            edges = answered(view, one)
            told["answers"] += _links(view, mark, scheme, f"q{number}", edges[:MOST_ANSWER])
            # the last view that was asked for is the one that a watch compares
            figures |= {f"q{number}.count": len(edges), f"q{number}.answer": digest_of(edges)}
        files |= _files(slug, view, measures, context, scheme)
        name = f"{slug}.walk.json"
        files[name] = context.out / name
        files[name].write_text(json.dumps(walk.told(view, measures), ensure_ascii=False), encoding="utf-8")
    columns = {
        "views": VIEWS,
        "entities": ENTITIES,
        "edges": EDGES,
        "candidates": ("view", "left", "right", "score", "left name", "right name"),
        "evidence": EVIDENCE,
        "answers": ("view", "question", "number", "answer", "mark", "id"),
    }
    return Result({name: Table(columns[name], rows) for name, rows in told.items()}, figures, files)


class Walk:
    """Views as a reader walks through them; one begins where a view before it stands that flows to it."""

    def __init__(self, seed: int, many: int, scheme: Scheme) -> None:
        self._seed, self._many, self._scheme = seed, many, scheme
        self._before = list[tuple[Label, Places]]()

    def told(self, view: View, measures: Measures) -> dict[str, Any]:
        """The share of one view. Views are asked for in the order in which they stand."""
        like = next((told for label, told in reversed(self._before) if label.flows_to(view.label)), None)
        places = picture.places(view, measures, self._seed, like)
        self._before.append((view.label, places))
        order = picture.most_central(view, measures, len(view.entities))
        order.sort(key=lambda name: not measures.degree[name])
        return asdict(walked(view, order, measures, places, self._scheme, self._many))


def _counts(view: View, measures: Measures) -> list[Cell]:
    merged = sum(len(one.members) - 1 for one in view.entities.values())
    places = sum(bool(one.values("latitude")) for one in view.entities.values())
    groups = len(set(measures.community.values()))
    dated = sum(bool(edge.date) for edge in view.edges)
    return [
        len(view.entities),
        len(view.edges),
        merged,
        len(view.candidates),
        groups,
        measures.modularity,
        places,
        dated,
    ]


def _entities(view: View, measures: Measures, mark: str, scheme: Scheme) -> Rows:
    order = picture.most_central(view, measures, len(view.entities))
    return [
        [
            *(
                mark,
                name,
                view.entities[name].name,
                view.entities[name].schema,
                scheme.portion(view.entities[name].label),
            ),
            *(len(view.entities[name].members), measures.degree[name], measures.betweenness[name]),
            *(measures.rank[name], measures.community[name]),
        ]
        for name in order
    ]


def _edges(view: View, mark: str, scheme: Scheme) -> Rows:
    names = view.entities
    return [
        [
            *(mark, edge.id, edge.schema, names[edge.source].name, names[edge.target].name, edge.date),
            *(scheme.portion(edge.label), edge.source, edge.target),
        ]
        for edge in view.edges
    ]


def _evidence(view: View, mark: str, scheme: Scheme) -> Rows:
    """A value or merge, and the words that it stands on with their portion mark; what has no words has its value."""
    rows: Rows = []
    every: list[Shown] = [*view.entities.values(), *(edge for edge in view.edges if edge.schema[:1].isupper())]
    for one in every:
        name = one.name if isinstance(one, Entity) else one.id
        for fact in one.facts:
            source = fact.source
            quotation = f"{scheme.portion(fact.label)} {source.quote or fact.value}"
            span: list[Cell] = [source.start, source.end] if source.start >= 0 else [None, None]
            rows.append([mark, name, fact.prop, fact.value, quotation, source.name, *span])
    for one in view.entities.values():
        for merge in one.merges:
            told = f"{merge.left} = {merge.right}"
            quotation = f"{scheme.portion(merge.label)} {merge.source.quote or merge.score}"
            rows.append([mark, one.name, "merged", told, quotation, merge.source.name, None, None])
    return rows[:MOST_EVIDENCE]


def _answers(view: View, mark: str, scheme: Scheme, asked: Any) -> Rows:
    rows: Rows = []
    for number, one in enumerate(view.search(asked.find)[:100] if asked.find else ()):
        rows.append([mark, "search", number + 1, one.name, scheme.portion(one.label), one.id])
    if asked.start and asked.end:
        ends = [named(view, asked.start), named(view, asked.end)]
        rows += _links(view, mark, scheme, "path", view.path(*ends))
    if asked.first or asked.last:
        part = view.between(asked.first or "0000", asked.last or "9999")
        dated = sorted(part.edges, key=lambda each: (each.date, each.id))
        rows += _links(part, mark, scheme, "between", dated[:MOST_ANSWER])
    return rows


def _links(view: View, mark: str, scheme: Scheme, asked: str, edges: Sequence[Edge]) -> Rows:
    """An answer: a link a row, in order."""
    rows: Rows = []
    for number, edge in enumerate(edges, start=1):
        ends = f"{view.entities[edge.source].name} -{edge.schema}-> {view.entities[edge.target].name}"
        rows.append([mark, asked, number, f"{edge.date} {ends}".strip(), scheme.portion(edge.label), edge.id])
    return rows


def _files(slug: str, view: View, measures: Measures, context: Context[Any], scheme: Scheme) -> dict[str, Path]:
    mark = scheme.write(view.label)
    made = {
        "ftm.jsonl": export.ftm(view, scheme),
        "graphml": export.graphml(view, measures, scheme),
        "stix.json": export.stix(view, scheme),
        "graph.svg": picture.graph(view, measures, mark, most=context.parameters.most, seed=context.seed),
        "time.svg": picture.time_line(view, mark),
        "map.svg": picture.lon_lat(view, mark),
    }
    paths = dict[str, Path]()
    for ending, text in made.items():
        name = f"{slug}.{ending}"
        paths[name] = context.out / name
        paths[name].write_text(text, encoding="utf-8")
    return paths
