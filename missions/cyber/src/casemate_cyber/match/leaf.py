"""Tests of one field: each leaf of a condition becomes a small function of an event.

An event is seen twice: `low`, field -> text in lower case (numbers and true/false as JSON writes them), and `raw`,
field -> value as it came. A field that is not there, or null, is in neither; every test of it is false but `null`.
An empty string is a value: it equals '' and is not null. Sigma compares without case unless a rule says `cased`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import re2

from casemate_cyber.match.regular import QUIET, searcher
from casemate_cyber.rules.pack import ONE, STAR, Node

Low = Mapping[str, str]
Raw = Mapping[str, Any]
Test = Callable[[Low, Raw], bool]
Pieces = Sequence[str | int]


def shape(pieces: Pieces) -> tuple[str, str]:
    """How a value without wildcards inside is compared: equal, starts, ends, has, any; or glob."""
    if ONE in pieces:
        return "glob", ""
    texts = [piece for piece in pieces if isinstance(piece, str)]
    if len(texts) > 1:
        return "glob", ""
    text = texts[0] if texts else ""
    if not texts and pieces:
        return "any", ""
    before, after = pieces[:1] == (STAR,) or pieces[:1] == [STAR], len(pieces) > 1 and pieces[-1] == STAR
    return ("has" if before and after else "ends" if before else "starts" if after else "equal"), text


def text_of(value: Any) -> str:
    """A value as rules compare it."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    return str(value)


def test_of(leaf: Node) -> Test:
    """The test of one leaf."""
    kind, field = leaf[0], leaf[1]
    match kind:
        case "str":
            return _cased(field, leaf[2]) if leaf[3] else strings(field, [leaf[2]])
        case "num":
            wanted = text_of(leaf[2])
            return lambda low, raw: low.get(field) == wanted
        case "bool":
            either = ("true", "1") if leaf[2] else ("false", "0")
            return lambda low, raw: low.get(field) in either
        case "null":
            return lambda low, raw: field not in low
        case "exists":
            return (lambda low, raw: field in low) if leaf[2] else (lambda low, raw: field not in low)
        case "re":
            return _regular(field, leaf[2], leaf[3])
        case "cidr":
            return _network(field, leaf[2])
        case "cmp":
            return _compared(field, leaf[2], leaf[3])
        case "ref":
            return _referred(field, leaf[2], leaf[3])
        case "part":
            return _part(field, leaf[2], leaf[3], leaf[4])
        case "word":
            return _word(leaf[1])
    raise ValueError(f"a leaf of kind {kind}")


def strings(field: str, values: Sequence[Pieces]) -> Test:
    """A field against any of several values, without case: one look-up for what is equal, one call for each end."""
    by: dict[str, list[str]] = {}
    globs: list[Callable[[str], bool]] = []
    for value in values:
        form, text = shape(value)
        if form == "glob":
            globs.append(glob([piece.lower() if isinstance(piece, str) else piece for piece in value]))
        else:
            by.setdefault(form, []).append(text.lower())
    if "any" in by:
        return lambda low, raw: field in low
    tests: list[Callable[[str], bool]] = []
    if "equal" in by:
        tests.append(frozenset(by["equal"]).__contains__)
    if "starts" in by:
        starts = tuple(by["starts"])
        tests.append(lambda value: value.startswith(starts))
    if "ends" in by:
        ends = tuple(by["ends"])
        tests.append(lambda value: value.endswith(ends))
    if "has" in by:
        tests.append(_has(by["has"]))
    tests += globs
    return _on(field, tests)


def _on(field: str, tests: list[Callable[[str], bool]]) -> Test:
    if len(tests) == 1:
        only = tests[0]

        def one(low: Low, raw: Raw) -> bool:
            value = low.get(field)
            return value is not None and only(value)

        return one

    def several(low: Low, raw: Raw) -> bool:
        value = low.get(field)
        if value is not None:
            for test in tests:
                if test(value):
                    return True
        return False

    return several


def _has(texts: list[str]) -> Callable[[str], bool]:
    if len(texts) == 1:
        text = texts[0]
        return lambda value: text in value

    def any_of(value: str) -> bool:
        for text in texts:
            if text in value:
                return True
        return False

    return any_of


def glob(pieces: Pieces) -> Callable[[str], bool]:
    """A value with wildcards, in time linear in the text: RE2 where one character is left open, else the pieces found
    one after the other, leftmost first."""
    if ONE in pieces:
        parts = [
            re2.escape(piece) if isinstance(piece, str) else "(?s:.*)" if piece == STAR else "(?s:.)"
            for piece in pieces
        ]
        full = re2.compile("".join(parts), QUIET).fullmatch
        return lambda value: full(value) is not None
    texts = [piece for piece in pieces if isinstance(piece, str)]
    first = texts.pop(0) if isinstance(pieces[0], str) else ""
    last = texts.pop() if isinstance(pieces[-1], str) else ""

    def fits(value: str) -> bool:
        at, end = len(first), len(value) - len(last)
        if end < at or not value.startswith(first) or not value.endswith(last):
            return False
        for text in texts:
            found = value.find(text, at, end)
            if found < 0:
                return False
            at = found + len(text)
        return True

    return fits


def _cased(field: str, pieces: Pieces) -> Test:
    form, text = shape(pieces)
    if form == "any":
        return lambda low, raw: field in low
    fits: Callable[[str], bool]
    match form:
        case "glob":
            fits = glob(pieces)
        case "has":
            fits = _has([text])
        case "starts":
            fits = lambda value: value.startswith(text)  # noqa: E731
        case "ends":
            fits = lambda value: value.endswith(text)  # noqa: E731
        case _:
            fits = text.__eq__

    def cased(low: Low, raw: Raw) -> bool:
        return field in low and fits(text_of(raw[field]))

    return cased


def _regular(field: str, pattern: str, flags: str) -> Test:
    search = searcher(pattern, flags)

    def regular(low: Low, raw: Raw) -> bool:
        return field in low and search(text_of(raw[field])) is not None

    return regular


def _network(field: str, network: str) -> Test:
    known = ip_network(network)
    family = socket.AF_INET if known.version == 4 else socket.AF_INET6
    mask, wanted = int(known.netmask), int(known.network_address)
    mark = "." if known.version == 4 else ":"

    def inside(low: Low, raw: Raw) -> bool:
        value = low.get(field)
        if value is None or mark not in value:
            return False
        try:
            return int.from_bytes(socket.inet_pton(family, value), "big") & mask == wanted
        except (OSError, ValueError):
            return False

    return inside


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}


def ordered(operator: str, left: float, right: float) -> bool:
    """left operator right, for Sigma's names of operators."""
    return _ORDER[operator](left, right)


def _compared(field: str, operator: str, number: float) -> Test:
    holds = _ORDER[operator]

    def compared(low: Low, raw: Raw) -> bool:
        value = low.get(field)
        if value is None:
            return False
        try:
            return holds(float(value), number)
        except ValueError:
            return False

    return compared


def _referred(field: str, other: str, mode: str) -> Test:
    def referred(low: Low, raw: Raw) -> bool:
        left, right = low.get(field), low.get(other)
        if left is None or right is None:
            return False
        return (
            left == right if mode == "equal" else left.startswith(right) if mode == "starts" else left.endswith(right)
        )

    return referred


def _part(field: str, part: str, operator: str, number: float) -> Test:
    """A part of a time in UTC; a week is that of strftime's %W."""
    holds = _ORDER[operator]

    def of_time(low: Low, raw: Raw) -> bool:
        value = low.get(field)
        if value is None:
            return False
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError:
            return False
        return holds(int(moment.strftime("%W")) if part == "week" else int(getattr(moment, part)), number)

    return of_time


def _word(pieces: Pieces) -> Test:
    """A keyword: somewhere in one of the event's values."""
    texts = [piece.lower() if isinstance(piece, str) else piece for piece in pieces]
    if len(texts) == 1 and isinstance(texts[0], str):
        fits = _has([texts[0]])
    else:
        fits = glob([STAR, *(texts if texts[:1] != [STAR] else texts[1:])] + ([STAR] if texts[-1:] != [STAR] else []))

    def word(low: Low, raw: Raw) -> bool:
        return any(fits(value) for value in low.values())

    return word
