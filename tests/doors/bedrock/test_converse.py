"""Converse and the list of models: every response is read by botocore's own parser, by its own description."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from casemate.models import READER
from tests.doors.bedrock.signing import signed
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Got, Wired, breaks_in_the_middle, never_asked

ARN = "arn%3Aaws-us-gov%3Abedrock%3Agov-secret-1%3A%3Afoundation-model%2F"
IDS = ["casemate.extractive-reader", "casemate%2Fextractive-reader", "us.casemate.extractive-reader"]
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "When does the ferry sail?"}]}]}


@cache
def service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def parsed(got: Got, operation: str, name: str = "bedrock-runtime") -> dict[str, Any]:
    """What boto3 would give its caller; and nothing in it may break a bound of the shape."""
    shape = service(name).operation_model(operation).output_shape
    response = {"status_code": got.status, "headers": got.headers, "body": got.body}
    found: dict[str, Any] = create_parser("rest-json").parse(response, shape)
    if got.status < 300:
        given = {k: v for k, v in found.items() if k != "ResponseMetadata"}
        report = ParamValidator().validate(given, shape)
        assert not report.has_errors(), report.generate_report()
        assert set(got.json) <= set(shape.members)
    return found


def converse(
    region: Wired, body: dict[str, Any] | bytes, model: str = IDS[0], key: tuple[str, str] | None = None, **more: Any
) -> Got:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/model/{model}/{more.pop('verb', 'converse')}"
    key = key or region.key(OPEN, SECRET, client="boto3")
    return region.send("POST", path, raw, signed(region, key, "POST", path, raw).items(), **more)


def test_an_answer_as_botocore_reads_it(region: Wired) -> None:
    found = parsed(converse(region, QUESTION), "Converse")
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
    content = parsed(converse(region, QUESTION), "Converse")["output"]["message"]["content"]
    joined = ""
    for block in content:
        joined += block.get("text", "")
        joined += "".join(part["text"] for part in block.get("citationsContent", {}).get("content", ()))
    assert joined == content[0]["text"]


def test_marks_and_the_begin(region: Wired) -> None:
    got = converse(region, QUESTION)
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    assert region.entry(got.headers["casemate-ledger"]).outcome == "begin"
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, end.facts["model"]) == ("complete", READER)


@pytest.mark.parametrize("id", [*IDS, ARN + IDS[0], ARN + IDS[1]])
def test_a_model_by_id_alias_and_arn(region: Wired, id: str) -> None:
    assert converse(region, QUESTION, id).status == 200
    assert region.answers.asked[0].model == READER


@pytest.mark.parametrize("id", ["acme.large", "acme%2Flarge", ARN + "acme.large"])
def test_an_upstream_by_its_id(region: Wired, id: str) -> None:
    assert converse(region, QUESTION, id).status == 200
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
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.25, "topP": 0.5},
        "requestMetadata": {"knowledge": "cables,port", "mode": "single", "team": "x"},
        "performanceConfig": {"latency": "standard"},
        "additionalModelRequestFields": {"anything": [1]},
        "neverHeardOf": 1,
    }
    assert converse(region, body).status == 200
    (asked,) = region.answers.asked
    assert [(m.role, m.content) for m in asked.messages] == [
        ("system", "Be brief."),
        ("user", "One\n\nTwo"),
        ("assistant", "Said."),
        ("assistant", "Quoted."),
        ("user", "Why?"),
    ]
    assert (asked.max_tokens, asked.temperature, asked.mode) == (50, 0.25, "single")
    assert asked.knowledge == ("cables", "port")


def test_an_answer_may_come_back_as_history_and_its_marks_count(region: Wired) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    message = converse(region, QUESTION, key=key).json["output"]["message"]
    again = {"messages": [*QUESTION["messages"], message, *QUESTION["messages"]]}
    assert converse(region, again, key=key).status == 200
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
    assert converse(region, body).status == 200
    assert region.answers.floors == [region.label(SECRET)]
    assert converse(region, QUESTION | {"system": [block]}).status == 200
    assert region.answers.floors[1] is region.label(SECRET)


REFUSED: list[tuple[dict[str, Any], str]] = [
    (QUESTION | {"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}}, "toolConfig"),
    (QUESTION | {"guardrailConfig": {"guardrailIdentifier": "g"}}, "guardrailConfig"),
    (QUESTION | {"promptVariables": {"a": {"text": "b"}}}, "promptVariables"),
    (QUESTION | {"outputConfig": {"textFormat": {"type": "json_schema"}}}, "textFormat"),
    (QUESTION | {"inferenceConfig": {"stopSequences": ["x"]}}, "stopSequences"),
    (QUESTION | {"inferenceConfig": {"maxTokens": 0}}, "maxTokens"),
    (QUESTION | {"inferenceConfig": {"temperature": 1.5}}, "temperature"),
    (QUESTION | {"requestMetadata": {"mode": "x y"}}, "x y"),
    (QUESTION | {"requestMetadata": {"knowledge": "none,a"}}, "none,a"),
    ({"messages": [{"role": "user", "content": [{"image": {"format": "png"}}]}]}, "image"),
    ({"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "1"}}]}]}, "toolResult"),
    ({"messages": [{"role": "user", "content": [{"hologram": {}}]}]}, "unknown"),
    ({"messages": [{"role": "tool", "content": [{"text": "x"}]}]}, "tool"),
    ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "text"),
    ({"messages": [{"role": "user", "content": "x"}]}, "content"),
    ({}, "messages"),
]


@pytest.mark.parametrize(("body", "names"), REFUSED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_not_offered_is_named(region: Wired, body: dict[str, Any], names: str) -> None:
    got = converse(region, body)
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
    got = converse(region, body)
    assert (got.status, got.json["slug"]) == (400, "malformed")
    assert converse(region, QUESTION).status == 200


def test_fifty_megabytes(region: Wired) -> None:
    got = region.send("POST", f"/model/{IDS[0]}/converse", b"x" * (50 << 20))
    assert (got.status, got.json["slug"], got.headers["x-amzn-errortype"]) == (400, "too-large", "ValidationException")


def test_converse_stream_says_that_it_is_not_offered(region: Wired) -> None:
    got = converse(region, QUESTION, verb="converse-stream")
    error = parsed(got, "ConverseStream")["Error"]
    assert (got.status, error["Code"]) == (400, "ValidationException")
    assert "does not stream here yet" in error["Message"]


@pytest.mark.parametrize("id", ["casemate.none", ARN + "none", "arn%3A", "acme.large"])
def test_an_unknown_model_and_a_hidden_one(region: Wired, id: str) -> None:
    got = converse(region, QUESTION, id, region.key(HIGH, client="boto3"))
    error = parsed(got, "Converse")["Error"]
    assert (got.status, error["Code"]) == (404, "ResourceNotFoundException")
    assert got.marked()


def test_an_engine_that_fails(region: Wired) -> None:
    region.answers.script = breaks_in_the_middle
    got = converse(region, QUESTION)
    assert (got.status, parsed(got, "Converse")["Error"]["Code"]) == (424, "ModelErrorException")
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert end.outcome == "failed"


def test_a_mark_above_is_denied(region: Wired) -> None:
    region.answers.script = never_asked
    got = converse(region, {"messages": [{"role": "user", "content": [{"text": "(TS//SI//NF) a"}]}]})
    assert (got.status, parsed(got, "Converse")["Error"]["Code"]) == (403, "AccessDeniedException")


def test_an_operation_of_boto3_that_nobody_serves(region: Wired) -> None:
    key = region.key(OPEN, client="boto3")
    for path in ("/custom-models", f"/model/{IDS[0]}/invoke"):
        got = region.send("GET", path, b"", signed(region, key, "GET", path).items())
        assert (got.status, got.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
        assert got.marked()


# ---- the list of models ---------------------------------------------------------------------------------------------


def get(region: Wired, path: str, floor: str = OPEN) -> Got:
    key = region.key(floor, client="boto3")
    return region.send("GET", path, b"", signed(region, key, "GET", path).items())


def test_the_models_of_a_floor(region: Wired) -> None:
    listed = parsed(get(region, "/foundation-models"), "ListFoundationModels", "bedrock")["modelSummaries"]
    assert [m["modelId"] for m in listed] == ["acme.large", "casemate.extractive-reader"]
    assert listed[1]["modelArn"] == "arn:aws:bedrock:port-sable::foundation-model/casemate.extractive-reader"
    assert all(len(m["modelName"]) <= 20 and len(m["providerName"]) <= 20 for m in listed)
    high = parsed(get(region, "/foundation-models", HIGH), "ListFoundationModels", "bedrock")["modelSummaries"]
    assert [m["modelId"] for m in high] == ["casemate.extractive-reader"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("byProvider=acme", 1),
        ("byOutputModality=TEXT&byInferenceType=ON_DEMAND", 2),
        ("byInferenceType=ON_DEMAND&byOutputModality=TEXT", 2),
        ("byOutputModality=IMAGE", 0),
        ("byInferenceType=PROVISIONED", 0),
        ("byCustomizationType=FINE_TUNING", 0),
    ],
)
def test_the_protocols_own_filters(region: Wired, query: str, count: int) -> None:
    got = get(region, f"/foundation-models?{query}")
    assert len(parsed(got, "ListFoundationModels", "bedrock")["modelSummaries"]) == count
    assert got.marked()


@pytest.mark.parametrize("id", [*IDS, ARN + IDS[0]])
def test_one_model(region: Wired, id: str) -> None:
    got = get(region, f"/foundation-models/{id}")
    found = parsed(got, "GetFoundationModel", "bedrock")
    assert found["modelDetails"]["modelId"] == "casemate.extractive-reader"
    missing = get(region, "/foundation-models/casemate.none")
    assert parsed(missing, "GetFoundationModel", "bedrock")["Error"]["Code"] == "ResourceNotFoundException"
