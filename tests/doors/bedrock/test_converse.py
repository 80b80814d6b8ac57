"""Converse and the list of models: every response is read by botocore's own parser, by its own description."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casemate.models import (
    READER,
    Choice,
    Delta,
    Image,
    Shape,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolPiece,
    ToolResult,
    Usage,
)
from tests.doors.bedrock.described import base64_of, parsed
from tests.doors.bedrock.sent import ARN, LARGE, PNG, QUESTION, THINKS, TOOL, able, ask, scripted, send
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Wired, breaks_in_the_middle, never_asked

IDS = ["casemate.extractive-reader", "casemate%2Fextractive-reader", "us.casemate.extractive-reader"]


def test_an_answer_as_botocore_reads_it(region: Wired) -> None:
    found = parsed(ask(region, QUESTION), "Converse")
    message = found["output"]["message"]
    text, low, high = message["content"]
    assert message["role"] == "assistant"
    assert text["text"].startswith("(U) Extract")
    assert "\n\n(S//NF) Extract" in text["text"]
    assert found["stopReason"] == "end_turn"
    assert found["usage"] == {"inputTokens": 7, "outputTokens": 11, "totalTokens": 18}
    assert found["metrics"] == {"latencyMs": 0}
    (cited,) = high["citationsContent"]["citations"]
    assert cited["title"] == "(S//NF) Notice été"
    assert cited["location"]["web"]["url"] == cited["source"] == "/passages/psg_high"
    assert cited["sourceContent"][0]["text"] in text["text"]
    assert low["citationsContent"]["citations"][0]["title"].startswith("(U) ")


def test_every_text_stands_there_once(region: Wired) -> None:
    """A client that joins all blocks and one that reads the first have the same answer."""
    content = parsed(ask(region, QUESTION), "Converse")["output"]["message"]["content"]
    joined = ""
    for block in content:
        joined += block.get("text", "")
        joined += "".join(part["text"] for part in block.get("citationsContent", {}).get("content", ()))
    assert joined == content[0]["text"]


def test_marks_and_the_begin(region: Wired) -> None:
    got = ask(region, QUESTION)
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    assert region.entry(got.headers["casemate-ledger"]).outcome == "begin"
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, end.facts["model"]) == ("complete", READER)


@pytest.mark.parametrize("id", [*IDS, ARN + IDS[0], ARN + IDS[1]])
def test_a_model_by_id_alias_and_arn(region: Wired, id: str) -> None:
    assert ask(region, QUESTION, id).status == 200
    assert region.answers.asked[0].model == READER


@pytest.mark.parametrize("id", ["acme.large", "acme%2Flarge", ARN + "acme.large"])
def test_an_upstream_by_its_id(region: Wired, id: str) -> None:
    assert ask(region, QUESTION, id).status == 200
    assert (region.answers.asked[0].model, region.answers.asked[0].knowledge) == (UPSTREAM, ())


def test_the_whole_request(region: Wired) -> None:
    body = {
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "One"}, {"text": "Two"}]},
            {
                "role": "assistant",
                "content": [{"text": "Said."}, {"citationsContent": {"content": [], "citations": []}}],
            },
            {"role": "assistant", "content": [{"citationsContent": {"content": [{"text": "Quoted."}]}}]},
            {"role": "user", "content": [{"text": "Why?"}]},
        ],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.25, "topP": 0.5, "stopSequences": ["END"]},
        "requestMetadata": {"knowledge": "cables,port", "mode": "single", "team": "x"},
        "performanceConfig": {"latency": "standard"},
        "additionalModelRequestFields": {"anything": [1]},
        "neverHeardOf": 1,
        "outputConfig": {"effort": "low"},
        "serviceTier": None,
    }
    got = ask(region, body)
    assert got.status == 200
    (asked,) = region.answers.asked
    assert [(m.role, m.content) for m in asked.messages] == [
        ("system", "Be brief."),
        ("user", "One\n\nTwo"),
        ("assistant", "Said."),
        ("assistant", "Quoted."),
        ("user", "Why?"),
    ]
    assert (asked.max_tokens, asked.temperature, asked.top_p, asked.mode) == (50, 0.25, 0.5, "single")
    assert (asked.stop, asked.dialect) == (("END",), "bedrock")
    names = "performanceConfig, additionalModelRequestFields, neverHeardOf, outputConfig"
    assert ", ".join(asked.extra) == names
    assert bytes(asked.extra["additionalModelRequestFields"]) == b'{"anything":[1]}'
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert end.facts["unknown"] == names
    assert asked.knowledge == ("cables", "port")


def test_an_answer_may_come_back_as_history_and_its_marks_count(region: Wired) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    message = ask(region, QUESTION, key=key).json["output"]["message"]
    again = {"messages": [*QUESTION["messages"], message, *QUESTION["messages"]]}
    assert ask(region, again, key=key).status == 200
    assert region.answers.floors == [region.region.floor, region.label(SECRET)]


@pytest.mark.parametrize(
    "block",
    [
        {"text": "(S//NF) a"},
        {"citationsContent": {"content": [{"text": "(S//NF) a"}]}},
    ],
)
def test_a_mark_in_any_text_raises_the_floor(region: Wired, block: dict[str, Any]) -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "Q"}, block]}]}
    assert ask(region, body).status == 200
    assert region.answers.floors == [region.label(SECRET)]
    assert ask(region, QUESTION | {"system": [block]}).status == 200
    assert region.answers.floors[1] is region.label(SECRET)


def said(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": "Q"}, *blocks]}], **more}


def offers(*tools: dict[str, Any], **more: Any) -> dict[str, Any]:
    return QUESTION | {"toolConfig": {"tools": list(tools), **more}}


def shaped(schema: str, type: str = "json_schema") -> dict[str, Any]:
    return QUESTION | {"outputConfig": {"textFormat": {"type": type, "structure": {"jsonSchema": {"schema": schema}}}}}


DOCUMENT = {"name": "d", "source": {"text": "x"}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (offers({"systemTool": {"name": "code"}}), "systemTool"),
    (offers({"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}), "a b"),
    (offers(TOOL, TOOL), "tide"),
    (offers(TOOL, toolChoice={"tool": {"name": "other"}}), "other"),
    (offers({"toolSpec": {"name": "f"}}), "inputSchema"),
    (QUESTION | {"guardrailConfig": {"guardrailIdentifier": "g"}}, "version"),
    (QUESTION | {"promptVariables": {"a": {"text": "b"}}}, "promptVariables"),
    (shaped("{", "json_schema"), "JSON Schema"),
    (shaped("{}", "xml"), "textFormat.type"),
    (QUESTION | {"inferenceConfig": {"stopSequences": ["x"] * 2501}}, "stopSequences"),
    (QUESTION | {"inferenceConfig": {"maxTokens": 0}}, "maxTokens"),
    (QUESTION | {"inferenceConfig": {"temperature": 1.5}}, "temperature"),
    (QUESTION | {"inferenceConfig": {"topP": -1}}, "topP"),
    (QUESTION | {"requestMetadata": {"mode": "x y"}}, "x y"),
    (QUESTION | {"requestMetadata": {"knowledge": "none,a"}}, "none,a"),
    (said({"image": {"format": "png"}}), "source"),
    (said({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://a/b"}}}}), "S3"),
    (said({"image": {"format": "png", "source": {"bytes": "KFMvL05GKSBhIHNlY3JldA=="}}}), "png"),
    (said({"image": {"format": "bmp", "source": {"bytes": base64_of(PNG)}}}), "bmp"),
    (said({"image": {"format": "png", "source": {"bytes": "%%"}}}), "base64"),
    (said({"document": DOCUMENT}), "document"),
    (said({"video": {"format": "mp4"}}), "video"),
    (said({"audio": {"format": "mp3"}}), "audio"),
    (said({"searchResult": {"source": "s"}}), "searchResult"),
    (said({"toolResult": {"toolUseId": "1"}}), "content"),
    (said({"toolResult": {"toolUseId": "1", "content": [{"document": DOCUMENT}]}}), "toolResult.document"),
    (said({"toolUse": {"toolUseId": "1", "name": "f", "input": {}, "type": "server_tool_use"}}), "server_tool_use"),
    (said({"reasoningContent": {}}), "reasoningContent"),
    (said({"guardContent": {}}), "guardContent"),
    (said({"hologram": {}}), "hologram"),
    (said({"text": "a", "image": {}}), "unknown"),
    ({"messages": [{"role": "tool", "content": [{"text": "x"}]}]}, "tool"),
    ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "text"),
    ({"messages": [{"role": "user", "content": "x"}]}, "content"),
    ({}, "messages"),
]


@pytest.mark.parametrize(("body", "names"), REFUSED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_not_offered_is_named(region: Wired, body: dict[str, Any], names: str) -> None:
    got = ask(region, body)
    error = parsed(got, "Converse")["Error"]
    assert (got.status, error["Code"]) == (400, "ValidationException")
    assert names in error["Message"]
    assert got.marked()
    assert region.answers.asked == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"messages":"\xff"}', b'{"messages":' + b"[" * 200_000, b'{"x":' + b'{"a":' * 200_000],
    ids=["empty", "half", "invalid utf-8", "deep", "deep and unknown"],
)
def test_a_broken_body(region: Wired, body: bytes) -> None:
    got = ask(region, body)
    assert (got.status, got.json["slug"]) == (400, "malformed")
    assert ask(region, QUESTION).status == 200


def test_fifty_megabytes(region: Wired) -> None:
    got = region.send("POST", f"/model/{IDS[0]}/converse", b"x" * (50 << 20))
    assert (got.status, got.json["slug"], got.headers["x-amzn-errortype"]) == (400, "too-large", "ValidationException")


@pytest.mark.parametrize("id", ["casemate.none", ARN + "none", "arn%3A", "acme.large"])
def test_an_unknown_model_and_a_hidden_one(region: Wired, id: str) -> None:
    got = ask(region, QUESTION, id, key=region.key(HIGH, client="boto3"))
    error = parsed(got, "Converse")["Error"]
    assert (got.status, error["Code"]) == (404, "ResourceNotFoundException")
    assert got.marked()


def test_an_engine_that_fails(region: Wired) -> None:
    region.answers.script = breaks_in_the_middle
    got = ask(region, QUESTION)
    assert (got.status, parsed(got, "Converse")["Error"]["Code"]) == (424, "ModelErrorException")
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert end.outcome == "failed"


def test_a_mark_above_is_denied(region: Wired) -> None:
    region.answers.script = never_asked
    got = ask(region, {"messages": [{"role": "user", "content": [{"text": "(TS//SI//NF) a"}]}]})
    assert (got.status, parsed(got, "Converse")["Error"]["Code"]) == (403, "AccessDeniedException")


def test_an_operation_of_boto3_that_nobody_serves(region: Wired) -> None:
    for path in ("/async-invoke", f"/model/{IDS[0]}/invoke"):
        got = send(region, "GET", path)
        assert (got.status, got.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
        assert got.marked()


# ---- tools, images, reasoning, shapes -------------------------------------------------------------------------------


def test_tools_and_what_came_of_them(region: Wired) -> None:
    body = {
        "messages": [
            *QUESTION["messages"],
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
                    {"reasoningContent": {"redactedContent": "c2VhbGVk"}},
                    {"toolUse": {"toolUseId": "t1", "name": "tide", "input": {"at": "pier", "n": [1]}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "t1",
                            "content": [
                                {"json": {"high": 3}},
                                {"text": "Low at six."},
                                {"image": {"format": "png", "source": {"bytes": base64_of(PNG)}}},
                            ],
                            "status": "error",
                        }
                    },
                    {"guardContent": {"image": {"format": "png", "source": {"bytes": base64_of(PNG)}}}},
                    {"guardContent": {"text": {"text": "And now?"}}},
                ],
            },
        ],
        "toolConfig": {
            "tools": [TOOL, {"cachePoint": {"type": "default"}}],
            "toolChoice": {"tool": {"name": "tide"}},
        },
    }
    assert ask(region, body, able(region)).status == 200
    (asked,) = region.answers.asked
    assert asked.messages[1].parts == (
        Thought("Hm.", "s"),
        Thought(sealed="c2VhbGVk"),
        ToolCall("t1", "tide", '{"at":"pier","n":[1]}'),
    )
    assert asked.messages[2].parts == (
        ToolResult("t1", (Text('{"high":3}'), Text("Low at six."), Image("image/png", PNG)), failed=True),
        Image("image/png", PNG),
        Text("And now?"),
    )
    assert asked.tools == (Tool("tide", "The tide.", b'{"type":"object"}'),)
    assert asked.choice == Choice("tool", "tide")


@pytest.mark.parametrize(("choice", "kind"), [({"auto": {}}, "auto"), ({"any": {}}, "any")])
def test_a_choice_of_tools(region: Wired, choice: dict[str, Any], kind: str) -> None:
    assert ask(region, offers(TOOL, toolChoice=choice), LARGE).status == 200
    assert region.answers.asked[0].choice == Choice(kind)  # type: ignore[arg-type]


def test_a_model_that_takes_no_images_is_named(region: Wired) -> None:
    picture = {"image": {"format": "png", "source": {"bytes": base64_of(PNG)}}}
    got = ask(region, said(picture), LARGE)
    assert (got.status, "images" in got.json["message"]) == (400, True)
    assert ask(region, said(picture), able(region)).status == 200
    assert region.answers.asked[0].messages[0].parts[1] == Image("image/png", PNG)


def test_a_structured_answer(region: Wired) -> None:
    structure = {"jsonSchema": {"schema": '{"type":"object"}', "name": "tides"}}
    body = QUESTION | {"outputConfig": {"textFormat": {"type": "json_schema", "structure": structure}}}
    assert ask(region, body, LARGE).status == 200
    assert region.answers.asked[0].shape == Shape("tides", b'{"type":"object"}')


def test_reasoning_and_calls_as_botocore_reads_them(region: Wired) -> None:
    region.answers.script = scripted(THINKS)
    found = parsed(ask(region, offers(TOOL), LARGE), "Converse")
    assert found["output"]["message"]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Let me think.", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": b"sealed"}},
        {"text": "I ask."},
        {"toolUse": {"toolUseId": "call_1", "name": "tide", "input": {"at": "pier"}}},
        {"toolUse": {"toolUseId": "tooluse_1", "name": "tide", "input": {}}},
    ]
    assert found["stopReason"] == "tool_use"
    assert found["usage"] == {"inputTokens": 5, "outputTokens": 9, "totalTokens": 14, "cacheReadInputTokens": 3}


@pytest.mark.parametrize(("finish", "stop"), [("tool", "malformed_tool_use"), ("length", "max_tokens")])
def test_a_call_that_was_cut_is_no_call(region: Wired, finish: str, stop: str) -> None:
    cut = [Delta(call=ToolPiece(0, '{"a', "c", "tide")), Delta(finish=finish, usage=Usage(1, 1))]
    region.answers.script = scripted(cut)
    found = parsed(ask(region, offers(TOOL), LARGE), "Converse")
    assert (found["output"]["message"]["content"], found["stopReason"]) == ([], stop)


HIDING: list[dict[str, Any]] = [
    offers({"toolSpec": {"name": "f", "description": "(S//NF) a", "inputSchema": {"json": {}}}}),
    offers({"toolSpec": {"name": "f", "inputSchema": {"json": {"properties": {"(S//NF) a": {}}}}}}),
    shaped('{"title":"(S//NF) a"}'),
    QUESTION | {"additionalModelRequestFields": {"a": [{"b": "(S//NF) a"}]}},
    QUESTION | {"inferenceConfig": {"stopSequences": ["(S//NF) a"]}},
    QUESTION | {"neverHeardOf": {"(S//NF) a": 1}},
    said({"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": "(S//NF) a"}}}),
    said({"toolResult": {"toolUseId": "1", "content": [{"json": {"a": ["(S//NF) a"]}}]}}),
    said({"reasoningContent": {"reasoningText": {"text": "(S//NF) a"}}}),
    said({"guardContent": {"text": {"text": "(S//NF) a"}}}),
]


@pytest.mark.parametrize("body", HIDING)
def test_a_mark_hides_nowhere(region: Wired, body: dict[str, Any]) -> None:
    """Each with a key that may not go so high: nobody is asked. And the same request without its mark is answered."""
    region.answers.script = never_asked
    got = ask(region, body, LARGE, key=region.key(OPEN, OPEN, client="boto3"))
    assert (got.status, got.json["rule"]) == (403, "mark-above")
    region.answers.script = scripted([Delta(text="Yes.", finish="stop")])
    bare = json.loads(json.dumps(body).replace("(S//NF) a", "plain"))
    assert ask(region, bare, LARGE, key=region.key(OPEN, OPEN, client="boto3")).status == 200
