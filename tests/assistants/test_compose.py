"""The text of an answer: a mark before every paragraph, and citations where their numbers stand."""

from __future__ import annotations

import pytest

from casemate.assistants.cite import cite, used
from casemate.assistants.compose import Rung, abstention, answer, paragraph, places, text
from casemate.knowledge import Hit, Passage
from casemate.labels import Policies

POLICIES = Policies.load(("us",))
OPEN = POLICIES.bottom()
SECRET = POLICIES.parse("SECRET//NOFORN")


def citation(number: int, label=OPEN):  # type: ignore[no-untyped-def]
    made = Passage(f"psg_{number}", "doc", 0, "Title", "", "", 7, "All of it. Some of it.")
    return cite(number, Hit(made, label, 1.0, 0.0, 1.0), POLICIES, "Some of it.")


LOW = Rung(OPEN, "“Some of it.” [1] “Élan” [2]", (citation(1), citation(2)), "reader")
HIGH = Rung(SECRET, "Not numbered; [1] and [17].", (citation(1, SECRET), citation(2, SECRET)), "reader", "A note.")


def test_paragraphs_bear_their_marks() -> None:
    made = answer(SECRET, [LOW, HIGH])
    assert not made.abstained
    assert text(made, POLICIES) == ("(U) “Some of it.” [1] “Élan” [2]\n\n(S//NF) Not numbered; [1] and [17]. A note.")
    assert text(answer(OPEN, [LOW]), POLICIES) == paragraph(LOW, POLICIES)


def test_places_point_at_the_numbers() -> None:
    made = answer(SECRET, [LOW, HIGH])
    whole = text(made, POLICIES)
    found = [(place.rung, place.citation.number, whole[place.start : place.end]) for place in places(made, POLICIES)]
    assert found == [(0, 1, "[1]"), (0, 2, "[2]"), (1, 1, "[1]"), (1, 2, "")]
    assert places(made, POLICIES)[3].start == len(whole)


def test_a_citation_names_its_source() -> None:
    one = citation(1, SECRET)
    assert (one.number, one.title, one.mark, one.quote, one.page) == (1, "Title", "(S//NF)", "Some of it.", 7)
    assert one.link == "/documents/doc#psg_1"
    whole = cite(3, Hit(Passage("psg", "doc", 0, "", "", "", 0, "All."), OPEN, 1.0, 0.0, 1.0), POLICIES)
    assert whole.quote == "All."


def test_used_are_those_whose_numbers_are_written() -> None:
    assert [c.number for c in used("As said [2], and again [2] [9].", [citation(1), citation(2)])] == [2]


def test_an_answer_without_a_rung_is_one_abstention_at_its_label() -> None:
    made = answer(SECRET, [])
    assert made.abstained
    assert made.rungs == (abstention(SECRET),)
    assert text(made, POLICIES).startswith("(S//NF) No source")
    assert paragraph(abstention(SECRET, "fr"), POLICIES).startswith("(S//NF) Aucune source")


def test_no_rung_stands_above_its_answer() -> None:
    with pytest.raises(ValueError, match="above"):
        answer(OPEN, [HIGH])
