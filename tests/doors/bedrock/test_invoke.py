"""InvokeModel, whole and in events, with each vendor's body; embeddings; CountTokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from casemate.models import Card, Choice, Delta, Image, Shape, Text, Thought, Tool, ToolCall, ToolResult, Usage
from tests.doors.bedrock.described import base64_of, chunks, parsed
from tests.doors.bedrock.sent import LARGE, PNG, THINKS, able, ask, scripted
from tests.doors.wired import OPEN, SECRET, Wired, never_asked

SAID = [Delta(text="At "), Delta(text="nine."), Delta(finish="stop", usage=Usage(4, 2, False))]
CUT = [Delta(text="At ni"), Delta(finish="length", usage=Usage(4, 2, False))]
A: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "When?"}],
}
OPENAI: dict[str, Any] = {"messages": [{"role": "user", "content": "When?"}]}
FUNCTION = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}, "strict": True}}


def invoke(region: Wired, body: Any, model: str = LARGE, **more: Any) -> Any:
    got = ask(region, body, model, "invoke", **more)
    parsed(got, "InvokeModel")
    assert got.status == 200, got.json
    return got.json


def streamed(region: Wired, body: Any, model: str = LARGE, **more: Any) -> list[Any]:
    return chunks(ask(region, body, model, "invoke-with-response-stream", **more))


def refused(region: Wired, body: Any, model: str = LARGE) -> str:
    region.answers.script = never_asked
    got = ask(region, body, model, "invoke")
    assert (got.status, got.headers["x-amzn-errortype"]) == (400, "ValidationException")
    message: str = got.json["message"]
    return message


# ---- Anthropic's ----------------------------------------------------------------------------------------------------


def test_anthropic_whole(region: Wired) -> None:
    region.answers.script = scripted(SAID)
    body = A | {
        "system": [{"type": "text", "text": "Be brief."}],
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 3,
        "stop_sequences": ["END"],
        "thinking": {"type": "disabled"},
        "metadata": {"user_id": "x"},
    }
    told = invoke(region, body)
    assert told.pop("id").startswith("msg_bdrk_")
    assert told == {
        "type": "message",
        "role": "assistant",
        "model": "acme/large",
        "content": [{"type": "text", "text": "At nine."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 4, "output_tokens": 2},
    }
    (asked,) = region.answers.asked
    assert [(m.role, m.content) for m in asked.messages] == [("system", "Be brief."), ("user", "When?")]
    assert (asked.temperature, asked.top_p, asked.top_k, asked.stop, asked.max_tokens) == (0.5, 0.5, 3, ("END",), 50)
    assert (asked.dialect, list(asked.extra)) == ("anthropic", ["thinking"])


def test_anthropic_tools_and_images(region: Wired) -> None:
    region.answers.script = scripted(THINKS)
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": base64_of(PNG)}}
    calls = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "redacted_thinking", "data": "c2VhbGVk"},
        {"type": "tool_use", "id": "t", "name": "tide", "input": {"a": 1}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "t", "content": "Low.", "is_error": True},
        {"type": "tool_result", "tool_use_id": "u", "content": [{"type": "text", "text": "High."}, picture]},
        {"type": "tool_result", "tool_use_id": "v"},
    ]
    turns = [{"role": "assistant", "content": calls}, {"role": "user", "content": [picture, *results]}]
    body = A | {
        "messages": [*A["messages"], *turns],
        "tools": [{"name": "tide", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "tide", "disable_parallel_tool_use": True},
    }
    told = invoke(region, body, able(region))
    assert told["content"] == [
        {"type": "thinking", "thinking": "Let me think.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "c2VhbGVk"},
        {"type": "text", "text": "I ask."},
        {"type": "tool_use", "id": "call_1", "name": "tide", "input": {"at": "pier"}},
        {"type": "tool_use", "id": "tooluse_1", "name": "tide", "input": {}},
    ]
    assert told["stop_reason"] == "tool_use"
    (asked,) = region.answers.asked
    assert asked.messages[1].parts == (
        Thought("Hm.", "s"),
        Thought(sealed="c2VhbGVk"),
        ToolCall("t", "tide", '{"a":1}'),
    )
    image = Image("image/png", PNG)
    assert asked.messages[2].parts == (
        image,
        ToolResult("t", (Text("Low."),), True),
        ToolResult("u", (Text("High."), image)),
        ToolResult("v", ()),
    )
    assert asked.tools == (Tool("tide", "d", b'{"type":"object"}'),)
    assert asked.choice == Choice("tool", "tide", parallel=False)


def test_anthropic_in_events(region: Wired) -> None:
    region.answers.script = scripted(THINKS)
    found = streamed(region, A)
    assert [one["type"] for one in found] == [
        "message_start",
        *("content_block_start", *["content_block_delta"] * 3, "content_block_stop"),
        *("content_block_start", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("content_block_start", *["content_block_delta"] * 2, "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        "message_delta",
        "message_stop",
    ]
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    metrics = found[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (5, 9)
    kinds = [one["delta"]["type"] for one in found if one["type"] == "content_block_delta"]
    assert kinds == [
        *("thinking_delta", "thinking_delta", "signature_delta", "text_delta"),
        *("input_json_delta", "input_json_delta", "input_json_delta"),
    ]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 2}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"tools": [{"name": "w", "type": "web_search_20250305"}]}, "web_search"),
        ({"tools": [{"name": "w"}]}, "custom"),
        ({"tool_choice": {"type": "odd"}}, "odd"),
        ({"messages": [{"role": "system", "content": "x"}]}, "system"),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "document"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]}, "not fetched"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": ["x"]}]},
                ]
            },
            "tool_result",
        ),
        ({"max_tokens": None}, "max_tokens"),
    ],
)
def test_anthropic_refused(region: Wired, more: dict[str, Any], names: str) -> None:
    assert names in refused(region, A | more)


@pytest.mark.parametrize("body", [A | {"mcp_servers": [{"url": "https://x"}]}, OPENAI | {"store": True}])
def test_what_a_vendor_would_keep_or_call_needs_the_cards_leave(region: Wired, body: dict[str, Any]) -> None:
    got = ask(region, body, LARGE, "invoke")
    assert (got.status, got.json["rule"]) == (403, "model-allows")


# ---- OpenAI's -------------------------------------------------------------------------------------------------------


def test_openai_whole(region: Wired) -> None:
    region.answers.script = scripted(THINKS)
    url = f"data:image/png;base64,{base64_of(PNG)}"
    body = {
        "model": "ignored",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "See."}, {"type": "image_url", "image_url": {"url": url}}],
            },
            {"role": "assistant", "tool_calls": [{"id": "t", "function": {"name": "tide", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "Low."},
        ],
        "max_completion_tokens": 9,
        "temperature": 1.5,
        "stop": "END",
        "seed": 4,
        "tools": [FUNCTION],
        "tool_choice": {"type": "function", "function": {"name": "tide"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "verbosity": "low",
    }
    told = invoke(region, body, able(region))
    assert told["object"] == "chat.completion"
    (choice,) = told["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "I ask."
    assert [c["function"]["arguments"] for c in choice["message"]["tool_calls"]] == ['{"at":"pier"}', "{}"]
    assert told["usage"] == {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
    (asked,) = region.answers.asked
    assert [m.role for m in asked.messages] == ["system", "user", "assistant", "user"]
    assert asked.messages[1].parts == (Text("See."), Image("image/png", PNG))
    assert asked.messages[2].parts == (ToolCall("t", "tide", "{}"),)
    assert asked.messages[3].parts == (ToolResult("t", (Text("Low."),)),)
    assert (asked.max_tokens, asked.stop, asked.seed) == (9, ("END",), 4)
    assert asked.tools == (Tool("tide", "", b'{"type":"object"}', strict=True),)
    assert asked.choice == Choice("tool", "tide", parallel=False)
    assert asked.shape == Shape("n", b'{"type":"object"}')
    assert (asked.dialect, list(asked.extra)) == ("openai", ["verbosity"])


def test_openai_in_chunks(region: Wired) -> None:
    region.answers.script = scripted(THINKS)
    found = streamed(region, OPENAI)
    assert {one["object"] for one in found} == {"chat.completion.chunk"}
    deltas = [one["choices"][0]["delta"] for one in found if one["choices"]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert deltas[1] == {"content": "I ask."}
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert "".join(c["function"]["arguments"] for c in calls if c["index"] == 0) == '{"at":"pier"}'
    assert (calls[0]["id"], calls[0]["function"]["name"]) == ("call_1", "tide")
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert found[-1]["usage"]["total_tokens"] == 14


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"tool_choice": "required"}, Choice("any")),
        ({"tool_choice": "none"}, Choice("none")),
        ({"parallel_tool_calls": False}, Choice(parallel=False)),
        ({}, None),
    ],
)
def test_openai_choices(region: Wired, more: dict[str, Any], expected: Choice | None) -> None:
    region.answers.script = scripted(CUT)
    told = invoke(region, OPENAI | {"stop": ["a", "b"], "response_format": {"type": "json_object"}} | more)
    assert told["choices"][0]["finish_reason"] == "length"
    assert region.answers.asked[0].choice == expected
    assert region.answers.asked[0].shape == Shape()


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"n": 2}, "n"),
        ({"functions": [{}]}, "functions"),
        ({"tools": [{"type": "web_search"}]}, "web_search"),
        ({"tool_choice": "odd"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "wizard"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input_audio"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://a/b"}}]}]},
            "not fetched",
        ),
        ({"messages": 3}, "messages"),
    ],
)
def test_openai_refused(region: Wired, more: dict[str, Any], names: str) -> None:
    assert names in refused(region, OPENAI | more)


# ---- bodies of one text ---------------------------------------------------------------------------------------------


def test_llama(region: Wired) -> None:
    region.answers.script = scripted(CUT)
    body = {"prompt": "When?", "max_gen_len": 5, "temperature": 0.1, "top_p": 0.2, "images": []}
    usage = {"prompt_token_count": 4, "generation_token_count": 2, "stop_reason": "length"}
    assert invoke(region, body) == {"generation": "At ni", **usage}
    (asked,) = region.answers.asked
    assert (asked.question, asked.max_tokens, list(asked.extra)) == ("When?", 5, ["images"])
    first, last = streamed(region, body)
    assert (first["generation"], first["stop_reason"]) == ("At ni", None)
    assert {name: last[name] for name in usage} == usage
    assert "prompt" in refused(region, {"prompt": 3})


def test_titan(region: Wired) -> None:
    region.answers.script = scripted(SAID)
    how = {"maxTokenCount": 5, "temperature": 0.1, "topP": 0.2, "stopSequences": ["a"]}
    body = {"inputText": "When?", "textGenerationConfig": how}
    told = invoke(region, body)
    result = {"tokenCount": 2, "outputText": "At nine.", "completionReason": "FINISH"}
    assert told == {"inputTextTokenCount": 4, "results": [result]}
    assert region.answers.asked[0].stop == ("a",)
    found = streamed(region, body)
    assert [one["outputText"] for one in found] == ["At ", "nine.", ""]
    assert (found[-1]["completionReason"], found[-1]["inputTextTokenCount"]) == ("FINISH", 4)
    assert "inputText" in refused(region, {"inputText": 3})


def test_a_body_of_nobody(region: Wired) -> None:
    assert "anthropic_version" in refused(region, {"question": "?"})


# ---- what travels in headers ----------------------------------------------------------------------------------------


def test_metadata_in_its_header(region: Wired) -> None:
    region.answers.script = scripted(SAID)
    name = "x-amzn-bedrock-request-metadata"
    invoke(region, OPENAI, "casemate.extractive-reader", headers={name: '{"knowledge":"cables","mode":"single"}'})
    assert (region.answers.asked[0].knowledge, region.answers.asked[0].mode) == (("cables",), "single")
    got = ask(region, OPENAI, LARGE, "invoke", headers={name: "[]"})
    assert (got.status, "Metadata" in got.json["message"]) == (400, True)


# ---- vectors --------------------------------------------------------------------------------------------------------


class Lengths:
    """Vectors of two numbers, made of a text alone."""

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        return [[float(len(text)), 1.0] for text in texts]


def embedder(region: Wired) -> str:
    card = Card("acme/minilm", "minilm", "acme", region.clearance(SECRET), tasks=("embeddings",), vectors=Lengths())
    region.catalogue.add(card)
    return "acme.minilm"


def test_vectors_in_titans_body(region: Wired) -> None:
    model = embedder(region)
    body = {"inputText": "the ferry", "dimensions": 2}
    assert invoke(region, body, model) == {"embedding": [9.0, 1.0], "inputTextTokenCount": 2}
    told = invoke(region, body | {"embeddingTypes": ["float"]}, model)
    assert told["embeddingsByType"] == {"float": [9.0, 1.0]}
    assert "2 dimensions" in refused(region, body | {"dimensions": 3}, model)
    assert "float" in refused(region, body | {"embeddingTypes": ["binary"]}, model)
    assert "texts" in refused(region, {"inputText": ""}, model)
    assert "inputText" in refused(region, {"inputText": 3}, model)


def test_vectors_in_coheres_body(region: Wired) -> None:
    model = embedder(region)
    body = {"texts": ["a", "bcd"], "input_type": "search_query", "images": []}
    told = invoke(region, body, model)
    assert (told["embeddings"], told["response_type"]) == ([[1.0, 1.0], [3.0, 1.0]], "embeddings_floats")
    told = invoke(region, body | {"embedding_types": ["float"]}, model)
    assert told["embeddings"] == {"float": [[1.0, 1.0], [3.0, 1.0]]}
    got = ask(region, body, LARGE, "invoke")
    assert (got.status, got.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")


def test_a_mark_in_a_text_to_embed(region: Wired) -> None:
    got = ask(region, {"texts": ["(S//NF) a"]}, embedder(region), "invoke", key=region.key(OPEN, client="boto3"))
    assert (got.status, got.json["rule"]) == (403, "mark-above")
