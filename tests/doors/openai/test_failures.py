"""Chat completions that fail on the way, and clients that leave before the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import EngineFailed, UnknownKnowledge
from casemate.models import Chat, Delta, Usage
from tests.doors.openai.asking import ask, chat
from tests.doors.wired import Wired, breaks_in_the_middle, two_rungs


async def breaks_at_once(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    raise EngineFailed(engine="large", why="it hung up")
    yield Delta()


async def has_a_defect(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")
    raise ZeroDivisionError("secret text")


async def never_ends(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")


async def says_nothing(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    for _ in ():
        yield Delta()


async def tells_an_error(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")
    yield Delta(finish="error")


async def knows_no_base(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    raise UnknownKnowledge(name="cables")
    yield Delta()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [breaks_at_once, says_nothing])
def test_a_failure_before_the_first_delta_is_a_plain_response(region: Wired, script: Any, stream: bool) -> None:
    region.answers.script = script
    got = ask(region, chat(stream=stream))
    assert (got.status, got.headers["content-type"]) == (502, "application/json")
    assert (got.json["error"]["code"], got.json["error"]["type"]) == ("engine-failed", "server_error")
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]


@pytest.mark.parametrize("script", [breaks_in_the_middle, never_ends, tells_an_error])
def test_a_failure_in_a_stream_is_told_in_it(region: Wired, script: Any) -> None:
    region.answers.script = script
    got = ask(region, chat(stream=True))
    *_, said, last = got.events
    assert got.status == 200
    assert said["choices"][0]["delta"]["content"] == "half a sent"
    assert last["error"]["code"] == "engine-failed"
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]
    assert ask(region, chat()).status == 502


def test_a_defect_in_a_stream_tells_nothing_of_itself(region: Wired, capsys: pytest.CaptureFixture[str]) -> None:
    region.answers.script = has_a_defect
    got = ask(region, chat(stream=True))
    assert got.events[-1]["error"]["code"] == "internal"
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "secret text" not in said + got.body.decode()


def test_an_unknown_base_is_told_before_the_stream_begins(region: Wired) -> None:
    region.answers.script = knows_no_base
    got = ask(region, chat(stream=True, metadata={"knowledge": "cables"}))
    assert (got.status, got.json["error"]["code"]) == (404, "unknown-knowledge")


async def waits(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="first")
    await asyncio.Event().wait()


async def waits_from_the_start(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    await asyncio.Event().wait()
    yield Delta(text="never", usage=Usage())


def test_a_client_that_leaves_a_stream_stops_the_answer(region: Wired) -> None:
    region.answers.script = waits
    got = ask(region, chat(stream=True), leaves=lambda pieces: any(b"first" in p for p in pieces))
    assert region.answers.closed == 1
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["cancelled"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_the_first_delta_stops_it_too(region: Wired, stream: bool) -> None:
    region.answers.script = waits_from_the_start
    got = ask(region, chat(stream=stream), leaves=lambda pieces: True)
    assert (got.status, region.answers.closed) == (0, 1)
    region.answers.script = two_rungs
    assert ask(region, chat()).status == 200
