"""Sentences: cut where they end, and nowhere else; never rewritten."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.knowledge.reading.sentences import sentences, spans


@pytest.mark.parametrize(
    "expected",
    [
        ["The convoy left port.", "It carried fuel.", "Who saw it?", "Nobody!"],
        ["Gen. A. Marsh met Dr. Lind at 6 p.m. near St. Orme.", "They spoke for an hour."],
        ["The U.S. delegation and the U.N. mission agreed.", "Talks go on."],
        ["See No. 7 and fig. 3 of vol. 2.", "It rose to 3.5 per cent.", "Then it fell."],
        ["The answer was no.", "Nobody asked again."],
        ["M. Duval et Mme. Roche sont arrivés.", "« Où est le convoi ? »", "Personne ne sait !", "Il est 14 h."],
        ["Voir l'art. 12 de la réf. 4.", "Le port est fermé."],
        ["He said “Stop.”", "They did (at once).", "Then silence…", "Nothing."],
        ["1. Fuel is low.", "2. Morale is high."],
        ["No end mark here"],
        ["v2.1 of file.txt is at example.org today."],
    ],
)
def test_sentences(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


@given(st.text(alphabet="Ab. !?\n«»é1(", max_size=60))
def test_spans_lose_nothing_but_white_space(text: str) -> None:
    found = spans(text)
    kept = "".join(text[start:end] for start, end in found)
    assert kept.replace(" ", "").replace("\n", "") == text.replace(" ", "").replace("\n", "")
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in found)
    assert all(one[1] <= two[0] for one, two in pairwise(found))


def test_a_line_end_ends_a_sentence() -> None:
    assert sentences("• Fuel\n• Water. It is low\n\n and cold") == ["• Fuel", "• Water.", "It is low", "and cold"]
