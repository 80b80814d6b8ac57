"""The report: what an analyst reads, in the order in which it is read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from casemate.missions import (
    Chart,
    Check,
    Checks,
    Context,
    Figures,
    Picture,
    Report,
    Result,
    Series,
    Shown,
    Table,
    Text,
)
from casemate_cyber.out.attack import WEIGHT
from casemate_cyber.scan.correlate import seconds

if TYPE_CHECKING:
    from casemate_cyber.mission import Parameters

Part = Text | Figures | Shown | Chart | Picture | Checks
WORDS = {
    "en": {
        "title": "Cyber-threat detection",
        "note": "Triage note",
        "model": "Written by a model from the alerts below; it may be wrong. ",
        "figures": "In figures",
        "alerts": "Alerts, the severest first",
        "hours": "Hits by hour",
        "heat": "ATT&CK techniques by host",
        "hosts": "Time line by host and user",
        "left": "Rules that are not applied",
        "troubles": "What was not read",
        "checks": "What was checked",
        "hits": "hits",
        "since": "hours since {0}",
        "level": "level, 1 informational to 5 critical",
        "rules": "Each rule keeps its author; rules of SigmaHQ stand under the Detection Rule License 1.1.",
        "read": "Every input was read to its end",
        "applied": "Every rule of the pack is applied",
        "given": "the inputs of this run",
    },
    "fr": {
        "title": "Détection de cybermenaces",
        "note": "Note de tri",
        "model": "Rédigée par un modèle à partir des alertes ci-dessous ; elle peut être fausse. ",
        "figures": "En chiffres",
        "alerts": "Alertes, les plus graves d'abord",
        "hours": "Détections par heure",
        "heat": "Techniques ATT&CK par machine",
        "hosts": "Chronologie par machine et utilisateur",
        "left": "Règles non appliquées",
        "troubles": "Ce qui n'a pas été lu",
        "checks": "Ce qui a été vérifié",
        "hits": "détections",
        "since": "heures depuis {0}",
        "level": "niveau, de 1 informatif à 5 critique",
        "rules": "Chaque règle garde son auteur ; les règles de SigmaHQ sont sous Detection Rule License 1.1.",
        "read": "Chaque entrée a été lue jusqu'au bout",
        "applied": "Chaque règle du paquet est appliquée",
        "given": "les entrées de cette exécution",
    },
}
HOSTS, TECHNIQUES, HOURS, LINES = 20, 24, 240, 8


def report_of(context: Context[Parameters], result: Result) -> Report:
    """The page. Charts are drawn from the tables, so that picture and CSV cannot differ."""
    words, tables, figures = WORDS[context.language], result.tables, result.figures
    note = result.files["note.txt"].read_text(encoding="utf-8")
    head = words["model"] if figures["note_by"] == "model" else ""
    parts: list[Part] = [
        Text(head + note, words["note"]),
        Figures({name: value for name, value in figures.items() if name != "pack"}, words["figures"]),
        Shown(tables["alerts"], words["alerts"], 50),
        *_hours(tables["hours"], words),
        *_heat(tables["techniques"], words),
        *_times(tables["timeline"], words),
        Shown(tables["timeline"], words["hosts"], 100),
        Shown(tables["left"], words["left"], 20),
        Shown(tables["troubles"], words["troubles"], 50),
        Checks(
            [
                Check(words["read"], words["given"], figures["not_read"] == 0, f"{figures['not_read']}"),
                Check(words["applied"], words["given"], figures["rules_left"] == 0, f"{figures['rules_left']}"),
            ],
            words["checks"],
        ),
        Text(words["rules"]),
    ]
    return Report(words["title"], parts)


def _hours(table: Table, words: dict[str, str]) -> list[Chart]:
    hours = sorted({str(row[0]) for row in table.rows})[-HOURS:]
    levels = [
        name for name in ("critical", "high", "medium", "low", "informational") if any(r[1] == name for r in table.rows)
    ]
    held = {(str(row[0]), str(row[1])): float(row[2] or 0) for row in table.rows}
    if not hours or not levels:
        return []
    series = tuple(Series(level, tuple(hours), tuple(held.get((h, level), 0.0) for h in hours)) for level in levels)
    return [Chart("bars", series, words["hours"], "", words["hits"])]


def _times(table: Table, words: dict[str, str]) -> list[Chart]:
    """When each of the busiest hosts had an alert first, and how severe."""
    stamped = [(row, at) for row in table.rows if (at := seconds(str(row[2]))) is not None]
    if not stamped:
        return []
    first = min(stamped, key=lambda one: one[1])
    busiest = Counter(str(row[0]) for row, _ in stamped).most_common(LINES)
    series = []
    for host in sorted(host for host, _ in busiest):
        points = [((at - first[1]) / 3600, float(WEIGHT.get(str(row[4]), 0))) for row, at in stamped if row[0] == host]
        series.append(Series(host, tuple(x for x, _ in points), tuple(y for _, y in points)))
    return [Chart("scatter", tuple(series), words["hosts"], words["since"].format(first[0][2]), words["level"])]


def _heat(table: Table, words: dict[str, str]) -> list[Chart]:
    by_host, by_technique = Counter[str](), Counter[str]()
    held: dict[tuple[str, str], float] = {}
    for host, technique, count in table.rows:
        by_host[str(host)] += int(count or 0)
        by_technique[str(technique)] += int(count or 0)
        held[str(host), str(technique)] = float(count or 0)
    if not held:
        return []
    rows = sorted(host for host, _ in by_host.most_common(HOSTS))
    columns = sorted(technique for technique, _ in by_technique.most_common(TECHNIQUES))
    values = tuple(tuple(held.get((host, technique), 0.0) for technique in columns) for host in rows)
    return [Chart("heat", title=words["heat"], rows=tuple(rows), columns=tuple(columns), values=values)]
