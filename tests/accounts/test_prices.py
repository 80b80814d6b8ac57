"""Prices: exact whole numbers, and slips in the book that are refused."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.accounts import FREE, Price, PriceBook
from casemate.accounts.prices import MICRO, PICO, decimal, micro, parse_amount
from casemate.clock import parse_iso
from casemate.errors import Misconfigured

COUNT = st.integers(0, 10**9)
RATE = st.integers(0, 10**9)


@given(COUNT, COUNT, COUNT, RATE, RATE, RATE)
def test_a_cost_is_exact(prompt: int, completion: int, cached: int, a: int, b: int, c: int) -> None:
    cached = min(cached, prompt)
    cost = Price(a, b, c).cost(prompt, completion, cached)
    units = Fraction((prompt - cached) * a + cached * c + completion * b, MICRO * MICRO)
    assert Fraction(cost, PICO) == units
    assert cost <= Price(a, b, c).most(prompt + completion)


@given(st.integers(-(10**30), 10**30), st.integers(1, 15))
def test_a_decimal_says_exactly_its_number(number: int, places: int) -> None:
    text = decimal(number, places)
    assert Fraction(text) == Fraction(number, 10**places)
    assert "e" not in text.lower()


@pytest.mark.parametrize(("pico", "told"), [(0, 0), (499_999, 0), (500_000, 1), (1_499_999, 1), (1_500_000, 2)])
def test_money_is_rounded_half_up_where_it_is_told(pico: int, told: int) -> None:
    assert micro(pico) == told


@pytest.mark.parametrize(
    ("said", "amount"), [("3", 3_000_000), (3, 3_000_000), ("0.30", 300_000), ("0.000001", 1), ("15.5", 15_500_000)]
)
def test_an_amount_is_text_or_whole(said: object, amount: int) -> None:
    assert parse_amount(said, "x") == amount


@pytest.mark.parametrize("said", [0.3, True, None, "", "-1", "1.0000001", "1e3", "1,5", "1234567890", [1]])
def test_an_amount_is_nothing_else(said: object) -> None:
    with pytest.raises(Misconfigured) as told:
        parse_amount(said, "prices.x")
    assert told.value.facts["setting"] == "prices.x"


def test_the_newest_price_in_force_counts() -> None:
    line = {"input": "1", "output": "2"}
    book = PriceBook.parse(
        {
            "currency": "EUR",
            "models": {
                "a": [{**line, "from": date(2027, 1, 1), "cached": "0.1"}, line],
                "b": {**line, "from": "2026-06-01"},
            },
        }
    )
    old, new = Price(MICRO, 2 * MICRO, MICRO, "EUR"), Price(MICRO, 2 * MICRO, 100_000, "EUR")
    assert book.price("a", parse_iso("2026-12-31T23:59:59.999Z")) == old
    assert book.price("a", parse_iso("2027-01-01T00:00:00Z")) == new
    assert book.price("b", parse_iso("2026-05-31T00:00:00Z")) == Price(currency="EUR")
    assert book.price("nobody", 0) == Price(currency="EUR")
    book.add("b", [{"input": "9", "output": "9", "from": "2026-07-01"}])
    assert book.price("b", parse_iso("2026-08-01T00:00:00Z")).input == 9 * MICRO
    assert PriceBook().price("a", 0) == FREE


LINE = {"input": "1", "output": "1"}


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ({"currency": "euro"}, "prices.currency"),
        ({"price": 1}, "prices.price"),
        ({"models": 3}, "prices.models"),
        ({"models": {"a": {"input": "1"}}}, "prices.models.a"),
        ({"models": {"a": [3]}}, "prices.models.a"),
        ({"models": {"a": {**LINE, "other": 1}}}, "prices.models.a"),
        ({"models": {"a": {**LINE, "input": 1.5}}}, "prices.models.a.input"),
        ({"models": {"a": {**LINE, "output": "1000001"}}}, "prices.models.a"),
        ({"models": {"a": {**LINE, "from": "yesterday"}}}, "prices.models.a.from"),
        ({"models": {"a": {**LINE, "from": datetime(2026, 1, 1)}}}, "prices.models.a.from"),  # noqa: DTZ001
        ({"models": {"a": {**LINE, "from": 7}}}, "prices.models.a.from"),
    ],
)
def test_a_slip_is_named(section: dict[str, Any], setting: str) -> None:
    with pytest.raises(Misconfigured) as told:
        PriceBook.parse(section)
    assert told.value.facts["setting"] == setting
