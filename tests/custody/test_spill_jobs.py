"""A spill that a job has read: the job is found, what it left is contained with it, and it runs no further."""

from __future__ import annotations

from casemate.buckets import NewObject
from casemate.buckets.kinds import OBJECT, place
from casemate.datasets import Datasets
from casemate.engines.dataset_tree import DatasetTrees
from casemate.jobs import Array, Input, Output, Spec
from casemate.jobs.job import JOB
from casemate.objects import Where
from casemate.wiring.job_inputs import JobInputs
from tests.buckets.scene import LOW, at, body, bucket
from tests.custody.spilled import contain, people, report
from tests.jobs.yard import Yard
from tests.laws.world import World

NAMED = f"{OBJECT.name}/{place('plans', 'lantern')}"


async def test_a_job_made_from_a_contained_input_is_found(world: World) -> None:
    await people(world)
    yard = Yard(world, who="ann")
    room = world.house.buckets
    await bucket(world, room)
    await room.put(await at(world, LOW), "plans", "lantern", body(b"The hidden lantern burns."), NewObject())
    inputs = JobInputs(Datasets(DatasetTrees()), room)
    yard.inputs = inputs  # type: ignore[assignment]
    yard.restart()
    reads = (Input("in", "object:plans/lantern"),)
    found = await yard.submit(Spec(("true",), inputs=reads, outputs=(Output("all", ""),)), at=LOW)
    many = await yard.submit(Spec(("true",), inputs=reads, array=Array(2)), at=LOW)
    await yard.step(4)
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
        yard.engine.end(native, files={"copy": b"The hidden lantern burns."})
    await yard.settle(most=6)
    assert (await yard.job(found.id, LOW)).state == "SUCCEEDED"
    told = await report(world, NAMED)
    jobs = {each["id"] for each in told["items"] if each["kind"] == JOB.name}
    assert jobs == {found.id, many.id, f"{many.id}:0", f"{many.id}:1"}
    seen = await contain(world, NAMED, "shred")
    assert (seen.status, seen.json["data"]["state"]) == (200, "done"), seen.body
    page = await yard.jobs.page(await yard.flow("list", at=LOW), Where())
    assert page.items == ()
