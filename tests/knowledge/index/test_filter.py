"""Filters: each operator by type, what is not there, and the bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.filter import COMPARISONS, DEPTH, VALUES, Compare, Every, Some, checked, holds

FILED = Filed(
    "doc_a",
    "Harbour report",
    5_000_000,
    "text/plain",
    "en",
    {"author": "ann", "year": 2024.0, "draft": True, "at": "x"},
)
EXTRA = {"base": "port", "mark": "(U)"}


def says(key: str, operator: Any, value: Any) -> bool:
    return holds(Compare(key, operator, value), FILED, EXTRA)


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("author", "eq", "ann", True),
        ("author", "eq", "Ann", False),
        ("author", "ne", "ben", True),
        ("author", "ne", "ann", False),
        ("author", "in", ("ben", "ann"), True),
        ("author", "nin", ("ben", "ann"), False),
        ("author", "in", (), False),
        ("author", "nin", (), True),
        ("author", "in", "ann", True),
        ("author", "eq", ("ann",), False),
        ("author", "prefix", "an", True),
        ("author", "contains", "nn", True),
        ("author", "contains", "x", False),
        ("author", "gt", "and", True),
        ("author", "lte", "ann", True),
        ("year", "eq", 2024, True),
        ("year", "eq", "2024", False),
        ("year", "ne", "2024", True),
        ("year", "gte", 2024, True),
        ("year", "gt", 2024, False),
        ("year", "lt", "3000", False),
        ("year", "prefix", 20, False),
        ("draft", "eq", True, True),
        ("draft", "eq", 1, False),
        ("draft", "ne", 1, True),
        ("draft", "gte", True, False),
        ("year", "gt", True, False),
        ("at", "eq", 5_000_000, True),
        ("at", "gte", 5_000_000, True),
        ("at", "lt", 5_000_001.5, True),
        ("attr.at", "eq", "x", True),
        ("attr.title", "eq", "Harbour report", False),
        ("title", "contains", "report", True),
        ("document", "eq", "doc_a", True),
        ("media", "prefix", "text/", True),
        ("language", "in", ("en", "fr"), True),
        ("base", "eq", "port", True),
        ("mark", "ne", "(U)", False),
        ("none", "eq", "x", False),
        ("none", "lt", 3, False),
        ("none", "ne", "x", True),
        ("none", "nin", ("x",), True),
        ("none", "in", ("x",), False),
    ],
)
def test_a_comparison(key: str, operator: Any, value: Any, expected: bool) -> None:
    assert says(key, operator, value) is expected


def test_prefix_of_a_number_is_no_comparison() -> None:
    assert not says("year", "contains", 0)
    assert not says("at", "prefix", 5)


def test_every_and_some() -> None:
    yes, no = Compare("author", "eq", "ann"), Compare("author", "eq", "ben")
    assert holds(Every(), FILED)
    assert not holds(Some(), FILED)
    assert holds(Every((yes, Some((no, yes)))), FILED)
    assert not holds(Every((yes, no)), FILED)
    assert not holds(Some((no, Every((no,)))), FILED)


values = st.sampled_from(["ann", "ben", 1.0, 0.0, True, False, 2024.0])
opposites = [("eq", "ne"), ("in", "nin")]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["k", "none"]), values, values, st.sampled_from(opposites))
def test_an_operator_and_its_opposite_never_agree(key: str, own: Any, value: Any, pair: tuple[Any, Any]) -> None:
    filed = Filed("d", attributes={"k": own})
    asked = (value,) if pair[0] == "in" else value
    assert holds(Compare(key, pair[0], asked), filed) != holds(Compare(key, pair[1], asked), filed)


def nested(depth: int) -> Any:
    made: Any = Compare("a", "eq", "b")
    for _ in range(depth - 1):
        made = Every((made,))
    return made


def test_what_is_small_enough_is_let_through() -> None:
    for rule in (nested(1), nested(DEPTH), Some((Compare("a", "eq", "b"),) * COMPARISONS), Every()):
        assert checked(rule) is rule


@pytest.mark.parametrize(
    "rule",
    [
        nested(DEPTH + 1),
        nested(900),
        Every((Compare("a", "eq", "b"),) * (COMPARISONS + 1)),
        Compare("a", "eq", ("b",)),
        Compare("a", "in", "b"),
        Compare("a", "nin", ("b",) * (VALUES + 1)),
    ],
)
def test_what_is_too_large_or_makes_no_sense_is_refused(rule: Any) -> None:
    with pytest.raises(BadInput):
        checked(rule)
