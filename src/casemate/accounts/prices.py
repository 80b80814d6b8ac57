"""Prices: what a token costs, as data. Money is a whole number, never a float.

A rate is in millionths of the currency's unit (micro-units) per million tokens. So a count of tokens times a rate is in
millionths of a micro-unit (10^-12 of the unit, here a `pico`), exactly: the cost of a request is never rounded, nor is
any sum of costs. It is rounded once, half up to a whole micro-unit, where a person is told (`micro`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from casemate.clock import SECOND
from casemate.errors import Misconfigured

__all__ = ["FREE", "MICRO", "NO_CURRENCY", "PICO", "Price", "PriceBook", "decimal", "micro", "parse_amount"]

MICRO = 1_000_000
PICO = 1_000_000_000_000
NO_CURRENCY = "XXX"  # ISO 4217: no currency is involved
HIGHEST = 1_000_000 * MICRO  # per million tokens; beyond it, a price is a slip
_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FIELDS = {"input", "output", "cached", "from"}


class Price(msgspec.Struct, frozen=True):
    """Rates in micro-units per million tokens. `cached` is for prompt tokens that the vendor took from its cache."""

    input: int = 0
    output: int = 0
    cached: int = 0
    currency: str = NO_CURRENCY

    def cost(self, prompt: int, completion: int, cached: int = 0) -> int:
        """What a request costs, in pico-units, exactly. `cached` of the `prompt` tokens came from a cache."""
        return (prompt - cached) * self.input + cached * self.cached + completion * self.output

    def most(self, tokens: int) -> int:
        """What so many tokens cost at most, in pico-units, whichever way they go."""
        return tokens * max(self.input, self.output, self.cached)


FREE = Price()


def micro(pico: int) -> int:
    """Whole micro-units, half up: 0.5 of one is one."""
    return (pico + MICRO // 2) // MICRO


def decimal(number: int, places: int = 12) -> str:
    """A whole number of 10^-places as plain decimal text: no exponent, no zeros at its end."""
    whole, part = divmod(abs(number), 10**places)
    text = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".")
    return f"-{text}" if number < 0 else text


def parse_amount(value: object, setting: str) -> int:
    """Micro-units of an amount written as text ("3.00") or as a whole number. Raises Misconfigured; floats are none."""
    found = _AMOUNT.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if found is None:
        raise Misconfigured(setting=setting, why='an amount is text such as "3.00", with at most six decimals')
    return int(found[1]) * MICRO + int((found[2] or "").ljust(6, "0"))


class PriceBook:
    """Prices by model, each from a day on. One region counts in one currency, so that a budget is one number."""

    def __init__(self, currency: str = NO_CURRENCY) -> None:
        if not _CURRENCY.fullmatch(currency):
            raise Misconfigured(setting="prices.currency", why="a currency is its three letters (ISO 4217)")
        self.currency = currency
        self._free = Price(currency=currency)
        self._lines: dict[str, list[tuple[int, Price]]] = {}

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> PriceBook:
        """The book of a `[prices]` section. Raises Misconfigured, naming the setting.

        [prices]
        currency = "EUR"
        [[prices.models."acme/large"]]
        input = "3.00"          # per million tokens
        output = "15.00"
        cached = "0.30"         # default: as input
        from = 2026-01-01       # default: always
        """
        unknown = sorted(set(section) - {"currency", "models"})
        if unknown:
            raise Misconfigured(setting=f"prices.{unknown[0]}", why="there is no such setting")
        book = cls(str(section.get("currency", NO_CURRENCY)))
        models = section.get("models", {})
        if not isinstance(models, Mapping):
            raise Misconfigured(setting="prices.models", why="it is a table of models")
        for model, lines in models.items():
            book.add(model, lines if isinstance(lines, list) else [lines])
        return book

    def add(self, model: str, lines: Sequence[Any]) -> None:
        """The prices of a model, as its card or the settings give them. Raises Misconfigured."""
        found = [_line(f"prices.models.{model}", line, self.currency) for line in lines]
        self._lines[model] = sorted([*self._lines.get(model, []), *found], key=_since)

    def price(self, model: str, at: int) -> Price:
        """The newest price of a model that is in force at a moment. A model without a price costs nothing."""
        price = self._free
        for since, line in self._lines.get(model, ()):
            if since > at:
                break
            price = line
        return price


def _since(line: tuple[int, Price]) -> int:
    return line[0]


def _line(setting: str, line: Any, currency: str) -> tuple[int, Price]:
    if not isinstance(line, Mapping) or not {"input", "output"} <= set(line) <= _FIELDS:
        raise Misconfigured(setting=setting, why="a price has input and output, and may have cached and from")
    rates = {
        name: parse_amount(line[name], f"{setting}.{name}") for name in ("input", "output", "cached") if name in line
    }
    if max(rates.values()) > HIGHEST:
        raise Misconfigured(setting=setting, why="a price is at most a million per million tokens")
    price = Price(rates["input"], rates["output"], rates.get("cached", rates["input"]), currency)
    return _moment(line.get("from"), f"{setting}.from"), price


def _moment(value: Any, setting: str) -> int:
    """Microseconds since the epoch of the first moment of a day (UTC). Raises Misconfigured."""
    if value is None:
        return 0
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    if not isinstance(day, date) or isinstance(day, datetime):
        raise Misconfigured(setting=setting, why="it is a day such as 2026-01-01")
    return (day - date(1970, 1, 1)).days * 86_400 * SECOND
