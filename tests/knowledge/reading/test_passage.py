"""Passages: inside one portion, and a function of what flows to their label alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.knowledge.reading.passage import WORDS, document_title, passages, split
from casemate.knowledge.reading.portions import HEADING, PARAGRAPH, Portion
from casemate.labels import Element, Label, make_label


def _label(level: int, *tokens: str) -> Label:
    return make_label({"test": Element(level, f"LEVEL {level}", frozenset(("GROUP", token) for token in tokens))})


OPEN, LOW, HIGH, SIDE = _label(0), _label(1), _label(2), _label(1, "B")


def portion(label: Label, text: str, kind: str = PARAGRAPH, mark: str = "(X)", page: int = 0) -> Portion:
    return Portion(label, text, mark, 0, page, kind)


texts = st.lists(
    st.sampled_from(["Fuel is low.", "The convoy waits.", "Who knows?", "harbour"]), min_size=1, max_size=4
)
portions = st.builds(
    portion, st.sampled_from([OPEN, LOW, HIGH, SIDE]), texts.map(" ".join), st.sampled_from([PARAGRAPH, HEADING])
)


@settings(max_examples=300)
@given(st.lists(portions, max_size=8), st.sampled_from([OPEN, LOW, HIGH, SIDE]))
def test_hidden_portions_change_nothing_below(made: list[Portion], label: Label) -> None:
    visible = [each for each in made if each.label <= label]
    assert passages(made, label, "doc") == passages(visible, label, "doc")


@settings(max_examples=300)
@given(st.lists(portions, max_size=8))
def test_every_word_of_a_label_is_in_its_passages_once(made: list[Portion]) -> None:
    for label in (OPEN, LOW, HIGH, SIDE):
        found = passages(made, label, "doc")
        assert [passage.ordinal for passage in found] == list(range(len(found)))
        body = [each.text for each in made if each.label is label and each.kind == PARAGRAPH]
        said = [passage.text for passage in found]
        assert all(any(text in whole for whole in said) for text in body)
        headings = {each.text for each in made if each.label is label and each.kind == HEADING}
        shown = [*said, *(passage.heading for passage in found)]
        assert all(any(text in whole for whole in shown) for text in headings)


def test_ids_are_of_the_document_the_label_and_the_place() -> None:
    made = [portion(LOW, "One."), portion(LOW, "Two."), portion(HIGH, "Three.")]
    ids = {p.id for label in (LOW, HIGH) for doc in ("doc_1", "doc_2") for p in passages(made, label, doc)}
    assert len(ids) == 6
    assert all(id.startswith("psg_") and len(id) == 30 for id in ids)
    assert [p.id for p in passages(made, LOW, "doc_1")] == [p.id for p in passages(made[:2], LOW, "doc_1")]


def test_a_heading_rides_on_what_follows_it_only_downwards_in_sight() -> None:
    made = [
        portion(LOW, "Fuel", HEADING),
        portion(LOW, "Low text."),
        portion(HIGH, "High text."),
        portion(HIGH, "Sources", HEADING),
        portion(LOW, "More."),
    ]
    low = passages(made, LOW, "doc")
    assert [(p.heading, p.text) for p in low] == [("Fuel", "Low text."), ("Fuel", "More.")]
    high = passages(made, HIGH, "doc")
    assert [(p.heading, p.text) for p in high] == [("Fuel", "High text."), ("", "Sources")]
    assert high[0].indexed == "Fuel\nHigh text."


def test_titles_are_made_of_visible_words() -> None:
    made = [portion(HIGH, "Operation X", HEADING), portion(LOW, "Weekly report", HEADING), portion(LOW, "Text.")]
    assert passages(made, LOW, "doc")[0].title == "Weekly report"
    assert passages(made, HIGH, "doc")[0].title == "Operation X"
    assert passages(made, LOW, "doc", "  A given\n title ")[0].title == "A given title"
    assert document_title([portion(LOW, "word " * 80)]) == "word " * 23 + "word…"
    assert document_title([]) == ""


def test_a_page_number_stays_where_no_portion_is_marked() -> None:
    made = [portion(LOW, "Marked.", page=3), portion(LOW, "Not marked.", mark="", page=4)]
    assert [p.page for p in passages(made, LOW, "doc")] == [0, 4]


@given(st.lists(st.integers(1, 300), min_size=0, max_size=8))
def test_split_keeps_words_sentences_and_the_limit(lengths: list[int]) -> None:
    sentences = [" ".join(["Word"] * length) + "." for length in lengths]
    pieces = split("  \n ".join(sentences))
    assert " ".join(pieces) == " ".join(sentences)
    assert all(0 < len(piece.split(" ")) <= WORDS for piece in pieces)
    whole = [piece for piece in pieces if piece.endswith(".")]
    assert len(whole) == len(pieces) or any(length > WORDS for length in lengths)


def test_split_of_nothing() -> None:
    assert split(" \n ") == []


def test_paragraphs_are_lines_of_a_piece() -> None:
    assert split("One\nline.\n\n• Fuel\n \n• Water. More.") == ["One line.\n• Fuel\n• Water. More."]


def test_unmarked_portions_that_follow_each_other_share_passages() -> None:
    made = [
        portion(LOW, "• Fuel", mark="", page=1),
        portion(LOW, "• Water", mark="", page=1),
        portion(LOW, "Next page.", mark="", page=2),
        portion(LOW, "Stock", HEADING, mark="", page=2),
        portion(LOW, "Marked."),
        portion(LOW, "Not marked.", mark=""),
        portion(HIGH, "Hidden from it.", mark=""),
    ]
    found = passages(made, LOW, "doc")
    assert [(p.text, p.page, p.heading) for p in found] == [
        ("• Fuel\n• Water", 1, ""),
        ("Next page.", 2, ""),
        ("Marked.", 0, "Stock"),
        ("Not marked.", 0, "Stock"),
    ]


def test_two_headings_are_one_and_a_list_of_them_is_text() -> None:
    made = [portion(LOW, text, HEADING, mark="") for text in ("Part one", "Fuel")]
    [only] = passages([*made, portion(LOW, "It is low.", mark="")], LOW, "doc")
    assert (only.heading, only.text) == ("Part one Fuel", "It is low.")
    many = [portion(LOW, text, HEADING, mark="") for text in ("Stock", "Fuel: low", "Water: high")]
    [only] = passages([*many, portion(LOW, "As of Monday.", mark="")], LOW, "doc")
    assert (only.heading, only.text) == ("Stock", "Fuel: low\nWater: high\nAs of Monday.")
