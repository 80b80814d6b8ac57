"""Asking a child: one thing at a time, and again after it died."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from casemate.cells import fence, serve
from casemate.engines import cell as asking
from casemate.engines.cell import Cell, Cells, Program
from casemate.engines.sandbox import Limits, Sandbox, support
from casemate.errors import EngineFailed

PROBE = str(Path(__file__).with_name("probe.py"))
pytestmark = pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")
ECHO = {"ask": "echo", "value": "x"}


def with_cell(body, **program):
    async def go():
        sandbox = Sandbox()
        cell = Cell(sandbox, Program("probe", PROBE, **program))
        try:
            return await body(cell)
        finally:
            await cell.close()
            sandbox.close()

    return asyncio.run(go())


def with_cells(body, keep=2):
    async def go():
        sandbox = Sandbox()
        cells = Cells(sandbox, Program("probe", PROBE), keep)
        try:
            return await body(cells)
        finally:
            await cells.close()
            sandbox.close()

    return asyncio.run(go())


async def gone(pid):
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.01)


def test_one_child_answers_again_and_again():
    async def body(cell):
        return [await cell.ask({"ask": "count"}, int) for _ in range(3)], cell.started

    assert with_cell(body) == ([1, 2, 3], 1)


def test_one_request_at_a_time():
    async def body(cell):
        asked = [cell.ask({"ask": "count", "seconds": 0.05}, int) for _ in range(4)]
        return sorted(await asyncio.gather(*asked)), cell.started

    assert with_cell(body) == ([1, 2, 3, 4], 1)


@pytest.mark.parametrize("size", [0, 1, 70_000, 20 << 20])
def test_large_requests_and_replies(size):
    async def body(cell):
        return await cell.ask({"ask": "echo", "value": b"x" * size}, bytes)

    assert len(with_cell(body)) == size


def test_a_child_that_misses_its_deadline_is_killed_and_replaced():
    async def body(cell):
        await cell.start()
        first = cell.pid
        with pytest.raises(EngineFailed) as failed:
            await cell.ask({"ask": "sleep", "seconds": 600}, object, 0.2)
        assert failed.value.facts["ending"] == asking.TIME
        assert await gone(first)
        return await cell.ask(ECHO, str), cell.started

    assert with_cell(body) == ("x", 2)


@pytest.mark.parametrize(
    ("told", "ending", "why"),
    [
        ({"ask": "exit", "code": 3}, asking.CRASH, "it ended by itself (code 3)"),
        ({"ask": "abort"}, asking.CRASH, f"it was ended by signal {int(signal.SIGABRT)}"),
        ({"ask": "broken"}, asking.BROKEN, "it broke (ZeroDivisionError)"),
        ({"ask": "hold", "bytes": 1 << 40}, asking.MEMORY, "it needs more memory than it may have"),
    ],
)
def test_a_child_that_dies_of_a_request_is_replaced(told, ending, why):
    async def body(cell):
        with pytest.raises(EngineFailed) as failed:
            await cell.ask(told, object)
        assert failed.value.facts == {"engine": "probe", "ending": ending, "why": why}
        return await cell.ask(ECHO, str), cell.started

    assert with_cell(body) == ("x", 2)


def test_a_child_that_was_killed_between_requests_is_replaced():
    async def body(cell):
        await cell.ask(ECHO, str)
        pid = cell.pid
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.05)
        return await cell.ask(ECHO, str), cell.started

    assert with_cell(body) == ("x", 2)


def test_a_child_that_is_killed_at_work_fails_that_request():
    async def body(cell):
        await cell.start()
        asked = asyncio.ensure_future(cell.ask({"ask": "sleep", "seconds": 600}, object))
        await asyncio.sleep(0.05)
        os.kill(cell.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed) as failed:
            await asked
        return failed.value.facts["why"]

    assert with_cell(body) == "it was ended by signal 9"


def test_who_gives_up_waiting_kills_the_child():
    async def body(cell):
        await cell.start()
        pid = cell.pid
        asked = asyncio.ensure_future(cell.ask({"ask": "spin"}, object))
        await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await gone(pid)
        return await cell.ask(ECHO, str)

    assert with_cell(body) == "x"


def test_an_answer_of_another_type_is_a_failure():
    async def body(cell):
        with pytest.raises(EngineFailed) as failed:
            await cell.ask(ECHO, int)
        assert failed.value.facts["ending"] == asking.BROKEN
        return cell.pid

    assert with_cell(body) is None


def test_an_answer_beyond_its_bound_is_a_failure():
    async def body(cell):
        with pytest.raises(EngineFailed):
            await cell.ask({"ask": "echo", "value": b"x" * 2000}, bytes)
        return await cell.ask(ECHO, str)

    assert with_cell(body, reply=1000) == "x"


def test_processor_time_is_counted_by_request():
    async def body(cell):
        spent = [await cell.ask({"ask": "busy", "seconds": 0.8}, float) for _ in range(4)]
        return sum(spent) > 3, cell.started

    assert with_cell(body, limits=Limits(cpu=1)) == (True, 1)


def test_a_request_that_cannot_be_written_down_fails_at_once():
    async def body(cell):
        with pytest.raises(TypeError):
            await cell.ask(object(), object)

    with_cell(body)


class TestDomains:
    def test_each_has_a_child_of_its_own(self):
        async def body(cells):
            first = [await cells.ask({"ask": "count"}, int, domain="a") for _ in range(2)]
            other = await cells.ask({"ask": "count"}, int, domain="b")
            return first, other, len(set(cells.pids.values()))

        assert with_cells(body) == ([1, 2], 1, 2)

    def test_without_a_domain_a_child_serves_once(self):
        async def body(cells):
            return [await cells.ask({"ask": "count"}, int) for _ in range(2)], cells.pids

        assert with_cells(body) == ([1, 1], {})

    def test_idle_children_beyond_the_number_end_oldest_first(self):
        async def body(cells):
            for domain in "abca":
                await cells.ask(ECHO, str, domain=domain)
            return list(cells.pids)

        assert with_cells(body) == ["c", "a"]

    def test_none_waits_for_another(self):
        async def body(cells):
            slow = asyncio.ensure_future(cells.ask({"ask": "sleep", "seconds": 600}, object, domain="high"))
            answers = [await cells.ask(ECHO, str, domain=domain) for domain in ("low", "lower", "lowest")]
            assert not slow.done()
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            return answers

        assert with_cells(body) == ["x"] * 3


def test_both_sides_speak_of_the_same_things():
    assert (serve.REQUESTS, serve.REPLIES) == (fence.REQUESTS, fence.REPLIES)
    assert (serve.MEMORY, serve.UNREADABLE, serve.BROKEN) == (asking.MEMORY, asking.UNREADABLE, asking.BROKEN)
    assert serve.Reply.__struct_fields__ == asking.Reply.__struct_fields__
