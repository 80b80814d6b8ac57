"""This machine's processes as an engine, warm and cold: what it forgets, who it kills, and who outlives it."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casemate.engines import executor_process, executor_process_probe
from casemate.engines.executor_process import ProcessExecutor
from casemate.engines.executor_process_probe import Reached, reached
from casemate.engines.job_folder import boot
from casemate.engines.job_order import shim, told, user
from casemate.engines.job_scratch import JobScratch
from casemate.errors import EngineFailed
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources
from tests.attacks.conftest import outside
from tests.engines.job_folders import LEVELS, marked, until

__all__ = ["outside"]

DOMAIN = "dom"
WAITS = 'echo "$$" > ../out/begun; while [ ! -e ../out/go ]; do sleep 0.05; done; echo done >> ../out/effect'


class Rig:
    def __init__(self, root: Path, warm: bool) -> None:
        self.root, self.warm, self.made = root, warm, []
        self.scratch = JobScratch(root)

    def engine(self, **more) -> ProcessExecutor:
        made = ProcessExecutor("here", None, self.root, warm=self.warm, **more)
        self.made.append(made)
        return made

    async def order(self, command, level="L1", grace_s=5.0, domain=DOMAIN, **more) -> Order:
        token = secrets.token_hex(16)
        folder = await self.scratch.make(domain, token)
        size = Resources(memory_mb=256)
        order = Order(
            token, 1, domain, folder.path, ("/bin/sh", "-c", command), {}, size, level, grace_s=grace_s, **more
        )
        await self.scratch.order(folder, order)
        return order

    async def collected(self, order):
        return await self.scratch.collected(order.domain, order.token)

    async def recorded(self, order):
        async def so():
            return (await self.collected(order)).recorded

        await eventually(so)
        return await self.collected(order)


async def eventually(true):
    """An engine tells nothing by itself: ask until it is so."""
    async with asyncio.timeout(60):
        while True:
            found = true()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.02)


def out(order, name):
    return Path(order.folder, "out", name)


def claim_of(order):
    return json.loads(Path(order.folder, "claim").read_bytes())


def gone(claim):
    return executor_process.started(claim["pid"]) != claim["start"]


async def begun(order):
    await eventually(lambda: out(order, "begun").exists() and out(order, "begun").read_text())


@pytest.fixture(params=["warm", "cold"])
def rig(request, outside, runner):
    made = Rig(outside / "region" / "jobs", request.param == "warm")
    yield made

    async def close():
        for one in made.made:
            await one.close()

    runner.run(close())


async def test_one_token_is_one_attempt(rig):
    engine = rig.engine()
    order = await rig.order("echo ran >> ../out/ran")
    natives = await asyncio.gather(*(engine.submit(order) for _ in range(5)))
    await rig.recorded(order)
    assert set(natives) == {order.token}
    assert await engine.submit(order) == order.token
    assert out(order, "ran").read_text() == "ran\n"
    assert (await engine.poll(DOMAIN, [order.token]))[order.token].state == "ended"


async def test_what_it_never_had_it_does_not_know(rig):
    engine = rig.engine()
    order = await rig.order("true")
    assert await engine.find(DOMAIN, order.token) == ()
    assert await engine.poll(DOMAIN, [order.token, "f" * 32]) == {}
    assert await engine.poll("nobody", [order.token]) == {}
    await engine.cancel(DOMAIN, order.token, 0)
    await engine.cancel(DOMAIN, "f" * 32, 0)


async def test_another_engine_finds_what_this_one_began(rig):
    """A region that was started again: nothing of what runs was lost, and nothing is begun twice."""
    engine = rig.engine()
    order = await rig.order(WAITS)
    await engine.submit(order)
    await begun(order)
    await engine.close()
    again = rig.engine()
    assert await again.find(DOMAIN, order.token) == (order.token,)
    assert (await again.poll(DOMAIN, [order.token]))[order.token].state == "running"
    await again.submit(order)
    out(order, "go").touch()
    assert (await rig.recorded(order)).exit == 0
    assert out(order, "effect").read_text() == "done\n"


def started(words, **more):
    return subprocess.Popen(words, **more)


SERVER = """
import asyncio, sys
from pathlib import Path
from casemate.engines.executor_process import ProcessExecutor
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources

async def main(root, token, folder, command, warm):
    order = Order(token, 1, "dom", folder, ("/bin/sh", "-c", command), {}, Resources(memory_mb=256), "L1")
    await ProcessExecutor("here", None, Path(root), warm=warm == "warm").submit(order)
    print("submitted", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_killed_region_leaves_its_jobs_running(rig):
    order = await rig.order(WAITS)
    words = [str(rig.root), order.token, order.folder, WAITS, "warm" if rig.warm else "cold"]
    server = started([sys.executable, "-c", SERVER, *words], stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"submitted\n"
    await begun(order)
    server.kill()
    server.communicate()
    engine = rig.engine()
    assert (await engine.poll(DOMAIN, [order.token]))[order.token].state == "running"
    out(order, "go").touch()
    assert (await rig.recorded(order)).exit == 0


@pytest.mark.parametrize("level", LEVELS)
async def test_a_killed_shim_is_lost_and_its_token_runs_no_more(rig, level):
    engine = rig.engine()
    order = await rig.order('echo "$$" > "$CASEMATE_OUT/begun"; exec sleep 600', level)
    await engine.submit(order)
    await begun(order)
    claim = claim_of(order)
    os.kill(claim["pid"], signal.SIGKILL)

    async def ended():
        return (await engine.poll(DOMAIN, [order.token]))[order.token].state == "ended"

    await eventually(ended)
    told = await rig.scratch.collected(DOMAIN, order.token)
    assert (told.claimed, told.alive, told.recorded) == (True, False, False)
    await engine.submit(order)
    assert await engine.find(DOMAIN, order.token) == (order.token,)
    await engine.cancel(DOMAIN, order.token, 0)
    assert not (await rig.scratch.collected(DOMAIN, order.token)).recorded


@pytest.mark.parametrize("level", LEVELS)
async def test_a_killed_job_is_a_record(rig, level):
    engine = rig.engine()
    mark = secrets.token_hex(8)
    order = await rig.order(f'echo "$$" > "$CASEMATE_OUT/begun"; sh -c "sleep 600; :" {mark}; exit $?', level)
    await engine.submit(order)
    await begun(order)
    until(lambda: marked(mark))
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)
    assert (await rig.recorded(order)).exit == 137


@pytest.mark.parametrize("level", LEVELS)
async def test_a_shim_that_was_stopped_past_its_lease_commits_nothing(rig, level):
    engine = rig.engine()
    mark = secrets.token_hex(8)
    order = await rig.order(f'echo "$$" > "$CASEMATE_OUT/begun"; sh -c "sleep 600; :" {mark}', level)
    await engine.submit(order)
    await begun(order)
    claim = claim_of(order)
    os.kill(claim["pid"], signal.SIGSTOP)
    await rig.scratch.fence(DOMAIN, order.token)
    assert await engine.find(DOMAIN, order.token) == ()
    os.kill(claim["pid"], signal.SIGCONT)
    until(lambda: not marked(mark))
    until(lambda: gone(claim))
    assert not (await rig.scratch.collected(DOMAIN, order.token)).recorded
    assert not out(order, "../exit.json").exists()
    assert await engine.poll(DOMAIN, [order.token]) == {}


async def test_a_cancelled_job_has_its_grace(rig):
    engine = rig.engine()
    order = await rig.order('trap "exit 7" TERM; echo "$$" > ../out/begun; while :; do sleep 0.05; done')
    await engine.submit(order)
    await begun(order)
    await engine.cancel(DOMAIN, order.token, 30.0)
    told = await rig.recorded(order)
    assert (told.exit, told.reason) == (7, "stop")
    await engine.cancel(DOMAIN, order.token, 0.0)


async def test_what_does_not_hear_is_killed(rig, monkeypatch):
    """A shim that was stopped hears nothing: it is killed, and the attempt is lost."""
    monkeypatch.setattr(executor_process, "_LATE", 0.1)
    engine = rig.engine()
    order = await rig.order('echo "$$" > ../out/begun; exec sleep 600')
    await engine.submit(order)
    await begun(order)
    claim = claim_of(order)
    os.kill(claim["pid"], signal.SIGSTOP)
    await engine.cancel(DOMAIN, order.token, 0.0)
    await eventually(lambda: gone(claim))


async def test_another_process_of_that_number_is_left_alone(rig):
    engine = rig.engine()
    order = await rig.order("true")
    other = started(["sleep", "600"])
    told = {"pid": other.pid, "start": 1, "boot": boot(), "node": os.uname().nodename, "nonce": "x"}
    out(order, "../claim").write_text(json.dumps(told))
    await engine.cancel(DOMAIN, order.token, 0.0)
    assert other.poll() is None
    other.kill()
    other.wait()


async def test_what_it_does_not_reach_it_does_not_run(rig):
    engine = rig.engine()
    order = await rig.order("true", "L3")
    with pytest.raises(EngineFailed):
        await engine.submit(order)
    assert await engine.find(DOMAIN, order.token) == ()


async def test_a_shim_that_cannot_be_started_is_a_failure(rig):
    engine = rig.engine(command=["/nonexistent"])
    order = await rig.order("true")
    with pytest.raises(EngineFailed):
        await engine.submit(order)


async def test_a_warm_server_that_died_is_started_again(outside):
    rig = Rig(outside / "jobs", True)
    engine = rig.engine()
    first, second = await rig.order(WAITS), await rig.order("echo ran > ../out/ran")
    await engine.submit(first)
    await begun(first)
    pool = engine._pools._pools[DOMAIN]
    pool._server.kill()
    pool._server.wait()
    await engine.submit(second)
    await rig.recorded(second)
    out(first, "go").touch()
    assert (await rig.recorded(first)).exit == 0
    await engine.close()


async def test_what_is_asked_for_together_goes_in_few_packets(outside):
    rig = Rig(outside / "jobs", True)
    engine = rig.engine()
    orders = [await rig.order("true") for _ in range(12)]
    await engine.submit(orders[0])
    pool, packets = engine._pools._pools[DOMAIN], []
    asked = pool._asked

    async def counted(folders):
        packets.append(len(folders))
        return await asked(folders)

    pool._asked = counted
    await asyncio.gather(*(engine.submit(order) for order in orders[1:]))
    assert sum(packets) == 11
    assert len(packets) < 4
    for order in orders:
        assert (await rig.recorded(order)).exit == 0
    await engine.close()


async def test_one_that_cannot_be_forked_is_said_so(outside):
    rig = Rig(outside / "jobs", True)
    engine = rig.engine()
    order = await rig.order("true")
    await engine.submit(order)
    pool = engine._pools._pools[DOMAIN]

    async def none(folders):
        return [(0, 0) for _ in folders]

    pool._asked = none
    with pytest.raises(EngineFailed):
        await engine.submit(await rig.order("true"))
    await engine.close()


def knows_nothing(process):
    assert b"of the region" not in (process / "environ").read_bytes()
    held = [str(path.readlink()) for path in (process / "fd").iterdir()]
    assert all(one == "/dev/null" or one.startswith("socket:") for one in held)
    assert str((process / "cwd").readlink()) == "/"


async def test_each_domain_has_a_server_that_knows_nothing(outside, monkeypatch):
    monkeypatch.setenv("CASEMATE_SECRET", "of the region")
    rig = Rig(outside / "jobs", True)
    engine = rig.engine()
    orders = [await rig.order("true", domain=domain) for domain in ("one", "two")]
    for order in orders:
        await engine.submit(order)
    pids = {name: pool._server.pid for name, pool in engine._pools._pools.items()}
    assert len(set(pids.values())) == 2
    for pid in pids.values():
        knows_nothing(Path(f"/proc/{pid}"))
    for order in orders:
        await rig.recorded(order)
    await engine.close()


async def test_it_says_what_it_reaches(rig, monkeypatch):
    monkeypatch.setattr(executor_process, "reached_here", lambda: Reached(("L1",), {"L2": "no bubblewrap"}))
    engine = rig.engine(slots=3)
    told = await engine.capabilities()
    assert (told.levels, told.slots, dict(told.facts)) == (("L1",), 3, {"L2": "no bubblewrap"})


def test_a_level_that_lets_something_out_is_not_reached(monkeypatch):
    found = reached(shim())
    assert "L1" in found.levels
    assert found.ways > 30 or not os.access("/usr/bin/python3", os.X_OK)
    assert reached(["/bin/true"]).levels == ()
    assert reached(["/bin/true"]).facts["L1"] == "no record was written"
    monkeypatch.setattr(executor_process_probe, "_PYTHON", "/nonexistent")
    assert "L1" in reached(shim()).levels


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone has another user to become")
def test_each_domain_has_a_user_of_its_own():
    assert len({user(str(number)) for number in range(100)}) == 100
    assert all(uid >= 2_000_000_000 for uid in (user("a"), user("b")))
    order = Order("t", 1, "a", "/f", ("x",), {}, Resources(network="host"), "L1", service=True)
    assert told(order, user("a"))["uid"] == user("a")
    assert (told(order, None)["wall_s"], told(order, None)["network"]) == (0, "host")
