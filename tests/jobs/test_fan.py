"""Children of an array that are not run: what another left in the same class is theirs, and nothing else ever is."""

from __future__ import annotations

import msgspec
import pytest

from casemate.datasets import Datasets
from casemate.engines.dataset_tree import DatasetTrees
from casemate.errors import BadInput
from casemate.jobs import Array, Input, Spec, Sweep
from casemate.jobs.ask import Taken
from casemate.jobs.job import JOB
from casemate.jobs.space import Parameter, Space
from casemate.jobs.sweep import Seen, SweepRequest, again, children, listed, result_of, submit_sweep
from casemate.objects import Delete
from casemate.wiring.job_inputs import JobInputs
from tests.attacks.scene import LOW, SECRET
from tests.jobs.yard import Yard

REQUEST = SweepRequest(Spec(("run", "{rate}")), {"rate": Parameter(values=(1, 2, 3))})


@pytest.fixture
def wired(yard: Yard) -> Yard:
    """With the inputs of a region, so that a table is made."""
    yard.inputs = JobInputs(Datasets(DatasetTrees()), yard.world.house.buckets)  # type: ignore[assignment]
    yard.restart()
    return yard


async def end(yard: Yard, code: int = 0) -> None:
    """What runs ends, having left a result or not."""
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
        yard.engine.end(native, code, files={} if code else {"result.json": b"{}"})
    await yard.step(4)


async def finished(yard: Yard, at: str = SECRET, failed: int = 1) -> Seen:
    """Three children, of which one fails."""
    seen = await submit_sweep(yard.jobs, await yard.flow("submit", at=at), REQUEST)
    await yard.step(3)
    for number, native in enumerate(yard.engine.all("waiting")):
        yard.engine.begin(native)
        yard.engine.end(native, int(number == failed), files={"result.json": b'{"loss": %d}' % number})
    await yard.step(4)
    await end(yard)  # the table
    return seen


async def more(yard: Yard, taken: dict[str, dict[int, int]], at: str = SECRET) -> Seen:
    seen = await submit_sweep(yard.jobs, await yard.flow("submit", at=at), REQUEST, Taken(taken, ()))
    await yard.step(3)
    return seen


async def states(yard: Yard, seen: Seen, at: str = SECRET) -> list[str]:
    found = await children(await yard.flow("read", at=at), seen.array)
    return [each.value.phase for each in found.values()]


async def test_a_child_that_is_taken_over_is_there_at_once_with_what_the_other_left(yard: Yard) -> None:
    first = await finished(yard)
    seen = await more(yard, {first.array.id: {0: 2, 2: 0}})
    flow = await yard.flow("read")
    found, before = await children(flow, seen.array), await children(flow, first.array)
    assert [each.value.phase for each in found.values()] == ["ended", "active", "ended"]
    assert len(yard.engine.all("waiting")) == 1
    for here, there in ((0, 2), (2, 0)):
        mine, other = found[here].value, before[there].value
        assert (mine.artefacts, mine.state, mine.open, mine.attempts) == (other.artefacts, "SUCCEEDED", "no", ())
        assert mine.made_of == (
            ("job", seen.array.id, flow.access.id),
            ("job", f"{first.array.id}:{there}", flow.access.id),
        )
    await end(yard)
    assert (await yard.job(seen.array.id)).counts == {"SUCCEEDED": 3}


async def test_where_all_are_there_nothing_is_run_and_the_table_is_made(wired: Yard) -> None:
    yard = wired
    first = await finished(yard, failed=9)
    seen = await more(yard, {first.array.id: {0: 0, 1: 1, 2: 2}})
    await yard.step(3)
    assert (await yard.job(seen.array.id)).state == "SUCCEEDED"
    flow = await yard.flow("read")
    rows = listed(flow, seen.array, await children(flow, seen.array))["rows"]
    assert [(row["state"], row["result"]) for row in rows] == [("SUCCEEDED", "")] * 3
    assert len(yard.engine.all("waiting")) == 1  # the table's
    await end(yard)
    assert (await yard.job(seen.table.id)).open == "no"


async def test_what_failed_is_gone_or_lies_below_is_run(yard: Yard) -> None:
    first, below = await finished(yard), await finished(yard, LOW)
    flow = await yard.flow("submit")
    [gone] = await flow.read_each(JOB, f"{first.array.id}:2")
    await flow.commit(Delete(JOB, gone.id, gone.version))
    seen = await more(yard, {first.array.id: {0: 1, 1: 2}, below.array.id: {2: 0}, "job_never": {1: 0}})
    assert await states(yard, seen) == ["active"] * 3


async def test_what_was_changed_in_the_meantime_is_run_over(yard: Yard) -> None:
    first = await finished(yard)
    seen = await submit_sweep(
        yard.jobs, await yard.flow("submit"), REQUEST, Taken({first.array.id: {0: 0}}, ("another digest",))
    )
    assert seen.array.value.taken == {}


async def test_no_request_says_what_is_taken_over(yard: Yard) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"command": ["run"], "taken": {"job_x": {"0": 0}}}, Spec)
    space = Space(REQUEST.parameters)
    with pytest.raises(BadInput):
        await yard.submit(Spec(("run",), array=Array(2), sweep=Sweep(space), inputs=(Input("a", "sweep:#0"),)))


async def test_what_is_missing_of_one_that_took_over_is_made_again(wired: Yard) -> None:
    yard = wired
    first = await finished(yard)
    seen = await more(yard, {first.array.id: {0: 0, 2: 2}})
    await end(yard, 1)
    assert (await yard.job(seen.array.id)).state == "FAILED"
    last = await again(yard.jobs, await yard.flow("submit"), seen.table.id)
    assert last.sweep.space.only == (1,)
    found = await children(await yard.flow("read"), seen.array)
    assert [result_of(each.value) is not None for each in found.values()] == [True, False, True]


async def test_one_that_is_cancelled_takes_nothing_over(yard: Yard) -> None:
    first = await finished(yard)
    seen = await submit_sweep(yard.jobs, await yard.flow("submit"), REQUEST, Taken({first.array.id: {0: 0}}, ()))
    await yard.cancel(seen.array.id)
    await yard.step(4)
    assert (await yard.job(seen.array.id)).state == "CANCELLED"
    assert await children(await yard.flow("read"), seen.array) == {}
