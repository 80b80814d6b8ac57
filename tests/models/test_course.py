"""An answer on its way: read once, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from casemate.errors import EngineFailed, UnknownModel
from casemate.models import Chat, Citation, Course, Delta, Usage

CHAT = Chat(model="local", messages=())
CITED = Citation(number=1, title="", document="d", passage="p", mark="(U)", label="l", link="/p", quote="q")
WHOLE = [Delta(text="a"), Delta(citations=(CITED,)), Delta(text="b"), Delta(finish="stop", usage=Usage(2, 3))]


class Source:
    """Deltas as an answerer gives them; says whether it was closed."""

    def __init__(self, *deltas: Delta | Exception) -> None:
        self.deltas = deltas
        self.closed = False

    async def give(self) -> AsyncIterator[Delta]:
        try:
            for delta in self.deltas:
                if isinstance(delta, Exception):
                    raise delta
                yield delta
        finally:
            self.closed = True


async def read(course: Course) -> list[Delta]:
    return [delta async for delta in course.deltas()]


def test_the_whole_text_its_citations_and_what_its_entry_says() -> None:
    source = Source(*WHOLE)
    course = Course(source.give(), CHAT)
    assert asyncio.run(course.rest()) == ("ab", [CITED])
    assert (course.finish, course.usage) == ("stop", Usage(2, 3))
    assert course.facts == {"model": "local", "finish": "stop", "prompt": 2, "completion": 3}
    assert source.closed


def test_reading_ahead_loses_nothing() -> None:
    async def run() -> list[Delta]:
        course = Course(Source(*WHOLE).give(), CHAT)
        await course.first()
        assert course.facts == {"model": "local"}
        return await read(course)

    assert asyncio.run(run()) == WHOLE


def test_a_first_delta_may_be_the_last() -> None:
    async def run() -> list[Delta]:
        course = Course(Source(WHOLE[-1]).give(), CHAT)
        await course.first()
        return await read(course)

    assert asyncio.run(run()) == WHOLE[-1:]


def test_nothing_is_read_after_the_end() -> None:
    source = Source(*WHOLE, Delta(text="more"))
    assert asyncio.run(Course(source.give(), CHAT).rest())[0] == "ab"


@pytest.mark.parametrize("deltas", [(), WHOLE[:1], (*WHOLE[:1], Delta(finish="error"))])
def test_what_has_no_end_is_a_failure_of_the_engine(deltas: tuple[Delta, ...]) -> None:
    source = Source(*deltas)
    with pytest.raises(EngineFailed) as told:
        asyncio.run(Course(source.give(), CHAT).rest())
    assert told.value.facts == {"engine": "local", "why": "its answer broke off"}
    assert source.closed


def test_what_the_answerer_raises_goes_through() -> None:
    source = Source(WHOLE[0], UnknownModel(model="x"))
    with pytest.raises(UnknownModel):
        asyncio.run(Course(source.give(), CHAT).rest())
    assert source.closed


def test_an_iterator_that_cannot_be_closed_is_left_alone() -> None:
    class Plain:
        def __aiter__(self) -> AsyncIterator[Delta]:
            return self

        async def __anext__(self) -> Delta:
            return WHOLE[-1]

    assert asyncio.run(Course(Plain(), CHAT).rest()) == ("", [])
