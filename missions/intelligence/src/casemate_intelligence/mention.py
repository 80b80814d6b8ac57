"""What a text names: places of the gazetteer, dates, money and identifiers, each with its characters in the text.

Places are found by Aho-Corasick over the names as they are written, longest first. A demonym ("the Bolivian
Minister") names no place here: what a mention stands for is a place on a map. Numbers that carry a check digit are
taken only where it is right.
"""

from __future__ import annotations

import calendar
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from ahocorasick_rs import AhoCorasick, MatchKind

__all__ = ["Gazetteer", "Mention", "Place", "dates", "gazetteer", "identifiers", "mentions", "money"]

Kind = Literal["place", "date", "money", "identifier", "name"]
_MONTHS = (
    "january february march april may june july august september october november december "
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
).split()
_MONTH = "|".join(sorted({*_MONTHS, *(name.capitalize() for name in _MONTHS)}, key=lambda name: (-len(name), name)))
_DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})\b"),
    re.compile(rf"\b(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:, ?(?P<year>\d{{4}}))\b"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:er|st|nd|rd|th)? (?:of )?(?P<month>{_MONTH}),? (?P<year>\d{{4}})\b"),
    re.compile(rf"\b(?P<month>{_MONTH}) (?P<year>\d{{4}})\b"),
)
_MONEY = re.compile(
    r"(?P<sign>US\$|\$|£|€|EUR|USD|GBP|CHF)\s?(?P<before>\d[\d,.]*\d|\d)(?:\s?(?P<scale>million|billion|thousand|m|bn)\b)?"
    r"|\b(?P<after>\d[\d,.]*\d|\d)(?:\s(?P<scale2>million|billion|thousand))?\s?(?P<unit>€|euros?|dollars?|pounds|pesos|milreis|francs?)\b"
)
_UNITS = {"$": "USD", "US$": "USD", "£": "GBP", "€": "EUR", "euro": "EUR", "euros": "EUR", "dollar": "USD"}
_UNITS |= {"dollars": "USD", "pounds": "GBP"}
_SCALES = {"thousand": 10**3, "million": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9}
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_IMO = re.compile(r"\bIMO ?(\d{7})\b")
_LEI = re.compile(r"\b[A-Z0-9]{18}\d{2}\b")
_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b")


@dataclass(frozen=True, slots=True)
class Place:
    """`latitude`, `longitude` in degrees, north and east; of a state or region, a point inside it."""

    name: str
    kind: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Mention:
    """Characters `start` to `end` (excluded). `value`: an ISO date, `EUR 1200`, the number, the place's name."""

    kind: Kind
    start: int
    end: int
    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Names as they are written, and the place that each means."""

    places: dict[str, Place]
    finder: AhoCorasick
    written: tuple[str, ...]

    def find(self, text: str) -> Iterator[Mention]:
        """Names that stand as whole words, longest first, in the order of the text."""
        for at, start, end in self.finder.find_matches_as_indexes(text):
            inside = text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()
            if not inside:
                yield Mention("place", start, end, text[start:end], self.places[self.written[at]].name)


@cache
def gazetteer() -> Gazetteer:
    """Our own: states of 1934 and their capitals, cities and ports of its diplomacy, regions and waters."""
    places = dict[str, Place]()
    with (resources.files("casemate_intelligence") / "data" / "places.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            place = Place(row["name"], row["kind"], float(row["latitude"]), float(row["longitude"]))
            for name in [row["name"], *row["other_names"].split(";")]:
                if name and not name.startswith("the "):
                    places.setdefault(name, place)
    written = tuple(sorted(places))
    return Gazetteer(places, AhoCorasick(list(written), matchkind=MatchKind.LeftmostLongest), written)


def mentions(text: str) -> list[Mention]:
    """All kinds, in the order of the text."""
    found = [*gazetteer().find(text), *dates(text), *money(text), *identifiers(text)]
    return sorted(found, key=lambda one: (one.start, one.end, one.kind))


def dates(text: str) -> Iterator[Mention]:
    """Days and months with a year, in English and French; a day that no calendar has is none."""
    taken = list[tuple[int, int]]()
    for pattern in _DATES:
        for found in pattern.finditer(text):
            part = found.groupdict()
            month = int(part["number"]) if part.get("number") else _MONTHS.index(part["month"].lower()) % 12 + 1
            day = int(part.get("day") or 0)
            if not _is_day(int(part["year"]), month, day or 1) or any(
                a < found.end() and found.start() < b for a, b in taken
            ):
                continue
            taken.append(found.span())
            value = f"{part['year']}-{month:02d}" + (f"-{day:02d}" if day else "")
            yield Mention("date", *found.span(), found.group(), value)


def money(text: str) -> Iterator[Mention]:
    """An amount with its unit. A comma before three digits parts thousands, and so does a point before three."""
    for found in _MONEY.finditer(text):
        part = found.groupdict()
        amount = _amount(part["before"] or part["after"])
        scale = _SCALES.get(part["scale"] or part["scale2"] or "", 1)
        unit = part["sign"] or part["unit"]
        yield Mention("money", *found.span(), found.group(), f"{_UNITS.get(unit, unit)} {amount * scale:.12g}")


def identifiers(text: str) -> Iterator[Mention]:
    """IBAN and LEI (ISO 7064, mod 97-10), IMO numbers of ships, addresses of mail."""
    for kind, pattern in (("iban", _IBAN), ("lei", _LEI)):
        for found in pattern.finditer(text):
            number = found.group().replace(" ", "")
            whole = number[4:] + number[:4] if kind == "iban" else number
            if int("".join(str(int(letter, 36)) for letter in whole)) % 97 == 1:
                yield Mention("identifier", *found.span(), found.group(), f"{kind}:{number}")
    for found in _IMO.finditer(text):
        number = found.group(1)
        if sum(int(digit) * (7 - at) for at, digit in enumerate(number[:6])) % 10 == int(number[6]):
            yield Mention("identifier", *found.span(), found.group(), f"imo:{number}")
    for found in _MAIL.finditer(text):
        yield Mention("identifier", *found.span(), found.group(), f"mail:{found.group().lower()}")


def _is_day(year: int, month: int, day: int) -> bool:
    return year > 0 and month in range(1, 13) and 1 <= day <= calendar.monthrange(year, month)[1]


def _amount(text: str) -> float:
    whole, _, part = text.rpartition("," if text.rfind(",") > text.rfind(".") else ".")
    digits = re.sub(r"[.,]", "", whole)
    return float(f"{digits}{part}") if len(part) == 3 or not whole else float(f"{digits}.{part}")
