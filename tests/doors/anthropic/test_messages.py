"""Messages: what comes out, whole and in a stream. Both are put together from the same deltas."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.models import READER, Chat, Delta, Thought, ToolPiece, Usage
from tests.doors.anthropic.asking import ask, events, message
from tests.doors.wired import SECRET, UPSTREAM, Script, Wired, breaks_in_the_middle

TEXT = "(U) Extract: “The ferry sails at nine.” [1]\n\n(S//NF) Extract: “Le navire caché part à l’aube.” [1]"


def says(*deltas: Delta) -> Script:
    async def script(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        for delta in deltas:
            yield delta

    return script


def streamed(region: Wired, body: dict[str, Any]) -> dict[str, Any]:
    """The message as a client puts it together from the events."""
    found: dict[str, Any] = {}
    open_block: dict[str, Any] = {}
    for kind, told in events(ask(region, {**body, "stream": True})):
        if kind == "message_start":
            found = told["message"]
        elif kind == "content_block_start":
            assert told["index"] == len(found["content"])
            open_block = told["content_block"]
            found["content"].append(open_block)
        elif kind == "content_block_delta":
            assert told["index"] == len(found["content"]) - 1
            _grow(open_block, told["delta"])
        elif kind == "content_block_stop":
            if isinstance(open_block.get("input"), str):
                open_block["input"] = json.loads(open_block["input"])
            open_block = {}
        elif kind == "message_delta":
            found |= told["delta"]
            found["usage"] = told["usage"]
    assert not open_block
    return found


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "input_json_delta":
            block["input"] = (block["input"] or "") + delta["partial_json"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])
        case other:
            raise AssertionError(other)


def test_a_whole_answer_is_the_deltas_text_and_nothing_else(region: Wired) -> None:
    got = ask(region, message())
    assert (got.status, got.json["type"], got.json["role"]) == (200, "message", "assistant")
    assert "".join(block["text"] for block in got.json["content"]) == TEXT
    assert (got.json["stop_reason"], got.json["stop_sequence"]) == ("end_turn", None)
    assert (got.json["usage"]["input_tokens"], got.json["usage"]["output_tokens"]) == (7, 11)
    assert got.json["model"] == READER
    assert got.json["id"].startswith("msg_")


def test_citations_stand_in_the_block_of_their_paragraph(region: Wired) -> None:
    low, high = ask(region, message()).json["content"]
    (first,), (second,) = low["citations"], high["citations"]
    assert first["type"] == "search_result_location"
    assert first["cited_text"] in low["text"]
    assert (first["mark"], second["mark"]) == ("(U)", "(S//NF)")
    assert (second["source"], second["document"]) == ("/passages/psg_high", "doc_a")


def test_a_response_bears_its_marking_its_label_and_its_begin(region: Wired) -> None:
    got = ask(region, message())
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    assert got.headers["casemate-label"] == region.clearance(SECRET).text
    assert got.headers["request-id"] == got.headers["casemate-ledger"]
    begun = region.entry(got.headers["casemate-ledger"])
    (end,) = region.ends(begun.id)
    assert (begun.action, end.outcome, end.facts["model"]) == ("answer.ask", "complete", READER)


def test_a_stream_opens_pings_and_ends(region: Wired) -> None:
    got = ask(region, message(stream=True))
    assert got.headers["content-type"] == "text/event-stream"
    assert got.marked()
    kinds = [kind for kind, _ in events(got)]
    assert kinds[:3] == ["message_start", "ping", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert region.answers.asked[-1].whole is False


CALLS = (
    Delta(thought=Thought("Let me ")),
    Delta(thought=Thought("look.", "c2ln")),
    Delta(thought=Thought(sealed="c2VhbGVk")),
    Delta(text="I "),
    Delta(text="look."),
    Delta(call=ToolPiece(0, "", "toolu_a", "read")),
    Delta(call=ToolPiece(0, '{"path":')),
    Delta(call=ToolPiece(0, '"a.txt"}')),
    Delta(call=ToolPiece(1, "", "toolu_b", "list")),
    Delta(finish="tool", usage=Usage(100, 20, False, 60)),
)
BLOCKS = [
    {"type": "thinking", "thinking": "Let me look.", "signature": "c2ln"},
    {"type": "redacted_thinking", "data": "c2VhbGVk"},
    {"type": "text", "text": "I look."},
    {"type": "tool_use", "id": "toolu_a", "name": "read", "input": {"path": "a.txt"}},
    {"type": "tool_use", "id": "toolu_b", "name": "list", "input": {}},
]


def test_thinking_text_and_calls_are_blocks_in_their_order(region: Wired) -> None:
    region.answers.script = says(*CALLS)
    whole = ask(region, message(model=UPSTREAM)).json
    assert whole["content"] == BLOCKS
    assert whole["stop_reason"] == "tool_use"
    assert whole["usage"] == {
        "input_tokens": 40,
        "output_tokens": 20,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 60,
    }


@pytest.mark.parametrize("deltas", [CALLS, None], ids=["calls", "rungs"])
def test_a_stream_says_what_the_whole_says(region: Wired, deltas: tuple[Delta, ...] | None) -> None:
    if deltas is not None:
        region.answers.script = says(*deltas)
    whole = ask(region, message(model=UPSTREAM)).json
    told = streamed(region, message(model=UPSTREAM))
    assert told.pop("id") != whole.pop("id")
    assert told == whole


@pytest.mark.parametrize(
    ("finish", "told"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("abstain", "end_turn"),
        ("tool", "tool_use"),
        ("stop_sequence", "stop_sequence"),
        ("refusal", "refusal"),
    ],
)
def test_how_an_answer_ended(region: Wired, finish: str, told: str) -> None:
    region.answers.script = says(Delta(text="x", finish=finish))
    assert ask(region, message()).json["stop_reason"] == told
    assert streamed(region, message())["stop_reason"] == told


def test_a_call_is_told_as_one_whatever_the_engine_says_of_its_end(region: Wired) -> None:
    region.answers.script = says(Delta(call=ToolPiece(0, "{}", "", "read")), Delta(finish="stop"))
    for told in (ask(region, message()).json, streamed(region, message())):
        assert told["stop_reason"] == "tool_use"
        assert told["content"][0]["id"].startswith("toolu_")


def test_a_call_that_the_end_cut_off_is_none(region: Wired) -> None:
    region.answers.script = says(Delta(text="x"), Delta(call=ToolPiece(0, '{"a"', "t", "read")), Delta(finish="length"))
    got = ask(region, message()).json
    assert (got["stop_reason"], [block["type"] for block in got["content"]]) == ("max_tokens", ["text"])


def test_arguments_that_are_no_object_fail_the_engine(region: Wired) -> None:
    region.answers.script = says(Delta(call=ToolPiece(0, "[1]", "t", "read")), Delta(finish="tool"))
    got = ask(region, message())
    assert (got.status, got.json["error"]["type"]) == (502, "api_error")


def test_a_call_that_goes_on_after_its_block_fails(region: Wired) -> None:
    pieces = (ToolPiece(0, "{", "a", "read"), ToolPiece(1, "{}", "b", "list"), ToolPiece(0, "}"))
    region.answers.script = says(*(Delta(call=piece) for piece in pieces), Delta(finish="tool"))
    kind, told = events(ask(region, message(stream=True)))[-1]
    assert (kind, told["error"]["code"]) == ("error", "engine-failed")


def test_an_engine_that_hangs_up_is_an_error_event(region: Wired) -> None:
    region.answers.script = breaks_in_the_middle
    *_, (kind, told) = events(ask(region, message(stream=True)))
    assert (kind, told["error"]["type"]) == ("error", "api_error")
    assert "it hung up" in told["error"]["message"]
    assert "message_stop" not in dict(events(ask(region, message(stream=True))))
    assert region.answers.closed == 2


async def waits(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="first")
    await asyncio.Event().wait()


def test_whoever_stops_reading_stops_the_answer(region: Wired) -> None:
    region.answers.script = waits
    _, key = region.key()
    got = region.send(
        "POST",
        "/v1/messages",
        message(stream=True),
        [("x-api-key", key)],
        leaves=lambda pieces: b"first" in b"".join(pieces),
    )
    assert region.answers.closed == 1
    assert b"message_stop" not in got.body


def test_empty_deltas_tell_nothing(region: Wired) -> None:
    region.answers.script = says(Delta(), Delta(text="x"), Delta(finish="stop"))
    assert streamed(region, message())["content"] == [{"type": "text", "text": "x"}]
