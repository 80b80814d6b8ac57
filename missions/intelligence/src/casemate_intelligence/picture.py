"""Pictures of one view: the graph, the time line, a plain map. SVG without script, style sheet or address.

Drawn of the view alone, so where a point stands owes nothing to what the view does not show. The layout is drawn from
the seed: the same view gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

import rustworkx

from casemate_intelligence.measure import Measures
from casemate_intelligence.view import Edge, Entity, View

__all__ = ["graph", "lon_lat", "most_central", "places", "time_line"]

WIDE, HIGH = 900, 560
SHADES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7f00", "#5a5a5a")
INK, DIM, PAPER = "#16181d", "#9aa3b0", "#ffffff"


def most_central(view: View, measures: Measures, most: int) -> list[str]:
    """The entities that a picture has room for: by betweenness, then degree, then id."""
    order = sorted(view.entities, key=lambda name: (-measures.betweenness[name], -measures.degree[name], name))
    return order[:most]


def places(
    view: View, measures: Measures, seed: int = 0, like: Mapping[str, tuple[int, int]] | None = None
) -> dict[str, tuple[int, int]]:
    """Where each entity stands on a sheet as long as it takes: what hangs together beside each other, the rest below.

    `like`: where they stand already in a view that flows to this one, which is where this one begins from.
    """
    every = most_central(view, measures, len(view.entities))
    ids = sorted(name for name in every if measures.degree[name])
    at = {name: number for number, name in enumerate(ids)}
    pairs = sorted({(at[e.source], at[e.target]) for e in view.edges if e.source in at and e.source != e.target})
    drawn: rustworkx.PyGraph[str, None] = rustworkx.PyGraph(multigraph=False)
    drawn.add_nodes_from(ids)
    drawn.add_edges_from([(a, b, None) for a, b in pairs])
    parts = sorted((sorted(part) for part in rustworkx.connected_components(drawn)), key=lambda one: (-len(one), one))
    spots, x, y, foot = dict[str, tuple[int, int]](), 0, 0, 0
    for part in parts:
        told = _laid(drawn.subgraph(part), seed, like or {})
        wide, high = (max(spot[axis] for spot in told.values()) + 110 for axis in (0, 1))
        if x and x + wide > WIDE:
            x, y = 0, foot
        spots |= {name: (x + across, y + down) for name, (across, down) in told.items()}
        x, foot = x + wide, max(foot, y + high)
    alone = [name for name in every if not measures.degree[name]]
    return spots | {name: (number % 12 * 80, foot + number // 12 * 50) for number, name in enumerate(alone)}


def _laid(
    part: rustworkx.PyGraph[str, None], seed: int, like: Mapping[str, tuple[int, int]]
) -> dict[str, tuple[int, int]]:
    """One part from (0, 0) on, in whole points; its links are 80 long in the mean."""
    known = {at: (like[name][0] / WIDE, like[name][1] / HIGH) for at, name in enumerate(part.nodes()) if name in like}
    found = rustworkx.spring_layout(part, pos=known or None, seed=seed + 1, num_iter=50 if known else 300)
    spans = [math.dist(found[a], found[b]) for a, b in part.edge_list()]
    scale = 80 * len(spans) / (sum(spans) or 1.0)
    left, top = (min(spot[axis] for spot in found.values()) for axis in (0, 1))
    return {
        name: (round((float(found[at][0]) - left) * scale), round((float(found[at][1]) - top) * scale))
        for at, name in enumerate(part.nodes())
    }


def graph(view: View, measures: Measures, marking: str, *, most: int = 80, seed: int = 0) -> str:
    """The most central entities and the edges between them; colour is the community, size the betweenness.

    What has no edge is left out where anything has one: the line above says how many are shown of how many.
    """
    joined = [name for name in most_central(view, measures, len(view.entities)) if measures.degree[name]]
    names = sorted(joined[:most] or most_central(view, measures, most))
    at = {name: number for number, name in enumerate(names)}
    pairs = sorted({(at[e.source], at[e.target]) for e in view.edges if e.source in at and e.target in at})
    drawn: rustworkx.PyGraph[str, None] = rustworkx.PyGraph(multigraph=False)
    drawn.add_nodes_from(names)
    drawn.add_edges_from([(a, b, None) for a, b in pairs if a != b])
    places = rustworkx.spring_layout(drawn, seed=seed + 1, num_iter=200) if names else {}
    spots = _spread([(float(places[number][0]), float(places[number][1])) for number in range(len(names))])
    parts = [
        f'<path d="M{spots[a][0]} {spots[a][1]}L{spots[b][0]} {spots[b][1]}" stroke="{DIM}"/>'
        for a, b in pairs
        if a != b
    ]
    for name, (x, y) in zip(names, spots, strict=True):
        size = 4 + round(10 * math.sqrt(max(measures.betweenness[name], 0.0)))
        shade = SHADES[measures.community[name] % len(SHADES)]
        entity = view.entities[name]
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{size}" fill="{shade}"><title>{_safe(_told(entity))}</title></circle>'
        )
        parts.append(f'<text x="{x + size + 2}" y="{y + 4}" font-size="10">{_safe(entity.name[:28])}</text>')
    return _page(parts, f"{marking}: {len(names)} / {len(view.entities)}", marking)


def time_line(view: View, marking: str, most_rows: int = 14) -> str:
    """Edges with a date, a row for each schema, left to right; one that has none is left out."""
    dated = [edge for edge in view.edges if _days(edge.date) is not None]
    rows = sorted({edge.schema for edge in dated})[:most_rows]
    days = [day for edge in dated if (day := _days(edge.date)) is not None]
    first, last = (min(days), max(days)) if days else (0.0, 1.0)
    span = (last - first) or 1.0
    parts = []
    for number, schema in enumerate(rows):
        y = 60 + number * 34
        parts.append(
            f'<text x="8" y="{y + 4}" font-size="11">{_safe(schema)}</text><path d="M130 {y}H880" stroke="{DIM}"/>'
        )
        for edge in dated:
            if edge.schema == schema:
                x = round(130 + 750 * ((_days(edge.date) or first) - first) / span)
                told = f"{edge.date} {_ends(view.entities, edge)}"
                parts.append(f'<path d="M{x} {y - 9}v18" stroke="{SHADES[0]}" stroke-width="2">{_hover(told)}</path>')
    named = sorted(edge.date for edge in dated)
    if named:
        parts.append(f'<text x="130" y="36" font-size="11">{_safe(named[0])}</text>')
        parts.append(f'<text x="880" y="36" font-size="11" text-anchor="end">{_safe(named[-1])}</text>')
    return _page(parts, f"{marking}: {len(dated)}", marking)


def lon_lat(view: View, marking: str) -> str:
    """Places by longitude and latitude (plate carrée, a grid each 30 degrees), as large as what names them is many."""
    parts = [f'<path d="M{_x(lon)} {_y(90)}V{_y(-90)}" stroke="#e3e7ec"/>' for lon in range(-180, 181, 30)]
    parts += [f'<path d="M{_x(-180)} {_y(lat)}H{_x(180)}" stroke="#e3e7ec"/>' for lat in range(-90, 91, 30)]
    many = dict[str, int]()
    for edge in view.edges:
        for end in (edge.source, edge.target):
            many[end] = many.get(end, 0) + 1
    for name, entity in view.entities.items():
        where = _point(entity)
        if where:
            x, y, size = _x(where[1]), _y(where[0]), 2 + min(10, round(math.sqrt(many.get(name, 0))))
            told = f"{entity.name}: {many.get(name, 0)}"
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="{size}" fill="{SHADES[1]}" fill-opacity="0.7">{_hover(told)}</circle>'
            )
            parts.append(f'<text x="{x + size + 1}" y="{y + 3}" font-size="8">{_safe(entity.name[:20])}</text>')
    return _page(parts, marking, marking)


def _point(entity: Entity) -> tuple[float, float] | None:
    found = [entity.values("latitude"), entity.values("longitude")]
    try:
        latitude, longitude = float(found[0][0]), float(found[1][0])
    except (IndexError, ValueError):
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _x(longitude: float) -> int:
    return round(20 + (longitude + 180) / 360 * (WIDE - 40))


def _y(latitude: float) -> int:
    return round(40 + (90 - latitude) / 180 * (HIGH - 80))


def _spread(places: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """To the paper, in whole points: two machines round alike."""
    if not places:
        return []
    xs, ys = [x for x, _ in places], [y for _, y in places]
    wide, high = (max(xs) - min(xs)) or 1.0, (max(ys) - min(ys)) or 1.0
    return [
        (round(40 + (x - min(xs)) / wide * (WIDE - 200)), round(50 + (y - min(ys)) / high * (HIGH - 100)))
        for x, y in places
    ]


def _days(date: str) -> float | None:
    """Of an ISO date, cut where it ends: a year is its first day."""
    try:
        year, month, day = ([int(part) for part in date[:10].split("-")] + [1, 1])[:3]
    except ValueError:
        return None
    return year * 365.2425 + month * 30.44 + day


def _ends(entities: Mapping[str, Entity], edge: Edge) -> str:
    return f"{entities[edge.source].name} → {entities[edge.target].name}"


def _told(entity: Entity) -> str:
    return f"{entity.schema}: {entity.name}"


def _page(parts: Iterable[str], title: str, marking: str) -> str:
    """With the view's own mark above and below: a picture is copied without its page."""
    shown = [
        f'<text x="{WIDE // 2}" y="{y}" text-anchor="middle" font-weight="bold">{_safe(marking)}</text>'
        for y in (16, HIGH - 6)
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" '
        f'height="{HIGH}">'
        f'<title>{_safe(title)}</title><rect width="{WIDE}" height="{HIGH}" fill="{PAPER}"/>'
        f'<g font-family="sans-serif" font-size="12" fill="{INK}">'
    )
    return "\n".join([head, *parts, *shown, "</g></svg>\n"])


def _hover(text: str) -> str:
    return f"<title>{_safe(text)}</title>"


def _safe(text: str) -> str:
    kept = "".join(each for each in text if each in "\t\n\r" or (each >= " " and not "\ud800" <= each <= "\udfff"))
    return escape(kept.replace("\ufffe", "").replace("\uffff", ""))
