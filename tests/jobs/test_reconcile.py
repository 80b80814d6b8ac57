"""The loop of jobs against an engine that does what engines were measured to do: lose, double, forget, reuse."""

from __future__ import annotations

import asyncio

import pytest

from casemate.jobs import Input, Output, Resources, Retry, Spec
from casemate.jobs.executor import Capabilities
from casemate.jobs.plan import Node
from casemate.jobs.reconcile import EVERY, Reconciler
from casemate.jobs.sites import Site, Sites
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.jobs.yard import SPEC, Killed, Yard

THREE = Spec(("true",), retry=Retry(3))


async def test_a_job_runs_and_what_it_leaves_is_kept(yard: Yard) -> None:
    spec = Spec(("true",), outputs=(Output("all", ""), Output("one", "a.txt")), resources=Resources(power_w=5))
    found = await yard.submit(spec)
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    assert (await yard.job(found.id)).state == "STARTING"
    yard.engine.begin(native)
    await yard.step(2)
    assert (await yard.job(found.id)).state == "RUNNING"
    yard.engine.end(native, files={"a.txt": b"alpha", "log:out": b"said"})
    await yard.step(2)
    job = await yard.job(found.id)
    assert (job.state, job.open, job.phase) == ("SUCCEEDED", "no", "ended")
    assert [(one.name, one.size) for one in job.artefacts] == [("all/a.txt", 5), ("one", 5)]
    assert job.attempts[0].usage.energy_j == 10
    flow = await yard.flow("read")
    assert [piece async for piece in yard.jobs.artefact(flow, found.id, "one")] == [b"alpha"]
    assert await yard.jobs.log(flow, found.id, "out", 1, 2) == (b"ai", 3, False)
    assert await yard.jobs.log(flow, found.id, "out", 3, 9) == (b"d", 4, True)
    assert not yard.scratch.spots


async def test_a_trivial_job_costs_four_commits_and_many_share_them(yard: Yard) -> None:
    flow = await yard.flow("submit")
    found = await yard.jobs.submit_many(flow, [(SPEC, "")] * 4)
    calls = yard.world.calls
    calls.clear()
    await yard.step()
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
        yard.engine.end(native)
    await yard.step(3)
    commits = [call for call in calls if call.startswith("committer.commit")]
    assert len(commits) == 2, commits
    assert {(await yard.job(one.id)).state for one in found} == {"SUCCEEDED"}


@pytest.mark.parametrize("point", ["durable", "staged", "submitted"])
async def test_a_kill_at_any_point_of_a_submission_ends_in_one_effect(yard: Yard, point: str) -> None:
    found = await yard.submit()
    yard.kill_at = point
    with pytest.raises(BaseException) as killed:
        await yard.step()
    assert isinstance(killed.value, Killed) or killed.value.split(Killed)[0]  # type: ignore[attr-defined]
    yard.restart()
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, len(job.attempts)) == ("SUCCEEDED", 1)
    assert list(yard.engine.ran.values()) == [1]


async def test_what_an_engine_acknowledged_and_lost_is_submitted_again_under_its_token(yard: Yard) -> None:
    found = await yard.submit()
    yard.engine.forget = True
    await yard.step(2)
    yard.engine.forget = False
    await yard.step(3, 4.0)
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, len(job.attempts)) == ("SUCCEEDED", 1)
    assert set(yard.engine.submitted) == {job.attempts[0].token}


async def test_an_id_that_was_given_to_another_is_never_adopted(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.reuse(native, "f" * 32)
    yard.scratch.spots[(yard.engine.known[native][0], "f" * 32)] = type(next(iter(yard.scratch.spots.values())))()
    yard.engine.begin(native)
    await yard.step(3, 4.0)
    await yard.settle()
    job = await yard.job(found.id)
    assert job.state == "SUCCEEDED"
    assert job.attempts[0].native != native


async def test_a_lost_attempt_is_fenced_and_made_again(yard: Yard) -> None:
    found = await yard.submit(THREE)
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(2)
    yard.engine.die(native)
    await yard.step(3)
    await yard.settle()
    job = await yard.job(found.id)
    assert [one.state for one in job.attempts] == ["lost", "ended"]
    assert job.state == "SUCCEEDED"


async def test_a_zombie_commits_nothing(yard: Yard) -> None:
    """Stopped past its lease, then going on: its record is another token's, or nobody's."""
    found = await yard.submit(THREE)
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(2)
    key = yard.engine.known[native]
    yard.scratch.spots[key].alive = False
    for _ in range(4):
        await yard.step(1, 6.0)
    assert (await yard.job(found.id)).attempts[0].state == "lost"
    yard.engine.end(native, files={"log:out": b"the zombie's"})
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, len(job.attempts)) == ("SUCCEEDED", 2)
    assert (await yard.jobs.log(await yard.flow("read"), found.id, "out", 0, 99))[0] == b""


async def test_one_attempt_that_is_lost_and_may_not_be_made_again_has_failed(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    yard.engine.die(native)
    await yard.step(4)
    job = await yard.job(found.id)
    assert (job.state, job.reason) == ("FAILED", "LOST")


async def test_cancelling_races_completion_to_one_end(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    yard.engine.end(native)
    await asyncio.gather(yard.step(2), yard.cancel(found.id))
    await yard.step(3)
    job = await yard.job(found.id)
    assert job.state == "SUCCEEDED"
    await yard.cancel(found.id)
    assert (await yard.job(found.id)).state == "SUCCEEDED"


async def test_a_label_raised_between_submission_and_dispatch_is_honoured(yard: Yard) -> None:
    yard.inputs.things["object:b/k"] = (label_of(yard.world, LOW), b"data")
    good = await yard.submit(Spec(("true",), inputs=(Input("in", "object:b/k"),)))
    await yard.step(1)
    yard.inputs.things["object:b/k"] = (label_of(yard.world, LOW), b"other")
    changed = await yard.submit(Spec(("true",), inputs=(Input("in", "object:b/k"),)))
    yard.inputs.things["object:b/k"] = (label_of(yard.world, TOP), b"other")
    await yard.step(3)
    job = await yard.job(changed.id)
    assert (job.state, job.reason) == ("FAILED", "INPUT")
    assert all(at == label_of(yard.world, SECRET) for _, at in yard.inputs.read_at)
    await yard.settle()
    assert (await yard.job(good.id)).state == "SUCCEEDED"


async def test_an_owner_who_may_not_act_there_any_more_has_nothing_begun(yard: Yard) -> None:
    await yard.person("anna", SECRET)
    found = await yard.submit(who="anna")
    gate = yard.world.house.gate
    yard.world.house.gate.directory.principal = lambda id: None  # type: ignore[method-assign]
    await yard.step(2)
    del gate.directory.principal
    job = await yard.job(found.id)
    assert (job.state, job.reason) == ("FAILED", "OWNER")
    assert not yard.engine.submitted


async def test_an_engine_that_is_not_accredited_is_lent_nothing(yard: Yard) -> None:
    yard.engine.ceiling = type(yard.engine.ceiling)("fake", label_of(yard.world, LOW))
    found = await yard.submit()
    await yard.step(2)
    assert (await yard.job(found.id)).reason == "ACCREDITATION"
    assert not yard.scratch.spots


async def test_below_its_floor_of_isolation_nothing_runs(yard: Yard) -> None:
    yard.engine.levels = ("L1",)
    found = await yard.submit(Spec(("true",), floor="L2"))
    await yard.step(2)
    assert (await yard.job(found.id)).reason == "ISOLATION"


async def test_a_restart_finds_a_thousand_that_run(yard: Yard) -> None:
    yard.engine.slots = 1000
    flow = await yard.flow("submit")
    await yard.jobs.submit_many(flow, [(SPEC, "")] * 1000)
    await yard.step(8)
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
    await yard.step(2, 3.0)
    assert len(yard.engine.submitted) == 1000
    yard.restart()
    await yard.step(2, 3.0)
    for native in yard.engine.all("running"):
        yard.engine.end(native)
    await yard.step(4, 3.0)
    top = await yard.jobs.top(await yard.flow("list"))
    assert top["states"] == {}
    assert len(yard.engine.submitted) == 1000


async def test_an_engine_that_is_down_is_waited_for(yard: Yard) -> None:
    found = await yard.submit()
    yard.engine.down = True
    await yard.step(3)
    assert yard.reconciler.problems
    yard.engine.down = False
    await yard.settle()
    assert (await yard.job(found.id)).state == "SUCCEEDED"
    assert not yard.reconciler.problems


async def test_two_loops_make_one_attempt(yard: Yard) -> None:
    found = await yard.submit()
    first = yard.reconciler
    yard.restart()
    await asyncio.gather(first.step(), yard.reconciler.step())
    yard.at += 1
    await asyncio.gather(first.step(), yard.reconciler.step())
    assert len((await yard.job(found.id)).attempts) == 1
    assert len(set(yard.engine.submitted)) == 1


async def test_a_shim_that_comes_late_finds_the_folder_closed(yard: Yard) -> None:
    """Given up after it had been acknowledged: whoever claims it afterwards is turned away."""
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    removed, yard.scratch.remove = yard.scratch.remove, _kept  # type: ignore[method-assign]
    await yard.cancel(found.id)
    await yard.step(4)
    assert (await yard.job(found.id)).state == "CANCELLED"
    yard.scratch.remove = removed  # type: ignore[method-assign]
    yard.engine.states[native] = "waiting"
    assert not yard.engine.begin(native)


async def _kept(domain: str, token: str) -> None:
    """The disk does not let go of it."""


async def test_the_policy_asks_for_more_than_the_job(yard: Yard) -> None:
    yard.sites = Sites(yard.sites.every, "fake", lambda label: "L2")
    yard.restart()
    await yard.submit(Spec(("true",), floor="L1"))
    await yard.step(2)
    [spot] = yard.scratch.spots.values()
    assert spot.order is not None
    assert spot.order.level == "L2"


async def test_the_network_is_asked_about_again_when_a_job_begins(yard: Yard) -> None:
    yard.sites = Sites(yard.sites.every, "fake", network=[(await yard.flow("read")).acting])
    yard.restart()
    job = await yard.submit(Spec(("true",), resources=Resources(network="host")))
    yard.sites = Sites(yard.sites.every, "fake")
    yard.restart()
    await yard.step(2)
    seen = await yard.job(job.id)
    assert (seen.state, seen.reason) == ("FAILED", "NETWORK")
    assert not yard.engine.submitted


async def test_ranks_across_nodes_are_asked_about_again_when_they_begin(yard: Yard) -> None:
    yard.sites = Sites(yard.sites.every, "fake", network=[(await yard.flow("read")).acting])
    yard.restart()
    job = await yard.submit(Spec(("true",), resources=Resources(nodes=2, network="host")))

    def two(domain: str, told: Capabilities) -> list[Node]:
        return [Node(name, domain, told.slots, 1 << 40) for name in ("a", "b")]

    yard.sites = Sites({"fake": Site(yard.engine, yard.scratch, two)}, "fake", lambda label: "L2")
    yard.restart()
    await yard.step(2)
    seen = await yard.job(job.id)
    assert (seen.state, seen.reason) == ("FAILED", "NODES")
    assert not yard.engine.submitted


async def test_folders_of_nobody_are_swept_at_the_start(yard: Yard) -> None:
    domain = (await yard.flow("read")).access.id
    await yard.scratch.make(domain, "0" * 32)
    await yard.scratch.make(domain, "1" * 32)
    yard.scratch.spots[(domain, "1" * 32)].alive = True
    yard.restart()
    await yard.submit()
    await yard.step()
    assert (domain, "0" * 32) not in yard.scratch.spots
    assert (domain, "1" * 32) in yard.scratch.spots


async def test_what_does_not_end_when_it_is_stopped_is_fenced(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(2)
    await yard.cancel(found.id)
    await yard.step(2)
    flow = await yard.flow("read")
    yard.engine.spot(native).files["log:err"] = b"still"
    assert await yard.jobs.log(flow, found.id, "err") == (b"still", 5, False)
    await yard.step(12, 10.0)
    assert (await yard.job(found.id)).state == "CANCELLED"
    assert await yard.jobs.log(flow, found.id, "err") == (b"", 0, True)


async def test_an_engine_that_says_running_of_what_nobody_claims_is_not_believed_for_ever(yard: Yard) -> None:
    found = await yard.submit()
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.states[native] = "running"
    await yard.step(14, 10.0)
    assert (await yard.job(found.id)).reason == "LOST"


async def test_a_kill_while_engines_run_it_twice_has_one_effect(yard: Yard) -> None:
    found = await yard.submit()
    yard.engine.twice = True
    yard.kill_at = "submitted"
    with pytest.raises(BaseException):  # noqa: B017 - the kill, in a group
        await yard.step()
    [order] = [spot.order for spot in yard.scratch.spots.values()]
    assert order is not None
    await yard.engine.submit(order)
    yard.restart()
    await yard.settle()
    job = await yard.job(found.id)
    assert (job.state, len(job.attempts), list(yard.engine.ran.values())) == ("SUCCEEDED", 1, [1])
    assert yard.engine.cancelled


async def test_a_defect_of_one_class_is_no_other_classes(yard: Yard) -> None:
    above = await yard.submit(at=TOP)
    below = await yard.submit()
    broken = (await yard.flow("read", at=TOP)).access.id
    yard.engine.broken = broken
    await yard.settle()
    assert (await yard.job(below.id)).state == "SUCCEEDED"
    assert yard.reconciler.problems == {broken: "internal"}
    yard.engine.broken = ""
    await yard.settle()
    assert (await yard.job(above.id, TOP)).state == "SUCCEEDED"
    assert [loop.name for loop in yard.jobs.loops()] == ["jobs.reconcile"]
    await yard.jobs.stop()


@pytest.mark.parametrize("ends", [True, False])
async def test_a_lane_stays_a_moment_with_what_has_just_begun_and_no_longer(yard: Yard, ends: bool) -> None:
    """Killed: a lane that leaves what ends in a moment to the next step, and one that stays with what runs for long."""
    calls = 0

    def monotonic() -> float:
        nonlocal calls
        calls += 1
        assert calls < 1000, "the lane does not come back"
        for native in yard.engine.all("waiting") if calls > 20 else ():
            if yard.engine.begin(native) and ends:
                yard.engine.end(native)
        return 1000.0 + calls * EVERY / 100

    gate = yard.world.house.gate
    loop = Reconciler(gate, yard.inputs, yard.sites, 0.0, monotonic=monotonic)
    found = await yard.submit()
    await loop.lane((await yard.flow("read")).access)  # one look of the loop, and no other
    await loop.stop()
    assert (await yard.job(found.id)).state == ("SUCCEEDED" if ends else "RUNNING")
    assert calls > 20
    assert not loop.problems
