"""Jobs of a region on a real Slurm, as its settings name it: placed by the planner, run as the label's user, sealed."""

from __future__ import annotations

import asyncio
import pwd
import tempfile
from pathlib import Path

from casemate.jobs import Jobs, Output, Resources, Spec
from casemate.jobs.reconcile import Reconciler
from casemate.settings import JobDomain, JobEngine, JobSettings
from casemate.wiring.jobs import sites_of
from tests.attacks.scene import LOW, SECRET
from tests.contracts.executor_rigs import everybodys
from tests.engines import slurm_server
from tests.jobs.yard import Yard
from tests.laws.world import World


def settings(folder: Path) -> JobSettings:
    folder.chmod(0o755)
    cluster = slurm_server.shared()
    labels = {LOW: JobDomain(user=slurm_server.LOW), SECRET: JobDomain(user=slurm_server.HIGH, partition="batch")}
    engine = JobEngine("slurm", SECRET, str(folder / "jobs"), labels, everybodys(folder), conf=cluster.conf)
    return JobSettings(first="hpc", engines={"hpc": engine}, isolate="")


async def test_two_labels_run_on_nodes_of_their_own(world: World) -> None:
    yard = Yard(world)
    await yard.person("olga")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sites = sites_of(world.house, settings(folder), process=False)
        reconciler = Reconciler(world.house.gate, yard.inputs, sites)
        jobs = Jobs(world.house.gate, yard.inputs, sites, reconciler)
        line = "id -u > ../out/who; echo said"
        spec = Spec(
            ("/bin/sh", "-c", line), floor="L1", outputs=(Output("all", ""),), resources=Resources(memory_mb=64)
        )
        found = {at: await jobs.submit(await yard.flow("submit", "", at), spec) for at in (LOW, SECRET)}
        for at, made in found.items():
            flow = await yard.flow("read", "", at)
            async with asyncio.timeout(120):
                while (await jobs.named(flow, made.id)).value.open == "yes":
                    await reconciler.step()
                    await asyncio.sleep(0.05)
            job = (await jobs.named(flow, made.id)).value
            assert job.state == "SUCCEEDED", (job, await jobs.log(flow, made.id, "err"))
            assert (await jobs.log(flow, made.id, "out"))[0] == b"said\n"
            who = b"".join([piece async for piece in jobs.artefact(flow, made.id, "all/who")])
            user = slurm_server.LOW if at == LOW else slurm_server.HIGH
            assert int(who) == pwd.getpwnam(user).pw_uid
            assert job.attempts[-1].native.endswith(job.attempts[-1].token)
        for site in sites.every.values():
            await site.executor.close()
