"""The language of a text: never the wrong one of the two, and nothing is said where nothing is sure."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.knowledge.reading.language import _ENGLISH, _FRENCH, _OTHERS, detect


def corpus():
    """(language, paragraph) for each paragraph of twenty words or more."""
    for file in sorted(resources.files("casemate.exercise").joinpath("corpus").iterdir(), key=lambda file: file.name):
        for paragraph in re.split(r"\n\s*\n", file.read_text("utf-8")):
            if len(paragraph.split()) >= 20:
                yield ("fr" if file.name.startswith("fr-") else "en"), paragraph


def test_the_exercise_corpus():
    told = [(language, detect(paragraph)) for language, paragraph in corpus()]
    assert len(told) > 250
    assert {found for language, found in told if found != language} <= {""}  # never the other one
    for language in ("en", "fr"):
        own = [found for wanted, found in told if wanted == language]
        assert own.count(language) >= 0.95 * len(own)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The convoy left the port before the storm.", "en"),
        ("Le convoi a quitté le port avant la tempête, et les équipages sont à bord.", "fr"),
        ("LE CONVOI QUITTE LE PORT DES ÎLES", "fr"),
        ("", ""),
        ("SECRET//NOFORN", ""),
        ("Port Sable 0400", ""),
        ("the convoy of le port", ""),
        ("The report that was read says: « le convoi de la marine est dans le port ».", ""),
        ("El convoy salió del puerto con los barcos de la marina por la noche y no volvió para el combate.", ""),
        ("Der Konvoi hat den Hafen mit dem Schiff verlassen und ist nicht auf dem Weg, die die Marine kennt.", ""),
        ("Il convoglio della marina non è nel porto, che gli inglesi sono di ritorno con le navi.", ""),
        ("O navio não saiu do porto com uma carga, mas os homens da marinha estão em terra.", ""),
    ],
)
def test_what_is_sure_and_what_is_not(text, language):
    assert detect(text) == language


def test_no_word_speaks_for_two():
    assert not _ENGLISH & _FRENCH
    assert not _OTHERS & (_ENGLISH | _FRENCH)


@given(st.text(max_size=400))
def test_any_text_has_an_answer_of_its_own(text):
    assert detect(text) in {"", "en", "fr"}
    assert detect(text) == detect(text)


@given(st.sampled_from(["en", "fr"]), st.integers(0, 3))
def test_what_stands_far_behind_changes_nothing(language, extra):
    sentence = {
        "en": "The ships of the fleet were in the harbour. ",
        "fr": "Les navires sont dans la rade avec le chef. ",
    }
    other = {"en": "fr", "fr": "en"}[language]
    assert detect(sentence[language] * 40 + sentence[other] * extra) == language
