"""Estimates of tokens: never below what is plainly there, and larger for more."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from casemate.models import Chat, Image, Message, Part, Shape, Text, Thought, Tool, ToolCall, ToolResult, estimate
from casemate.models.count import PICTURE


def chat(*parts: Part, **more: object) -> Chat:
    return Chat(model="m", messages=(Message("user", parts),), **more)  # type: ignore[arg-type]


PARTS = st.one_of(
    st.builds(Text, st.text(max_size=40)),
    st.builds(ToolCall, st.text(max_size=5), st.text(max_size=5), st.text(max_size=40)),
    st.builds(Thought, st.text(max_size=20), st.text(max_size=20)),
    st.builds(ToolResult, st.text(max_size=5), st.tuples(st.builds(Text, st.text(max_size=40)))),
    st.just(Image("image/png", b"x")),
)


@given(st.lists(PARTS, max_size=6), PARTS)
def test_more_is_never_less(parts: list[Part], another: Part) -> None:
    assert estimate(chat(*parts)) <= estimate(chat(*parts, another))


def test_what_counts() -> None:
    bare = estimate(chat(Text("x" * 400)))
    assert 100 <= bare <= 110
    assert estimate(chat(Image("image/png", b""))) > PICTURE
    assert estimate(chat(ToolResult("t", (Image("image/png", b""),)))) > PICTURE
    assert estimate(chat(Text("x" * 400), tools=(Tool("read", "d", b"{}" * 50),))) > bare + 25
    assert estimate(chat(Text("x" * 400), shape=Shape(schema=b"x" * 40))) == bare + 10
    assert estimate(chat(Text("x" * 400), extra={"a": msgspec.Raw(b"x" * 40)})) == bare + 10
