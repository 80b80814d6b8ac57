"""Responses after the Open Responses specification: items in, items and events out, and nothing kept."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.models import (
    Chat,
    Choice,
    Delta,
    Image,
    Message,
    Shape,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolPiece,
    ToolResult,
)
from tests.doors.openai.asking import (
    PIXEL,
    SEES,
    WEATHER,
    call,
    events,
    more_models,
    only_calls,
    post,
    runs_out,
    thinks_and_calls,
)
from tests.doors.wired import UPSTREAM, Wired, breaks_in_the_middle

TEXT = "(U) Extract: “The ferry sails at nine.” [1]\n\n(S//NF) Extract: “Le navire caché part à l’aube.” [1]"
TOOL = {"type": "function", **WEATHER}


def body(input: Any = "When does the ferry sail?", **more: Any) -> dict[str, Any]:
    return {"model": UPSTREAM, "input": input} | more


def create(region: Wired, *args: Any, **more: Any) -> Any:
    return post(region, "/v1/responses", body(*args, **more))


def asked(region: Wired, *args: Any, **more: Any) -> Chat:
    got = create(region, *args, **more)
    assert got.status == 200, got.body
    return region.answers.asked[-1]


# ---- what goes in --------------------------------------------------------------------------------------------------


def test_a_text_and_instructions(region: Wired) -> None:
    found = asked(region, "Well?", instructions="Be brief.", max_output_tokens=7, temperature=0.5, top_p=0.5)
    assert found.messages == (Message("system", "Be brief."), Message("user", "Well?"))
    assert (found.max_tokens, found.temperature, found.top_p) == (7, 0.5, 0.5)


def test_items_become_turns(region: Wired) -> None:
    more_models(region)
    items = [
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Well?"}]},
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "x",
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look.", "annotations": []}]},
        {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": "{}", "id": "fc_1"},
        {"type": "function_call", "call_id": "call_b", "name": "tide", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_a", "output": "Fog."},
        {"type": "function_call_output", "call_id": "call_b", "output": [{"type": "input_image", "image_url": PIXEL}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": PIXEL, "detail": "auto"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "So?"},
    ]
    picture = Image("image/png", base64.b64decode(PIXEL.partition(",")[2]))
    calls = (ToolCall("call_a", "weather", "{}"), ToolCall("call_b", "tide", "{}"))
    assert asked(region, items, model=SEES, tools=[TOOL]).messages == (
        Message("system", "Be brief."),
        Message("user", "Well?"),
        Message("assistant", (Thought("Hm.", sealed="x"), Text("I look."), *calls)),
        Message("user", (ToolResult("call_a", (Text("Fog."),)), ToolResult("call_b", (picture,)))),
        Message("user", (picture,)),
        Message("assistant", "No."),
        Message("user", "So?"),
    )


def test_tools_shape_and_effort(region: Wired) -> None:
    schema = {"type": "object"}
    found = asked(
        region,
        tools=[TOOL],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        store=False,
        truncation="disabled",
    )
    assert found.tools == (Tool("weather", "Of a port.", b'{"type":"object"}', True),)
    assert found.choice == Choice("tool", "weather", parallel=False)
    assert found.shape == Shape("n", json.dumps(schema, separators=(",", ":")).encode(), True)
    assert {name: bytes(raw) for name, raw in found.extra.items()} == {
        "reasoning_effort": b'"high"',
        "verbosity": b'"low"',
    }
    assert found.needs == ()


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"store": True}, 403),
        ({"previous_response_id": "resp_1"}, 403),
        ({"conversation": "conv_1"}, 403),
        ({"background": True}, 403),
        ({"prompt": {"id": "pmpt_1"}}, 403),
        ({"context_management": [{"type": "compaction"}]}, 403),
        ({"tools": [{"type": "web_search"}]}, 403),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "https://x.test"}]}, 403),
        ({"tools": [{"type": "custom", "name": "x"}]}, 400),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, 403),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x.test"}]}]}, 403),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-x"}]}]}, 403),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, 400),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-x"}]}]}, 400),
        ({"input": [{"type": "web_search_call", "id": "ws_1", "status": "completed"}]}, 400),
        ({"input": [{"type": "function_call", "name": "x"}]}, 400),
        ({"input": [{"role": "tool", "content": "x"}]}, 400),
        ({"input": []}, 400),
        ({"input": 3}, 400),
        ({"include": ["file_search_call.results"]}, 400),
        ({"truncation": "auto"}, 400),
        ({"max_tool_calls": 3}, 400),
        ({"top_logprobs": 3}, 400),
        ({"max_output_tokens": 0}, 400),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, 400),
        ({"model": "acme/none"}, 404),
    ],
)
def test_what_is_refused(region: Wired, more: dict[str, Any], status: int) -> None:
    more_models(region)
    got = create(region, **({"model": SEES} | more))
    assert got.status == status, got.body
    assert region.answers.asked == []


def test_a_mark_in_an_item_goes_nowhere(region: Wired) -> None:
    arguments = json.dumps({"text": "First.\n(TS//SI//NF) Second."})
    items = [{"type": "function_call", "call_id": "a", "name": "x", "arguments": arguments}]
    got = create(region, [*items, {"role": "user", "content": "So?"}])
    assert (got.status, got.json["error"]["rule"]) == (403, "mark-above")


# ---- what comes out ------------------------------------------------------------------------------------------------


def test_a_whole_response(region: Wired) -> None:
    got = create(region, metadata={"team": "red"}, instructions="Be brief.")
    found = got.json
    assert (found["object"], found["status"], found["error"], found["store"]) == ("response", "completed", None, False)
    assert found["metadata"] == {"team": "red"}
    (item,) = found["output"]
    assert (item["type"], item["role"], item["status"]) == ("message", "assistant", "completed")
    (part,) = item["content"]
    assert part["text"] == TEXT
    for cited in part["annotations"]:
        assert TEXT[cited["start_index"] : cited["end_index"]] == "[1]"
    assert found["usage"]["total_tokens"] == 18
    assert got.headers["x-request-id"] == got.headers["casemate-ledger"]
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, end.facts["completion"]) == ("complete", 11)


def test_events_say_the_same(region: Wired) -> None:
    got = create(region, stream=True)
    told = events(got)
    assert [e["sequence_number"] for e in told] == list(range(len(told)))
    assert [e["type"] for e in told[:4]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert "".join(e["delta"] for e in told if e["type"] == "response.output_text.delta") == TEXT
    assert [e["annotation_index"] for e in told if e["type"] == "response.output_text.annotation.added"] == [0, 1]
    done = {e["type"]: e for e in told}
    assert done["response.output_text.done"]["text"] == TEXT
    last = told[-1]
    assert last["type"] == "response.completed"
    whole = create(region).json
    shown = last["response"]
    assert shown["output"][0]["content"] == whole["output"][0]["content"]
    assert set(shown) == set(whole)
    assert got.marked()


def test_reasoning_and_calls_are_items(region: Wired) -> None:
    region.answers.script = thinks_and_calls
    more = {"tools": [TOOL]}
    output = create(region, **more).json["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call"]
    assert output[0]["content"] == [{"type": "reasoning_text", "text": "Which port?"}]
    assert output[0]["encrypted_content"] == "c2VhbA=="
    assert [(i["call_id"], i["name"], i["arguments"]) for i in output[2:]] == [
        ("call_a", "weather", '{"port":"Sable"}'),
        ("call_b", "tide", "{}"),
    ]
    told = events(create(region, stream=True, **more))
    named = [e["type"] for e in told]
    assert named.index("response.reasoning_text.done") < named.index("response.output_text.delta")
    arguments = [e["delta"] for e in told if e["type"] == "response.function_call_arguments.delta"]
    assert arguments == ['{"port":', '"Sable"}', "{}"]
    assert _without_ids(output) == _without_ids(told[-1]["response"]["output"])
    opened = [e["item"]["id"] for e in told if e["type"] == "response.output_item.added"]
    assert opened == [item["id"] for item in told[-1]["response"]["output"]]
    assert told[-1]["response"]["usage"]["input_tokens_details"]["cached_tokens"] == 3


def _without_ids(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "id"} for item in items]


def test_a_call_alone_and_words_after_a_call(region: Wired) -> None:
    region.answers.script = only_calls
    assert [i["type"] for i in create(region, tools=[TOOL]).json["output"]] == ["function_call"]

    async def script(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        yield Delta(call=ToolPiece(0, "{}", id="a", name="weather"))
        yield Delta(text="And more.")
        yield Delta(thought=Thought())
        yield Delta(finish="stop")

    region.answers.script = script
    told = events(create(region, tools=[TOOL], stream=True))
    assert [i["type"] for i in told[-1]["response"]["output"]] == ["function_call", "message", "reasoning"]


def test_a_response_that_ran_into_its_bound(region: Wired) -> None:
    region.answers.script = runs_out
    found = create(region).json
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert found["output"][0]["status"] == "incomplete"
    assert events(create(region, stream=True))[-1]["type"] == "response.incomplete"


def test_a_response_that_breaks(region: Wired) -> None:
    region.answers.script = breaks_in_the_middle
    assert create(region).status == 502
    got = create(region, stream=True)
    *_, failed, problem = got.body.decode().strip().split("\n\n")
    assert json.loads(failed.partition("data: ")[2])["response"]["status"] == "failed"
    told = json.loads(problem.removeprefix("data: "))
    assert (told["type"], told["error"]["code"]) == ("error", "engine-failed")
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]


# ---- beside --------------------------------------------------------------------------------------------------------


def test_the_tokens_of_an_input(region: Wired) -> None:
    def count(**more: Any) -> int:
        got = post(region, "/v1/responses/input_tokens", more)
        assert (got.status, got.json["object"], got.json["estimated"]) == (200, "response.input_tokens", True)
        return int(got.json["input_tokens"])

    short, long = count(model=UPSTREAM, input="One."), count(input="One. " * 100)
    assert 0 < short < 10 < 100 < long < 200
    assert count(input="One.", tools=[TOOL]) > short
    calls = [
        {"type": "function_call", "call_id": "a", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_image", "image_url": PIXEL}]},
    ]
    assert count(input=calls) > 800
    assert post(region, "/v1/responses/input_tokens", {"model": "acme/none", "input": "x"}).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")],
)
def test_no_response_was_kept(region: Wired, method: str, path: str) -> None:
    id = create(region).json["id"]
    got = call(region, method, f"/v1/responses/{id}{path}")
    assert (got.status, got.json["error"]["code"]) == (404, "absent")
    assert got.marked()
