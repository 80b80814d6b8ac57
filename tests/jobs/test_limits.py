"""What owners and queues may hold, what owners have had of late, and arrays one after the other: by the real loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from casemate.accounts import Bounds, QuotaRequest, nearest, set_quota
from casemate.errors import BadInput, Conflict, QuotaExceeded, Refused
from casemate.jobs import Array, Resources, Retry, Service, Spec
from casemate.jobs.queues import JOB_QUEUE, Queue, Queues, filled, standing
from casemate.jobs.shares import HALF_LIFE, JOB_USE, USE, Use, charged, decayed
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, principal
from tests.jobs.yard import SPEC, Yard

DAY = HALF_LIFE


async def quota(yard: Yard, who: str, at: str = SECRET, **bounds: int) -> None:
    """A quota of that principal's jobs, set at that label."""
    flow = await flow_of(yard.world, principal(yard.world, "opal", TOP, "operator"), Action("set", "quota"), at)
    await set_quota(flow, QuotaRequest(principal=who, bounds=Bounds(**bounds)))


async def queue(yard: Yard, queue: Queue, at: str = SECRET) -> None:
    flow = await flow_of(yard.world, principal(yard.world, "opal", TOP, "operator"), Action("make", "job-queue"), at)
    await Queues(yard.world.house.gate).make(flow, queue)


async def use(yard: Yard, at: str = SECRET) -> Use | None:
    """The row of a class, as the loop left it."""
    flow = await yard.flow("read", "", at)
    found = [one.value for one in await flow.read_each(JOB_USE, USE) if one.ref.class_id == flow.access.id]
    return found[0] if found else None


async def states(yard: Yard, ids: list[str]) -> list[str]:
    return [(await yard.job(id)).state for id in ids]


def test_use_is_halved_each_day_and_grows_with_no_clock() -> None:
    use = charged(Use(0, {"x": 100.0, "y": 1.5}), [("x", 10.0), ("z", -5.0)], DAY)
    assert use == Use(DAY, {"x": 60.0, "z": 0.0})
    assert decayed(use, 3 * DAY) == {"x": 15.0}
    assert decayed(use, 0) == {"x": 60.0}
    assert charged(use, [], 0).at == DAY


async def test_who_has_had_less_of_late_goes_first_also_after_a_restart(yard: Yard) -> None:
    """What otto's job took stands in a row of the class, and in that of no other."""
    first = await yard.submit(replace(SPEC, resources=Resources(cpus=4)), who="otto")
    await yard.step(3)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    yard.engine.end(native, 0)
    await yard.step(3)
    assert await states(yard, [first.id]) == ["SUCCEEDED"]
    kept = await use(yard)
    assert kept is not None
    assert list(kept.owners) == [first.value.owner]
    assert [await use(yard, LOW), await use(yard, TOP)] == [None, None]
    yard.restart()
    whole = replace(SPEC, resources=Resources(cpus=4))
    theirs = await yard.submit(whole, who="otto")
    mine = await yard.submit(whole, who="olga")
    await yard.step(3)
    assert await states(yard, [theirs.id, mine.id]) == ["RUNNABLE", "STARTING"]


async def test_what_was_used_below_counts_nothing_above(yard: Yard) -> None:
    """Each class has its own row: otto, who had the machine at the floor, is first here, where he asked first."""
    await yard.submit(replace(SPEC, resources=Resources(cpus=4)), who="otto", at=LOW)
    await yard.settle()
    assert await use(yard, LOW) is not None
    theirs = await yard.submit(replace(SPEC, resources=Resources(cpus=4)), who="otto")
    yard.world.clock.forward(1)
    mine = await yard.submit(replace(SPEC, resources=Resources(cpus=4)), who="olga")
    await yard.step(3)
    assert await states(yard, [theirs.id, mine.id]) == ["STARTING", "RUNNABLE"]


async def test_what_runs_counts_with_all_that_it_was_given(yard: Yard) -> None:
    """Otto's long job has not ended yet: the next place is olga's, though he has asked for it before her."""
    long = Spec(("true",), resources=Resources(cpus=2, wall_s=9999))
    await yard.submit(long, who="otto")
    await yard.step(2)
    waits = [await yard.submit(Spec(("true",), resources=Resources(cpus=2)), who=who) for who in ("otto", "olga")]
    await yard.step(2)
    assert await states(yard, [one.id for one in waits]) == ["RUNNABLE", "STARTING"]


async def test_an_attempt_that_was_lost_counts_too(yard: Yard) -> None:
    found = await yard.submit(replace(SPEC, retry=Retry(1), resources=Resources(cpus=3)))
    await yard.step(3)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    await yard.step(2, 6.0)
    for spot in yard.scratch.spots.values():
        spot.alive = False
    await yard.step(8, 40.0)
    assert await states(yard, [found.id]) == ["FAILED"]
    kept = await use(yard)
    assert kept is not None
    assert list(kept.owners) == [found.value.owner]


async def test_an_owner_runs_no_more_than_his_limit(yard: Yard) -> None:
    """At that label and from there up; what another owner runs takes nothing of it."""
    await quota(yard, "olga", LOW, job_cpus=2)
    mine = [await yard.submit() for _ in range(4)]
    other = await yard.submit(who="otto")
    await yard.step(3)
    assert sorted(await states(yard, [one.id for one in mine])) == ["RUNNABLE"] * 2 + ["STARTING"] * 2
    assert await states(yard, [other.id]) == ["STARTING"]
    await yard.settle()
    assert set(await states(yard, [one.id for one in mine])) == {"SUCCEEDED"}


async def test_a_job_beyond_its_owners_limit_is_refused_by_name(yard: Yard) -> None:
    """It could never run, so it is not taken; what is set nearer counts."""
    await quota(yard, "olga", LOW, job_cpus=2, job_gpus=0)
    for asked in (Resources(cpus=3), Resources(nodes=3), Resources(gpus=1)):
        with pytest.raises(Refused) as refused:
            await yard.submit(replace(SPEC, resources=asked))
        assert refused.value.facts["rule"] == "job-quota"
    await yard.submit(replace(SPEC, resources=Resources(cpus=2)))
    await quota(yard, "olga", SECRET, job_cpus=3)
    await yard.submit(replace(SPEC, resources=Resources(cpus=3, gpus=1)))
    await yard.submit(replace(SPEC, resources=Resources(cpus=9)), who="otto")


async def test_an_owner_has_so_many_open_jobs_at_each_label(yard: Yard) -> None:
    """Children count each for themselves; a key that was used asks for nothing new; another label counts for itself."""
    await quota(yard, "olga", LOW, jobs=4)
    found = await yard.submit(SPEC, "key")
    await yard.submit(replace(SPEC, array=Array(3)))
    assert (await yard.submit(SPEC, "key")).id == found.id
    for many in ([(SPEC, "")], [(replace(SPEC, array=Array(5)), "")]):
        with pytest.raises(QuotaExceeded) as refused:
            await yard.jobs.submit_many(await yard.flow("submit"), many)
        assert refused.value.facts["limit"] == "jobs"
    await yard.submit(at=TOP)
    await yard.submit(who="otto")
    with pytest.raises(QuotaExceeded):
        await yard.jobs.retry(await yard.flow("retry"), await _ended(yard, found.id))
    await yard.settle()
    again = await yard.jobs.retry(await yard.flow("retry"), found.id)
    assert again.value.open == "yes"


async def test_a_service_that_is_changed_counts_as_one_that_is_asked_for(yard: Yard) -> None:
    def served(many: int, cpus: int = 1) -> Spec:
        return Spec(("serve",), kind="service", service=Service(replicas=many), resources=Resources(cpus=cpus))

    async def changed(spec: Spec) -> None:
        await yard.jobs.update(await yard.flow("update"), service.id, spec)

    await quota(yard, "olga", LOW, jobs=4, job_cpus=2)
    service = await yard.submit(served(2))
    await yard.submit()
    for many in (4, 64):
        with pytest.raises(QuotaExceeded) as refused:
            await changed(served(many))
        assert refused.value.facts["limit"] == "jobs"
    with pytest.raises(Refused) as large:
        await changed(served(2, cpus=3))
    assert large.value.facts["rule"] == "job-quota"
    assert (await yard.job(service.id)).spec == service.value.spec
    await changed(served(3, cpus=2))
    with pytest.raises(QuotaExceeded):
        await yard.submit()
    await quota(yard, "olga", SECRET, jobs=1)
    await changed(served(2))


async def _ended(yard: Yard, id: str) -> str:
    """That job ends, and another takes its place."""
    await yard.cancel(id)
    await yard.step(2)
    await yard.submit()
    return id


async def test_a_hundred_at_once_are_no_more_than_the_limit(yard: Yard) -> None:
    """Each counts before any of them has committed; one after the other has its turn."""
    await quota(yard, "olga", jobs=5)
    asked: Any = await asyncio.gather(*[yard.submit() for _ in range(30)], return_exceptions=True)
    assert sum(isinstance(one, QuotaExceeded) for one in asked) == 25
    assert sum(not isinstance(one, BaseException) for one in asked) == 5


async def test_a_queue_holds_no_more_than_its_share(yard: Yard) -> None:
    """Half of four slots, rounded up; what else waits has the rest."""
    await queue(yard, Queue("night", max_share=40))
    asked = [await yard.submit(replace(SPEC, queue="night")) for _ in range(3)]
    beside = await yard.submit()
    await yard.step(3)
    assert sorted(await states(yard, [one.id for one in asked])) == ["RUNNABLE", "STARTING", "STARTING"]
    assert await states(yard, [beside.id]) == ["STARTING"]


async def test_a_queue_gives_its_owners_their_shares(yard: Yard) -> None:
    """Three places for otto, one for olga."""
    await queue(yard, Queue("team", shares={"otto": 3.0, "nobody": 9.0}))
    asked = [await yard.submit(replace(SPEC, queue="team"), who=who) for _ in range(4) for who in ("olga", "otto")]
    await yard.step(3)
    begun = [one.value.person for one in asked if (await yard.job(one.id)).state == "STARTING"]
    assert sorted(begun) == ["olga", "otto", "otto", "otto"]


async def test_a_queue_above_changes_nothing_below(yard: Yard) -> None:
    """A queue and a quota that lie higher bind only who acts there."""
    await queue(yard, Queue("night"), LOW)
    await quota(yard, "olga", TOP, jobs=0, job_cpus=0)
    found = [await yard.submit(replace(SPEC, queue="night")) for _ in range(3)]
    await yard.step(3)
    assert set(await states(yard, [one.id for one in found])) == {"STARTING"}
    with pytest.raises(Refused):
        await yard.submit(at=TOP)


async def test_what_a_queue_cannot_be_is_said(yard: Yard) -> None:
    for wrong in (
        Queue("q", max_share=0),
        Queue("q", max_share=101),
        Queue("q", shares={"a": -1.0}),
        Queue("q", shares={"a": float("nan")}),
        Queue("q", shares={"a" * 129: 1.0}),
        Queue("q", shares={f"a{at}": 1.0 for at in range(1001)}),
        Queue("q", priority=1001),
        Queue("a b"),
    ):
        with pytest.raises(BadInput):
            await queue(yard, wrong)
    with pytest.raises(Conflict):
        await queue(yard, Queue("default"))


async def test_of_queues_of_one_name_the_highest_counts(yard: Yard) -> None:
    await queue(yard, Queue("night", max_share=50), TOP)
    await queue(yard, Queue("night", max_share=20), SECRET)
    flow = await yard.flow("read", "", TOP)
    found = await flow.every(JOB_QUEUE)
    assert standing(found)["night"].max_share == 50
    assert nearest([]) == Bounds()


async def test_a_sequential_array_runs_one_after_the_other(yard: Yard) -> None:
    """In order, though there is room for four; and behind one that failed nothing runs."""
    found = await yard.submit(replace(SPEC, array=Array(4, sequential=True)))
    order: list[str] = []
    for _ in range(30):
        await yard.step(2, 1.0)
        waiting = yard.engine.all("waiting")
        assert len(waiting) <= 1
        for native in waiting:
            if yard.engine.begin(native):
                order.append(yard.scratch.spots[yard.engine.known[native]].order.env["AWS_BATCH_JOB_ARRAY_INDEX"])  # type: ignore[union-attr]
                yard.engine.end(native, 0)
    assert order == ["0", "1", "2", "3"]
    assert (await yard.job(found.id)).state == "SUCCEEDED"
    found = await yard.submit(replace(SPEC, array=Array(3, sequential=True)))
    await yard.settle(1)
    assert (await yard.job(found.id)).counts == {"FAILED": 3}
    assert (await yard.job(f"{found.id}:2")).reason == "DEPENDENCY"
    assert (await yard.job(f"{found.id}:2")).attempts == ()


async def test_a_definition_makes_a_job_with_its_words(yard: Yard) -> None:
    """Words are replaced once, and only where one is given."""
    spec = Spec(("echo", "Ref::a", "x=Ref::b", "Ref::c"))
    assert filled(spec, {"a": "1", "b": "Ref::a"}).command == ("echo", "1", "x=Ref::a", "Ref::c")
