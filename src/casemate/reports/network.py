"""A graph that a reader walks through: views of it beside each other, found in, widened, dated, each with its evidence.

It goes into the page as data, beside a script of our own (`network.js`), the only one that the page's policy lets run,
by its hash. The script asks nobody for anything and writes texts as texts. What must never happen: that a view's share
of the page holds what that view was not given.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from casemate.errors import BadInput
from casemate.reports.given import items, number, text

__all__ = ["MOST_LINKS", "MOST_NODES", "MOST_VIEWS", "Link", "Network", "Node", "Quote", "Seen", "drawn", "network_of"]

MOST_VIEWS = 8
MOST_NODES = 2000
MOST_LINKS = 6000
MOST_QUOTES = 60
MOST_TEXT = 2000
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "find": "Search",
        "none": "Nothing has these words.",
        "view": "View",
        "shown": "shown",
        "of": "of",
        "start": "Most central",
        "all": "Everything",
        "wide": "Expand",
        "only": "Only this and its neighbours",
        "from": "Path from here",
        "to": "Path to here",
        "nopath": "No path",
        "path": "Path",
        "clear": "Forget the path",
        "time": "Time",
        "first": "From",
        "last": "To",
        "evidence": "Evidence",
        "pick": "Choose an entity or a link.",
        "absent": "Not in this view.",
        "members": "One of",
        "links": "Links",
        "more": "more",
    },
    "fr": {
        "find": "Chercher",
        "none": "Rien ne contient ces mots.",
        "view": "Vue",
        "shown": "affichées",
        "of": "sur",
        "start": "Les plus centrales",
        "all": "Tout",
        "wide": "Déployer",
        "only": "Ceci et ses voisins",
        "from": "Chemin depuis ici",
        "to": "Chemin vers ici",
        "nopath": "Aucun chemin",
        "path": "Chemin",
        "clear": "Oublier le chemin",
        "time": "Période",
        "first": "Du",
        "last": "Au",
        "evidence": "Preuves",
        "pick": "Choisissez une entité ou un lien.",
        "absent": "Absent de cette vue.",
        "members": "Réunit",
        "links": "Liens",
        "more": "de plus",
    },
}


@dataclass(frozen=True, slots=True)
class Quote:
    """A value, and the words that it stands on behind their portion mark; `words` is empty where the value is all."""

    prop: str
    value: str
    mark: str
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Node:
    """`members`: the ids that are one here. `x`, `y`: where it is drawn; `size` its radius, both in units of paper."""

    id: str
    name: str
    kind: str
    mark: str
    members: tuple[str, ...]
    x: float
    y: float
    size: float
    group: int
    quotes: tuple[Quote, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """From the node `source` to the node `target`. `date`: ISO 8601, or empty."""

    id: str
    kind: str
    source: str
    target: str
    date: str
    mark: str
    quotes: tuple[Quote, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """One view: its marking, what it shows, most central first, links by id, and how many nodes it has in all."""

    mark: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    of: int


@dataclass(frozen=True, slots=True)
class Network:
    """Views of one graph, lowest first."""

    views: Sequence[Seen]
    title: str = ""


def network_of(value: Mapping[str, Any], title: str) -> Network:
    """From the JSON that a stranger's program wrote. Raises BadInput for what is none, or is too large."""
    return Network([_seen(each) for each in _maps(value, "views", MOST_VIEWS)], title)


def drawn(network: Network, language: str) -> str:
    """Its part of the page: data that nothing runs, which the script unfolds where scripts run."""
    words = WORDS.get(language, WORDS["en"])
    told = json.dumps({"words": words, "views": [asdict(one) for one in network.views]}, ensure_ascii=False)
    # no mark-up begins in it, whatever a mission wrote
    held = told.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    place = f'<div class="network" aria-label="{escape(network.title)}" hidden></div>'
    return f'{place}<script type="application/json">{held}</script>'


@cache
def script() -> str:
    """The one script that a page may run."""
    return _file("network.js")


@cache
def style() -> str:
    """What it looks like."""
    return _file("network.css")


def script_hash() -> str:
    """As a policy names it (Content Security Policy 3, section 2.3.1)."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(script().encode()).digest()).decode() + "'"


def _file(name: str) -> str:
    return (resources.files(__package__ or "") / name).read_text(encoding="utf-8")


def _seen(value: Mapping[str, Any]) -> Seen:
    nodes = tuple(_node(each) for each in _maps(value, "nodes", MOST_NODES))
    links = tuple(_link(each) for each in _maps(value, "links", MOST_LINKS))
    known = {node.id for node in nodes}
    if len(known) != len(nodes) or any(not {link.source, link.target} <= known for link in links):
        raise BadInput(what="A link in a report joins two nodes of its view, each of which stands there once.")
    return Seen(text(value, "mark", 400), nodes, links, max(_whole(value, "of"), len(nodes)))


def _node(value: Mapping[str, Any]) -> Node:
    id, name, kind, mark = (text(value, each, MOST_TEXT) for each in ("id", "name", "kind", "mark"))
    members = tuple(str(each)[:MOST_TEXT] for each in items(value, "members", 1000)) or (id,)
    x, y, size = (number(value.get(each, 0.0)) for each in ("x", "y", "size"))
    if not all(math.isfinite(each) and abs(each) < 1e6 for each in (x, y, size)):
        raise BadInput(what="A node in a report stands on the paper.")
    group, more = _whole(value, "group"), _whole(value, "more")
    return Node(id, name, kind, mark, members, x, y, size, group, _quotes(value), more)


def _link(value: Mapping[str, Any]) -> Link:
    names = ("id", "kind", "source", "target", "date", "mark")
    id, kind, source, target, date, mark = (text(value, each, MOST_TEXT) for each in names)
    return Link(id, kind, source, target, date, mark, _quotes(value), _whole(value, "more"))


def _quotes(value: Mapping[str, Any]) -> tuple[Quote, ...]:
    names = ("prop", "value", "mark", "words", "source")
    return tuple(
        Quote(*(text(each, name, MOST_TEXT) for name in names)) for each in _maps(value, "quotes", MOST_QUOTES)
    )


def _whole(value: Mapping[str, Any], name: str) -> int:
    found = value.get(name, 0)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 1 << 53:
        raise BadInput(what=f"{name} in a report is a whole number.")
    return found


def _maps(value: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
    found = items(value, name, most)
    if not all(isinstance(each, dict) for each in found):
        raise BadInput(what=f"{name} in a report is a list of objects.")
    return found
