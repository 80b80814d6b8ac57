"""What narrows a search: filters over documents as data, from whichever wire, and how much is read.

What a filter means, and how large one may be, is `knowledge.index.filter`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

__all__ = ["Attribute", "Compare", "Every", "Filter", "Narrowed", "Operator", "Some", "comparisons"]

Attribute = str | float | bool
Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "prefix", "contains"]


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """`value` is a list for `in` and `nin`. `contains`: a part of a string."""

    key: str
    operator: Operator
    value: Attribute | tuple[Attribute, ...]


class Every(msgspec.Struct, frozen=True, tag="every"):
    """All of them hold; none given holds."""

    of: tuple[Filter, ...] = ()


class Some(msgspec.Struct, frozen=True, tag="some"):
    """One of them holds at least; none given does not hold."""

    of: tuple[Filter, ...] = ()


Filter = Compare | Every | Some


def comparisons(found: Filter) -> Iterator[Compare]:
    """Every comparison in it, however it is joined."""
    if isinstance(found, Compare):
        yield found
    else:
        for each in found.of:
            yield from comparisons(each)


class Narrowed(msgspec.Struct, frozen=True):
    """What an answer from knowledge is made from: the best `k` passages that pass the filter, `least` as in `Search`.

    `k` 0 is as many as the assistant reads otherwise.
    """

    k: int = 0
    filter: Filter | None = None
    least: float = 0.0
