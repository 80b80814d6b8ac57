"""Every example of the manual is read without a warning and written back identically; exceptions have their reason."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from casemate.labels import Parsed, Policies
from casemate.labels.vocabulary import Form

HERE = Path(__file__).resolve().parent
EXAMPLES: dict[str, list[dict[str, Any]]] = tomllib.loads((HERE / "capco_examples.toml").read_text("utf-8"))
MANUAL = Path(os.environ.get("CASEMATE_TEST_DATA", HERE.parents[2] / "shared" / "data")) / "labels" / "capco-2016"
US = Policies.load(["us"])
QUIET = {"undeclared"}  # the manual's compartments and programmes are no site's


def _read(text: str, form: Form) -> Parsed:
    (parsed,) = US.parse_mark(text, form)
    return parsed


def _wrong(parsed: Parsed) -> list[str]:
    return [each.rule for each in parsed.findings if each.severity != "note" and each.rule not in QUIET]


def _texts(kind: str) -> list[str]:
    return [example["text"] for example in EXAMPLES[kind]]


def test_how_many_there_are() -> None:
    assert {kind: len(each) for kind, each in EXAMPLES.items()} == {
        "banner": 140,
        "portion": 152,
        "titles": 14,
        "exceptions": 12,
    }


@pytest.mark.parametrize("text", _texts("banner"))
def test_a_banner_is_read_and_written_back(text: str) -> None:
    parsed = _read(text, "full")
    assert _wrong(parsed) == []
    assert US.render(parsed.mark) == text


@pytest.mark.parametrize("text", _texts("portion"))
def test_a_portion_mark_is_read_and_written_back(text: str) -> None:
    parsed = _read(text, "portion")
    assert _wrong(parsed) == []
    assert US.render(parsed.mark, "portion") == text


@pytest.mark.parametrize("example", EXAMPLES["titles"], ids=_texts("titles"))
def test_a_title_is_read_and_written_as_its_abbreviation(example: dict[str, Any]) -> None:
    parsed = _read(example["text"], "full")
    assert _wrong(parsed) == []
    assert US.render(parsed.mark) == example["written"]
    assert _read(example["written"], "full").mark == parsed.mark


@pytest.mark.parametrize("example", EXAMPLES["exceptions"], ids=_texts("exceptions"))
def test_an_exception_is_what_the_list_says(example: dict[str, Any]) -> None:
    assert example["reason"]
    if not example["rule"]:
        assert US.parse_mark(example["text"], example["form"]) == ()
        return
    parsed = _read(example["text"], example["form"])
    assert set(_wrong(parsed)) == {example["rule"]}
    assert US.render(parsed.mark, "portion" if example["form"] == "portion" else "en") == example["written"]


@pytest.mark.data
@pytest.mark.skipif(not MANUAL.is_dir(), reason="CASEMATE_TEST_DATA holds no manual")
def test_every_example_stands_in_the_manual() -> None:
    """The strings were collected, not made: each is in the manual's text, where a line may end within it."""
    text = "".join((MANUAL / "CAPCO-2016.txt").read_text("utf-8", "replace").split())
    for kind in EXAMPLES:
        for example in _texts(kind):
            assert "".join(example.split()) in text, example


def test_a_rule_of_the_policy_names_its_paragraph() -> None:
    for category in US.listed["us"].categories:
        for control in (*category.tokens.values(), *([category.whole] if category.whole else [])):
            said = control.levels or control.requires or control.excludes or control.wants or control.children
            assert control.source or not said, control.name
        assert all(family.like.source for family in category.families)
