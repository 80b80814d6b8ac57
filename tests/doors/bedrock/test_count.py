"""CountTokens: an estimate over either operation's input, which is looked at like any other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.doors.bedrock.described import base64_of, parsed
from tests.doors.bedrock.sent import LARGE, PNG, QUESTION, TOOL, ask
from tests.doors.wired import OPEN, Got, Wired, never_asked

A: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "When?"}],
}


def counted(region: Wired, given: Any, **more: Any) -> Got:
    return ask(region, {"input": given}, LARGE, "count-tokens", **more)


def wrapped(body: Any) -> dict[str, Any]:
    return {"invokeModel": {"body": base64_of(json.dumps(body).encode())}}


def test_tokens_are_counted(region: Wired) -> None:
    region.answers.script = never_asked
    plain = parsed(counted(region, {"converse": QUESTION}), "CountTokens")["inputTokens"]
    assert plain == -(-len("When does the ferry sail?") // 4)
    tools = QUESTION | {"toolConfig": {"tools": [TOOL]}}
    assert parsed(counted(region, {"converse": tools}), "CountTokens")["inputTokens"] > plain
    blocks = [
        {"image": {"format": "png", "source": {"bytes": base64_of(PNG)}}},
        {"toolUse": {"toolUseId": "t", "name": "tide", "input": {}}},
        {"toolResult": {"toolUseId": "t", "content": [{"text": "Low."}]}},
    ]
    whole = {"messages": [{"role": "user", "content": blocks}]}
    assert parsed(counted(region, {"converse": whole}), "CountTokens")["inputTokens"] == 1603
    assert parsed(counted(region, wrapped(A)), "CountTokens")["inputTokens"] == 2
    assert parsed(counted(region, {"converse": {"system": [{"text": "abcd"}]}}), "CountTokens")["inputTokens"] == 1


@pytest.mark.parametrize("given", [{}, None, {"invokeModel": {"body": "%"}}, {"converse": 3}, wrapped([1])])
def test_nothing_to_count(region: Wired, given: Any) -> None:
    got = counted(region, given)
    assert (got.status, "converse" in got.json["message"]) == (400, True)


def test_a_body_inside_the_body_is_looked_at(region: Wired) -> None:
    marked = A | {"messages": [{"role": "user", "content": "(S//NF) a"}]}
    got = counted(region, wrapped(marked), key=region.key(OPEN, client="boto3"))
    assert (got.status, got.json["rule"]) == (403, "mark-above")
