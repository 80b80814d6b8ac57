"""The report: a fan of warming, cost against CO2, what is built, and a week of supply."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from casemate.missions import Chart, Check, Checks, Context, Figures, Report, Result, Series, Shown, Table, Text

if TYPE_CHECKING:
    from casemate_climate_energy.mission import Parameters

__all__ = ["report"]

SAID = {
    "en": {
        "warming": "Warming above 1850-1900",
        "frontier": "Cost against CO2",
        "price": "Price of CO2",
        "capacities": "What would be built",
        "dispatch": "A week of supply under the lowest cap",
        "checks": "Checks",
        "choices": "Choices of modelling",
        "chain": (
            "The budget takes warming as linear in the CO2 emitted, with the slope of the scenario; the fleet gets "
            "{share:g} of what is left to {target:g} K, in equal parts over {years} years. Costs and efficiencies are "
            "assumptions. A shorter stretch of weather stands for a whole year. Two optima of equal cost may be built "
            "differently."
        ),
    },
    "fr": {
        "warming": "Réchauffement par rapport à 1850-1900",
        "frontier": "Coût selon le CO2",
        "price": "Prix du CO2",
        "capacities": "Ce qui serait construit",
        "dispatch": "Une semaine de production sous le plafond le plus bas",
        "checks": "Vérifications",
        "choices": "Choix de modélisation",
        "chain": (
            "Le budget tient le réchauffement pour linéaire en CO2 émis, avec la pente du scénario ; la flotte reçoit "
            "{share:g} de ce qui reste jusqu'à {target:g} K, en parts égales sur {years} ans. Coûts et rendements sont "
            "des hypothèses. Une météo plus courte vaut pour une année. Deux optimums de même coût peuvent être bâtis "
            "autrement."
        ),
    },
}  # fmt: skip


def report(context: Context[Parameters], result: Result, title: str) -> Report:
    said, p = SAID[context.language], context.parameters
    parts: list[Figures | Chart | Shown | Checks | Text] = [Figures(result.figures)]
    if "warming" in result.tables:
        parts.append(_fan(result.tables["warming"], said["warming"]))
    for name in (name.partition(".")[2] for name in result.tables if name.startswith("frontier.")):
        frontier = result.tables[f"frontier.{name}"]
        parts.append(Shown(frontier, f"{said['frontier']}: {name}", most=50))
        if len(frontier.rows) > 1:
            x = tuple(float(row[4] or 0) for row in frontier.rows)
            costs = Series(name, x, tuple(float(row[2] or 0) for row in frontier.rows))
            parts.append(Chart("lines", (costs,), f"{said['frontier']}: {name}", "t CO2", "EUR"))
            prices = Series(name, x, tuple(float(row[5] or 0) for row in frontier.rows))
            parts.append(Chart("lines", (prices,), f"{said['price']}: {name}", "t CO2", "EUR/t"))
        parts.append(Shown(result.tables[f"capacities.{name}"], f"{said['capacities']}: {name}", most=60))
        parts.append(_week(result.tables[f"dispatch.{name}"], f"{said['dispatch']}: {name}"))
    checks = [Check(str(r[0]), str(r[1]), bool(r[2]), str(r[3])) for r in result.tables["checks"].rows]
    parts.append(Checks(checks, said["checks"]))
    parts.append(Text(said["chain"].format(share=p.share, target=p.target, years=p.years), said["choices"]))
    return Report(title, parts)


def _fan(table: Table, title: str) -> Chart:
    series = []
    for scenario in dict.fromkeys(str(row[0]) for row in table.rows):
        rows = [row for row in table.rows if row[0] == scenario and int(row[1] or 0) >= 1950]
        year, low, median, high = (tuple(float(row[at] or 0) for row in rows) for at in (1, 2, 3, 4))
        series.append(Series(scenario, year, median, low, high))
    return Chart("bands", tuple(series), title, "", "K")


def _week(table: Table, title: str) -> Chart:
    series = []
    for carrier in dict.fromkeys(str(row[1]) for row in table.rows):
        rows = [row for row in table.rows if row[1] == carrier]
        values = tuple(float(row[2] or 0) for row in rows)
        if any(math.fabs(value) > 1e-6 for value in values):
            series.append(Series(carrier, tuple(float(row[0] or 0) for row in rows), values))
    return Chart("lines", tuple(series), title, "h", "MW")
