"""Snippets: a stretch of the passage, letter for letter, with the question's words in it."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.knowledge.index.analyse import query_terms, terms
from casemate.knowledge.index.snippet import WORDS, Snippet, snippet
from casemate.knowledge.index.tokens import Tokens


def shown(text: str, question: str) -> Snippet:
    return snippet(text, frozenset(query_terms(question)), Tokens())


def marked(found: Snippet) -> list[str]:
    return [found.text[start:end] for start, end in found.spans]


def test_a_short_passage_is_shown_whole_with_its_words() -> None:
    found = shown("The convoys left; two ferries (and l'épidémie) stayed. Went home.", "convoy ferry epidemie go")
    assert found.text == "The convoys left; two ferries (and l'épidémie) stayed. Went home."
    assert marked(found) == ["convoys", "ferries", "épidémie", "Went"]
    assert (found.before, found.after) == (False, False)


def test_the_window_holds_most_of_what_was_asked_in_its_middle() -> None:
    text = " ".join(["convoy", *["calm"] * 60, "harbour", "and", "fuel", *["calm"] * 60])
    found = shown(text, "convoy harbour fuel")
    assert marked(found) == ["harbour", "fuel"]
    assert found.before
    assert found.after
    assert len(found.text.split()) == WORDS
    at = found.text.split().index("harbour")
    assert WORDS // 3 < at < 2 * WORDS // 3
    assert text[text.index(found.text) - 1] == " "


def test_the_beginning_and_the_end_are_not_cut() -> None:
    text = " ".join([*["calm"] * 50, "fuel"])
    found = shown(text, "fuel")
    assert (found.before, found.after, marked(found)) == (True, False, ["fuel"])
    assert shown(text, "nothing") == Snippet(" ".join(["calm"] * WORDS), (), False, True)
    assert shown("", "fuel") == Snippet("")
    assert shown(" calm fuel ", "").text == " calm fuel "


def test_letters_with_combining_marks_stay_whole() -> None:
    word = unicodedata.normalize("NFD", "épidémie")
    found = shown(f"l'{word}s.", "épidémie")
    assert marked(found) == [f"{word}s"]
    long = ("e\u0301" * 30 + "-") * 100
    cut = shown(long, "nothing")
    assert cut.after
    assert not unicodedata.combining(long[len(cut.text)])


def test_a_text_without_spaces_is_cut_between_letters() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    found = shown(family * 900 + "漢字" * 900, "x")
    assert found.after
    assert len(found.text) <= WORDS * 60
    assert len(shown("漢" * 4000, "x").text) == WORDS * 48


letters = st.sampled_from(
    [*"abcdé -,.'\n", "e\u0301", "\u0301", "convoy ", "fuel ", "Harbours ", "½", "ﬁ", "ß", "漢", "\u200d"]
)
texts = st.lists(letters, max_size=400).map("".join)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_a_snippet_is_a_stretch_with_apart_spans_of_asked_words(text: str) -> None:
    asked = frozenset(query_terms("convoy fuel harbour"))
    found = snippet(text, asked, Tokens())
    assert found.text in text
    if found.after:
        assert text.startswith(found.text) or found.before
    end = 0
    for start, stop in found.spans:
        assert end <= start < stop
        assert asked.intersection(terms(found.text[start:stop]))
        end = stop
    if not found.before and not found.after:
        assert found.text == text


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | texts)
def test_tokens_give_the_terms_of_a_text(text: str) -> None:
    tokens = Tokens()
    assert tokens.terms(text) == terms(text)
    assert tokens.terms(text) == terms(text)
