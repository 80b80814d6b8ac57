"""What a sweep's table is made of: every child that is visible, what each has left, and the program that is lent."""

from __future__ import annotations

import msgspec
import pytest

from casemate.access import Flow
from casemate.cells.table.rows import LARGEST as TAKEN
from casemate.datasets import Datasets
from casemate.engines.dataset_tree import DatasetTrees
from casemate.engines.job_program import program
from casemate.errors import Absent
from casemate.jobs import Input, Spec
from casemate.jobs.space import Parameter
from casemate.jobs.sweep import LARGEST, Seen, SweepRequest, submit_sweep, sweep_of
from casemate.wiring.job_inputs import JobInputs
from tests.attacks.scene import LOW
from tests.jobs.yard import Yard
from tests.laws.world import World

REQUEST = SweepRequest(Spec(("run", "{rate}")), {"rate": Parameter(values=(1, 2, 3))})


async def _yard(world: World) -> Yard:
    yard = Yard(world)
    await yard.person("olga")
    yard.inputs = JobInputs(Datasets(DatasetTrees()), world.house.buckets)  # type: ignore[assignment]
    yard.restart()
    return yard


async def _read(yard: Yard, flow: Flow, source: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    said = Input("sweep", source)
    async for name, piece in yard.inputs.read(flow, await yard.inputs.look(flow, said)):
        found[name] = found.get(name, b"") + piece
    return found


async def _ended(yard: Yard) -> Seen:
    """Three children: one leaves a result, one too large a one, one nothing."""
    seen = await submit_sweep(yard.jobs, await yard.flow("submit"), REQUEST)
    await yard.step(3)
    left: list[tuple[int, dict[str, bytes]]] = [
        (0, {"result.json": b'{"loss": 1}'}),
        (0, {"result.json": b" " * (LARGEST + 1)}),
        (1, {}),
    ]
    for native, (code, files) in zip(yard.engine.all("waiting"), left, strict=True):
        yard.engine.begin(native)
        yard.engine.end(native, code, files=files)
    await yard.step(2)
    return seen


def test_region_and_program_agree_on_how_large_a_result_is() -> None:
    assert LARGEST == TAKEN


def test_the_program_is_whole_and_nothing_else() -> None:
    found = program()
    assert {"casemate/__init__.py", "casemate/cells/table/__main__.py"} < found.keys()
    assert all(name.startswith("casemate/") and name.endswith(".py") for name in found)
    assert not any(b"import msgspec" in text for text in found.values())


async def test_the_table_waits_for_all_and_is_made_of_what_they_left(world: World) -> None:
    yard = await _yard(world)
    seen = await submit_sweep(yard.jobs, await yard.flow("submit"), REQUEST)
    source = f"sweep:{seen.array.id}"
    early = await yard.inputs.look(await yard.flow("read"), Input("sweep", source))
    assert (early.digest, early.refs) == ("", (seen.array.ref,))
    with pytest.raises(Absent):
        await _read(yard, await yard.flow("read"), source)
    with pytest.raises(Absent):
        await yard.inputs.look(await yard.flow("read", at=LOW), Input("sweep", source))
    with pytest.raises(Absent):
        await yard.inputs.look(await yard.flow("read"), Input("sweep", f"sweep:{seen.table.id}"))


async def test_each_child_that_left_a_result_becomes_a_parent(world: World) -> None:
    yard = await _yard(world)
    seen = await _ended(yard)
    flow = await yard.flow("read")
    found = await _read(yard, flow, f"sweep:{seen.array.id}")
    assert {name: raw for name, raw in found.items() if name.startswith("results/")} == {"results/0": b'{"loss": 1}'}
    rows = msgspec.json.decode(found["sweep.json"])["rows"]
    assert [row["state"] for row in rows] == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    assert [row["result"] for row in rows] == ["", "too large", "no result"]
    assert [row["exit"] for row in rows] == [0, 0, 1]
    [native] = yard.engine.all("waiting")
    spot = yard.engine.spot(native)
    assert set(spot.inputs) == {f"sweep/{name}" for name in found}
    table = (await sweep_of(yard.jobs, flow, seen.table.id)).table.value
    assert [id for kind, id, _ in table.made_of if kind == "job"] == [seen.array.id, f"{seen.array.id}:0"]


async def test_a_table_is_made_of_what_is_there_when_a_sweep_is_cancelled(world: World) -> None:
    yard = await _yard(world)
    seen = await submit_sweep(yard.jobs, await yard.flow("submit"), REQUEST)
    await yard.cancel(seen.array.id)
    await yard.step(4)
    found = await _read(yard, await yard.flow("read"), f"sweep:{seen.array.id}")
    rows = msgspec.json.decode(found["sweep.json"])["rows"]
    assert [row["point"] for row in rows] == [{"rate": 1}, {"rate": 2}, {"rate": 3}]
    assert {row["result"] for row in rows} == {"no result"}
    assert len(yard.engine.all("waiting")) == 1  # the table's job goes on all the same
