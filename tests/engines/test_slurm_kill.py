"""A real Slurm that is killed: it forgets jobs that it has acknowledged, gives their ids again, and runs one job twice.

What counts all the same: each attempt has its effect once, and nobody takes another attempt's job for his own. The
ordinary suite kills once, the long one again and again, and waits until Slurm itself finds a node gone.
"""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from casemate.engines.executor_slurm_text import parted
from casemate.errors import EngineFailed
from casemate.jobs.executor import Executor, Order
from casemate.jobs.job import Resources
from tests.contracts.executor_rigs import HIGH, LOW, Rig, opened, until
from tests.contracts.test_executor import HOLDS, begun, over
from tests.engines import slurm_server
from tests.engines.slurm_server import CORES, NODES, Cluster
from tests.engines.slurm_server import LOW as USER
from tests.laws.long import leave

BURST = 5
ONCE = "begun\nended\n"
QUICKLY = "echo begun >> ../out/effect; echo ended >> ../out/effect"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Ready, whatever a test did to it before."""
    found = slurm_server.shared()
    found.up()
    yield found
    found.up()


def restarted(cluster: Cluster) -> None:
    cluster.start("slurmctld")
    slurm_server.until(lambda: "UP" in cluster.run("scontrol", "ping"))


@contextmanager
def drained(cluster: Cluster) -> Iterator[None]:
    """Nothing begins meanwhile."""
    nodes = ",".join(NODES)
    cluster.run("scontrol", "update", f"nodename={nodes}", "state=drain", "reason=test")
    yield
    cluster.run("scontrol", "update", f"nodename={nodes}", "state=resume")


async def burst(cluster: Cluster, rig: Rig, engine: Executor) -> tuple[int, int]:
    """Killed behind a burst that it acknowledged: how many jobs it lost, and how many of their ids it gave again."""
    with drained(cluster):
        orders = [await rig.order(QUICKLY) for _ in range(BURST)]
        natives = [await engine.submit(order) for order in orders]
        cluster.kill("slurmctld")
        with pytest.raises(EngineFailed) as away:  # nobody takes that for an answer: nothing is gone yet
            await rig.engine().poll(LOW, natives)
        assert away.value.cause in ("down", "slow")
        restarted(cluster)
        told = await engine.poll(LOW, natives)
        lost = [number for number in range(BURST) if told[natives[number]].state == "gone"]
        again: dict[int, str] = {}
        for number in reversed(lost):  # as a region does that does not find them by their tokens
            assert list(await engine.find(LOW, orders[number].token)) == []
            again[number] = await engine.submit(orders[number])
        strangers = {parted(one)[0] for one in again.values()} & {parted(natives[number])[0] for number in lost}
        for number, native in again.items():
            former = natives[number]
            if former != native:
                assert (await engine.poll(LOW, [former]))[former].state == "gone", "another attempt's job was adopted"
                await engine.cancel(LOW, former, 0.0)  # ends nobody else's
    for number, order in enumerate(orders):
        assert (await rig.recorded(order)).exit == 0
        await over(engine, again.get(number, natives[number]))
        assert rig.out(order) == ONCE
    return len(lost), len(strangers)


async def node_lost(cluster: Cluster, rig: Rig, engine: Executor, by_hand: bool) -> None:
    """Its daemons are killed while a job runs: the job goes on, another of its name begins, and it has one effect."""
    order = await rig.order(HOLDS)
    native = await engine.submit(order)
    await begun(rig, order)
    at = (await engine.poll(LOW, [native]))[native].node
    cluster.kill(at)
    cluster.kill_steps()
    if by_hand:
        cluster.run("scontrol", "update", f"nodename={at}", "state=down", "reason=test")

    async def failed() -> bool:
        told = (await engine.poll(LOW, [native]))[native]
        return (told.state, told.reason) == ("ended", "node_fail")

    await until(failed)
    assert (await rig.told(order)).alive  # its shim lives, and beats
    second = again_by_hand(cluster, rig, order)
    await over(engine, second)
    assert not (await rig.told(order)).recorded
    assert rig.out(order) == "begun\n"
    rig.release(order)
    assert (await rig.recorded(order)).exit == 0
    assert rig.out(order) == ONCE
    cluster.start(at)
    if by_hand:
        cluster.run("scontrol", "update", f"nodename={at}", "state=resume")


def again_by_hand(cluster: Cluster, rig: Rig, order: Order) -> str:
    """A second incarnation under the same name, as a requeue makes it."""
    user = pwd.getpwnam(USER)
    words = [
        "sbatch",
        "--parsable",
        f"--job-name=cm-{order.token}",
        f"--comment={LOW}",
        "--chdir=/",
        "--output=/dev/null",
    ]
    done = subprocess.run(
        words,
        input=f"#!/bin/sh\nexec {' '.join(rig.shim)} {order.folder}\n".encode(),
        env={"PATH": "/usr/bin:/bin", "SLURM_CONF": cluster.conf},
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=True,
    )
    return f"{done.stdout.decode().strip()}.{order.token}"


async def test_lost_jobs_are_found_missing_and_run_once(cluster: Cluster) -> None:
    with opened("slurm") as rig:
        engine = rig.engine()
        lost, given_again = await burst(cluster, rig, engine)
        print(f"\nkill -9 of slurmctld behind {BURST} acknowledged jobs: {lost} lost, {given_again} ids given again")
        assert lost
        await rig.close()


async def test_a_node_that_is_lost_takes_no_job_along(cluster: Cluster) -> None:
    with opened("slurm") as rig:
        await node_lost(cluster, rig, rig.engine(), by_hand=True)
        await rig.close()


async def test_what_runs_is_known_after_a_restart(cluster: Cluster) -> None:
    with opened("slurm") as rig:
        engine = rig.engine()
        order = await rig.order(HOLDS)
        native = await engine.submit(order)
        await begun(rig, order)
        cluster.daemons["slurmctld"].terminate()
        cluster.daemons.pop("slurmctld").wait()
        restarted(cluster)
        assert list(await engine.find(LOW, order.token)) == [native]
        assert await engine.submit(order) == native
        rig.release(order)
        assert (await rig.recorded(order)).exit == 0
        await over(engine, native)
        assert rig.out(order) == ONCE
        await rig.close()


async def test_no_node_runs_jobs_of_two_labels(cluster: Cluster) -> None:
    with opened("slurm") as rig:
        engine = rig.engine()
        low = [await rig.order(HOLDS, resources=Resources(cpus=1, memory_mb=64), node=name) for name in NODES]
        natives = [await engine.submit(order) for order in low]
        for order in low:
            await begun(rig, order)
        high = await rig.order(QUICKLY, HIGH)
        above = await engine.submit(high)
        beside = await rig.order(QUICKLY)
        await engine.submit(beside)
        assert (await rig.recorded(beside)).exit == 0  # there is room: CORES on each
        waits = (await engine.poll(HIGH, [above]))[above]
        assert (waits.state, waits.reason) == ("waiting", "")
        assert CORES > 2
        rig.release(low[0])
        assert (await rig.recorded(high)).exit == 0
        told = await engine.poll(LOW, natives)
        assert [told[native].state for native in natives][1] == "running"
        rig.release(low[1])
        await rig.recorded(low[1])
        await rig.close()


async def test_a_job_waits_for_another_in_slurm_itself(cluster: Cluster) -> None:
    with opened("slurm") as rig:
        engine = rig.engine()
        first = await rig.order(HOLDS)
        native = await engine.submit(first)
        second = await rig.order(QUICKLY, after=(native, f"999.{secrets.token_hex(16)}"))
        waits = await engine.submit(second)
        await begun(rig, first)
        told = await engine.poll(LOW, [native, waits])
        assert (told[native].state, told[waits].state, told[waits].reason) == ("running", "waiting", "Dependency")
        rig.release(first)
        assert (await rig.recorded(second)).exit == 0
        await rig.close()


@pytest.mark.long
async def test_slurm_is_killed_again_and_again(cluster: Cluster) -> None:
    rounds, nodes, lost, given_again = 8, 2, 0, 0
    with opened("slurm") as rig:
        engine = rig.engine()
        for _ in range(rounds):
            gone, strangers = await burst(cluster, rig, engine)
            lost, given_again = lost + gone, given_again + strangers
        for _ in range(nodes):
            cluster.up()
            await node_lost(cluster, rig, engine, by_hand=False)
        await rig.close()
    print(f"\n{rounds} bursts, {lost} jobs lost, {given_again} ids given again; load {os.getloadavg()[0]}")
    told = {"bursts": rounds, "jobs": rounds * BURST, "lost": lost, "ids_given_again": given_again}
    leave("slurm_kill", **told, nodes_lost=nodes, adopted=0, twice=0)
