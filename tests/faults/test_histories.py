"""The checker of histories refuses wrong ones and takes right ones; then histories of the product's own stores."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.contracts.stores import ENGINES, opened
from tests.faults.crowd import Crowd, killed_writer
from tests.faults.histories import Operation, linearisable
from tests.laws.long import leave

CLIENTS = 64


def put(called: float, returned: float, version: int, value: str, expect: int | None = None) -> Operation:
    return Operation("o", "put", called, returned, "ok", expect, value, version)


def read(called: float, returned: float, version: int, value: str) -> Operation:
    return Operation("o", "read", called, returned, "ok", None, value, version)


def conflict(called: float, returned: float, expect: int) -> Operation:
    return Operation("o", "put", called, returned, "conflict", expect, "x")


RIGHT = {
    "nothing": [],
    "one after the other": [put(0, 1, 1, "a", 0), read(2, 3, 1, "a"), put(4, 5, 2, "b", 1), read(6, 7, 2, "b")],
    "a read beside a write sees either": [put(0, 1, 1, "a"), put(2, 9, 2, "b"), read(3, 4, 1, "a"), read(5, 6, 2, "b")],
    "a conflict with one beside it": [put(0, 5, 1, "a", 0), conflict(1, 4, 0)],
    "unheard and done": [Operation("o", "put", 0, value="a", expect=0), read(5, 6, 1, "a")],
    "unheard and not done": [Operation("o", "put", 0, value="a", expect=0), read(5, 6, 0, "")],
    "unheard and done late": [Operation("o", "put", 0, value="a"), read(5, 6, 0, ""), read(7, 8, 1, "a")],
    "deleted and made anew": [
        put(0, 1, 1, "a"),
        Operation("o", "delete", 2, 3, "ok", 1),
        read(4, 5, 0, ""),
        put(6, 7, 1, "b", 0),
    ],
    "a removal that found nothing at first and something later": [
        Operation("o", "delete", 0, 9, "ok"),
        put(1, 8, 1, "a", 0),
        read(10, 11, 0, ""),
    ],
    "two objects in any order": [put(0, 1, 1, "a"), Operation("p", "read", 2, 3, "ok", None, "", 0)],
}
WRONG = {
    "a read of what was never written": [put(0, 1, 1, "a"), read(2, 3, 1, "b")],
    "a lost write": [put(0, 1, 1, "a"), read(2, 3, 0, "")],
    "a stale read": [put(0, 1, 1, "a"), put(2, 3, 2, "b"), read(4, 5, 1, "a")],
    "back in time": [put(0, 1, 1, "a"), put(2, 9, 2, "b"), read(3, 4, 2, "b"), read(5, 6, 1, "a")],
    "two winners": [put(0, 5, 1, "a", 0), put(1, 4, 1, "b", 0)],
    "a conflict with nobody": [put(0, 1, 1, "a", 0), conflict(2, 3, 1)],
    "a version left out": [put(0, 1, 1, "a"), put(2, 3, 3, "b")],
    "an unheard write seen before its call": [read(0, 1, 1, "a"), Operation("o", "put", 2, value="a")],
    "an unheard write that came and went": [
        Operation("o", "put", 0, value="a", expect=0),
        read(5, 6, 1, "a"),
        read(7, 8, 0, ""),
    ],
    "done twice": [put(0, 1, 1, "a"), read(2, 3, 2, "a")],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_history_is_taken(name: str) -> None:
    assert linearisable(RIGHT[name])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_history_is_refused(name: str) -> None:
    assert not linearisable(WRONG[name])


def test_a_long_history_of_many_at_once_is_judged() -> None:
    """Sixty that overlap all together, and the same with one of them wrong."""
    many = [put(0, 100, number + 1, f"{number}") for number in range(60)]
    assert linearisable(many)
    assert not linearisable([*many[:-1], put(0, 100, 99, "59")])


@pytest.mark.parametrize("engine", ENGINES)
async def test_histories_of_every_engine_are_linearisable(engine: str, tmp_path: Path) -> None:
    """Sixty-four clients, some of them cancelled in the middle, some who send a batch again under its key."""
    seed = random.SystemRandom().randrange(1 << 30)
    async with opened(engine, tmp_path) as store:
        crowd = Crowd(store.committer, store.reader, seed)
        await crowd.run(CLIENTS, 6)
    print(f"\n{engine}: {len(crowd.history)} operations, seed {seed}, {crowd.told}")
    assert len(crowd.history) > CLIENTS * 4
    assert linearisable(crowd.history), seed


def test_histories_over_a_writer_that_is_killed_are_linearisable(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    crowd = asyncio.run(killed_writer(tmp_path, seed, CLIENTS, 6, 2))
    print(f"\nkilled: {len(crowd.history)} operations, seed {seed}, {crowd.told}")
    assert linearisable(crowd.history), seed


@pytest.mark.long
def test_forty_histories_over_a_writer_that_is_killed(tmp_path: Path) -> None:
    seed, operations, kills = random.SystemRandom().randrange(1 << 30), 0, 0
    for number in range(20):
        crowd = asyncio.run(killed_writer(tmp_path / str(number), seed + number, CLIENTS, 12, 2))
        assert linearisable(crowd.history), seed + number
        operations, kills = operations + len(crowd.history), kills + crowd.told["kills"]
    assert kills >= 40
    leave("store_kill_sqlite", rounds=kills, clients=CLIENTS, operations=operations, seed=seed)
