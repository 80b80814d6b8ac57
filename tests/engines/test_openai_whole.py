"""OpenAI-shaped servers: all that a prompt can hold, answers at once, tool calls and thoughts on a stream, vectors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.engines.openai_like import OpenAILike
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
from tests.engines.faults import GOOD, Fault, Good, chunk, script, served_badly, sse, well

PROMPT = Prompt(model="tiny", messages=(Message("user", "?"),), max_tokens=8)


def use(
    deed: Callable[[OpenAILike], Any],
    play: Callable[[Good], list[object]] = well,
    kind: str = "openai stream",
    **told: Any,
) -> tuple[Any, list[bytes]]:
    """What came of it, and the requests that the upstream had."""

    async def run() -> tuple[Any, list[bytes]]:
        async with served_badly(GOOD[kind], Fault(play, "")) as (seen, url):
            engine = OpenAILike(Upstream(f"{url}/v1", "local", **told))
            try:
                return await deed(engine), seen.requests
            finally:
                await engine.close()

    return asyncio.run(run())


def ask(prompt: Prompt, *frames: bytes, **told: Any) -> tuple[list[Delta], bytes]:
    async def deed(engine: OpenAILike) -> list[Delta]:
        return [delta async for delta in engine.generate(prompt, 20)]

    deltas, requests = use(deed, (lambda good: script(good, list(frames))) if frames else well, **told)
    return deltas, requests[0]


def whole(answer: dict[str, Any], prompt: Prompt = PROMPT, **told: Any) -> tuple[list[Delta], bytes]:
    data = json.dumps(answer).encode()
    deltas, requests = use(
        lambda engine: engine.whole(prompt, 20), lambda good: script(good, [data]), "openai whole", **told
    )
    return deltas, requests[0]


def sent(prompt: Prompt) -> dict[str, Any]:
    return json.loads(ask(prompt)[1].partition(b"\r\n\r\n")[2])


FULL = Prompt(
    model="tiny",
    messages=(
        Message("system", "Kurz."),
        Message("user", (Text("Look:"), Image("image/png", b"\x89PNG"))),
        Message("assistant", (Thought("hm"), Text("So"), ToolCall("c1", "find", '{"a":1}'))),
        Message("user", (ToolResult("c1", (Text("gone"), Image("image/gif", b"GIF8")), failed=True), Text("And?"))),
        Message("assistant", (ToolCall("c2", "look", "{}"),)),
        Message("user", (ToolResult("c2", ()), Thought("nobody sends this"))),
    ),
    max_tokens=99,
    temperature=0.5,
    top_p=0.9,
    top_k=4,
    stop=("END",),
    seed=7,
    tools=(Tool("find", "Finds.", b'{"type":"object"}', strict=True), Tool("look")),
    choice=Choice("tool", "find", parallel=False),
    shape=Shape("", b'{"type":"object"}'),
    extra={
        "logit_bias": msgspec.Raw(b'{"1":2}'),
        "model": msgspec.Raw(b'"dearest"'),
        "cache_salt": msgspec.Raw(b'"another domain"'),
        "n": msgspec.Raw(b"9"),
    },
    salt="a" * 64,
    partition="a-label-domain",
)


def test_all_that_a_prompt_can_hold() -> None:
    found = sent(FULL)
    assert "a-label-domain" not in json.dumps(found)
    function = {"name": "find", "description": "Finds.", "parameters": {"type": "object"}, "strict": True}
    look = {"name": "look", "description": "", "parameters": {}}
    assert found == {
        "model": "tiny",
        "max_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
        "seed": 7,
        "stop": ["END"],
        "tools": [{"type": "function", "function": function}, {"type": "function", "function": look}],
        "tool_choice": {"type": "function", "function": {"name": "find"}},
        "parallel_tool_calls": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "cache_salt": "a" * 64,
        "logit_bias": {"1": 2},
        "messages": [
            {"role": "system", "content": "Kurz."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                ],
            },
            {
                "role": "assistant",
                "content": "So",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"a":1}'}}],
                "reasoning_content": "hm",
            },
            {"role": "tool", "tool_call_id": "c1", "content": "gone"},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGOA=="}},
                    {"type": "text", "text": "And?"},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c2", "content": ""},
        ],
    }


@pytest.mark.parametrize(
    ("more", "field", "value"),
    [
        ({"choice": Choice("any")}, "tool_choice", "required"),
        ({"choice": Choice("none")}, "tool_choice", "none"),
        ({"shape": Shape()}, "response_format", {"type": "json_object"}),
        ({"extra": {"cache_salt": msgspec.Raw(b'"x"')}}, "cache_salt", None),
    ],
)
def test_the_ways_of_saying_it(more: dict[str, Any], field: str, value: object) -> None:
    assert sent(msgspec.structs.replace(PROMPT, **more)).get(field) == value


def test_the_bound_on_tokens_has_another_name_at_some_vendors() -> None:
    assert OpenAILike(Upstream("https://api.openai.com/v1"))._limit == "max_completion_tokens"
    assert OpenAILike(Upstream("https://not-openai.com/v1"))._limit == "max_tokens"


@pytest.mark.parametrize("schema", [b"half{", b'{}, "store": true', b""])
def test_a_schema_that_is_not_one_json_value(schema: bytes) -> None:
    with pytest.raises(EngineFailed) as told:
        ask(msgspec.structs.replace(PROMPT, tools=(Tool("t", schema=schema),)))
    assert told.value.cause == "rejected"


def said(**delta: Any) -> bytes:
    return sse(model="tiny-2026", choices=[{"index": 0, "delta": delta}])


def call(index: int, arguments: str | None, **more: Any) -> dict[str, Any]:
    return {"index": index, "function": {"name": more.pop("name", None), "arguments": arguments}, **more}


def test_thoughts_calls_and_words_in_their_order() -> None:
    frames = [
        said(role="assistant", content=None),
        said(reasoning_content="hm"),
        said(reasoning="ha") + said(content="Le ") + said(content="cargo") + said(refusal=" no"),
        said(content="x") + said(tool_calls=[call(0, None, id="c1", name="find")]),
        said(tool_calls=[call(0, '{"a"'), call(1, "{}", id="c2", name="look")]),
        said(tool_calls=[{"index": 0}]),
        sse(choices=[{"index": 1, "delta": {"content": "another choice"}}]),
        chunk(None, "tool_calls"),
        sse(
            choices=[],
            usage={"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
        ),
        b"data: [DONE]\n\n",
    ]
    deltas, _ = ask(PROMPT, *frames)
    assert "".join(delta.text for delta in deltas) == "Le cargo nox"
    assert [delta.thought.text for delta in deltas if delta.thought] == ["hm", "ha"]
    pieces = [delta.call for delta in deltas if delta.call]
    assert pieces == [
        ToolPiece(0, "", "c1", "find"),
        ToolPiece(0, '{"a"'),
        ToolPiece(1, "{}", "c2", "look"),
        ToolPiece(0),
    ]
    assert deltas[-1] == Delta(finish="tool", usage=Usage(9, 3, estimated=False))


@pytest.mark.parametrize("index", [-1, 256])
def test_tool_calls_that_cannot_be_counted(index: int) -> None:
    with pytest.raises(EngineFailed) as told:
        ask(PROMPT, said(tool_calls=[call(index, "")]))
    assert told.value.cause == "broken"


COUNTS = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}


@pytest.mark.parametrize(("salt", "shared", "cached"), [("", False, 0), ("a" * 64, False, 4), ("", True, 4)])
def test_cached_tokens_are_told_inside_a_partition_alone(salt: str, shared: bool, cached: int) -> None:
    prompt = msgspec.structs.replace(PROMPT, salt=salt)
    deltas, _ = ask(prompt, chunk("x", "stop"), sse(choices=[], usage=COUNTS), b"data: [DONE]\n\n", counts_cache=shared)
    assert deltas[-1].usage == Usage(9, 3, estimated=False, cached=cached)
    answer = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], "usage": COUNTS}
    assert whole(answer, prompt, counts_cache=shared)[0][-1].usage == Usage(9, 3, estimated=False, cached=cached)


def test_an_answer_at_once() -> None:
    calls = [{"id": "c1", "function": {"name": "find", "arguments": "{}"}}, {"id": "c2"}]
    message = {"role": "assistant", "content": "So", "reasoning": "hm", "refusal": "!", "tool_calls": calls}
    deltas, request = whole(
        {
            "model": "other",
            "choices": [{"index": 1}, {"index": 0, "message": message, "finish_reason": "tool_calls"}],
        },
        answers=("other",),
    )
    assert deltas == [
        Delta(thought=Thought("hm")),
        Delta(text="So!"),
        Delta(call=ToolPiece(0, "{}", "c1", "find")),
        Delta(call=ToolPiece(1, "", "c2")),
        Delta(finish="tool"),
    ]
    body = json.loads(request.partition(b"\r\n\r\n")[2])
    assert body["stream"] is False
    assert "stream_options" not in body


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": []},
        {"choices": [{"message": {"content": "x"}}]},
        {"choices": [{"finish_reason": "stop"}]},
        {"error": {"message": "?"}, "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]},
        {"choices": "none"},
    ],
)
def test_answers_at_once_that_are_none(answer: dict[str, Any]) -> None:
    with pytest.raises(EngineFailed) as told:
        whole(answer)
    assert told.value.cause == "broken"


def test_an_error_on_a_stream() -> None:
    with pytest.raises(EngineFailed) as told:
        ask(PROMPT, sse(error={"message": "secret words"}))
    assert "secret" not in str(told.value.facts)


# ---- vectors --------------------------------------------------------------------------------------------------------


def vectors(texts: list[str], *answers: bytes, **told: Any) -> tuple[list[list[float]], list[bytes]]:
    given = iter(answers)
    return use(
        lambda engine: engine.vectors("tiny", texts, 20, "domain"),
        lambda good: script(good, [next(given)]),
        "openai whole",
        **told,
    )


def vector(*numbers: float, model: str = "tiny") -> bytes:
    return json.dumps({"model": model, "data": [{"index": 0, "embedding": numbers}]}).encode()


def test_each_text_has_a_request_of_its_own() -> None:
    found, requests = vectors([f"t{n}" for n in range(10)], *[vector(1.0, 2.0)] * 10)
    assert found == [[1.0, 2.0]] * 10
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in requests]
    assert sorted(body["input"] for body in bodies) == [f"t{n}" for n in range(10)]
    assert all(request.startswith(b"POST /v1/embeddings ") for request in requests)
    assert vectors([])[0] == []


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([vector(1.0), vector(1.0, 2.0)], "differ in length"),
        ([vector(), vector()], "one vector"),
        ([b'{"data": []}'] * 2, "one vector"),
        ([vector(1.0, model="other")] * 2, "another model"),
        ([b"half{"] * 2, "cannot be read"),
    ],
)
def test_vectors_that_are_none(answers: list[bytes], why: str) -> None:
    with pytest.raises(EngineFailed) as told:
        vectors(["a", "b"], *answers)
    assert why in str(told.value.facts["why"])


def test_vectors_have_a_deadline_and_tell_a_missing_key(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed) as told:
        use(lambda engine: engine.vectors("tiny", ["a"], 0.0))
    assert told.value.cause == "slow"
    with pytest.raises(Misconfigured):
        use(lambda engine: engine.vectors("tiny", ["a"], 20), key_file=tmp_path / "none")


def test_a_new_key_needs_no_restart(tmp_path: Path) -> None:
    key = tmp_path / "key"

    async def deed(engine: OpenAILike) -> None:
        for text in ("first", "second-key"):
            key.write_text(text)
            await engine.whole(PROMPT, 20)

    key.write_text("first")
    _, requests = use(deed, kind="openai whole", key_file=key)
    assert [b"Bearer first" in request for request in requests] == [True, False]
    assert b"Bearer second-key" in requests[1]
