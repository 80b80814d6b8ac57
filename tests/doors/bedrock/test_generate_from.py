"""Where the parts of an answer begin and end: what each citation of RetrieveAndGenerate stands behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.bedrock.generate_from import parts
from casemate.models import Citation


def cited(number: int, start: int, end: int) -> Citation:
    return Citation(
        number=number, title="", document="d", passage=f"p{number}", mark="", label="", link="", quote="", start=start,
        end=end,
    )  # fmt: skip


def spans(text: str, *marks: str) -> list[tuple[str, int]]:
    found = [cited(n, text.index(mark), text.index(mark) + len(mark)) for n, mark in enumerate(marks, start=1)]
    told = parts(text, found, 0)
    return [(p["generatedResponsePart"]["textResponsePart"]["text"], len(p["retrievedReferences"])) for p in told]


def test_parts_of_an_answer() -> None:
    assert spans("A [1] b [2]", "[1]", "[2]") == [("A [1]", 1), ("b [2]", 1)]
    assert spans("A [1] [2] b [3]", "[1]", "[2]", "[3]") == [("A [1] [2]", 2), ("b [3]", 1)]
    assert spans("Nothing cited.\n\nB [1]", "[1]") == [("B [1]", 1)]
    assert spans("Été.", "") == [("", 1)]


@given(st.lists(st.text(alphabet="ab é\n", max_size=8), min_size=1, max_size=6))
def test_parts_lie_in_order_and_are_what_they_say(words: list[str]) -> None:
    text, found = "", []
    for number, word in enumerate(words, start=1):
        text += word
        found.append(cited(number, len(text), len(text) + 3))
        text += "[x]"
    last = 0
    count = 0
    for part in parts(text, found[::-1], 0):
        written = part["generatedResponsePart"]["textResponsePart"]
        start, end = written["span"]["start"], written["span"]["end"]
        assert last <= start <= end
        assert written["text"] == text[start:end]
        assert written["text"] == written["text"].lstrip()
        last, count = end, count + len(part["retrievedReferences"])
    assert count == len(words)
