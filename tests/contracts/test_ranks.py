"""Ranks of MPI: on one node without a network, on two nodes of a real Slurm, and everywhere in the same walls."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casemate.cells.shim.walls import bubblewrap
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources
from tests.contracts.executor_rigs import RIGS, Rig, opened, until
from tests.engines.slurm_server import absent

PROGRAM = """
import ctypes, os, sys
mpi = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
def handle(name):
    return ctypes.byref(ctypes.c_char.in_dll(mpi, name))
mpi.MPI_Init(None, None)
world, rank, size, total = handle("ompi_mpi_comm_world"), ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
mine = ctypes.c_int(rank.value + 1)
failed = mpi.MPI_Allreduce(
    ctypes.byref(mine), ctypes.byref(total), 1, handle("ompi_mpi_int"), handle("ompi_mpi_op_sum"), world
)
told = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
walls = [told[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")]
outside = [path for path in ("/root", "/home", "/etc/shadow", "/etc/munge") if os.path.exists(path)]
uid = os.stat("/job").st_uid
with open(f"/out/{rank.value}", "w") as file:
    name = os.uname().nodename
    print(rank.value, size.value, name, failed, total.value, os.getuid(), uid, *walls, outside, file=file)
mpi.MPI_Finalize()
"""


@pytest.fixture
def rig(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Rig]:
    if shutil.which("mpirun") is None:
        absent("no OpenMPI here: apt-get install openmpi-bin")
    if not bubblewrap():
        absent("no bubblewrap here: apt-get install bubblewrap")
    with opened(request.param) as found:
        yield found
        runner.run(found.close())


async def ordered(rig: Rig, run: str, **resources: Any) -> Order:
    wants = Resources(**{"memory_mb": 1024, "wall_s": 300, "disk_mb": 256, **resources})
    return await rig.order(f"cat > sum.py <<'END'\n{PROGRAM}END\n{run}", level="L2", resources=wants)


def there(order: Order, name: str) -> bool:
    return Path(order.folder, name).exists()


async def ranks(rig: Rig, order: Order, many: int) -> list[list[str]]:
    """What each rank has found, by rank."""
    record = await rig.recorded(order)
    assert (record.exit, record.reason) == (0, ""), rig.log(order)
    told = [rig.out(order, str(number)).split() for number in range(many)]
    assert [one[:2] for one in told] == [[str(number), str(many)] for number in range(many)]
    assert {(one[3], one[4]) for one in told} == {("0", str(many * (many + 1) // 2))}
    return told


@pytest.mark.parametrize("rig", sorted(RIGS), indirect=True)
async def test_ranks_of_one_node_share_its_memory_and_need_no_network(rig: Rig) -> None:
    order = await ordered(rig, "mpirun /usr/bin/python3 -I -S sum.py", tasks=2)
    await rig.engine().submit(order)
    told = await ranks(rig, order, 2)
    assert {one[2] for one in told} == {"node0"}
    assert len({tuple(one[5:]) for one in told}) == 1


@pytest.mark.parametrize("rig", ["slurm"], indirect=True)
async def test_ranks_on_two_nodes_stand_in_the_same_walls(rig: Rig) -> None:
    order = await ordered(rig, "mpirun /usr/bin/python3 -I -S sum.py", nodes=2, tasks=2, network="host")
    await rig.engine().submit(order)
    told = await ranks(rig, order, 4)
    assert [one[2] for one in told] == ["node0", "node0", "node1", "node1"]
    # user and owner, no capability nor any to be had, no new privileges, a filter, and nothing from outside
    assert {tuple(one[5:]) for one in told} == {("1000", "1000", "0" * 16, "0" * 16, "1", "2", "[]")}
    assert there(order, "used.1"), "what the other node has used counts, and is told before the record is written"


@pytest.mark.parametrize("rig", ["slurm"], indirect=True)
async def test_without_a_network_nothing_begins_on_another_node(rig: Rig) -> None:
    order = await ordered(rig, "mpirun /usr/bin/python3 -I -S sum.py", nodes=2, tasks=2)
    await rig.engine().submit(order)
    told = await ranks(rig, order, 2)
    assert {one[2] for one in told} == {"node0"}
    assert not there(order, "seat.1")


@pytest.mark.parametrize("rig", ["slurm"], indirect=True)
async def test_a_job_that_is_stopped_ends_on_every_node(rig: Rig) -> None:
    asks = "/job/.mpi/agent node1 'echo $$ > /out/there; exec sleep 1000'"
    order = await ordered(rig, asks, nodes=2, network="host")
    native = await rig.engine().submit(order)
    await until(lambda: rig.out(order, "there").strip() != "")
    await rig.engine().cancel(order.domain, native, order.grace_s)
    assert (await rig.recorded(order)).reason == "stop"
    assert there(order, "used.1")
