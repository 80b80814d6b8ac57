"""One contract for all that runs attempts: this machine's processes, a real Slurm of two nodes, real Ray heads."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from casemate.cells.shim.walls import bubblewrap
from casemate.errors import EngineFailed
from casemate.jobs.executor import Executor, Order, Polled
from casemate.jobs.job import Resources
from tests.contracts.executor_rigs import HIGH, LOW, RIGS, Rig, opened, until

HOLDS = "echo begun >> ../out/effect; while [ ! -e ../out/go ]; do sleep 0.1; done; echo ended >> ../out/effect"


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Rig]:
    with opened(request.param) as found:
        yield found
        runner.run(found.close())


async def state(engine: Executor, native: str, domain: str = LOW) -> Polled:
    return (await engine.poll(domain, [native])).get(native, Polled("gone"))


async def stands(engine: Executor, native: str, wanted: str, domain: str = LOW) -> None:
    async def so() -> bool:
        return (await state(engine, native, domain)).state == wanted

    await until(so)


async def over(engine: Executor, native: str, domain: str = LOW) -> None:
    """The engine holds it no longer, whether it still remembers it or not."""

    async def so() -> bool:
        return (await state(engine, native, domain)).state in ("ended", "gone")

    await until(so)


async def begun(rig: Rig, order: Order) -> None:
    await until(lambda: "begun" in rig.out(order))


async def test_how_it_ended_comes_through_the_folder(rig: Rig) -> None:
    engine = rig.engine()
    lines = ("exit 0", "exit 3", "kill -9 $$", "echo said; echo wrong >&2")
    ended = [await rig.order(line) for line in lines]
    natives = [await engine.submit(order) for order in ended]
    assert len(set(natives)) == 4
    records = [await rig.recorded(order) for order in ended]
    assert [one.exit for one in records] == [0, 3, 137, 0]
    assert [one.signal for one in records] == [0, 0, 9, 0]
    assert all(0 < one.started <= one.ended and one.node and one.level == "L1" for one in records)
    for native in natives:
        await over(engine, native)
    assert rig.log(ended[3]) == ("said\n", "wrong\n")


async def test_one_call_tells_of_all(rig: Rig) -> None:
    engine = rig.engine()
    held, done = await rig.order(HOLDS), await rig.order("exit 0")
    natives = [await engine.submit(held), await engine.submit(done)]
    await begun(rig, held)
    await over(engine, natives[1])
    told = await engine.poll(LOW, [*natives, "nonsense"])
    assert told[natives[0]].state == "running"
    assert told[natives[0]].token in ("", held.token)
    assert told[natives[1]].state in ("ended", "gone")
    assert told.get("nonsense", Polled("gone")).state == "gone"
    rig.release(held)
    assert (await rig.recorded(held)).exit == 0
    assert await engine.poll(LOW, []) == {}


async def test_the_same_token_is_the_same_attempt(rig: Rig) -> None:
    engine = rig.engine()
    order = await rig.order(HOLDS)
    native = await engine.submit(order)
    assert await engine.submit(order) == native
    await begun(rig, order)
    assert await engine.submit(order) == native
    assert await rig.engine().submit(order) == native  # a region that was started again
    assert list(await engine.find(LOW, order.token)) == [native]
    rig.release(order)
    await rig.recorded(order)
    await over(engine, native)
    assert rig.out(order) == "begun\nended\n"


async def test_two_who_submit_one_token_at_once_have_one_effect(rig: Rig) -> None:
    order = await rig.order("echo begun >> ../out/effect; sleep 0.3; echo ended >> ../out/effect")
    engines = [rig.engine(), rig.engine()]
    natives = await asyncio.gather(*(engine.submit(order) for engine in engines for _ in range(2)))
    assert set(await engines[0].find(LOW, order.token)) <= set(natives)
    await rig.recorded(order)
    for native in natives:
        await over(engines[0], native)
    assert rig.out(order) == "begun\nended\n"


async def test_what_nobody_submitted_is_not_there(rig: Rig) -> None:
    engine = rig.engine()
    token = secrets.token_hex(16)
    assert list(await engine.find(LOW, token)) == []
    for native in ("", "nonsense", "1", token, f"1.{token}", "../../etc", f"{token} --all"):
        assert (await engine.poll(LOW, [native])).get(native, Polled("gone")).state == "gone"
        await engine.cancel(LOW, native, 1.0)
    assert list(await engine.find(LOW, "no token, and --all")) == []


async def test_one_that_runs_is_cancelled(rig: Rig) -> None:
    engine = rig.engine()
    order = await rig.order(HOLDS)
    native = await engine.submit(order)
    await begun(rig, order)
    await engine.cancel(LOW, native, order.grace_s)
    record = await rig.recorded(order)
    assert (record.reason, record.signal) == ("stop", 15)
    await over(engine, native)
    assert rig.out(order) == "begun\n"
    await engine.cancel(LOW, native, order.grace_s)  # it has ended: no error


async def test_one_that_waits_is_cancelled(rig: Rig) -> None:
    """A region fences the folder first, so that whatever the engine still starts has no effect."""
    engine = rig.engine()
    filling = [await rig.order(HOLDS, resources=Resources(cpus=cpus, memory_mb=64)) for cpus in rig.fills]
    natives = [await engine.submit(order) for order in filling]
    for order in filling:
        await begun(rig, order)
    waiting = await rig.order("echo begun >> ../out/effect")
    if filling:
        natives.append(await engine.submit(waiting))
        assert (await state(engine, natives[-1])).state == "waiting"
    await rig.scratch.fence(LOW, waiting.token)
    native = await engine.submit(waiting)
    await engine.cancel(LOW, native, 0.0)
    for order in filling:
        rig.release(order)
    for one in (*natives, native):
        await over(engine, one)
    assert rig.out(waiting) == ""
    assert not (await rig.told(waiting)).recorded


async def test_one_that_has_ended_is_cancelled_without_an_error(rig: Rig) -> None:
    engine = rig.engine()
    order = await rig.order("exit 0")
    native = await engine.submit(order)
    assert (await rig.recorded(order)).exit == 0
    await over(engine, native)
    await engine.cancel(LOW, native, 1.0)
    assert (await rig.recorded(order)).reason == ""


async def test_a_domain_knows_nothing_of_another(rig: Rig) -> None:
    engine = rig.engine()
    above, below = await rig.order(HOLDS, HIGH), await rig.order("exit 0", LOW)
    native = await engine.submit(above)
    await engine.submit(below)
    await begun(rig, above)
    assert list(await engine.find(LOW, above.token)) == []
    assert (await engine.poll(LOW, [native])).get(native, Polled("gone")).state == "gone"
    await engine.cancel(LOW, native, 0.0)
    assert (await state(engine, native, HIGH)).state == "running"
    assert list(await engine.find(HIGH, above.token)) == [native]
    assert (await rig.recorded(below)).exit == 0  # it waits for nothing above
    rig.release(above)
    assert (await rig.recorded(above)).exit == 0


async def test_what_runs_goes_on_without_the_engine(rig: Rig) -> None:
    first = rig.engine()
    order, other = await rig.order(HOLDS), await rig.order(HOLDS)
    natives = [await first.submit(order), await first.submit(other)]
    await begun(rig, order)
    await begun(rig, other)
    await first.close()
    second = rig.engine()
    assert list(await second.find(LOW, order.token)) == [natives[0]]
    told = await second.poll(LOW, natives)
    assert [told[native].state for native in natives] == ["running", "running"]
    rig.release(order)
    assert (await rig.recorded(order)).exit == 0
    assert rig.out(order) == "begun\nended\n"
    await second.cancel(LOW, natives[1], 1.0)  # the new one ends what the old one began
    assert (await rig.recorded(other)).signal == 15


async def test_a_service_runs_until_it_is_stopped(rig: Rig) -> None:
    engine = rig.engine()
    assert (await engine.capabilities()).services
    order = await rig.order(HOLDS, service=True, resources=Resources(memory_mb=64, wall_s=0))
    native = await engine.submit(order)
    await begun(rig, order)
    await engine.cancel(LOW, native, 1.0)
    assert (await rig.recorded(order)).signal == 15


async def test_a_job_in_namespaces_of_its_own(rig: Rig) -> None:
    """L2, as whoever the engine runs it as: it sees its own folder as /job and /out, and no other process."""
    if not bubblewrap():
        pytest.skip("no bubblewrap here: apt-get install bubblewrap")
    engine = rig.engine()
    order = await rig.order("ls -d /proc/[0-9]* | wc -l > /out/effect; pwd; id -u", level="L2")
    await engine.submit(order)
    record = await rig.recorded(order)
    assert (record.exit, record.reason, record.level) == (0, "", "L2")
    assert int(rig.out(order)) < 8
    assert rig.log(order) == ("/job\n1000\n", "")


async def test_it_says_what_it_can(rig: Rig) -> None:
    engine = rig.engine()
    can = await engine.capabilities()
    assert can.nodes >= 1
    assert set(can.levels) <= {"L1", "L2", "L3"}
    assert engine.name
    assert engine.ceiling is not None


async def test_a_domain_that_it_does_not_serve_is_refused(rig: Rig) -> None:
    if rig.name == "process":
        pytest.skip("this machine serves every domain")
    engine = rig.engine()
    order = replace(await rig.order("exit 0"), domain="class_other")
    with pytest.raises(EngineFailed) as refused:
        await engine.submit(order)
    assert refused.value.cause == "rejected"
    assert "labels" in str(refused.value.facts["why"])
    with pytest.raises(EngineFailed):
        await engine.find("class_other", order.token)
