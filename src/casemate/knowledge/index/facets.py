"""What the found rows have in common, counted: by base, mark, media type, language, document, month and attribute.

Counts are exact and of the visible shards that are passed, of nothing else: a number that changes with what nobody may
see would tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.clock import iso
from casemate.knowledge.index.filed import Attribute, Filed
from casemate.knowledge.index.shard import Shard

__all__ = ["NAMES", "VALUES", "Counted", "Facet", "Matched", "count"]

VALUES = 50
NAMES = ("base", "mark", "media", "language", "document", "month", "attr")


class Counted(msgspec.Struct, frozen=True):
    """A value and how many of the found passages have it. `told` is a title, where the value is an id."""

    value: Attribute
    count: int
    told: str = ""


class Facet(msgspec.Struct, frozen=True):
    """The most frequent values first, equals by value; `others` are values that were left out."""

    name: str
    values: tuple[Counted, ...]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Matched:
    """The rows of a shard that were found, and what is known of all of it: its base and the mark of its class."""

    shard: Shard
    rows: NDArray[np.intp]
    extra: Mapping[str, Attribute]


def count(matched: Sequence[Matched], names: Iterable[str]) -> tuple[Facet, ...]:
    """A facet for each name; `attr.KEY` counts one attribute, `attr` each that occurs. Unknown names count nothing."""
    filed = [(each, found, number) for each in matched for found, number in _documents(each)]
    facets: list[Facet] = []
    for name in dict.fromkeys(names):
        if name == "attr":
            keys = sorted({key for _, found, _ in filed for key in found.attributes})
            facets.extend(_facet(f"attr.{key}", filed) for key in keys[:VALUES])
        else:
            facets.append(_facet(name, filed))
    return tuple(facets)


def _documents(matched: Matched) -> list[tuple[Filed, int]]:
    """The documents that have found rows, each with how many."""
    shard = matched.shard
    numbers = np.bincount(shard.owners[matched.rows], minlength=len(shard.filed))
    return [(shard.filed[int(at)], int(numbers[at])) for at in np.flatnonzero(numbers)]


def _facet(name: str, filed: Sequence[tuple[Matched, Filed, int]]) -> Facet:
    counts: dict[tuple[bool, bool, Attribute], int] = {}
    titles: dict[str, str] = {}
    for matched, found, number in filed:
        value = _value(name, matched, found)
        if value is None or value == "":
            continue
        key = (
            isinstance(value, str),
            isinstance(value, bool),
            value,
        )  # True is not 1, and text has no place among both
        counts[key] = counts.get(key, 0) + number
        if name == "document":
            titles[found.document] = min(titles.get(found.document, found.title), found.title)
    order = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    values = tuple(Counted(value, number, titles.get(str(value), "")) for (_, _, value), number in order[:VALUES])
    return Facet(name, values, max(0, len(order) - VALUES))


def _value(name: str, matched: Matched, filed: Filed) -> Attribute | None:
    if name.startswith("attr."):
        return filed.attributes.get(name[5:])
    if name in matched.extra:
        return matched.extra[name]
    if name == "month":
        return iso(filed.at)[:7] if filed.at else None
    columns = {"media": filed.media, "language": filed.language, "document": filed.document}
    return columns.get(name)
