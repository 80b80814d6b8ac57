"""Tools, structured output, pictures and sampling: what goes in, and calls and reasoning as they come out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from casemate.models import Choice, Image, Message, Shape, Text, Thought, Tool, ToolCall, ToolResult
from tests.doors.openai.asking import (
    PIXEL,
    SEES,
    WEATHER,
    ask,
    chat,
    more_models,
    only_calls,
    runs_out,
    thinks_and_calls,
    upstream,
)
from tests.doors.wired import Wired

TOOLS = [{"type": "function", "function": WEATHER}, {"type": "function", "function": {"name": "tide"}}]
SCHEMA = {"type": "object", "properties": {"at": {"type": "integer"}}, "required": ["at"]}


def asked(region: Wired, **more: Any) -> Any:
    got = ask(region, upstream(**more))
    assert got.status == 200, got.body
    return region.answers.asked[-1]


# ---- what goes in --------------------------------------------------------------------------------------------------


def test_tools_are_functions_of_the_client(region: Wired) -> None:
    found = asked(region, tools=TOOLS)
    assert found.tools == (
        Tool("weather", "Of a port.", json.dumps(WEATHER["parameters"], separators=(",", ":")).encode(), True),
        Tool("tide", "", b"{}", False),
    )
    assert found.choice is None
    assert found.demands == {"tools"}


ONE = {"type": "function", "function": {"name": "tide"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [ONE]}}


@pytest.mark.parametrize(
    ("given", "parallel", "choice", "left"),
    [
        ("auto", None, Choice("auto"), 2),
        ("none", None, Choice("none"), 2),
        ("required", False, Choice("any", parallel=False), 2),
        (ONE, None, Choice("tool", "tide"), 2),
        (None, False, Choice("auto", parallel=False), 2),
        (ALLOWED, True, Choice("any"), 1),
    ],
)
def test_the_choice_among_them(region: Wired, given: Any, parallel: Any, choice: Choice, left: int) -> None:
    found = asked(region, tools=TOOLS, tool_choice=given, parallel_tool_calls=parallel)
    assert found.choice == choice
    assert len(found.tools) == left


@pytest.mark.parametrize(
    "given",
    [
        {"type": "function", "function": {"name": "none of them"}},
        {"type": "custom", "custom": {"name": "weather"}},
        "perhaps",
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function"}]}},
        {"type": "function", "function": 3},
        7,
    ],
)
def test_a_choice_that_is_none(region: Wired, given: Any) -> None:
    got = ask(region, upstream(tools=TOOLS, tool_choice=given))
    assert got.status == 400
    assert "tool_choice" in got.json["error"]["message"]


def test_a_choice_without_tools(region: Wired) -> None:
    assert asked(region, tool_choice="auto", parallel_tool_calls=True).choice is None
    assert ask(region, upstream(tool_choice="required")).status == 400


def test_calls_and_their_results_go_back_in(region: Wired) -> None:
    call = {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"port":"Sable"}'}}
    other = {"id": "call_b", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [call, other], "reasoning_content": "Hm."},
        {"role": "tool", "tool_call_id": "call_a", "content": "Fog."},
        {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "High."}]},
        {"role": "user", "content": "So?"},
    ]
    found = asked(region, messages=messages, tools=TOOLS)
    assert found.messages == (
        Message("user", "Well?"),
        Message(
            "assistant",
            (
                Thought("Hm."),
                Text("I look."),
                ToolCall("call_a", "weather", '{"port":"Sable"}'),
                ToolCall("call_b", "tide", "{}"),
            ),
        ),
        Message("user", (ToolResult("call_a", (Text("Fog."),)), ToolResult("call_b", (Text("High."),)))),
        Message("user", "So?"),
    )


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "tool", "content": "no id"},
        {"role": "assistant", "tool_calls": [{"id": "x", "type": "custom", "custom": {"name": "x"}}]},
        {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "x"}}]},
        {"role": "user", "content": "x", "tool_calls": [{"id": "x", "function": {"name": "x"}}]},
        {"role": "assistant", "function_call": {"name": "x"}},
        {"role": "function", "name": "x", "content": "y"},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "file-x"}}]},
        {"role": "user", "content": [{"type": "image_url"}]},
    ],
)
def test_turns_that_are_not_whole_or_not_taken(region: Wired, turn: dict[str, Any]) -> None:
    got = ask(region, upstream(messages=[turn, {"role": "user", "content": "x"}]))
    assert got.status == 400
    assert region.answers.asked == []


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, Shape(strict=False)),
        (
            {"type": "json_schema", "json_schema": {"name": "at", "schema": SCHEMA, "strict": True}},
            Shape("at", json.dumps(SCHEMA, separators=(",", ":")).encode(), True),
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "at", "schema": SCHEMA}},
            Shape("at", json.dumps(SCHEMA, separators=(",", ":")).encode(), False),
        ),
    ],
)
def test_the_shape_of_the_answer(region: Wired, given: Any, shape: Shape | None) -> None:
    assert asked(region, response_format=given).shape == shape


@pytest.mark.parametrize(
    "given",
    [{"type": "grammar"}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {"name": "x"}}, {}],
)
def test_a_shape_that_is_none(region: Wired, given: Any) -> None:
    assert ask(region, upstream(response_format=given)).status == 400


def test_sampling(region: Wired) -> None:
    found = asked(region, temperature=0.3, top_p=0.9, seed=-7, stop="END", max_tokens=12)
    assert (found.temperature, found.top_p, found.seed, found.stop, found.max_tokens) == (0.3, 0.9, -7, ("END",), 12)
    assert asked(region, stop=["a", "b", "c", "d"]).stop == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "more",
    [
        {"stop": ["a", "b", "c", "d", "e"]},
        {"stop": ""},
        {"stop": [""]},
        {"stop": [3]},
        {"top_p": 1.5},
        {"top_p": -0.1},
        {"seed": 1 << 64},
        {"seed": 0.5},
        {"tools": [{"type": "function", "function": {"name": ""}}]},
        {"tools": [{"type": "function", "function": {"description": "no name"}}]},
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
    ],
)
def test_what_cannot_be(region: Wired, more: dict[str, Any]) -> None:
    got = ask(region, upstream(**more))
    assert (got.status, got.json["error"]["code"]) == (400, "malformed")
    assert region.answers.asked == []


def test_a_picture_comes_in_the_request(region: Wired) -> None:
    more_models(region)
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    assert ask(region, chat(parts, model=SEES)).status == 200
    (found,) = region.answers.asked
    picture = Image("image/png", base64.b64decode(PIXEL.partition(",")[2]))
    assert found.messages[0].content == (Text("What is it?"), picture)
    blind = ask(region, upstream(parts))
    assert blind.status == 400
    assert "images" in blind.json["error"]["message"]


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,!!", "data:image/svg+xml;base64,AAAA", "data:image/png,AAAA", "data:image/png"]
)
def test_a_picture_that_is_none(region: Wired, url: str) -> None:
    more_models(region)
    got = ask(region, chat([{"type": "image_url", "image_url": {"url": url}}], model=SEES))
    assert got.status == 400
    assert "picture" in got.json["error"]["message"]


# ---- what comes out ------------------------------------------------------------------------------------------------


def test_calls_in_one_piece(region: Wired) -> None:
    region.answers.script = thinks_and_calls
    choice = ask(region, upstream(tools=TOOLS)).json["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "I’ll look."
    assert choice["message"]["reasoning_content"] == "Which port?"
    assert choice["message"]["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"port":"Sable"}'}},
        {"id": "call_b", "type": "function", "function": {"name": "tide", "arguments": "{}"}},
    ]


def test_a_call_alone_has_no_content(region: Wired) -> None:
    region.answers.script = only_calls
    message = ask(region, upstream(tools=TOOLS)).json["choices"][0]["message"]
    assert message["content"] is None
    assert "reasoning_content" not in message


def test_calls_in_a_stream(region: Wired) -> None:
    region.answers.script = thinks_and_calls
    more = {"tools": TOOLS, "stream": True, "stream_options": {"include_usage": True}}
    *chunks, counted, done = ask(region, upstream(**more)).events
    assert done == "[DONE]"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(d.get("reasoning_content", "") for d in deltas) == "Which port?"
    assert "".join(d.get("content") or "" for d in deltas) == "I’ll look."
    pieces = [piece for d in deltas for piece in d.get("tool_calls", ())]
    first = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "weather", "arguments": ""}}
    assert pieces[0] == first
    assert pieces[1] == {"index": 0, "function": {"arguments": '{"port":'}}
    assert [piece["index"] for piece in pieces] == [0, 0, 0, 1]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert counted["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}
    assert all(chunk["usage"] is None for chunk in chunks)


def test_an_answer_that_ran_into_its_bound(region: Wired) -> None:
    region.answers.script = runs_out
    assert ask(region, upstream()).json["choices"][0]["finish_reason"] == "length"
    assert ask(region, upstream(stream=True)).events[-2]["choices"][0]["finish_reason"] == "length"
