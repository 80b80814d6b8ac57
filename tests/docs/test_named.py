"""Tests that the documentation names are there, and each requirement that docs/assurance.md owes has its row."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")

# OWASP AISVS 1.0, chapters C5 and C8: how many requirements each section has, in the order of their numbers.
SECTIONS = {"5.1": 2, "5.2": 7, "5.3": 2, "8.1": 3, "8.2": 5, "8.3": 3}
REQUIRED = [f"C{section}.{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)]
STATES = {"met", "partly", "not met", "does not apply"}
ROW = re.compile(r"^\| (C\d\.\d\.\d) \| ([123]) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@cache
def functions(file: Path) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse(file.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(text: str) -> list[str]:
    """The tests that a page names and that are not there."""
    return [
        f"{file}::{name}"
        for file, name in NAMED.findall(text)
        if not (TESTS / file).is_file() or name not in functions(TESTS / file)
    ]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    assert missing(page.read_text()) == []


def test_a_test_that_is_gone_is_seen() -> None:
    assert missing("`docs/test_named.py::test_gone` `nowhere/test_x.py::test_a`") == [
        "docs/test_named.py::test_gone",
        "nowhere/test_x.py::test_a",
    ]


def test_every_requirement_stands_in_assurance_once_and_no_other_does() -> None:
    rows = ROW.findall((DOCS / "assurance.md").read_text())
    assert Counter(number for number, *_ in rows) == Counter(REQUIRED)
    for number, _level, _asks, state, why in rows:
        assert state in STATES, number
        assert state not in {"met", "partly"} or NAMED.search(why), f"{number} is {state} and names no test"
        assert state != "partly" or "not met:" in why.lower(), f"{number} does not say what is missing"
