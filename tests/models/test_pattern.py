"""Patterns of callers: the same matches as a plain definition of leftmost and longest gives, in bounded time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.models.pattern import BadPattern, Pattern, TooCostly

KNOWN = [
    r"\d{3}-\d{2}-\d{4}",
    r"(a|ab)(c|bcd)*",
    r"[^a-c]+x?",
    r"(?i)foo|ba[rz]",
    r"a{2,}",
    r"a{0,3}b",
    r"(ab?)+c",
    r"[\w.-]+@[\w-]+",
    "x*",
    "a]b",
    "[]a]+",
    "(?:ab){2}",
    "a+?b",
    "(?i)[a-c]+",
    r"[\d\-x]+",
    r"\.\D\n?",
    "[^\\n]+",
    "a.c",
    "",
]


def defined(pattern: str, text: str) -> list[tuple[int, int]]:
    """Leftmost and longest, tried one by one."""
    compiled = re.compile(pattern)
    found, place = [], 0
    while place <= len(text):
        spans = (
            (s, e) for s in range(place, len(text)) for e in range(len(text), s, -1) if compiled.fullmatch(text, s, e)
        )
        span = next(spans, None)
        if span is None:
            break
        found.append(span)
        place = span[1]
    return found


@pytest.mark.parametrize("pattern", KNOWN)
@given(text=st.text("abcdxzABC12-@.] \nfobr", max_size=20))
@settings(max_examples=60, deadline=None)
def test_matches_are_as_defined(pattern: str, text: str) -> None:
    assert Pattern(pattern).spans(text) == defined(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        (r"\bcat\b", "cat concat cat.", ["cat", "cat"]),
        (r"\Bcat", "cat concat", ["cat"]),
        (r"^a+$", "aa\nab\na", ["aa", "a"]),
        (r"\w+", "été_1 ß", ["été_1", "ß"]),
        (r"\Sx\s", "ax bx\t", ["ax ", "bx\t"]),
    ],
)
def test_places(pattern: str, text: str, said: list[str]) -> None:
    assert [text[start:end] for start, end in Pattern(pattern).spans(text)] == said


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a**", "[a", "(?=a)", r"\1", "a{3,1}", "*a", "a{2000}", "(a{100}){100}", "a{x}", "(?P<a>b)", "\\",
     "[z-a]", r"[a-\d]", "(" * 30 + ")" * 30, "a{1", "(a"],
)  # fmt: skip
def test_what_is_not_known_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Pattern(pattern)


def test_a_pattern_that_backtracking_cannot_end_ends() -> None:
    assert Pattern("(a*)*b").spans("a" * 5000) == []


def test_a_search_has_a_budget() -> None:
    with pytest.raises(TooCostly):
        Pattern("(a?){300}c").spans("a" * 2000)
