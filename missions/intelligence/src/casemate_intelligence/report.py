"""The page of a run: views beside each other, then each view's picture, time line and map, then the evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from casemate.missions import Check, Checks, Context, Picture, Report, Result, Shown, Table, Text
from casemate.reports import Cell
from casemate.reports.network import network_of
from casemate_intelligence.label import Scheme

__all__ = ["report"]

WORDS = {
    "en": {
        "title": "Intelligence analysis",
        "head": "Each view is made anew of the records that flow to its label: its entities, merges, scores and counts "
        "are those of a world in which nothing else exists. This page as a whole bears the label of the run; a "
        "releasable version is made by running again at a lower label, not by cutting this one down.",
        "model": "A model was asked for the names in {asked} paragraphs and answered for {answered}. A name counts "
        "where it stands word for word in its paragraph; {dropped} did not.",
        "views": "Views side by side",
        "walk": "Walk through the links",
        "differ": "The same entity in each view",
        "merges": "Pairs for a person to judge",
        "answers": "Answers",
        "graph": "Links as {mark} sees them",
        "time": "Time line as {mark} sees it",
        "map": "Places as {mark} sees them",
        "search": "Entities",
        "evidence": "Evidence, with portion marks",
        "checks": "Checks",
        "below": "Every portion of {mark} flows to it",
        "against": "the order of labels",
    },
    "fr": {
        "title": "Analyse du renseignement",
        "head": "Chaque vue est refaite à partir de ce qui monte jusqu'à sa classification : entités, fusions, "
        "mesures et décomptes sont ceux d'un monde où rien d'autre n'existe. La page entière porte la classification "
        "de l'exécution ; une version communicable se fait en relançant plus bas, jamais en coupant celle-ci.",
        "model": "Un modèle a été interrogé sur les noms de {asked} paragraphes et a répondu pour {answered}. Un nom "
        "compte là où il se trouve mot pour mot ; {dropped} ne s'y trouvaient pas.",
        "views": "Vues côte à côte",
        "walk": "Parcourir les liens",
        "differ": "La même entité dans chaque vue",
        "merges": "Paires à juger",
        "answers": "Réponses",
        "graph": "Liens vus de {mark}",
        "time": "Chronologie vue de {mark}",
        "map": "Lieux vus de {mark}",
        "search": "Entités",
        "evidence": "Preuves, avec leurs mentions",
        "checks": "Vérifications",
        "below": "Toute mention de {mark} peut y monter",
        "against": "l'ordre des classifications",
    },
}


def report(context: Context[Any], result: Result) -> Report:
    """Of what the run left, and of nothing else."""
    words, tables = WORDS[context.language], result.tables
    parts: list[Any] = [Text(words["head"]), Shown(tables["views"], words["views"], 8)]
    if "model.asked" in result.figures:
        counts = {name: result.figures[f"model.{name}"] for name in ("asked", "answered", "dropped")}
        parts.insert(1, Text(words["model"].format(**counts)))
    slugs = [str(row[1]) for row in tables["views"].rows]
    walks = [json.loads(result.files[f"{slug}.walk.json"].read_text(encoding="utf-8")) for slug in slugs]
    parts.append(network_of({"views": walks}, words["walk"]))
    parts.append(Shown(side_by_side(tables["entities"]), words["differ"], 25))
    for name, title in (("answers", "answers"), ("candidates", "merges")):
        if tables[name].rows:
            parts.append(Shown(tables[name], words[title], 50))
    for row in tables["views"].rows:
        mark, slug = str(row[0]), str(row[1])
        for kind, title in (("graph", "graph"), ("time", "time"), ("map", "map")):
            svg = result.files[f"{slug}.{kind}.svg"].read_text(encoding="utf-8")
            parts.append(Picture(svg, words[title].format(mark=mark)))
    parts += [Shown(tables["entities"], words["search"], 100), Shown(quoted(tables["evidence"]), words["evidence"], 60)]
    return Report(words["title"], [*parts, checks(words, context, tables["evidence"])])


def side_by_side(entities: Table) -> Table:
    """A row for each entity, with its members, betweenness and community in each view; empty where it is not there."""
    views = list(dict.fromkeys(str(row[0]) for row in entities.rows))
    found: dict[str, dict[str, Sequence[Cell]]] = {}
    for row in entities.rows:
        found.setdefault(str(row[1]), {})[str(row[0])] = row
    rows: list[list[Cell]] = []
    for seen in found.values():
        name = next(iter(seen.values()))[2]
        cells = [seen[view][at] if view in seen else None for view in views for at in (5, 6, 7)]
        rows.append([name, *cells])
    rows.sort(key=lambda row: (-max(float(cell or 0) for cell in row[3::3]), str(row[0])))
    told = [f"{view}: {what}" for view in views for what in ("members", "degree", "betweenness")]
    return Table(("entity", *told), rows)


def quoted(evidence: Table) -> Table:
    """What was quoted from a text stands first."""
    return Table(evidence.columns, sorted(evidence.rows, key=lambda row: row[6] is None))


def checks(words: dict[str, str], context: Context[Any], evidence: Table) -> Checks:
    """Read back from the tables that were written: no portion stands in a view to which it does not flow."""
    scheme = Scheme(context.parameters.levels)
    told = list[Check]()
    for mark in context.parameters.views:
        view = scheme.read(mark)
        marks = {str(row[4]).partition(")")[0][1:] for row in evidence.rows if row[0] == scheme.write(view)}
        wrong = sorted(text for text in marks if not scheme.read(text).flows_to(view))
        shown = ", ".join(wrong) or ", ".join(sorted(marks))
        told.append(Check(words["below"].format(mark=scheme.write(view)), words["against"], not wrong, shown))
    return Checks(told, words["checks"])
