"""What a request chooses in the free slots of a protocol."""

from __future__ import annotations

import pytest

from casemate.errors import BadInput
from casemate.labels import make_label
from casemate.models import READER, Card, Chat, Message, chosen, within

LABEL = make_label({}, ("EXERCISE",))
READS = Card(READER, READER, "casemate", LABEL)
WRITES = Card("local", "tiny", "acme", LABEL, engine=object())  # type: ignore[arg-type]


def choose(card: Card = READS, text: str = "Why?", language: str = "en", **metadata: str) -> Chat:
    return chosen([card], Chat(model="m", messages=(Message("user", text),), language=language), metadata)


def test_the_reader_reads_everything_and_an_upstream_nothing_unless_told() -> None:
    assert choose().knowledge == ("all",)
    assert choose(WRITES).knowledge == ()
    assert choose(WRITES, knowledge="all").knowledge == ("all",)
    assert choose(READS, knowledge=" none ").knowledge == ()


def test_names_stand_in_their_order_and_once() -> None:
    assert choose(knowledge="b, a ,b").knowledge == ("b", "a")


@pytest.mark.parametrize("given", ["", " ", "a,", "a,all", "none,a", "all,none", ","])
def test_what_names_nothing_is_refused_and_repeated(given: str) -> None:
    with pytest.raises(BadInput) as told:
        choose(knowledge=given)
    assert f'it is "{given}"' in str(told.value.facts["what"])


def test_mode_tokens_and_language() -> None:
    assert (choose().mode, choose(mode="single").mode) == ("rungs", "single")
    assert (choose().max_tokens, choose(language="fr").language) == (1024, "fr")
    with pytest.raises(BadInput, match="poem"):
        choose(mode="poem")


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_question_has_text(text: str) -> None:
    with pytest.raises(BadInput) as told:
        choose(text=text, language="fr")
    assert told.value.facts["what"] == "Aucun message de l'utilisateur ne contient de texte."


@pytest.mark.parametrize("given", [None, 1, 2, 1.5])
def test_a_number_within_its_range(given: float | None) -> None:
    within("n", given, 1, 2, "en")


@pytest.mark.parametrize("given", [0.99, 2.01, float("nan"), float("inf")])
def test_a_number_outside_its_range(given: float) -> None:
    with pytest.raises(BadInput, match="lies between 1 and 2"):
        within("n", given, 1, 2, "en")
