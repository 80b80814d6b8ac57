"""The extractive reader: quotes letter for letter, cites what it quotes, abstains, and depends on its rung alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.assistants import compose
from casemate.assistants.floor import COSINE_FLOOR, IDF_SHARE_FLOOR, reaches
from casemate.assistants.reader import NAME, quotes, read
from casemate.assistants.rungs import candidates, select
from casemate.knowledge import Asked, Hit, Passage, Statistics, build, query_terms, sentences
from casemate.labels import Label, Policies

POLICIES = Policies.load(("us",))
OPEN = POLICIES.bottom(("EXERCISE",))
SECRET = POLICIES.parse("SECRET//NOFORN", ("EXERCISE",))


def passage(number: int, text: str, heading: str = "") -> Passage:
    return Passage(f"psg_{number:03d}", f"doc_{number:03d}", 0, f"Title {number}", heading, "", 0, text)


LOW = [
    passage(1, "The convoy left Orme on 3 May. It carries fuel for the northern garrison. The weather was fair."),
    passage(2, "Bread prices rose. The mayor of Orme opened a school."),
    passage(3, "Fuel is sold at the harbour. Nobody counts it."),
]
HIGH = [
    passage(4, "A source says the convoy carries missiles, not fuel. He is reliable."),
    passage(5, "The mayor lied."),
]
QUESTION = "What does the convoy carry?"


def ask(question: str, *shards: tuple[Label, list[Passage]]) -> tuple[list[Hit], Statistics]:
    results = Asked(query_terms(question)).search([build(label, made) for label, made in shards], 24)
    return list(results.hits), results.statistics


def test_it_quotes_the_sentence_that_answers() -> None:
    hits, stats = ask(QUESTION, (OPEN, LOW))
    rung = read(QUESTION, OPEN, hits, stats, POLICIES)
    assert rung is not None
    assert rung.engine == NAME
    assert rung.text.startswith("Extract, quoted word for word: “The convoy left Orme on 3 May.” [1]")
    assert "“It carries fuel for the northern garrison.” [1]" in rung.text
    [first] = [c for c in rung.citations if c.number == 1]
    assert (first.passage, first.title, first.mark) == ("psg_001", "Title 1", "(U)")
    assert first.link == f"/documents/{first.document}#psg_001"
    french = read(QUESTION, OPEN, hits, stats, POLICIES, "fr")
    assert french is not None
    assert french.text.startswith("Extrait, cité mot à mot : « The convoy left Orme on 3 May. » [1]")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["The convoy left.", "Fuel is low!", "Who counts fuel?", "Nobody came."]), min_size=1),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from([QUESTION, "fuel", "How many convoys left?", "when", "zebra"]),
)
def test_quotations_stand_in_their_sources_letter_for_letter(texts: list[list[str]], question: str) -> None:
    made = [passage(at, " ".join(text)) for at, text in enumerate(texts)]
    hits, stats = ask(question, (OPEN, made))
    chosen = quotes(question, hits, stats)
    assert len(chosen) <= 3
    assert len({quote.text for quote in chosen}) == len(chosen)
    assert all(quote.text in sentences(quote.hit.passage.text) for quote in chosen)
    rung = read(question, OPEN, hits, stats, POLICIES)
    if not chosen:
        assert rung is None
        return
    assert rung is not None
    by_number = {str(citation.number): citation for citation in rung.citations}
    written = re.findall(r"“(.*?)” \[(\d+)\]", rung.text)
    assert {number for _, number in written} == set(by_number) == {str(n + 1) for n in range(len(by_number))}
    for text, number in written:
        assert text in by_number[number].quote
        assert any(p.id == by_number[number].passage and text in p.text for p in made)


def test_it_abstains_below_both_floors_and_not_at_either() -> None:
    hit = Hit(LOW[1], OPEN, 1.0, 0.0, 1.0)
    _, stats = ask("zebra mayor quagga", (OPEN, LOW))
    assert not reaches([hit], stats)
    assert read("zebra mayor quagga", OPEN, [hit], stats, POLICIES) is None
    near = Hit(LOW[1], OPEN, 1.0, COSINE_FLOOR, 1.0)
    assert reaches([hit, near], stats)
    assert read("zebra mayor quagga", OPEN, [near], stats, POLICIES) is not None
    _, whole = ask("mayor school", (OPEN, LOW))
    assert reaches([hit], whole)
    assert not reaches([], whole)
    assert 0 < COSINE_FLOOR < 1
    assert 0 < IDF_SHARE_FLOOR < 1


def test_a_question_of_stop_words_finds_nothing_to_say() -> None:
    hits, stats = ask("what is it", (OPEN, LOW))
    assert read("what is it", OPEN, hits, stats, POLICIES) is None


def test_a_heading_counts_for_its_passage_and_is_never_quoted() -> None:
    made = [passage(1, "Nothing moved on Monday. Two tugs left.", "Harbour watch"), *LOW[1:]]
    hits, stats = ask("harbour watch", (OPEN, made))
    assert hits[0].passage.id == "psg_001"
    chosen = quotes("harbour watch", hits, stats)
    assert chosen
    assert all("watch" not in quote.text for quote in chosen)


def test_an_amount_asked_for_prefers_a_sentence_with_a_number() -> None:
    made = [passage(1, "The convoy left Orme. The convoy left Orme at 0300.")]
    hits, stats = ask("When was the convoy at Orme?", (OPEN, made))
    best = max(quotes("When was the convoy at Orme?", hits, stats), key=lambda quote: quote.weight)
    assert "0300" in best.text


def rungs_at(acting: Label, question: str) -> dict[Label, str]:
    """An answer as the service writes it: each rung from a search at its own label."""
    world = [(OPEN, LOW), (SECRET, HIGH)]
    written: dict[Label, str] = {}
    for label in candidates(OPEN, acting, [label for label, _ in world]):
        hits, stats = ask(question, *((at, made) for at, made in world if at <= label))
        rung = read(question, label, select(hits, OPEN, label), stats, POLICIES)
        if rung is not None:
            written[label] = compose.paragraph(rung, POLICIES)
    return written


@pytest.mark.parametrize("question", [QUESTION, "Who is the mayor?", "fuel at the harbour", "zebra"])
def test_a_paragraph_is_the_same_in_every_answer_that_holds_it(question: str) -> None:
    low, high = rungs_at(OPEN, question), rungs_at(SECRET, question)
    assert {label: text for label, text in high.items() if label <= OPEN} == low


def test_different_labels_get_different_answers() -> None:
    high = rungs_at(SECRET, QUESTION)
    assert high[OPEN].startswith("(U) Extract")
    assert high[SECRET].startswith("(S//NF) Extract")
    assert "missiles" in high[SECRET]
    assert "missiles" not in high[OPEN]


@pytest.mark.parametrize("question", ["What is a paravane?", "What does paravane mean?", "Qu’est-ce qu'un paravane ?"])
def test_a_meaning_asked_for_prefers_a_sentence_that_gives_it(question: str) -> None:
    made = [
        passage(1, "The paravane was lost. A paravane is a towed body."),
        passage(2, "Paravane, paravane, paravane!"),
    ]
    hits, stats = ask(question, (OPEN, made))
    best = max(quotes(question, hits, stats), key=lambda quote: quote.weight)
    assert best.text == "A paravane is a towed body."
