"""Whoever leaves while he is answered stops the work, by the server's word or by the protocol's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemate.doors.frame import LEAVING, Leaving
from casemate.doors.frame.leaving import Watch

NEVER = asyncio.Event


class Client:
    """A client of either kind: one whose server tells, and one that has to be listened for."""

    def __init__(self, told: bool) -> None:
        self.leaving = Leaving()
        self.scope: dict[str, Any] = {LEAVING: self.leaving} if told else {}
        self.gone = asyncio.Event()

    def leave(self) -> None:
        self.leaving.left()
        self.gone.set()

    async def receive(self) -> dict[str, Any]:
        if not self.gone.is_set():
            await self.gone.wait()
        return {"type": "http.disconnect"}


@pytest.fixture(params=[True, False], ids=["told", "listened"])
def client(request: pytest.FixtureRequest) -> Client:
    return Client(request.param)


async def answer(client: Client, ended: list[str]) -> bool:
    with Watch(client.scope, client.receive) as watch:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")
    return watch.left


async def test_the_work_ends_and_what_follows_knows(client: Client) -> None:
    ended: list[str] = []
    task = asyncio.ensure_future(answer(client, ended))
    await asyncio.sleep(0)
    client.leave()
    assert await task is True
    assert ended == ["work"]
    assert task.cancelling() == 0


async def test_who_has_left_before_is_not_worked_for(client: Client) -> None:
    client.leave()
    assert await asyncio.ensure_future(answer(client, [])) is True


async def test_work_that_ends_by_itself_is_left_alone(client: Client) -> None:
    async def quick() -> bool:
        with Watch(client.scope, client.receive) as watch:
            await asyncio.sleep(0)
        client.leave()
        await asyncio.sleep(0)
        return watch.left

    assert await asyncio.ensure_future(quick()) is False


async def test_somebody_elses_cancellation_goes_on(client: Client) -> None:
    ended: list[str] = []
    task = asyncio.ensure_future(answer(client, ended))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    task = asyncio.ensure_future(answer(client, ended))
    await asyncio.sleep(0)
    client.leave()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failure_of_the_work_is_its_own(client: Client) -> None:
    with pytest.raises(ValueError, match="own"), Watch(client.scope, client.receive):
        raise ValueError("own")
