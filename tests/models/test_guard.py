"""A mark above the acting label ends an answer, wherever the pieces of a stream are cut."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import AnswerHeld
from casemate.labels import Label, Policies
from casemate.models import Delta, Thought, ToolPiece, Usage
from casemate.models.guard import Guard

POLICIES = Policies.load(("us", "nato"))
SECRET = POLICIES.parse("us:SECRET//NOFORN")
OPEN = POLICIES.parse("us:UNCLASSIFIED")

LINE = st.sampled_from(
    [
        "(U) The ferry sails at nine.", "(S//NF) The covered sensor.", "(TS//SI) The source.", "SECRET//NOFORN",
        "TOP SECRET//SI", "UNCLASSIFIED", "1. (TS) A point.", "Secret agents sail.", "", "  (S//NF) Indented.",
        "see (TS) inside a line", "**TOP SECRET**", "(C) copyright 2020 Harbour", "plain words that go on", "(TS",
    ]
)  # fmt: skip
TEXT = st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r\n", "\u2028", "\x0b", "\n\n"])), max_size=6).map(
    lambda lines: "".join(line + end for line, end in lines)
)


def held_at(text: str, acting: Label) -> int | None:
    """Where the first line stands that bears a mark above; by looking at the whole text, as the gate does."""
    place = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        for reading in POLICIES.read_banner(bare) or POLICIES.read_portion(bare)[0]:
            if not reading.label <= acting:
                return place
        place += len(line)
    return None


def cut(text: str, cuts: Iterable[int]) -> list[str]:
    places = [0, *sorted({c % (len(text) + 1) for c in cuts}), len(text)]
    return [text[a:b] for a, b in pairwise(places) if a < b]


def told(pieces: Iterable[Delta], acting: Label) -> tuple[str, bool]:
    guard, said = Guard(POLICIES, acting, "acme"), ""
    try:
        for piece in pieces:
            for delta in guard.passed(piece):
                said += delta.text + (delta.thought.text if delta.thought else "")
    except AnswerHeld:
        return said, True
    return said, False


@settings(max_examples=400)
@given(TEXT, st.lists(st.integers(0, 400), max_size=30), st.sampled_from([OPEN, SECRET]), st.booleans())
def test_nothing_from_the_marked_line_on_is_told(text: str, cuts: list[int], acting: Label, thinks: bool) -> None:
    pieces = [Delta(thought=Thought(p)) if thinks else Delta(text=p) for p in cut(text, cuts)]
    said, held = told([*pieces, Delta(finish="stop")], acting)
    place = held_at(text, acting)
    assert held == (place is not None)
    assert said == (text if place is None else said)
    assert place is None or (len(said) <= place and text.startswith(said))


def test_a_long_paragraph_goes_on_as_it_comes() -> None:
    guard = Guard(POLICIES, OPEN)
    said = ["".join(d.text for d in guard.passed(Delta(text=word))) for word in ("The ", "ferry ", "sails.")]
    assert said == ["The ", "ferry ", "sails."]
    assert [d.text for d in guard.passed(Delta(text="\nSEC"))] == ["\n"]
    assert [d.text for d in guard.passed(Delta(text="RETS are kept"))] == ["SECRETS are kept"]


def call(*pieces: str, index: int = 0) -> list[Delta]:
    return [Delta(call=ToolPiece(index, piece, *(("c", "send") if not n else ()))) for n, piece in enumerate(pieces)]


@pytest.mark.parametrize(
    "pieces", [('{"body": "a\\n(TS', '//SI) b"}'), ('{"(TS) x": 1}',), ("(TS) no json",), ('[["(TS) x"]]',)]
)
def test_a_call_is_looked_at_whole(pieces: tuple[str, ...]) -> None:
    guard = Guard(POLICIES, SECRET, "acme")
    for delta in call(*pieces):
        assert list(guard.passed(delta)) == []
    with pytest.raises(AnswerHeld):
        list(guard.passed(Delta(finish="tool")))


@pytest.mark.parametrize("piece", [ToolPiece(0, "{}", "c", "(TS) x"), ToolPiece(0, "{}", "TOP SECRET//SI", "f")])
def test_a_calls_name_is_looked_at_too(piece: ToolPiece) -> None:
    guard = Guard(POLICIES, SECRET, "acme")
    assert list(guard.passed(Delta(call=piece))) == []
    with pytest.raises(AnswerHeld):
        list(guard.passed(Delta(finish="tool")))


def test_calls_come_in_their_order_once_they_are_whole() -> None:
    guard = Guard(POLICIES, SECRET, "acme")
    for delta in [*call("{}", index=1), *call('{"a":', '"(U) b"}')]:
        assert list(guard.passed(delta)) == []
    found = list(guard.passed(Delta(finish="tool")))
    assert [d.call.index for d in found if d.call] == [0, 0, 1]
    assert found[0].engine == "acme"
    assert found[-1].finish == "tool"


def test_what_was_withheld_comes_after_what_was_let_go() -> None:
    guard = Guard(POLICIES, OPEN, "acme")
    last = Delta(text="The end.\nSEC", finish="stop", usage=Usage(1, 2))
    assert [(d.text, d.finish) for d in guard.passed(last)] == [("The end.\n", ""), ("SEC", ""), ("", "stop")]


def test_signatures_and_usage_pass_and_empty_deltas_do_not() -> None:
    guard = Guard(POLICIES, OPEN)
    signed = Delta(thought=Thought(signature="s"))
    assert [d.thought for d in guard.passed(signed)] == [signed.thought]
    assert list(guard.passed(Delta())) == []
    assert list(guard.passed(Delta(thought=Thought("(")))) == []
    assert [d.thought.text for d in guard.passed(Delta(finish="stop")) if d.thought] == ["("]
