"""A whole answer told at once: the same deltas, the same looks, the same counts as when it is read piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import AnswerHeld, BadInput, EngineFailed
from casemate.models import ByPieces, Chat, Course, Delta, Gateway, Message, Metered, Usage
from casemate.wiring.relay import Near
from tests.access.test_flow import at
from tests.attacks.scene import SECRET, TOP
from tests.laws.world import World
from tests.models.test_gateway import LAST, AtOnce, Script, card, chat, fails, put, says

ASKED = chat(whole=True)


class Pieces(ByPieces):
    """An answerer that knows no other way than piece by piece."""

    def __init__(self, *said: Delta | Exception) -> None:
        self.said = said
        self.closed = False

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        try:
            for each in self.said:
                if isinstance(each, Exception):
                    raise each
                yield each
        finally:
            self.closed = True


def metered(world: World, answerer: Any) -> Metered:
    house = world.house
    assert house.meter is not None
    assert isinstance(house.answerer, Metered)
    return Metered(answerer, house.meter, house.catalogue, house.answerer._prices)


async def both(answerer: Any, world: World, asked: Chat = ASKED) -> tuple[list[Delta], list[Delta]]:
    """What is told at once, and what is told piece by piece."""
    at_once: list[Delta] = []
    await answerer.whole(await at(world, TOP), asked, at_once)
    flow = await at(world, TOP)
    return at_once, [delta async for delta in answerer.answer(flow, asked)]


@pytest.mark.parametrize("engine", [AtOnce([LAST]), says("Hello."), Script([Delta(text="a"), Delta(text="b"), LAST])])
async def test_the_same_deltas_either_way(world: World, engine: Script) -> None:
    gateway = put(world, card(world, "a", engine))
    for answerer in (gateway, metered(world, gateway), Near(gateway, Pieces())):
        at_once, in_pieces = await both(answerer, world)
        assert at_once == in_pieces
        assert at_once[-1].finish == "stop"


async def test_what_was_said_before_a_mark_above_is_all_that_is_told(world: World) -> None:
    engine = Script([Delta(text="(U) Fine.\n(TS"), Delta(text="//SI) The source.\n"), LAST])
    gateway = put(world, card(world, "a", engine))
    told: list[Delta] = []
    with pytest.raises(AnswerHeld):
        await gateway.whole(await at(world, SECRET), ASKED, told)
    assert "".join(delta.text for delta in told) == "(U) Fine.\n"
    assert engine.closed == 1


async def test_an_engine_that_hangs_up_is_closed_told_and_never_asked_again(world: World) -> None:
    first, second = Script([Delta(text="half "), EngineFailed(engine="a", why="it hung up")]), says("second")
    gateway = put(world, card(world, "a", first), card(world, "b", second))
    flow, told = await at(world, TOP), list[Delta]()
    with pytest.raises(EngineFailed, match="hung up"):
        await gateway.whole(flow, ASKED, told)
    assert [delta.text for delta in told] == ["half "]
    assert (second.lent, first.closed) == ([], 1)
    assert gateway._health.of(flow.gate.classes.of(flow.domain).id, "a").strikes == 1


async def test_knowledge_is_not_answered_here_at_once_either(world: World) -> None:
    gateway = put(world, card(world, "a", says("x")))
    with pytest.raises(BadInput):
        await gateway.whole(await at(world, TOP), chat(knowledge=("all",), whole=True), [])


async def test_what_is_used_is_counted_once(world: World) -> None:
    flow = await at(world, TOP)
    await metered(world, put(world, card(world, "a", says("Hello.")))).whole(flow, ASKED, [])
    assert (flow.facts["prompt"], flow.facts["completion"], flow.facts["metered"]) == (1, 1, 1)


async def test_what_was_said_before_a_failure_was_used(world: World) -> None:
    half = Script([Delta(text="12345678"), EngineFailed(engine="a", why="it hung up")])
    flow, meter = await at(world, TOP), metered(world, put(world, card(world, "a", half)))
    with pytest.raises(EngineFailed):
        await meter.whole(flow, ASKED, [])
    assert (flow.facts["completion"], flow.facts["metered"]) == (2, 2)


async def test_where_nothing_was_said_nothing_was_used(world: World) -> None:
    flow, meter = await at(world, TOP), metered(world, put(world, card(world, "a", fails())))
    with pytest.raises(EngineFailed):
        await meter.whole(flow, ASKED, [])
    assert "metered" not in flow.facts


async def test_whoever_cannot_tell_it_at_once_is_read_to_its_end_and_closed(world: World) -> None:
    pieces, told = Pieces(Delta(text="a"), LAST, Delta(text="more")), list[Delta]()
    await pieces.whole(await at(world, TOP), ASKED, told)
    assert told == [Delta(text="a"), LAST]
    assert pieces.closed


async def test_a_course_that_has_been_run(world: World) -> None:
    course, deltas = await Course.whole(Pieces(Delta(text="a"), LAST), await at(world, TOP), ASKED)
    assert deltas == [Delta(text="a"), LAST]
    assert (course.finish, course.usage) == ("stop", Usage(1, 1, False))
    assert course.facts == {"model": "any", "finish": "stop", "prompt": 1, "completion": 1}
    await course.close()
    with pytest.raises(EngineFailed):
        await course.first()


@pytest.mark.parametrize("said", [(), (Delta(text="a"),), (Delta(text="a"), Delta(finish="error"))])
async def test_a_whole_without_an_end_is_a_failure_of_the_engine(world: World, said: tuple[Delta, ...]) -> None:
    with pytest.raises(EngineFailed, match="broke off"):
        await Course.whole(Pieces(*said), await at(world, TOP), ASKED)


async def test_the_assistant_tells_both_kinds_at_once(world: World) -> None:
    assert isinstance(world.house.answerer, Metered)
    assistant, engine = world.house.answerer._answerer, says("Hello.")
    put(world, card(world, "a", engine))
    for asked in (ASKED, chat("What is there?", whole=True, model="casemate/extractive-reader", knowledge=("all",))):
        at_once, in_pieces = await both(assistant, world, asked)
        assert at_once == in_pieces
    with pytest.raises(BadInput):
        await assistant.whole(await at(world, TOP), Chat(model="any", messages=(Message("user", " "),)), [])
    assert len(engine.lent) == 2
    assert isinstance(assistant._gateway, Gateway)  # type: ignore[attr-defined]
