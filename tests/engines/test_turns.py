"""Turns: what all label domains share is taken one at a time, and no domain waits for more than one turn of another."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.turns import Turns


async def _served(asked: list[str], leaving: frozenset[int] = frozenset()) -> list[tuple[str, int]]:
    """Who is served, in which order, where all of them ask while one turn is under way."""
    turns, order, running = Turns(), list[tuple[str, int]](), 0

    async def one(domain: str, number: int) -> None:
        nonlocal running
        async with turns.of(domain):
            running += 1
            assert running == 1
            order.append((domain, number))
            await asyncio.sleep(0)
            running -= 1

    async with turns.of("first"):
        tasks = [asyncio.create_task(one(domain, number)) for number, domain in enumerate(asked)]
        await asyncio.sleep(0)
        for number in leaving:
            tasks[number].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    async with turns.of("last"):  # nothing is left taken
        return order


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.data())
def test_a_domain_waits_for_one_turn_of_each_other_domain_at_most(asked: list[str], data: st.DataObject) -> None:
    leaving = frozenset(data.draw(st.sets(st.sampled_from(range(len(asked))))) if asked else ())
    order = asyncio.run(_served(asked, leaving))
    staying = [(domain, number) for number, domain in enumerate(asked) if number not in leaving]
    assert sorted(order) == sorted(staying)
    for domain in set(asked):
        own = [number for name, number in order if name == domain]
        assert own == sorted(own)
        places = [at for at, (name, _) in enumerate(order) if name == domain]
        for before, after in zip([-1, *places], places, strict=False):
            between = [name for name, _ in order[before + 1 : after]]
            assert len(between) == len(set(between))


def test_a_turn_that_is_given_to_whoever_gives_up_goes_on() -> None:
    async def run() -> list[str]:
        turns, served = Turns(), list[str]()

        async def one(domain: str) -> None:
            async with turns.of(domain):
                served.append(domain)

        async with turns.of("first"):
            gone, stays = asyncio.create_task(one("gone")), asyncio.create_task(one("stays"))
            await asyncio.sleep(0)
        gone.cancel()  # it has been given the turn, and has not run since
        await asyncio.gather(gone, stays, return_exceptions=True)
        return served

    assert asyncio.run(run()) == ["stays"]
