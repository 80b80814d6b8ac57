"""The loop of services beside a fake engine: replicas are jobs, doors are told, kills and rivals change nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from casemate.errors import Absent, BadInput, Refused
from casemate.jobs import Checkpoint, Evaluate, Job, Output, Resources, Retry, Service, Spec
from casemate.jobs.job import After, Array, Serving
from casemate.jobs.services import Services, Way
from casemate.objects import Where
from tests.attacks.scene import LOW, SECRET, TOP
from tests.jobs.yard import SPEC, Yard

TWO = Spec(("serve",), kind="service", service=Service(replicas=2, port=9000, path="/health", drain_s=5))


class Told:
    """Remembers what is asked."""

    def __init__(self) -> None:
        self.ways: dict[str, Mapping[int, Way]] = {}

    async def open(self, domain: str, service: str, ways: Mapping[int, Way]) -> None:
        self.ways[service] = ways
        assert all(way.engine == "fake" and way.token and domain for way in ways.values())


class Place:
    """A yard with the loop of services beside that of jobs."""

    def __init__(self, yard: Yard) -> None:
        self.yard, self.doors = yard, Told()
        self.restart()

    def restart(self) -> None:
        self.yard.restart()
        self.services = Services(self.yard.world.house.gate, self.yard.sites, self.doors, None)

    async def go(self, times: int = 4, seconds: float = 1.0, well: bool = True) -> None:
        """Both loops; what begins is well at once, or never."""
        for _ in range(times):
            self.yard.world.clock.forward(seconds)
            await self.services.step()
            await self.yard.step(1, seconds)
            for native in self.yard.engine.all("waiting"):
                if self.yard.engine.begin(native):
                    self.yard.engine.spot(native).healthy = well
            for native in self.yard.engine.all("running"):
                if self.yard.engine.spot(native).stopped:
                    self.yard.engine.end(native, 143)
        assert self.services.problems == {}

    async def job(self, id: str) -> Job:
        return await self.yard.job(id)

    async def serving(self, id: str) -> Serving:
        found = (await self.job(id)).serving
        assert found is not None
        return found

    async def states(self, id: str) -> list[tuple[int, int, str]]:
        return [(one.index, one.revision, one.state) for one in (await self.serving(id)).replicas]


@pytest.fixture
def place(yard: Yard) -> Place:
    return Place(yard)


async def test_replicas_are_jobs_of_the_service_and_are_asked_when_they_are_well(place: Place) -> None:
    service = await place.yard.submit(TWO)
    assert (service.value.phase, service.value.state, service.value.attempts) == ("serving", "RUNNABLE", ())
    await place.go()
    assert await place.states(service.id) == [(0, 1, "healthy"), (1, 1, "healthy")]
    assert sorted(place.doors.ways[service.id]) == [0, 1]
    job = await place.job(service.id)
    assert (job.state, job.open, job.attempts) == ("RUNNING", "yes", ())
    child = await place.job(f"{service.id}:0")
    assert (child.parent, child.index, child.owner) == (service.id, 0, job.owner)
    token = child.attempts[-1].token
    order = next(spot.order for (_, one), spot in place.yard.scratch.spots.items() if one == token)
    assert order is not None
    assert order.serve is not None
    assert (order.level, order.service, order.serve.port, order.serve.path) == ("L2", True, 9000, "/health")
    assert (order.serve.knock, order.env["PORT"]) == ("", "9000")
    page = await place.yard.jobs.page(await place.yard.flow("list"), Where((("parent", ""),)))
    assert [found.id for found in page.items] == [service.id]


async def test_a_replica_is_asked_where_its_engine_has_it_run(place: Place) -> None:
    """What its folder says of the machine tells only whether that is this one."""
    place.yard.engine.node = "n7"
    service = await place.yard.submit(TWO)
    await place.go()
    assert (await place.job(f"{service.id}:0")).attempts[-1].node == "n7"
    way = place.doors.ways[service.id][0]
    assert (way.host, way.node) == ("n7", "here")


async def test_another_process_finds_all_as_it_stands(place: Place) -> None:
    service = await place.yard.submit(TWO)
    await place.go()
    token = (await place.job(f"{service.id}:0")).attempts[-1].token
    place.doors.ways.clear()
    place.restart()
    await place.go()
    assert await place.states(service.id) == [(0, 1, "healthy"), (1, 1, "healthy")]
    assert place.doors.ways[service.id][0].token == token


async def test_one_that_is_lost_is_begun_again_and_one_that_cannot_begin_says_why(place: Place) -> None:
    service = await place.yard.submit(TWO)
    await place.go()
    [first, _] = place.yard.engine.all("running")
    place.yard.engine.end(first, 1)
    await place.go(8)
    serving = await place.serving(service.id)
    assert (serving.made, serving.why) == (3, "exit 1")
    assert [one.state for one in serving.replicas] == ["healthy"] * 2
    await place.yard.cancel(service.id)
    place.yard.engine.levels = ("L1",)  # a network of its own is nothing that L1 has
    poor = await place.yard.submit(TWO)
    await place.go(8)
    assert (await place.serving(poor.id)).why == "ISOLATION"
    assert (await place.job(poor.id)).open == "yes"


async def test_a_change_takes_over_one_by_one(place: Place) -> None:
    service = await place.yard.submit(TWO)
    await place.go()
    flow = await place.yard.flow("update")
    changed = await place.yard.jobs.update(flow, service.id, Spec(("other",), kind="service", service=TWO.service))
    assert changed.value.serving is not None
    assert changed.value.serving.revision == 2
    least = 2
    for _ in range(20):
        await place.go(1)
        least = min(least, len(place.doors.ways[service.id]))
    assert least == 2
    assert await place.states(service.id) == [(2, 2, "healthy"), (3, 2, "healthy")]
    assert (await place.job(f"{service.id}:0")).state == "CANCELLED"
    child = await place.job(f"{service.id}:3")
    assert child.spec is not None
    assert child.spec.command == ("other",)


async def test_a_stop_ends_every_replica_and_then_the_service(place: Place) -> None:
    service = await place.yard.submit(TWO)
    await place.go()
    await place.yard.cancel(service.id)
    assert (await place.job(service.id)).open == "yes"
    await place.go(8)
    job = await place.job(service.id)
    assert (job.state, job.open, job.reason, place.doors.ways[service.id]) == (
        "CANCELLED", "no", "no longer wanted", {},
    )  # fmt: skip
    assert (await place.job(f"{service.id}:1")).state == "CANCELLED"
    again = await place.yard.jobs.retry(await place.yard.flow("retry"), service.id)
    assert (again.value.phase, again.value.serving) == ("serving", Serving())
    with pytest.raises(BadInput):
        await place.yard.jobs.retry(await place.yard.flow("retry"), f"{service.id}:1")
    with pytest.raises(BadInput):
        await place.yard.jobs.update(await place.yard.flow("update"), service.id, TWO)


async def test_only_whose_it_is_changes_it_and_nobody_below_knows_it(place: Place) -> None:
    service = await place.yard.submit(TWO)
    for who, at in (("otto", SECRET), ("olga", LOW)):
        with pytest.raises((Absent, Refused)):
            await place.yard.jobs.update(await place.yard.flow("update", who, at), service.id, TWO)
    plain = await place.yard.submit(SPEC)
    with pytest.raises(BadInput):
        await place.yard.jobs.update(await place.yard.flow("update"), plain.id, TWO)
    with pytest.raises(BadInput):
        await place.yard.jobs.update(await place.yard.flow("update"), service.id, SPEC)
    high = await place.yard.submit(TWO, at=TOP)
    await place.go()
    assert set(place.doors.ways) == {service.id, high.id}


@pytest.mark.parametrize(
    "spec",
    [
        Spec(("a",), service=Service()),
        Spec(("a",), kind="service", resources=Resources(network="host")),
        Spec(("a",), kind="service", resources=Resources(nodes=2)),
        Spec(("a",), kind="service", after=(After("job_a"),)),
        Spec(("a",), kind="service", outputs=(Output("a", "a"),)),
        Spec(("a",), kind="service", deadline_s=9),
        Spec(("a",), kind="service", checkpoint=Checkpoint("a")),
        Spec(("a",), kind="service", preemptible=True),
        Spec(("a",), kind="service", array=Array(2)),
        Spec(("a",), kind="service", retry=Retry(2)),
        Spec(("a",), kind="service", retry=Retry(1, (Evaluate("EXIT"),))),
        Spec(("a",), kind="service", service=Service(port=80)),
        Spec(("a",), kind="service", service=Service(replicas=0)),
        Spec(("a",), kind="service", service=Service(path="health")),
        Spec(("a",), kind="service", service=Service(path="/a HTTP/1.1\r\nX: y")),
    ],
)
async def test_what_cannot_be_a_service_is_refused(yard: Yard, spec: Spec) -> None:
    with pytest.raises(BadInput):
        await yard.submit(spec)
