"""Secrets and personal data on their way to a model: refused, masked, noted; never told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from casemate.errors import Refused
from casemate.models import (
    Chat,
    Finding,
    Gateway,
    Inspection,
    Message,
    PersonalData,
    Rules,
    Secrets,
    Text,
    Thought,
    Tool,
    ToolResult,
)
from casemate.models.inspectors import LONG, MOST, What
from tests.access.test_flow import at
from tests.attacks.scene import LOW
from tests.laws.world import World
from tests.models.test_gateway import Script, card, chat, put, says, told

KEY = "AKIAIOSFODNN7ABCDEFG"
QUESTION = f"Why does {KEY} not work?"


def gateway(world: World, outside: bool, policy: Inspection | None) -> tuple[Gateway, Script]:
    engine = says("It does.")
    return put(world, card(world, "one", engine, outside=outside), inspect=policy), engine


def said(engine: Script) -> str:
    (prompt,) = engine.lent
    return prompt.messages[0].text


async def test_a_secret_does_not_leave_the_region(world: World) -> None:
    asked, engine = gateway(world, True, Inspection())
    with pytest.raises(Refused) as refused:
        await told(asked, await at(world, LOW), chat(QUESTION))
    assert refused.value.facts == {"rule": "secret-found", "kind": "aws-key", "place": "message 1 (user)"}
    assert KEY not in str(refused.value)
    assert engine.lent == []


async def test_without_inspection_it_would(world: World) -> None:
    """The test above would see it."""
    asked, engine = gateway(world, True, None)
    await told(asked, await at(world, LOW), chat(QUESTION))
    assert KEY in said(engine)


async def test_inside_the_region_it_is_noted(world: World) -> None:
    asked, engine = gateway(world, False, Inspection())
    flow = await at(world, LOW)
    assert await told(asked, flow, chat(QUESTION)) == "It does."
    assert KEY in said(engine)
    assert flow.facts["found"] == "aws-key in message 1 (user): note"


@pytest.mark.parametrize("outside", [False, True])
async def test_a_mask_takes_it_out(world: World, outside: bool) -> None:
    asked, engine = gateway(world, outside, Inspection(secrets=Rules("mask", "mask")))
    flow = await at(world, LOW)
    await told(asked, flow, chat(QUESTION))
    assert said(engine) == "Why does [aws-key removed] not work?"
    assert flow.facts["found"] == "aws-key in message 1 (user): mask"


async def test_plain_words_pass_unchanged(world: World) -> None:
    asked, engine = gateway(world, True, Inspection())
    flow = await at(world, LOW)
    await told(asked, flow, chat("Good morning."))
    assert said(engine) == "Good morning."
    assert "found" not in flow.facts


ANYWHERE = {
    "a tool's result": chat(messages=(Message("user", (Text("x"), ToolResult("t", (Text(KEY),)))),)),
    "a tool's description": chat(tools=(Tool("t", KEY),)),
    "a tool's schema": chat(tools=(Tool("t", "", f'{{"default":"{KEY}"}}'.encode()),)),
    "a stop": chat(stop=(KEY,)),
    "reasoning": chat(messages=(Message("user", "x"), Message("assistant", (Thought(KEY),)))),
}


@pytest.mark.parametrize("asked", ANYWHERE.values(), ids=ANYWHERE)
async def test_it_is_found_wherever_it_stands(world: World, asked: Chat) -> None:
    ways, engine = gateway(world, True, Inspection())
    with pytest.raises(Refused) as refused:
        await told(ways, await at(world, LOW), asked)
    assert refused.value.facts["rule"] == "secret-found"
    assert engine.lent == []


@pytest.mark.parametrize(
    "asked",
    [
        chat(tools=(Tool(KEY),)),
        chat(stop=(KEY,)),
        chat(messages=(Message("user", "x"), Message("assistant", (Thought(KEY, "signed"),)))),
    ],
)
async def test_what_cannot_be_masked_is_refused(world: World, asked: Chat) -> None:
    ways, engine = gateway(world, True, Inspection(secrets=Rules("mask", "mask")))
    with pytest.raises(Refused):
        await told(ways, await at(world, LOW), asked)
    assert engine.lent == []


async def test_off_looks_at_nothing(world: World) -> None:
    asked, engine = gateway(world, True, Inspection((Never(),), Rules("off", "off")))
    await told(asked, await at(world, LOW), chat(QUESTION))
    assert KEY in said(engine)


CARD, MAIL = "4111 1111 1111 1111", "ann@port.example"


async def test_personal_data_by_policy(world: World) -> None:
    policy = Inspection((Secrets(), PersonalData()), personal=Rules("mask", "off"))
    asked, engine = gateway(world, True, policy)
    await told(asked, await at(world, LOW), chat(f"{MAIL} paid with {CARD}."))
    assert said(engine) == "[email removed] paid with [credit-debit-card-number removed]."
    refusing, _ = gateway(world, True, replace(policy, personal=Rules("refuse", "off")))
    with pytest.raises(Refused) as refused:
        await told(refusing, await at(world, LOW), chat(MAIL))
    assert refused.value.facts["rule"] == "personal-found"


@dataclass
class Never:
    """Must not be asked."""

    name: str = "never"
    kind: What = "secret"

    def look(self, texts: Sequence[str]) -> list[Finding]:
        raise AssertionError("somebody looked")


@dataclass
class Slow:
    """Does not end before it is told to."""

    name: str = "slow"
    kind: What = "secret"
    may_end: threading.Event = field(default_factory=threading.Event)

    def look(self, texts: Sequence[str]) -> list[Finding]:
        self.may_end.wait(60)
        return []


@pytest.mark.parametrize("outside", [True, False])
async def test_a_look_that_does_not_end_lets_nothing_out(world: World, outside: bool) -> None:
    slow = Slow()
    asked, engine = gateway(world, outside, Inspection((slow,), seconds=0.05))
    flow = await at(world, LOW)
    try:
        if outside:
            with pytest.raises(Refused) as refused:
                await told(asked, flow, chat("x" * (LONG + 1)))
            assert (refused.value.facts["rule"], engine.lent) == ("inspection-unfinished", [])
        else:
            await told(asked, flow, chat("x" * (LONG + 1)))
            assert flow.facts["inspection"] == "unfinished"
    finally:
        slow.may_end.set()


async def test_what_is_too_long_to_look_at_lets_nothing_out(world: World) -> None:
    asked, engine = gateway(world, True, Inspection((Never(),)))
    with pytest.raises(Refused):
        await told(asked, await at(world, LOW), chat("x" * (MOST + 1)))
    assert engine.lent == []


async def test_a_long_text_is_looked_at_beside_the_loop(world: World) -> None:
    asked, engine = gateway(world, True, Inspection())
    with pytest.raises(Refused):
        await told(asked, await at(world, LOW), chat("x " * LONG + KEY))
    assert engine.lent == []


async def test_what_is_told_of_many_is_bounded(world: World) -> None:
    asked, _ = gateway(world, False, Inspection())
    flow = await at(world, LOW)
    turns = tuple(Message("user", KEY + " " * n) for n in range(12))
    await told(asked, flow, chat(messages=turns))
    assert str(flow.facts["found"]).endswith("; and 4 more")
