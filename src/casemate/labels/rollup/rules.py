"""The rules of roll-up of the policy `us`, read from policies/us_rollup.toml: the manual's sentences as data.

It holds the rules and says whether one applies. It must never hold a rule of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["Closed", "Folded", "Moved", "Row", "Rules", "Taken", "rules"]


@dataclass(frozen=True, slots=True)
class Taken:
    """Tokens that the banner leaves out: at classified or unclassified documents, or beside other tokens."""

    category: str
    tokens: frozenset[str]
    at: str
    beside: frozenset[str]
    beside_any: frozenset[str]
    paragraph: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Tokens that stand under another name beside a third."""

    before: str
    after: str
    beside: frozenset[str]
    paragraph: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A control that says NOFORN in itself, and the plain one."""

    token: str
    plain: str
    paragraph: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Controls that close a release: tokens by name, or all of a category."""

    tokens: frozenset[str]
    categories: frozenset[str]
    at: str
    paragraph: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of Table 3: the scenarios of some portions and of others, and what follows for the banner."""

    rule: str
    one: str
    other: str
    lists: str
    common: bool | None
    banner: tuple[str, ...]
    paragraph: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All of them, in the file's order."""

    levels: tuple[str, ...]
    foreign_restricted: str
    paragraphs: Mapping[str, str]
    union: Mapping[str, str]
    moved: tuple[Moved, ...]
    taken: tuple[Taken, ...]
    folded: Mapping[str, Folded]
    closed: tuple[Closed, ...]
    withheld: tuple[Closed, ...]
    rows: Mapping[str, tuple[Row, ...]]  # by what they give the banner


@cache
def rules() -> Rules:
    """The packaged rules."""
    text = resources.files("casemate.labels").joinpath("policies", "us_rollup.toml").read_text("utf-8")
    return _rules(tomllib.loads(text))


def _rules(data: Mapping[str, Any]) -> Rules:
    rows = [_row(each) for each in data["row"]]
    return Rules(
        levels=tuple(data["levels"]),
        foreign_restricted=data["foreign_restricted"],
        paragraphs=data["paragraphs"],
        union={category: each["paragraph"] for each in data["union"] for category in each["categories"]},
        moved=tuple(Moved(e["from"], e["to"], frozenset(e["beside"]), e["paragraph"]) for e in data["moved"]),
        taken=tuple(_taken(each) for each in data["taken"]),
        folded={e["token"]: Folded(e["token"], e["plain"], e["paragraph"]) for e in data["folded"]},
        closed=_closed(data["closed"]),
        withheld=_closed(data["withheld"]),
        rows={kind: tuple(each for each in rows if kind in each.banner) for row in rows for kind in row.banner},
    )


def _taken(data: Mapping[str, Any]) -> Taken:
    return Taken(
        data["category"],
        frozenset(data["tokens"]),
        data.get("at", ""),
        frozenset(data.get("beside", ())),
        frozenset(data.get("beside_any", ())),
        data["paragraph"],
    )


def _closed(data: Collection[Mapping[str, Any]]) -> tuple[Closed, ...]:
    return tuple(
        Closed(frozenset(e.get("tokens", ())), frozenset(e.get("categories", ())), e.get("at", ""), e["paragraph"])
        for e in data
    )


def _row(data: Mapping[str, Any]) -> Row:
    number = data.get("number")
    return Row(
        data["rule"] if number is None else f"table-3-row-{number}",
        data["one"],
        data["other"],
        data.get("list", ""),
        data.get("common"),
        tuple(data["banner"].split(" or ")),
        data["paragraph"] if number is None else f"D.2, Table 3, row {number}, p. {data['page']}",
    )
