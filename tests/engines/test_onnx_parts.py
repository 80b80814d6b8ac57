"""A local chat model without its child: the folder, what is asked, what is made of an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.onnx_answer import Answer
from casemate.engines.onnx_ask import Untold, ask, schema
from casemate.engines.onnx_folder import OnnxFolder
from casemate.errors import BadInput, EngineFailed, Misconfigured
from casemate.models import (
    Choice,
    Delta,
    Image,
    Message,
    Prompt,
    Shape,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolPiece,
    ToolResult,
    Usage,
)  # fmt: skip
from tests.engines import chat_tiny as tiny

FIND = Tool("find", "looks", b'{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}')
OPEN = Tool("open", "", b"{}")
CALL = '{"name": "find", "arguments": {"q": "x"}}'


def prompt(*content, **told) -> Prompt:
    return Prompt(model="m", messages=(Message("user", content or "hi"),), **told)


# ---- the folder ---------------------------------------------------------------------------------------------------


def test_a_folder_declares_what_its_model_takes(tmp_path: Path) -> None:
    found = OnnxFolder(tiny.folder(tmp_path), "s")
    assert (found.context, found.takes) == (tiny.CONTEXT, {"shape", "tools"})
    assert found.size > 10_000
    (tmp_path / "chat_template.jinja").write_text("{{ tools }} in a way of its own")
    assert OnnxFolder(tmp_path, "s").takes == {"shape"}
    (tmp_path / "chat_template.jinja").write_text("no word of them, <tool_call>")
    assert OnnxFolder(tmp_path, "s").takes == {"shape"}


def test_a_list_of_templates_counts_as_well(tmp_path: Path) -> None:
    listed = [{"name": "default", "template": tiny.TEMPLATE}]
    tiny.folder(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": listed}))
    assert OnnxFolder(tmp_path, "s").takes == {"shape", "tools"}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("tokenizer.json", None, "lacks tokenizer.json"),
        ("genai_config.json", "{", "cannot be read"),
        ("genai_config.json", "[]", "cannot be read"),
        ("genai_config.json", "{}", "context_length"),
        ("genai_config.json", '{"model": {"context_length": 1}}', "context_length"),
        ("tokenizer_config.json", "{}", "no chat template"),
        ("tokenizer_config.json", None, "no chat template"),
        ("tokenizer_config.json", "[" * 100_000, "cannot be read"),
        ("genai_config.json", " " * (9 << 20), "cannot be read"),
    ],
)
def test_a_folder_that_is_no_such_model(tmp_path: Path, name: str, content: str | None, why: str) -> None:
    tiny.folder(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(Misconfigured) as told:
        OnnxFolder(tmp_path, "upstreams.x.path")
    assert told.value.facts["setting"] == "upstreams.x.path"
    assert why in str(told.value.facts["why"])


# ---- what is asked ------------------------------------------------------------------------------------------------


def test_everything_that_is_asked_is_told() -> None:
    messages = (
        Message("system", "s"),
        Message("assistant", (Text("a"), Text("b"), ToolCall("1", "find", "{}"))),
        Message("user", (Text("c"), ToolResult("1", (Text("r"),)))),
        Message("user", ()),
    )
    told = ask(Prompt(model="m", messages=messages, max_tokens=7, temperature=0.5, seed=0, stop=("x",), tools=(FIND,)))
    assert told == {
        "turns": [
            {"role": "system", "text": "s", "calls": []},
            {"role": "assistant", "text": "a\n\nb", "calls": [{"id": "1", "name": "find", "arguments": "{}"}]},
            {"role": "tool", "text": "r", "id": "1"},
            {"role": "user", "text": "c", "calls": []},
        ],
        "tools": [{"name": "find", "description": "looks", "schema": FIND.schema.decode()}],
        "max_tokens": 7,
        "stops": ("x",),
        "schema": "",
        "temperature": 0.5,
        "seed": 0,
    }


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({}, ""),
        ({"tools": (FIND,)}, ""),
        ({"tools": (FIND,), "choice": Choice("auto")}, ""),
        ({"tools": (FIND,), "choice": Choice("none")}, ""),
        ({"choice": Choice("any")}, ""),
        ({"shape": Shape()}, {"type": "object"}),
        ({"shape": Shape(schema=b'{"enum": [1]}'), "tools": (FIND,), "choice": Choice("none")}, {"enum": [1]}),
    ],
)
def test_what_the_answer_is_held_to(given, held) -> None:
    found = schema(prompt(**given))
    assert (json.loads(found) if found else "") == held


def test_a_call_that_must_be_made_is_a_schema() -> None:
    one = json.loads(schema(prompt(tools=(FIND, OPEN), choice=Choice("tool", "find"))))
    assert one["properties"]["name"] == {"const": "find"}
    assert one["properties"]["arguments"]["required"] == ["q"]
    two = json.loads(schema(prompt(tools=(FIND, OPEN), choice=Choice("any"))))
    assert [each["properties"]["name"]["const"] for each in two["anyOf"]] == ["find", "open"]
    assert two["anyOf"][1]["properties"]["arguments"] == {"type": "object"}
    assert [tool["name"] for tool in ask(prompt(tools=(FIND, OPEN), choice=Choice("tool", "find")))["tools"]] == [
        "find"
    ]


@pytest.mark.parametrize(
    "asked",
    [
        prompt(Image("image/png", b"x")),
        prompt(Thought("t")),
        prompt(ToolResult("1", (Image("image/png", b"x"),))),
        prompt(tools=(FIND,), choice=Choice("tool", "other")),
        prompt(tools=(FIND,), shape=Shape()),
        prompt(tools=(Tool("r", "", b'{"$ref": "#/$defs/a", "$defs": {"a": {}}}'),), choice=Choice("any")),
        prompt(extra={"logprobs": b"true"}),
    ],
)
def test_what_it_cannot_say_is_not_left_out(asked) -> None:
    with pytest.raises(Untold):
        ask(asked)


@pytest.mark.parametrize(
    "given", [{"shape": Shape(schema=b'{"not": {}}')}, {"tools": (Tool("t", "", b"["),), "choice": Choice("any")}]
)
def test_a_schema_that_it_cannot_hold_is_bad_input(given) -> None:
    with pytest.raises(BadInput):
        ask(prompt(**given))


# ---- what is made of an answer ------------------------------------------------------------------------------------


def read(asked: Prompt, *pieces: str, finish: str = "stop") -> list[Delta]:
    answer = Answer(asked, "m")
    found = [delta for piece in pieces for delta in answer.fed(piece)]
    return [*found, *answer.last(finish, 3, 4)]


def text(found: list[Delta]) -> str:
    return "".join(delta.text for delta in found)


def calls(found: list[Delta]) -> list[ToolPiece]:
    return [delta.call for delta in found if delta.call is not None]


def test_words_are_words() -> None:
    found = read(prompt(), "a", "", "<tool_call>")
    assert text(found) == "a<tool_call>"
    assert found[-1] == Delta(finish="stop", usage=Usage(3, 4, estimated=False))


@given(st.data())
def test_calls_are_read_out_however_the_text_is_cut(data) -> None:
    whole = f"first <tool_call>\n{CALL}\n</tool_call>\n<tool_call>{CALL}</tool_call> last <tool"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    found = read(prompt(tools=(FIND,)), *pieces)
    assert [(each.index, each.name, json.loads(each.arguments)) for each in calls(found)] == [
        (0, "find", {"q": "x"}),
        (1, "find", {"q": "x"}),
    ]
    assert text(found) == "first last <tool"
    assert found[-1].finish == "tool"


def test_one_call_where_only_one_is_allowed() -> None:
    answer = Answer(prompt(tools=(FIND,), choice=Choice("auto", parallel=False)), "m")
    found = list(answer.fed(f"<tool_call>{CALL}</tool_call><tool_call>{CALL}</tool_call> more"))
    assert answer.full
    assert len(calls(found)) == 1
    assert text([*found, *answer.last("stop", 1, 1)]) == ""


@pytest.mark.parametrize(
    "said",
    [
        "<tool_call>nonsense</tool_call>",
        "<tool_call>[]</tool_call>",
        '<tool_call>{"name": "other", "arguments": {}}</tool_call>',
        '<tool_call>{"name": ["find"], "arguments": {}}</tool_call>',
        '<tool_call>{"name": "find", "arguments": {"q": 1}}</tool_call>',
        '<tool_call>{"name": "find"}</tool_call>',
        '<tool_call>{"name": "fin',
        f"<tool_call>{'[' * 100_000}</tool_call>",
    ],
)
def test_a_call_that_is_none_is_a_failure(said: str) -> None:
    with pytest.raises(EngineFailed):
        read(prompt(tools=(FIND,)), said)


def test_a_call_that_was_cut_off_is_no_call() -> None:
    found = read(prompt(tools=(FIND,)), "so: <tool_call>{", finish="length")
    assert (text(found), calls(found), found[-1].finish) == ("so: ", [], "length")


def test_a_call_that_had_to_be_made() -> None:
    asked = prompt(tools=(FIND,), choice=Choice("any"))
    found = read(asked, CALL[:9], CALL[9:])
    assert text(found) == ""
    assert calls(found)[0].name == "find"
    assert found[-1].finish == "tool"
    cut = read(asked, CALL[:9], finish="length")
    assert (calls(cut), cut[-1].finish) == ([], "length")
    with pytest.raises(EngineFailed, match="does not fit"):
        read(asked, '{"name": "find"}')


def test_a_held_answer_is_judged_once_more() -> None:
    asked = prompt(shape=Shape(schema=b'{"type": "array"}'))
    assert text(read(asked, "[", "]")) == "[]"
    assert read(asked, "[", finish="length")[-1].finish == "length"
    with pytest.raises(EngineFailed, match="does not fit"):
        read(asked, "{}")
