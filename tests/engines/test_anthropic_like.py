"""The engine behind the messages API: what it sends, and what it makes of everything that comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.engines.anthropic_like import VERSION, AnthropicLike
from casemate.engines.remote import Upstream
from casemate.errors import EngineFailed, Misconfigured
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
)
from tests.engines.faults import GOOD, Fault, Good, script, served_badly, sse, started, text_delta, well

GOOD_ONE = GOOD["anthropic stream"]
PROMPT = Prompt(model="tiny", messages=(Message("user", "?"),), max_tokens=8)


def ask(
    prompt: Prompt, play: Callable[[Good], list[object]] = well, key: Path | None = None, **told: Any
) -> tuple[list[Delta], bytes]:
    """What the engine gave, and the request that the upstream had."""

    async def run() -> tuple[list[Delta], bytes]:
        async with served_badly(GOOD_ONE, Fault(play, "")) as (seen, url):
            engine = AnthropicLike(Upstream(url, "claude", key, **told))
            try:
                return [delta async for delta in engine.generate(prompt, 20)], seen.requests[0]
            finally:
                await engine.close()

    return asyncio.run(run())


def events(*frames: bytes) -> Callable[[Good], list[object]]:
    return lambda good: script(good, list(frames))


def sent(prompt: Prompt) -> dict[str, Any]:
    return json.loads(ask(prompt)[1].partition(b"\r\n\r\n")[2])


def test_what_is_sent(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    messages = (
        Message("system", "Kurz."),
        Message("user", (Text("Look:"), Image("image/png", b"\x89PNG"))),
        Message(
            "assistant",
            (Thought("hm", "sig"), Thought(sealed="c2Vh"), Text("So"), ToolCall("c1", "find", '{"a":1}')),
        ),
        Message("user", (ToolResult("c1", (Text("gone"),), failed=True), ToolResult("c2", ()), Text("And?"))),
        Message("system", "Klar."),
    )
    prompt = Prompt(
        model="tiny",
        messages=messages,
        max_tokens=99,
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop=("END",),
        tools=(Tool("find", "Finds.", b'{"type":"object"}', strict=True), Tool("look")),
        choice=Choice("tool", "find", parallel=False),
        shape=Shape("s", b'{"type":"object"}'),
        extra={"thinking": msgspec.Raw(b'{"type":"enabled"}'), "model": msgspec.Raw(b'"dearest"')},
        partition="a-label-domain",
    )
    _, request = ask(prompt, key=tmp_path / "key")
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/messages HTTP/1.1"
    assert "x-api-key: sk-1" in lines
    assert f"anthropic-version: {VERSION}" in lines
    assert b"a-label-domain" not in request
    call = {"type": "tool_use", "id": "c1", "name": "find", "input": {"a": 1}}
    image = {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
    failed = {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "gone"}]}
    assert json.loads(body) == {
        "model": "tiny",
        "max_tokens": 99,
        "stream": True,
        "system": "Kurz.\n\nKlar.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image", "source": image}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "redacted_thinking", "data": "c2Vh"},
                    {"type": "text", "text": "So"},
                    call,
                ],
            },
            {
                "role": "user",
                "content": [
                    failed | {"is_error": True},
                    {"type": "tool_result", "tool_use_id": "c2", "content": []},
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
        "tools": [
            {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}, "strict": True},
            {"name": "look", "input_schema": {}},
        ],
        "tool_choice": {"type": "tool", "name": "find", "disable_parallel_tool_use": True},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
        "stop_sequences": ["END"],
        "thinking": {"type": "enabled"},
    }


def test_the_least_that_is_sent() -> None:
    assert sent(PROMPT) == {
        "model": "tiny",
        "max_tokens": 8,
        "stream": True,
        "messages": [{"role": "user", "content": "?"}],
    }


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"seed": 1}, "no seed"),
        ({"shape": Shape()}, "no shape without a schema"),
        ({"tools": (Tool("t", schema=b'{}, "model": 1'),)}, "not JSON"),
        ({"messages": (Message("assistant", (ToolCall("1", "t", "{half"),)),)}, "not JSON"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(EngineFailed) as told:
        ask(msgspec.structs.replace(PROMPT, **more))
    assert told.value.cause == "rejected"
    assert why in str(told.value.facts["why"])


def block(index: int, **content: str) -> bytes:
    return sse(type="content_block_start", index=index, content_block=content)


def piece(index: int, kind: str, **delta: str) -> bytes:
    return sse(type="content_block_delta", index=index, delta={"type": kind, **delta})


ENDS = (
    sse(type="message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 9}),
    sse(type="message_stop"),
)


def test_thoughts_calls_and_words_in_their_order() -> None:
    deltas, _ = ask(
        PROMPT,
        events(
            sse(
                type="message_start",
                message={
                    "model": "tiny-20261101",
                    "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
                },
            ),
            sse(type="ping"),
            block(0, type="thinking", thinking="a"),
            piece(0, "thinking_delta", thinking="hm")
            + piece(0, "signature_delta", signature="sig")
            + sse(type="content_block_stop", index=0)
            + block(1, type="redacted_thinking", data="c2Vh")
            + block(2, type="text", text="")
            + text_delta("Le ")
            + text_delta("cargo")
            + block(3, type="tool_use", id="c1", name="find")
            + piece(3, "input_json_delta", partial_json='{"a"')
            + piece(3, "input_json_delta", partial_json="")
            + piece(3, "input_json_delta", partial_json=":1}")
            + block(4, type="tool_use", id="c2", name="look")
            + block(5, type="text", text="Now ")
            + piece(5, "an unknown delta"),
            *ENDS,
        ),
    )
    assert deltas == [
        Delta(thought=Thought("a")),
        Delta(thought=Thought("hm")),
        Delta(thought=Thought(signature="sig")),
        Delta(thought=Thought(sealed="c2Vh")),
        Delta(text="Le cargo"),
        Delta(call=ToolPiece(0, "", "c1", "find")),
        Delta(call=ToolPiece(0, '{"a"')),
        Delta(call=ToolPiece(0, ":1}")),
        Delta(call=ToolPiece(1, "", "c2", "look")),
        Delta(text="Now "),
        Delta(finish="tool", usage=Usage(16, 9, estimated=False)),
    ]


@pytest.mark.parametrize(("salt", "shared", "cached"), [("", False, 0), ("a" * 64, False, 4), ("", True, 4)])
def test_cached_tokens_are_told_inside_a_partition_alone(salt: str, shared: bool, cached: int) -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1}
    start = sse(type="message_start", message={"model": "tiny", "usage": usage})
    deltas, _ = ask(
        msgspec.structs.replace(PROMPT, salt=salt), events(start, text_delta("x"), *ENDS), counts_cache=shared
    )
    assert deltas[-1].usage == Usage(14, 9, estimated=False, cached=cached)


@pytest.mark.parametrize(
    ("reason", "finish"), [("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("odd", "stop")]
)
def test_how_it_ends(reason: str, finish: str) -> None:
    deltas, _ = ask(PROMPT, events(started(), sse(type="message_delta", delta={"stop_reason": reason}), ENDS[1]))
    assert deltas[-1].finish == finish


BAD = {
    "overloaded before anything": ([sse(type="error", error={"type": "overloaded_error"})], "busy"),
    "a limit before anything": ([started(), sse(type="error", error={"type": "rate_limit_error"})], "busy"),
    "not this key": ([sse(type="error", error={"type": "authentication_error"})], "denied"),
    "not this request": ([sse(type="error", error={"type": "invalid_request_error"})], "rejected"),
    "an error of another shape": ([sse(type="error", error="?")], "broken"),
    "an error whose type is a list": ([sse(type="error", error={"type": []})], "broken"),
    "overloaded in mid-stream": (
        [started(), text_delta("x"), sse(type="error", error={"type": "overloaded_error"})],
        "broken",
    ),
    "no beginning": ([text_delta("x")], "broken"),
    "arguments of no call": ([started(), piece(0, "input_json_delta", partial_json="{")], "broken"),
    "a stop without a reason": ([started(), sse(type="message_stop")], "broken"),
    "no stop": ([started(), ENDS[0]], "broken"),
}


@pytest.mark.parametrize(("frames", "cause"), BAD.values(), ids=BAD)
def test_bad_streams(frames: list[bytes], cause: str) -> None:
    with pytest.raises(EngineFailed) as told:
        ask(PROMPT, events(*frames))
    assert told.value.cause == cause


def test_usage_that_nobody_counted() -> None:
    bare = sse(type="message_start", message={"model": "tiny"})
    end = sse(type="message_delta", delta={"stop_reason": "end_turn"})
    assert ask(PROMPT, events(bare, end, ENDS[1]))[0] == [Delta(finish="stop")]


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        ask(PROMPT, key=tmp_path / "none")


def raws(**fields: Any) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in fields.items()}


def test_tools_of_the_protocol_stand_after_the_client_s_own() -> None:
    bash = {"type": "bash_20250124", "name": "bash"}
    tool = Tool("read", "", b"{}")
    told = sent(msgspec.structs.replace(PROMPT, tools=(tool,), extra=raws(tools=[bash]), choice=Choice("any")))
    assert told["tools"] == [{"name": "read", "input_schema": {}}, bash]
    alone = sent(msgspec.structs.replace(PROMPT, extra=raws(tools=[bash]), choice=Choice("tool", "bash")))
    assert (alone["tools"], alone["tool_choice"]) == ([bash], {"type": "tool", "name": "bash"})


def test_effort_stands_beside_the_shape_and_never_replaces_it() -> None:
    extra = raws(output_config={"effort": "high", "format": {"type": "other"}})
    told = sent(msgspec.structs.replace(PROMPT, extra=extra, shape=Shape("s", b"{}")))
    assert told["output_config"] == {"effort": "high", "format": {"type": "json_schema", "schema": {}}}
    assert sent(msgspec.structs.replace(PROMPT, extra=extra))["output_config"] == {"effort": "high"}


def test_betas_go_in_their_header() -> None:
    head, _, body = ask(msgspec.structs.replace(PROMPT, extra=raws(anthropic_beta=["a-2025", "b-2026"])))[1].partition(
        b"\r\n\r\n"
    )
    assert b"\r\nanthropic-beta: a-2025,b-2026\r\n" in head + b"\r\n"
    assert b"anthropic_beta" not in body
    assert b"anthropic-beta" not in ask(PROMPT)[1]


@pytest.mark.parametrize(
    "extra",
    [
        {"anthropic_beta": ["a\r\nx-api-key: y"]},
        {"anthropic_beta": "a"},
        {"tools": {}},
        {"output_config": []},
    ],
)
def test_what_cannot_be_said_is_not_sent(extra: dict[str, Any]) -> None:
    with pytest.raises(EngineFailed) as failed:
        ask(msgspec.structs.replace(PROMPT, extra=raws(**extra)))
    assert failed.value.cause == "rejected"
