"""Both languages say the same things, of every error and every rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import casemate
from casemate.errors import Absent, Refused, tree
from casemate.words import LANGUAGES, language_of, problem, say, sentences

FACT = re.compile(r"{(\w+)}")


def test_the_languages_have_the_same_sentences_with_the_same_facts() -> None:
    english, french = sentences("en"), sentences("fr")
    assert set(english) == set(french)
    for slug, text in english.items():
        assert set(FACT.findall(text)) == set(FACT.findall(french[slug])), slug
        assert text.strip(), slug


@pytest.mark.parametrize("error", tree(), ids=lambda e: e.__name__)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_title_detail_and_remedy(error: type, language: str) -> None:
    told = problem(error(), language, "label", "entry")
    assert told.title
    assert told.detail
    assert told.remedy
    assert (told.slug, told.status, told.exit, told.label, told.entry) == (
        error.slug,
        error.status,
        error.exit,
        "label",
        "entry",
    )


def test_every_rule_that_refuses_has_its_own_sentences() -> None:
    root = Path(casemate.__file__).parent
    text = "\n".join(f.read_text() for f in root.rglob("*.py"))
    rules = set(re.findall(r'(?:Refuse|Refused)\(\s*(?:rule=)?"([a-z-]+)"', text)) - {"owner"}
    assert rules
    assert {rule for rule in rules if f"rules.{rule}.detail" not in sentences("en")} == set()


def test_a_refusal_is_told_by_its_rule_and_others_by_their_slug() -> None:
    told = problem(Refused(rule="self-grant"))
    assert told.rule == "self-grant"
    assert "himself" in told.detail
    unknown = problem(Refused(rule="never-heard-of"))
    assert unknown.rule == "never-heard-of"
    assert "never-heard-of" in unknown.detail
    assert problem(Absent(kind="document", id="x"), "fr").rule == ""


def test_a_fact_that_is_not_given_shows_its_name() -> None:
    assert "{id}" in say("errors.absent.detail", kind="document")


def test_an_unknown_language_is_english_and_an_unknown_slug_a_defect() -> None:
    assert say("errors.absent.title", "xx") == say("errors.absent.title", "en")
    with pytest.raises(KeyError):
        say("errors.never.title")


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en;q=0.1, fr;q=0.7", "fr"),
        ("fr_FR.UTF-8", "fr"),
        ("de, it;q=0.5", "en"),
        ("fr;q=x", "en"),
        ("", "en"),
    ],
)
def test_the_best_language_is_chosen(accept: str, language: str) -> None:
    assert language_of(accept) == language
