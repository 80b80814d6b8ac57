"""The two worlds where what may leave in a day is set and asked for, and dispatches are kept, above and below."""

from __future__ import annotations

import asyncio

from tests.laws.two_worlds import generate, judge

DEEDS = (
    "says_how_much_may_leave",
    "keeps_dispatches",
    "ask_for_release",
    "releases_in_console",
    "says_how_much_may_leave",
)


def test_what_may_leave_above_is_not_told_below() -> None:
    async def cases() -> int:
        return sum([await judge(generate(seed, 12, DEEDS)) for seed in range(5)])

    assert asyncio.run(cases()) > 0
