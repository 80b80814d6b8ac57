"""A CONFIDENTIAL file never reaches a vendor: the gateway itself, two engines under one name, and a tool's result."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from casemate.models import Card, Delta, Gateway, Prompt
from tests.doors.anthropic.asking import ask, events, message
from tests.doors.wired import OPEN, SECRET, Wired

ALIAS = "claude-sonnet"
VENDOR, LOCAL = "vendor/sonnet", "local/coder"
FILE = "     1\tCONFIDENTIAL//NOFORN\n     2\tThe convoy leaves at dawn.\n"


class Engine:
    """Keeps every prompt that it was lent."""

    dialect = ""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[Prompt] = []

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        self.seen.append(prompt)
        yield Delta(text=f"I am {self.name}.")
        yield Delta(finish="stop")


@pytest.fixture
def engines(region: Wired) -> Iterator[tuple[Engine, Engine]]:
    vendor, local = Engine(VENDOR), Engine(LOCAL)
    low, high = region.clearance(OPEN), region.clearance(SECRET)
    cards = dict(region.catalogue.cards)
    region.catalogue.add(Card(VENDOR, "s", "vendor", low, vendor, outside=True, aliases=(ALIAS,)))
    region.catalogue.add(Card(LOCAL, "c", "local", high, local, aliases=(ALIAS,), price=9))
    region.answers.script = Gateway(region.catalogue).answer
    yield vendor, local
    region.catalogue.refresh(cards.values())


def turns(result: str) -> list[dict[str, Any]]:
    """A conversation of a coding agent that has read a file."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "/notes/convoy.md"}}
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": result}]}
    return [
        {"role": "user", "content": "Read the note."},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [answer]},
    ]


def told(region: Wired, name: str, result: str, *, ceiling: str = SECRET, stream: bool = False) -> Any:
    body = message(model=name, messages=turns(result), stream=stream)
    return ask(region, body, floor=OPEN, ceiling=ceiling)


def test_what_is_plain_may_go_to_the_vendor(region: Wired, engines: tuple[Engine, Engine]) -> None:
    vendor, _ = engines
    got = told(region, VENDOR, "     1\tNothing of note.\n", ceiling=OPEN)
    assert (got.status, got.json["content"][0]["text"]) == (200, f"I am {VENDOR}.")
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("file", [FILE, "(C//NF) The convoy leaves at dawn."])
def test_a_confidential_file_goes_to_the_local_model(
    region: Wired, engines: tuple[Engine, Engine], file: str, stream: bool
) -> None:
    """The name stands for both; the vendor's does not exist for this request."""
    vendor, local = engines
    got = told(region, ALIAS, file, stream=stream)
    assert got.status == 200
    assert f"I am {LOCAL}." in got.body.decode()
    assert (len(vendor.seen), len(local.seen)) == (0, 1)
    if stream:
        assert events(got)[-1][0] == "message_stop"


@pytest.mark.parametrize("stream", [False, True])
def test_for_a_confidential_file_the_vendor_does_not_exist(
    region: Wired, engines: tuple[Engine, Engine], stream: bool
) -> None:
    vendor, _ = engines
    got, never = told(region, VENDOR, FILE, stream=stream), told(region, "vendor/nobody", FILE, stream=stream)
    assert (got.status, got.json["error"]["type"]) == (404, "not_found_error")
    assert got.json["error"]["message"] == never.json["error"]["message"].replace("vendor/nobody", VENDOR)
    assert vendor.seen == []


def test_above_the_ceiling_of_the_key_nobody_is_asked(region: Wired, engines: tuple[Engine, Engine]) -> None:
    got = told(region, ALIAS, FILE, ceiling=OPEN)
    assert (got.status, got.json["error"]["type"], got.json["error"]["rule"]) == (403, "permission_error", "mark-above")
    assert [engine.seen for engine in engines] == [[], []]


def test_when_the_local_model_fails_the_vendor_is_not_asked(region: Wired, engines: tuple[Engine, Engine]) -> None:
    vendor, local = engines

    async def fails(prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        from casemate.errors import EngineFailed

        raise EngineFailed(cause="down", engine=LOCAL, why="it is off")
        yield Delta()

    local.generate = fails  # type: ignore[method-assign]
    got = told(region, ALIAS, FILE)
    assert (got.status, got.json["error"]["type"]) == (502, "api_error")
    assert vendor.seen == []
