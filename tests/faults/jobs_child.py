"""A region that runs jobs on this machine, told line by line what to do, until it is killed.

python -m tests.faults.jobs_child FOLDER      one object of JSON for each line; one comes back

CASEMATE_TEST_KILL_AT=durable|staged|submitted      it kills itself (SIGKILL) once it gets there
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from casemate.accounts import found_owner
from casemate.clock import SystemClock
from casemate.engines import job_folder, job_order
from casemate.identity import Session
from casemate.jobs import Checkpoint, Jobs, Output, Resources, Retry, Spec, attend
from casemate.objects import Where
from casemate.policy import Action
from casemate.wiring import Folder, open_house
from casemate.wiring import jobs as wired

LEASE_S, AGAIN = 3, 1.0  # shorter than those of a region, so that a fault takes less time


class Jumping(SystemClock):
    """The machine's clock, and `ahead` microseconds that somebody has set it ahead."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


class Driven:
    """The room of jobs in a whole region, and one session of its owner."""

    def __init__(self, jobs: Jobs, session: Session, clock: Jumping) -> None:
        self.jobs, self.session, self.clock = jobs, session, clock

    async def flow(self, verb: str) -> Any:
        return await self.jobs.gate.open(self.session, Action(verb, "job"))

    async def submit(self, told: dict[str, Any]) -> list[str]:
        """`times` submissions at once, each by itself."""
        spec = Spec(
            ("/bin/sh", "-c", told["line"]),
            floor="L1",
            outputs=(Output("all", ""),) if told.get("keep") else (),
            retry=Retry(told.get("attempts", 1)),
            checkpoint=Checkpoint(told.get("checkpoint", "")),
            resources=Resources(memory_mb=64, disk_mb=64),
        )

        async def one() -> str:
            return (await self.jobs.submit(await self.flow("submit"), spec, told.get("key", ""))).id

        return list(await asyncio.gather(*(one() for _ in range(told.get("times", 1)))))

    async def look(self, told: dict[str, Any]) -> dict[str, Any]:
        flow = await self.flow("read")
        job = (await self.jobs.named(flow, told["id"])).value
        out, _, _ = await self.jobs.log(flow, told["id"], "out")
        return {
            "state": job.state,
            "open": job.open,
            "reason": job.reason,
            "out": out.decode(),
            "class": flow.access.id,
            "attempts": [[one.state, one.reason, one.token] for one in job.attempts],
            "artefacts": [one.name for one in job.artefacts],
            "problems": dict(self.jobs.reconciler.problems) if self.jobs.reconciler else {},
        }

    async def states(self, told: dict[str, Any]) -> dict[str, int]:
        del told
        found: dict[str, int] = {}
        after: str | None = None
        while True:
            page = await self.jobs.page(await self.flow("list"), Where(), after, 500)
            for one in page.items:
                found[one.value.state] = found.get(one.value.state, 0) + 1
            after = page.after
            if after is None:
                return found

    async def cancel(self, told: dict[str, Any]) -> None:
        await self.jobs.cancel(await self.flow("cancel"), told["id"])

    async def jump(self, told: dict[str, Any]) -> None:
        self.clock.ahead += told["seconds"] * 1_000_000


async def _loop(jobs: Jobs) -> None:
    [loop] = jobs.loops()
    while True:
        await loop.step()
        await asyncio.sleep(0.02)


def _dies(point: str) -> None:
    if point == os.environ.get("CASEMATE_TEST_KILL_AT"):
        os.kill(os.getpid(), signal.SIGKILL)


async def main(path: Path) -> None:
    """Until it is killed, or its input ends."""
    job_order.BEAT_S, job_folder.LEASE_S, attend.AGAIN = 1, LEASE_S, AGAIN  # type: ignore[attr-defined]
    made, clock = list[Jobs](), Jumping()

    def kept(*words: Any, **more: Any) -> Jobs:
        made.append(Jobs(*words, **more))
        return made[-1]

    vars(wired)["Jobs"] = kept
    house = await open_house(Folder(path), "all", clock)
    [jobs] = made
    owner = house.gate.directory.named("owner")
    if owner is None:
        await found_owner(house.gate, "owner", "0")
        owner = house.gate.directory.named("owner")
    assert owner is not None
    assert jobs.reconciler is not None
    jobs.reconciler._passed = _dies
    region = house.gate.vault.region
    driven = Driven(jobs, Session("ses-owner", owner, region.floor, region.floor), clock)
    running = asyncio.create_task(_loop(jobs))
    print("{}", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = json.loads(line)
        print(json.dumps(await getattr(driven, told.pop("do"))(told)), flush=True)
    running.cancel()
    await house.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
