"""ConverseStream and its frames: botocore's own buffer and parser read every one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import EventStreamError
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.access import Flow
from casemate.doors.bedrock.eventstream import event, exception, frame
from casemate.doors.bedrock.problem import event as failure
from casemate.errors import AnswerHeld, BadInput, CasemateError, EngineFailed, Internal, QuotaExceeded, Stale
from casemate.models import Chat, Delta, Thought, ToolPiece, Usage
from casemate.words import problem
from tests.doors.bedrock.described import events, frames, parsed
from tests.doors.bedrock.sent import ID, LARGE, QUESTION, THINKS, TOOL, ask, scripted
from tests.doors.wired import SECRET, Wired, breaks_in_the_middle

STREAM = "converse-stream"


@given(st.binary(max_size=3000), st.sampled_from(["chunk", "contentBlockDelta", "metadata"]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_frame_is_what_botocore_reads(payload: bytes, name: str, failed: bool) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(frame(exception(name) if failed else event(name), payload) * 2)
    for message in buffer:
        kind = "exception" if failed else "event"
        assert message.payload == payload
        assert message.headers == {
            f":{kind}-type": name,
            ":content-type": "application/json",
            ":message-type": kind,
        }
    assert not buffer._data


def test_an_answer_in_events(region: Wired) -> None:
    got = ask(region, QUESTION, verb=STREAM)
    found = events(got)
    whole = parsed(ask(region, QUESTION), "Converse")
    kinds = [next(iter(one)) for one in found]
    assert (kinds[0], kinds[-3:]) == ("messageStart", ["contentBlockStop", "messageStop", "metadata"])
    deltas = [one["contentBlockDelta"]["delta"] for one in found if "contentBlockDelta" in one]
    text = "".join(delta.get("text", "") for delta in deltas)
    assert text == whole["output"]["message"]["content"][0]["text"]
    cited = [delta["citation"] for delta in deltas if "citation" in delta]
    assert [one["title"] for one in cited] == ["(U) Notice été", "(S//NF) Notice été"]
    assert {one["contentBlockDelta"]["contentBlockIndex"] for one in found if "contentBlockDelta" in one} == {0}
    assert found[-2]["messageStop"] == {"stopReason": "end_turn"}
    assert found[-1]["metadata"]["usage"] == {"inputTokens": 7, "outputTokens": 11, "totalTokens": 18}
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, end.facts["finish"]) == ("complete", "stop")
    assert region.answers.closed == 2


def test_reasoning_and_calls_in_events(region: Wired) -> None:
    region.answers.script = scripted(THINKS)
    body = QUESTION | {"toolConfig": {"tools": [TOOL]}}
    found = events(ask(region, body, LARGE, STREAM))
    told: list[Any] = []
    for one in found:
        ((kind, value),) = one.items()
        told.append((kind, value.get("contentBlockIndex"), value.get("delta", value.get("start"))))
    assert told[1:-2] == [
        ("contentBlockDelta", 0, {"reasoningContent": {"text": "Let me "}}),
        ("contentBlockDelta", 0, {"reasoningContent": {"text": "think."}}),
        ("contentBlockDelta", 0, {"reasoningContent": {"signature": "sig"}}),
        ("contentBlockStop", 0, None),
        ("contentBlockDelta", 1, {"reasoningContent": {"redactedContent": b"sealed"}}),
        ("contentBlockStop", 1, None),
        ("contentBlockDelta", 2, {"text": "I ask."}),
        ("contentBlockStop", 2, None),
        ("contentBlockStart", 3, {"toolUse": {"toolUseId": "call_1", "name": "tide"}}),
        ("contentBlockDelta", 3, {"toolUse": {"input": '{"at":'}}),
        ("contentBlockDelta", 3, {"toolUse": {"input": '"pier"}'}}),
        ("contentBlockStop", 3, None),
        ("contentBlockStart", 4, {"toolUse": {"toolUseId": "tooluse_1", "name": "tide"}}),
        ("contentBlockDelta", 4, {"toolUse": {"input": "{}"}}),
        ("contentBlockStop", 4, None),
    ]
    assert found[-2]["messageStop"] == {"stopReason": "tool_use"}


def test_an_empty_answer_is_an_answer(region: Wired) -> None:
    region.answers.script = scripted([Delta(note="nothing that is told"), Delta(finish="length", usage=Usage(1, 0))])
    kinds = [next(iter(one)) for one in events(ask(region, QUESTION, verb=STREAM))]
    assert kinds == ["messageStart", "messageStop", "metadata"]


def test_a_call_that_goes_on_after_another_began_fails(region: Wired) -> None:
    pieces = [(0, "a", "f"), (1, "b", "f"), (0, "", "")]
    region.answers.script = scripted([Delta(call=ToolPiece(i, "{}", id, name)) for i, id, name in pieces])
    with pytest.raises(EventStreamError, match="modelStreamErrorException"):
        events(ask(region, QUESTION, LARGE, STREAM))


def test_thoughts_that_nobody_signed_end_where_words_begin(region: Wired) -> None:
    region.answers.script = scripted([Delta(thought=Thought("Hm.")), Delta(text="Yes."), Delta(finish="stop")])
    found = events(ask(region, QUESTION, LARGE, STREAM))
    assert [one["contentBlockStop"]["contentBlockIndex"] for one in found if "contentBlockStop" in one] == [0, 1]


def test_what_fails_in_the_middle_is_told_in_the_stream(region: Wired) -> None:
    region.answers.script = breaks_in_the_middle
    got = ask(region, QUESTION, verb=STREAM)
    assert got.status == 200
    assert [name for name, _ in frames(got)] == ["messageStart", "contentBlockDelta", "modelStreamErrorException"]
    with pytest.raises(EventStreamError, match="modelStreamErrorException"):
        events(got)
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, end.facts["error"]) == ("failed", "engine-failed")


def test_what_fails_before_the_first_delta_is_a_plain_response(region: Wired) -> None:
    async def fails(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        raise EngineFailed(engine="large", why="it hung up")
        yield Delta()

    region.answers.script = fails
    got = ask(region, QUESTION, verb=STREAM)
    assert (got.status, parsed(got, "Converse")["Error"]["Code"]) == (424, "ModelErrorException")
    unknown = ask(region, QUESTION, "acme.none", STREAM)
    assert unknown.headers["x-amzn-errortype"] == "ResourceNotFoundException"


def test_a_client_that_leaves_stops_the_answer(region: Wired) -> None:
    async def endless(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        while True:
            await asyncio.sleep(0)
            yield Delta(text="and ")

    region.answers.script = endless
    got = ask(region, QUESTION, verb=STREAM, leaves=lambda pieces: len(pieces) > 3)
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, region.answers.closed) == ("cancelled", 1)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (EngineFailed(engine="e", why="w"), "modelStreamErrorException"),
        (AnswerHeld(mark="(S)"), "modelStreamErrorException"),
        (QuotaExceeded(limit="l", of="key", retry_after=3), "throttlingException"),
        (Stale(retry_after=3), "serviceUnavailableException"),
        (BadInput(what="w"), "validationException"),
        (Internal(), "internalServerException"),
    ],
)
def test_every_error_has_its_name_in_a_stream(error: CasemateError, name: str) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(failure(problem(error)))
    (message,) = buffer
    assert message.headers[":exception-type"] == name
    assert message.headers[":message-type"] == "exception"


def test_a_mark_counts_on_a_stream_too(region: Wired) -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "(S//NF) a"}]}]}
    assert ask(region, body, ID, STREAM).status == 200
    assert region.answers.floors == [region.label(SECRET)]
