"""What repeats an object's words: in any brackets, and nothing that merely resembles it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from casemate.custody.quotes import LEAST, RUN, joined, quotes, runs

TEXT = "The hidden lantern burns at the northern pier until the ninth convoy has passed the outer boom."
WORD = st.text("abcdefghijklmnop", min_size=1, max_size=6)


def found(text: str | bytes, of: str = TEXT) -> bool:
    words = runs([of])
    return quotes(text, words.known(), words.lengths)


def test_brackets_escapes_and_case_hide_nothing() -> None:
    assert found(json.dumps({"text": f"“{TEXT}” [1]"}))
    assert found(json.dumps({"text": TEXT.upper()}).encode())
    assert found("data: " + json.dumps({"delta": TEXT.replace(" ", "\n")}))
    assert found(json.dumps(f"Élan {TEXT}"), f"Élan {TEXT}")


def test_what_merely_resembles_it_is_no_quotation() -> None:
    assert not found("The hidden lantern burns at the northern pier.")
    assert not found("Until the ninth convoy has passed, the lantern burns.")
    assert not found("")
    assert not found(TEXT, "")


@given(st.lists(WORD, min_size=LEAST, max_size=40), st.lists(WORD, max_size=20), st.lists(WORD, max_size=20))
def test_whoever_holds_all_of_it_quotes_it(words: list[str], before: list[str], after: list[str]) -> None:
    assert found(" ".join([*before, *words, *after]), " ".join(words))


@given(st.lists(WORD, min_size=1, max_size=LEAST - 1))
def test_a_few_words_are_nobodys(words: list[str]) -> None:
    assert runs([" ".join(words)]).runs == b""


def test_runs_join_and_never_cross_paragraphs() -> None:
    one, two = runs([TEXT]), runs(["word " * RUN])
    both = joined(one, two)
    assert both.known() == one.known() | two.known()
    half = TEXT.split()
    parts = runs([" ".join(half[:8]), " ".join(half[8:])])
    assert RUN not in parts.lengths
