"""The course of a job through the loop: what waits, arrays, deadlines, outputs, cancelling and giving way."""

from __future__ import annotations

import pytest

from casemate.errors import Absent
from casemate.jobs import After, Array, Input, Output, Retry, Spec
from casemate.jobs.sites import Sites
from tests.attacks.scene import LOW, label_of
from tests.jobs.yard import Yard


async def test_cancelling_what_waits_starts_and_runs(yard: Yard) -> None:
    ids = [(await yard.submit()).id for _ in range(3)]
    await yard.cancel(ids[0])
    assert (await yard.job(ids[0])).state == "CANCELLED"
    await yard.step(2)
    one, two = yard.engine.all("waiting")
    yard.engine.begin(two)
    await yard.step(2)
    await yard.cancel(ids[1])
    await yard.cancel(ids[2])
    await yard.step(2)
    yard.engine.end(two, 143, "stop", 0)
    await yard.step(3)
    states = [(await yard.job(id)).state for id in ids]
    assert states == ["CANCELLED"] * 3
    assert not yard.engine.begin(one) if one in yard.engine.all("waiting") else True


async def test_what_waits_for_others(yard: Yard) -> None:
    good, bad = await yard.submit(), await yard.submit(Spec(("false",)))
    cases = {
        ("afterok", good.id): "SUCCEEDED",
        ("afterok", bad.id): "FAILED",
        ("afternotok", bad.id): "SUCCEEDED",
        ("afternotok", good.id): "FAILED",
        ("afterany", bad.id): "SUCCEEDED",
    }
    made = {}
    for when, id in cases:
        made[(when, id)] = await yard.submit(Spec(("true",), after=(After(id, when),)))  # type: ignore[arg-type]
    await yard.step(2)
    assert (await yard.job(made[("afterok", good.id)].id)).state == "PENDING"
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
        token = yard.engine.known[native][1]
        yard.engine.end(native, int(token == (await yard.job(bad.id)).attempts[0].token))
    await yard.settle()
    for key, state in cases.items():
        job = await yard.job(made[key].id)
        assert job.state == state, key
        assert job.reason == ("DEPENDENCY" if state == "FAILED" else "")


async def test_an_array_fans_out_and_rolls_up(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), array=Array(9)))
    after = await yard.submit(Spec(("true",), array=Array(9), after=(After(found.id, "aftercorr"),)))
    await yard.step(3)
    job = await yard.job(found.id)
    assert sum(job.counts.values()) == 9
    await yard.settle()
    for id in (found.id, after.id):
        job = await yard.job(id)
        assert (job.state, job.counts) == ("SUCCEEDED", {"SUCCEEDED": 9})
    child = await yard.job(f"{found.id}:3")
    assert (child.parent, child.index, child.state) == (found.id, 3, "SUCCEEDED")


async def test_part_of_an_array_fails_and_is_made_again(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), array=Array(3)))
    await yard.step(3)
    for index, native in enumerate(sorted(yard.engine.all("waiting"))):
        yard.engine.begin(native)
        yard.engine.end(native, index % 2)
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, job.counts) == ("FAILED", {"SUCCEEDED": 2, "FAILED": 1})
    [bad] = [i for i in range(3) if (await yard.job(f"{found.id}:{i}")).state == "FAILED"]
    again = await yard.jobs.retry(await yard.flow("retry"), f"{found.id}:{bad}")
    assert again.value.spec is not None
    assert again.value.spec.env["AWS_BATCH_JOB_ARRAY_INDEX"] == str(bad)
    await yard.settle()
    assert (await yard.job(again.id)).state == "SUCCEEDED"


async def test_an_array_is_cancelled_as_a_whole(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), array=Array(20)))
    await yard.step(3)
    [first, *_] = yard.engine.all("waiting")
    yard.engine.begin(first)
    await yard.step(2)
    await yard.cancel(found.id)
    await yard.step(3)
    yard.engine.end(first, 143, "stop")
    await yard.step(6)
    job = await yard.job(found.id)
    assert (job.state, job.open) == ("CANCELLED", "no")
    assert job.counts == {"CANCELLED": 20}


async def test_deadlines(yard: Yard) -> None:
    waits = await yard.submit(Spec(("true",), after=((After((await yard.submit()).id)),), deadline_s=60))
    runs = await yard.submit(Spec(("true",), deadline_s=60))
    await yard.step(2)
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
    await yard.step(2)
    yard.world.clock.forward(61)
    await yard.step(2)
    assert ((await yard.job(waits.id)).state, (await yard.job(waits.id)).reason) == ("FAILED", "DEADLINE")
    [native] = [n for n in yard.engine.all("running") if yard.engine.spot(n).stopped]
    yard.engine.end(native, 143, "stop")
    await yard.step(2)
    assert ((await yard.job(runs.id)).state, (await yard.job(runs.id)).reason) == ("FAILED", "DEADLINE")


async def test_an_environment_that_is_not_there_is_not_left_out(yard: Yard) -> None:
    with pytest.raises(Absent):
        await yard.submit(Spec(("true",), environment="site:gcc/12"))
    await yard.step(2)
    assert not yard.engine.submitted


async def test_clocks_jump(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    for jump in (3600, -7200, 3600):
        yard.world.clock.forward(jump)
        await yard.step(2)
    yard.engine.end(native)
    await yard.step(2)
    job = await yard.job(found.id)
    assert (job.state, len(job.attempts)) == ("SUCCEEDED", 1)


async def test_what_runs_gives_way_to_what_is_more_urgent(yard: Yard) -> None:
    yard.engine.slots = 1
    low = await yard.submit(Spec(("true",), preemptible=True, priority=0))
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(2)
    high = await yard.submit(Spec(("true",), priority=10))
    await yard.step(4)
    assert yard.engine.spot(native).stopped == "preempted"
    yard.engine.end(native, 143, "stop")
    await yard.step(2)
    assert (await yard.job(low.id)).state == "RUNNABLE"
    await yard.settle()
    job = await yard.job(low.id)
    assert (job.state, [one.reason for one in job.attempts]) == ("SUCCEEDED", ["PREEMPTED", ""])
    assert (await yard.job(high.id)).state == "SUCCEEDED"


async def test_an_output_that_is_not_there_is_no_success(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), outputs=(Output("model", "model.bin"),)))
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, job.reason) == ("FAILED", "output model")


async def test_an_output_may_stay_where_it_lies(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), outputs=(Output("big", "big", keep="place"),)))
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    yard.engine.end(native, files={"big/a": b"aa", "big/b": b""})
    await yard.step(2)
    job = await yard.job(found.id)
    assert [(one.name, one.size, one.place, one.pieces) for one in job.artefacts] == [
        ("big/a", 2, "big/a", ()),
        ("big/b", 0, "big/b", ()),
    ]
    yard.restart()
    await yard.step(2)
    flow = await yard.flow("read")
    assert [piece async for piece in yard.jobs.artefact(flow, found.id, "big/a")] == [b"aa"]
    yard.scratch.spots.clear()
    for name in ("big/a", "big/none"):
        with pytest.raises(Absent):
            [piece async for piece in yard.jobs.artefact(flow, found.id, name)]


async def test_what_changed_while_it_was_staged_ends_the_attempt(yard: Yard) -> None:
    yard.inputs.things["object:b/k"] = (label_of(yard.world, LOW), b"data")
    found = await yard.submit(Spec(("true",), inputs=(Input("in", "object:b/k"),), retry=Retry(5)))
    yard.inputs.changed = True
    await yard.step(4)
    job = await yard.job(found.id)
    assert (job.state, job.reason, len(job.attempts)) == ("FAILED", "INPUT", 1)


async def test_a_full_disk_is_waited_out(yard: Yard) -> None:
    yard.inputs.things["object:b/k"] = (label_of(yard.world, LOW), b"data")
    found = await yard.submit(Spec(("true",), inputs=(Input("in", "object:b/k"),)))
    yard.scratch.full = True
    await yard.step(3)
    assert not yard.engine.submitted
    yard.scratch.full = False
    await yard.step(4, 4.0)
    [spot] = yard.scratch.spots.values()
    assert spot.inputs == {"in": b"data"}, "half of it was there, and it is there once"
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, len(job.attempts)) == ("SUCCEEDED", 1)


async def test_on_a_full_disk_a_lost_attempt_is_taken_away_where_it_cannot_be_fenced(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), retry=Retry(2)))
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(2)
    key = yard.engine.known[native]
    yard.engine.die(native)
    yard.scratch.full = True
    await yard.step(3)
    assert key not in yard.scratch.spots
    yard.scratch.full = False
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, [one.state for one in job.attempts]) == ("SUCCEEDED", ["lost", "ended"])


async def test_what_lies_at_an_engine_that_is_gone_is_not_there(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), outputs=(Output("big", "big", keep="place"),)))
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    yard.engine.end(native, files={"big/a": b"aa"})
    await yard.step(2)
    yard.sites = Sites()
    yard.restart()
    with pytest.raises(Absent):
        [piece async for piece in yard.jobs.artefact(await yard.flow("read"), found.id, "big/a")]


async def test_before_its_folder_is_there_it_has_said_nothing(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    yard.scratch.spots.clear()
    assert await yard.jobs.log(await yard.flow("read"), found.id, "out") == (b"", 0, False)


async def test_a_job_waits_for_an_engine_that_is_not_joined(yard: Yard) -> None:
    found = await yard.submit(Spec(("true",), engine="cluster"))
    await yard.step(3, 2.0)
    assert (await yard.job(found.id)).state == "RUNNABLE"
    sites, yard.sites = yard.sites, Sites()
    other = await yard.submit()
    await yard.step(2)
    yard.sites = sites
    yard.restart()
    await yard.settle()
    assert (await yard.job(other.id)).state == "SUCCEEDED"
