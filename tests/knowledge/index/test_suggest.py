"""Suggestions: the nearest word that a visible passage holds, against a plain reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.suggest import Suggestion, suggest
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Element, make_label

LABEL = make_label({"test": Element(1, "LEVEL 1", frozenset())})


def shard(*texts: str, tag: str = "a") -> Shard:
    made = [Passage(f"psg_{tag}{at}", f"doc_{tag}{at}", 0, "", "", "", 0, text) for at, text in enumerate(texts)]
    return build(LABEL, made)


def test_the_nearest_word_is_suggested() -> None:
    shards = [shard("The convoy leaves the harbour"), shard("L'épidémie commence", tag="b")]
    assert suggest("When does the convy leave the habrour?", shards) == (
        Suggestion("convy", "convoy"),
        Suggestion("habrour", "harbour"),
    )
    assert suggest("Épidemei", shards) == (Suggestion("Épidemei", "epidemie"),)
    assert suggest("xonvoy convoz convvoy", shards) == tuple(
        Suggestion(word, "convoy") for word in ("xonvoy", "convoz", "convvoy")
    )


def test_known_short_far_and_strange_words_get_none() -> None:
    shards = [shard("convoys fuel 2024 r2d2x конвой")]
    for text in ("convoy", "convoyed", "ful", "cxnvxy", "2023", "r2d3x", "конвоя", "", "the", "co-op"):
        assert suggest(text, shards) == (), text
    assert suggest("convoz", []) == ()
    assert suggest("convoz", [shard()]) == ()


def test_more_frequent_words_win_and_equals_go_by_their_letters() -> None:
    assert suggest("pier", [shard("piec pied")]) == (Suggestion("pier", "piec"),)
    assert suggest("pier", [shard("piec pied"), shard("pied", tag="b")]) == (Suggestion("pier", "pied"),)


def reference(word: str, spread: Counter[str]) -> str:
    near = 2 if len(word) >= 8 else 1
    found = sorted((far(word, each), -number, each) for each, number in spread.items() if far(word, each) <= near)
    return found[0][2] if found else ""


def far(one: str, two: str) -> int:
    """Optimal string alignment, as it is written in books."""
    table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) + 1):
        for j in range(len(two) + 1):
            if not i or not j:
                table[i][j] = i + j
                continue
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (one[i - 1] != two[j - 1])
            )
            if i > 1 and j > 1 and one[i - 1] == two[j - 2] and one[i - 2] == two[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


# Letters of which no stemmer makes anything, so that a word is its own term.
short = st.text("bgk", min_size=3, max_size=6)
long = st.text("bgk", min_size=6, max_size=12)


@st.composite
def misspelt(draw: st.DrawFn, words: Sequence[str]) -> str:
    word = draw(st.sampled_from(words))
    for _ in range(draw(st.integers(1, 3))):
        at, letter = draw(st.integers(0, len(word) - 1)), draw(st.sampled_from("bgk"))
        word = draw(
            st.sampled_from(
                [
                    word[:at] + letter + word[at:],
                    word[:at] + letter + word[at + 1 :],
                    word[:at] + word[at + 1 :] or letter,
                    word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
                ]
            )
        )
    return word


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_suggestions_equal_a_plain_reference(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.lists(short | long, min_size=1, max_size=8), min_size=1, max_size=4))
    spread = Counter(word for text in texts for word in set(text))
    word = data.draw(misspelt(sorted(spread)))
    shards = [shard(" ".join(text), tag=str(at)) for at, text in enumerate(texts)]
    expected = reference(word, spread) if len(word) >= 4 and word not in spread else ""
    assert suggest(word, shards) == ((Suggestion(word, expected),) if expected else ())
