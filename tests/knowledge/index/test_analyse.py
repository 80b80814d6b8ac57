"""Analysis: one text, one list of terms, in English and in French."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.knowledge.index.analyse import query_terms, terms


@pytest.mark.parametrize(
    ("forms", "stem"),
    [
        ("plan plans planned planning", "plan"),
        ("attack attacks attacked attacking", "attack"),
        ("move moves moved moving", "mov"),
        ("delivery deliveries", "deliveri"),
        ("supply supplies supplied supplying", "suppli"),
        ("vessel vessels", "vessel"),
        ("process processes processed", "process"),
        ("break breaks broke broken breaking", "break"),
        ("lead leads led", "lead"),
        ("leave leaves left", "leav"),
        ("agree agrees agreed", "agr"),
        ("speed speeds", "speed"),
        ("journal journaux", "journal"),
        ("réseau réseaux RESEAUX", "reseau"),
        ("arrivé arrivée arrivés arrivées", "arriv"),
        ("navire navires", "navir"),
        ("convoi convois", "convoi"),
        ("œuvre œuvres", "oeuvr"),
    ],
)
def test_forms_of_a_word_are_one_term(forms: str, stem: str) -> None:
    assert set(terms(forms)) == {stem}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L’ambassade d'Ardent n'a pas répondu", ["ambassad", "ardent", "repondu"]),
        ("What is the state of it?", ["stat"]),
        ("SI-G, TK and IL-76 at 0300Z; 7 of 9", ["si", "tk", "76", "0300z", "7", "9"]),
        ("ﬁre", ["fir"]),
        ("snake_case", ["snak", "cas"]),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_query_terms_are_distinct_and_sorted() -> None:
    assert query_terms("storms, a storm; fuel") == ("fuel", "storm")


@given(st.text())
def test_case_and_normal_form_change_nothing(text: str) -> None:
    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))
    assert all(term and not term.isspace() for term in terms(text))


@given(st.text(), st.text())
def test_terms_depend_on_their_own_words_alone(one: str, two: str) -> None:
    assert terms(f"{one} \n {two}") == terms(one) + terms(two)
