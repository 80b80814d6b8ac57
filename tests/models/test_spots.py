"""The texts of a prompt: all of them, in one order, and other texts in their places."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from casemate.models import Image, Message, Part, Prompt, Shape, Text, Thought, Tool, ToolCall, ToolResult
from casemate.models.spots import changed, spots

TEXT = st.text(max_size=12)
JSON = st.recursive(
    TEXT | st.integers(-9, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RAW = JSON.map(msgspec.json.encode)
INNER = st.one_of(st.builds(Text, TEXT), st.just(Image("image/png", b"x")))
PARTS = st.one_of(
    INNER,
    st.builds(ToolCall, TEXT, TEXT, RAW.map(bytes.decode) | TEXT),
    st.builds(ToolResult, TEXT, st.lists(INNER, max_size=2).map(tuple), st.booleans()),
    st.builds(Thought, TEXT, st.sampled_from(["", "signed"]), TEXT),
)
MESSAGES = st.builds(
    Message, st.sampled_from(["system", "user", "assistant"]), TEXT | st.lists(PARTS, max_size=3).map(tuple)
)
PROMPTS = st.builds(
    Prompt,
    model=st.just("m"),
    messages=st.lists(MESSAGES, max_size=3).map(tuple),
    stop=st.lists(TEXT, max_size=2).map(tuple),
    tools=st.lists(st.builds(Tool, TEXT, TEXT, RAW), max_size=2).map(tuple),
    shape=st.none() | st.builds(Shape, TEXT, RAW),
    extra=st.dictionaries(TEXT, RAW.map(msgspec.Raw), max_size=2),
)


@given(PROMPTS)
def test_changing_nothing_changes_nothing(prompt: Prompt) -> None:
    assert msgspec.json.encode(changed(prompt, lambda text: text)) == msgspec.json.encode(prompt)


@given(PROMPTS)
def test_what_is_changed_is_every_spot_that_is_not_fixed(prompt: Prompt) -> None:
    """Both walks see the same texts; and nothing else of the prompt differs afterwards."""
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text

    changed(prompt, note)
    assert sorted(seen) == sorted(spot.text for spot in spots(prompt) if not spot.fixed)
    marked = changed(prompt, lambda text: f"<{text}>")
    assert sorted(s.text for s in spots(marked) if not s.fixed) == sorted(f"<{text}>" for text in seen)
    assert [s.text for s in spots(marked) if s.fixed] == [s.text for s in spots(prompt) if s.fixed]


def test_places_name_no_content() -> None:
    parts: tuple[Part, ...] = (
        ToolCall("t", "AKIAIOSFODNN7ABCDEFG", '{"a": "b"}'),
        ToolResult("t", (Text("x"),)),
        Thought("y", "s"),
    )
    prompt = Prompt(
        model="m",
        messages=(Message("user", "words"), Message("assistant", parts)),
        tools=(Tool("hunter2", "d"),),
        extra={"thinking": msgspec.Raw(b'"z"'), "K3y": msgspec.Raw(b"not json")},
    )
    found = {(spot.place, spot.text): spot.fixed for spot in spots(prompt)}
    assert found == {
        ("message 1 (user)", "words"): False,
        ("message 2 (assistant)", "AKIAIOSFODNN7ABCDEFG"): True,
        ("message 2 (assistant), call of a tool", "a"): True,
        ("message 2 (assistant), call of a tool", "b"): False,
        ("message 2 (assistant), result of a tool", "x"): False,
        ("message 2 (assistant), reasoning", "y"): True,
        ("tool 1", "hunter2"): True,
        ("tool 1", "d"): False,
        ("field thinking", "thinking"): True,
        ("field thinking", "z"): False,
        ("field 2", "K3y"): True,
        ("field 2", "not json"): False,
    }


def test_json_stays_json() -> None:
    call = ToolCall("t", "n", json.dumps({"path": 'a "quoted" secret'}))
    prompt = changed(Prompt(model="m", messages=(Message("assistant", (call,)),)), lambda text: text[::-1])
    (part,) = prompt.messages[0].parts
    assert isinstance(part, ToolCall)
    assert json.loads(part.arguments) == {"path": 'terces "detouq" a'}
