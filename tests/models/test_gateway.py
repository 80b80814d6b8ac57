"""Routing: never below the label, whatever fails; failover until something has been said; and why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import AnswerHeld, BadInput, EngineFailed, Refused, UnknownModel
from casemate.models import (
    READER,
    Card,
    Chat,
    Delta,
    Gateway,
    Image,
    Message,
    Preference,
    Prompt,
    Shape,
    Tool,
    ToolPiece,
    Usage,
)
from casemate.models.health import STRIKES
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.laws.world import World

LAST = Delta(finish="stop", usage=Usage(1, 1, False))


class Script:
    """An engine that says, or raises, what its script holds for each call; the last entry goes on."""

    dialect = ""

    def __init__(self, *script: list[Delta | Exception]) -> None:
        self.script = list(script)
        self.lent: list[Prompt] = []
        self.closed = 0

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        self.lent.append(prompt)
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            for each in told:
                if isinstance(each, Exception):
                    raise each
                yield each
        finally:
            self.closed += 1


class AtOnce(Script):
    """One that can also answer in one piece."""

    async def whole(self, prompt: Prompt, deadline: float) -> list[Delta]:
        return [Delta(text="at once"), LAST]


def says(text: str) -> Script:
    return Script([Delta(text=text), LAST])


def fails(cause: str = "down") -> Script:
    return Script([EngineFailed(cause=cause, engine="x", why="it did")])  # type: ignore[arg-type]


def card(world: World, name: str, engine: Any, label: str = TOP, **more: Any) -> Card:
    more = {"vendor": name, "aliases": ("any",)} | more
    return Card(name, f"served-{name}", more.pop("vendor"), label_of(world, label), engine, **more)


def put(world: World, *cards: Card, **more: Any) -> Gateway:
    for each in cards:
        world.house.catalogue.add(each)
    return Gateway(world.house.catalogue, **more)


def chat(text: str = "Good morning.", **more: Any) -> Chat:
    return Chat(**{"model": "any", "messages": (Message("user", text),), "knowledge": ()} | more)


async def told(gateway: Gateway, flow: Flow, asked: Chat | None = None) -> str:
    return "".join([delta.text async for delta in gateway.answer(flow, asked or chat())])


async def gathered(gateway: Gateway, flow: Flow, said: list[str]) -> None:
    async for delta in gateway.answer(flow, chat()):
        said += [delta.text]


async def test_the_first_that_can_answers_and_is_lent_what_was_typed(world: World) -> None:
    engine = says("Hello.")
    gateway = put(world, card(world, "a", engine))
    flow = await at(world, TOP)
    asked = chat(temperature=0.5, stop=("x",), seed=4)
    deltas = [delta async for delta in gateway.answer(flow, asked)]
    assert [(d.text, d.engine, d.finish) for d in deltas] == [("Hello.", "a", ""), ("", "a", "stop")]
    prompt = engine.lent[0]
    assert (prompt.model, prompt.messages, prompt.temperature) == ("served-a", asked.messages, 0.5)
    assert (prompt.stop, prompt.seed, prompt.salt) == (("x",), 4, "")
    assert flow.lent == ["a"]


async def test_failover_stays_inside_the_accreditation(world: World) -> None:
    """With every model that is cleared for it failing, a secret request still never reaches the open one."""
    open_one, secret = says("leak"), fails()
    gateway = put(world, card(world, "a", secret, SECRET), card(world, "b", open_one, LOW))
    flow = await at(world, SECRET)
    flow.bear(label_of(world, SECRET))
    with pytest.raises(EngineFailed):
        await told(gateway, flow)
    assert open_one.lent == []
    assert len(secret.lent) == 1


async def test_what_fails_before_a_word_is_asked_elsewhere(world: World) -> None:
    first, second = fails(), says("second")
    gateway = put(world, card(world, "a", first), card(world, "b", second))
    flow = await at(world, TOP)
    assert await told(gateway, flow) == "second"
    assert flow.lent == ["a", "b"]


async def test_a_failure_after_the_first_word_is_reported_and_never_restarted(world: World) -> None:
    first = Script([Delta(text="half "), EngineFailed(engine="a", why="it hung up")])
    second = says("second")
    gateway = put(world, card(world, "a", first), card(world, "b", second))
    with pytest.raises(EngineFailed, match="hung up"):
        await told(gateway, await at(world, TOP))
    assert second.lent == []
    assert first.closed == 1


async def test_what_an_engine_will_not_take_is_told_and_not_tried_elsewhere(world: World) -> None:
    second = says("second")
    gateway = put(world, card(world, "a", fails("rejected")), card(world, "b", second))
    with pytest.raises(EngineFailed):
        await told(gateway, await at(world, TOP))
    assert second.lent == []


async def test_without_a_budget_nothing_is_asked_again(world: World) -> None:
    gateway = put(world, card(world, "a", fails("busy")), card(world, "b", fails("busy")), card(world, "c", says("c")))
    with pytest.raises(EngineFailed):
        await told(gateway, await at(world, TOP))  # one retry is saved at first: a, b, and no more


async def test_one_that_ends_without_a_word_has_failed(world: World) -> None:
    gateway = put(world, card(world, "a", Script([])), card(world, "b", says("b")))
    assert await told(gateway, await at(world, TOP)) == "b"


async def test_open_breakers_are_passed_over_and_none_left_is_told(world: World) -> None:
    dead = fails()
    gateway = put(world, card(world, "a", dead))
    flow = await at(world, TOP)
    for _ in range(STRIKES):
        with pytest.raises(EngineFailed):
            await told(gateway, flow)
    with pytest.raises(EngineFailed, match="rests"):
        await told(gateway, flow)
    assert len(dead.lent) == STRIKES
    lower = await at(world, LOW)
    with pytest.raises(EngineFailed, match="it did"):
        await told(gateway, lower)  # what secret requests met opened nothing below


async def test_a_mark_above_ends_the_answer(world: World) -> None:
    pieces = [Delta(text="(U) Fine.\n(TS"), Delta(text="//SI) The source.\n"), LAST]
    gateway = put(world, card(world, "a", Script(pieces)))
    said: list[str] = []
    with pytest.raises(AnswerHeld):
        await gathered(gateway, await at(world, SECRET), said)
    assert "".join(said) == "(U) Fine.\n"
    assert await told(gateway, await at(world, TOP)) == "(U) Fine.\n(TS//SI) The source.\n"


async def test_an_unknown_model_and_one_above_are_the_same(world: World) -> None:
    gateway = put(world, card(world, "low", says("x"), LOW))
    flow = await at(world, SECRET)
    flow.bear(label_of(world, SECRET))
    for name in ("low", "never"):
        with pytest.raises(UnknownModel):
            await told(gateway, flow, chat(model=name))


async def test_capability_is_never_bent(world: World) -> None:
    picture = (Message("user", (Image("image/png", b"x"),)),)
    gateway = put(world, card(world, "a", says("a")), card(world, "b", says("b"), takes=frozenset({"images"})))
    flow = await at(world, TOP)
    assert await told(gateway, flow, chat(messages=picture)) == "b"
    with pytest.raises(BadInput):
        await told(gateway, flow, chat(messages=picture, tools=(Tool("look"),)))
    with pytest.raises(Refused) as refused:
        await told(gateway, flow, chat(needs=("store",)))
    assert refused.value.facts["rule"] == "model-allows"


async def test_order_by_policy_health_price_and_name(world: World) -> None:
    cards = [
        card(world, "far", says("far"), outside=True),
        card(world, "dear", says("dear"), price=9),
        card(world, "cheap", says("cheap"), price=1),
        card(world, "barred", says("barred"), vendor="evil"),
    ]
    flow = await at(world, TOP)
    gateway = put(world, *cards, preference=Preference(frozenset({"evil"})))
    assert await told(gateway, flow) == "cheap"
    verdicts = gateway.why(flow, chat())
    assert [(v.model, v.place, v.rule) for v in verdicts] == [
        ("cheap", 1, ""),
        ("dear", 2, ""),
        ("far", 3, ""),
        ("barred", 0, "vendor"),
    ]
    anywhere = put(world, preference=Preference(inside_first=False))
    assert [v.model for v in anywhere.why(flow, chat())] == ["barred", "far", "cheap", "dear"]


async def test_why_names_each_step(world: World) -> None:
    dialect = says("x")
    dialect.dialect = "anthropic"
    gateway = put(world, card(world, "a", dialect), card(world, "b", fails(), takes=frozenset({"tools"})))
    flow = await at(world, TOP)
    raw = chat(dialect="openai", extra={"odd": b"1"}, tools=(Tool("look"),))
    for _ in range(STRIKES):
        with pytest.raises(EngineFailed):
            await told(gateway, flow, chat(model="b"))
    assert {(v.model, v.rule) for v in gateway.why(flow, raw)} == {("a", "dialect"), ("b", "health")}
    assert [v.rule for v in gateway.why(flow, chat(model=READER))] == ["capability"]
    assert gateway.why(flow, chat(model="never")) == []


async def test_the_whole_at_once_where_nobody_waits_for_pieces(world: World) -> None:
    gateway = put(world, card(world, "a", AtOnce([Delta(text="in pieces"), LAST])))
    flow = await at(world, TOP)
    assert await told(gateway, flow, chat(whole=True)) == "at once"
    assert await told(gateway, flow) == "in pieces"


async def test_a_salt_for_each_label_and_what_is_looked_at_first(world: World) -> None:
    engine, seen = says("x"), []

    async def inspect(flow: Flow, prompt: Prompt, outside: bool) -> Prompt:
        seen.append((prompt.messages[0].text, outside, flow.lent[:]))
        return prompt

    gateway = put(world, card(world, "a", engine, state="salted", outside=True), inspect=inspect)
    for label in (LOW, SECRET, SECRET):
        await told(gateway, await at(world, label))
    salts = [prompt.salt for prompt in engine.lent]
    assert salts[0] != salts[1] == salts[2]
    assert all(len(salt) == 64 and salt == salt.lower() for salt in salts)
    assert seen == [("Good morning.", True, [])] * 3


async def test_knowledge_is_not_answered_here(world: World) -> None:
    with pytest.raises(BadInput):
        await told(put(world), await at(world, TOP), chat(knowledge=("all",)))


SCHEMA = b'{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'
LONG = "x" * 5000


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("said", "finish", "schema", "fits"),
    [
        ('{"n": 1}', "stop", SCHEMA, True),
        ('{"n": "one"}', "stop", SCHEMA, False),
        ('{"n": ', "stop", SCHEMA, False),
        ('{"n": ', "length", SCHEMA, True),  # told as truncated
        ("[]", "stop", b"", False),
        ('{"n": "one"}', "stop", b'{"odd": true}', True),  # what cannot be decided is the engine's to keep
        ('{"n": 1, "m": "' + LONG + '"}', "stop", SCHEMA, True),
    ],
    ids=["fits", "kind", "cut", "truncated", "any", "undecided", "long"],
)
async def test_json_is_judged_before_it_is_called_whole(
    world: World, said: str, finish: str, schema: bytes, fits: bool, whole: bool
) -> None:
    half = len(said) // 2
    pieces: list[Delta | Exception] = [Delta(text=said[:half]), Delta(text=said[half:]), Delta(finish=finish)]
    gateway = put(world, card(world, "a", Script(pieces)))
    flow, asked = await at(world, TOP), chat(shape=Shape("n", schema))
    deltas: list[Delta] = []
    work = gateway.tell(flow, flow.take(asked.messages), asked, deltas) if whole else told(gateway, flow, asked)
    if fits:
        found = await work
        assert ("".join(d.text for d in deltas) if whole else found) == said
    else:
        with pytest.raises(EngineFailed, match="shape"):
            await work


async def test_a_call_in_the_place_of_json_is_not_judged(world: World) -> None:
    call: list[Delta | Exception] = [Delta(call=ToolPiece(0, "{}", "c", "look")), Delta(finish="stop")]
    gateway = put(world, card(world, "a", Script(call), takes=frozenset({"tools", "shape"})))
    assert await told(gateway, await at(world, TOP), chat(shape=Shape("n", SCHEMA), tools=(Tool("look"),))) == ""
