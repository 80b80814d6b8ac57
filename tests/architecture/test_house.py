"""The source as it stands keeps the house rules and the sizes; every exception has a reason and is still needed."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.rules import RULES, Finding, Source, judge

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "casemate"
FILE_LINES = 400
FUNCTION_LINES = 80


class Excess(NamedTuple):
    """Something longer than it may be."""

    what: str
    lines: int


@cache
def allowed() -> list[dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / "allowed.toml").read_text()).get("allowed", [])


def is_allowed(rule: str, path: str) -> bool:
    return any(entry["rule"] == rule and entry["path"] == path for entry in allowed())


def sources() -> Iterator[Source]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield Source(file.relative_to(PACKAGE).as_posix(), ast.parse(file.read_text()))


def too_long(path: str, text: str) -> Iterator[Excess]:
    """The file if it is too long, and each function that is."""
    if (lines := text.count("\n")) > FILE_LINES:
        yield Excess(path, lines)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield Excess(f"{path}::{node.name}", length)


@cache
def findings() -> list[Finding]:
    """Everything that all rules say: each file is parsed once, and its tree is not kept."""
    return [finding for source in sources() for finding in judge(source, RULES)]


@cache
def excesses() -> list[Excess]:
    folders = [ROOT / name for name in ("src", "tests", "bench", "requirements", "missions", "verifier")]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    assert files, "nothing to measure: the test looks in the wrong place"
    return [excess for file in files for excess in too_long(file.relative_to(ROOT).as_posix(), file.read_text())]


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_the_source_keeps_the_rule(rule: str) -> None:
    found = [finding for finding in findings() if finding.rule == rule]
    assert [finding.told for finding in found if not is_allowed(finding.rule, finding.path)] == []


def test_no_file_and_no_function_is_too_long() -> None:
    over = [excess for excess in excesses() if not is_allowed("size", excess.what)]
    assert over == [], (
        f"cut by the object that flows: at most {FILE_LINES} lines a file and {FUNCTION_LINES} a function"
    )


def test_the_measure_sees_a_long_file_and_a_long_function() -> None:
    assert list(too_long("a.py", "x = 1\n" * 401)) == [Excess("a.py", 401)]
    assert list(too_long("a.py", "def f():\n" + "    x = 1\n" * 80)) == [Excess("a.py::f", 81)]
    assert list(too_long("a.py", "def f():\n" + "    x = 1\n" * 79)) == []


def test_every_exception_gives_its_reason_and_is_still_needed() -> None:
    found = {(finding.rule, finding.path) for finding in findings()}
    found |= {("size", excess.what) for excess in excesses()}
    for entry in allowed():
        assert len(entry["reason"].split()) >= 5, f"why is {entry['path']} allowed to break {entry['rule']}?"
        assert (entry["rule"], entry["path"]) in found, (
            f"{entry['path']} keeps {entry['rule']} by now: strike the exception"
        )


def test_each_room_says_what_it_is_for() -> None:
    """A room's face opens with a docstring: what it is for and what it must never do."""
    faces = sorted(PACKAGE.glob("*/__init__.py"))
    assert faces
    silent = [
        face.parent.name for face in faces if len((ast.get_docstring(ast.parse(face.read_text())) or "").split()) < 8
    ]
    assert silent == [], "give these rooms a docstring that says what they are for and must never do"


def test_each_face_declares_what_it_shows() -> None:
    """`__all__` of a face names only what is there, sorted, and each once."""
    for face in sorted(PACKAGE.glob("*/__init__.py")):
        shown = [
            ast.literal_eval(node.value)
            for node in ast.parse(face.read_text()).body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        ]
        for names in shown:
            assert len(names) == len(set(names)), f"{face.parent.name} shows a name twice"
