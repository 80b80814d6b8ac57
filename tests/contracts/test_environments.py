"""Environments on every engine: wheels, an archive, a SIF and a tree of the site, unpacked and used where jobs run."""

from __future__ import annotations

import asyncio
import secrets
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casemate.cells.shim.walls import bubblewrap
from casemate.engines.job_environment import program
from casemate.jobs import unpack
from casemate.jobs.executor import Mount, Order
from casemate.jobs.job import Resources
from tests.cells.sif import sif, squashed
from tests.cells.test_unpack import wheel
from tests.cli.test_environment_region import image
from tests.contracts.executor_rigs import LOW, RIGS, Rig, opened
from tests.engines.slurm_server import absent


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Rig]:
    if not bubblewrap():
        absent("no bubblewrap here: apt-get install bubblewrap")
    with opened(request.param) as found:
        yield found
        runner.run(found.close())


@contextmanager
def opened_tree() -> Iterator[Path]:
    """A folder that every user of the machine may read."""
    with tempfile.TemporaryDirectory(prefix="casemate-site-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def spread(saved: Path, at: Path) -> Path:
    """The one layer of an archive, as a folder."""
    with tarfile.open(saved) as archive:
        layer = archive.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer, mode="r:gz") as files:
            files.extractall(at, filter="data")
    return at


async def tree(rig: Rig, form: str, name: str, body: bytes) -> unpack.Standing:
    """As the loop of jobs has it unpacked, by an attempt of the engine itself."""
    token = secrets.token_hex(16)
    folder = await rig.scratch.make(LOW, token)
    for file, data in {**{f"unpack/{at}": data for at, data in program().items()}, name: body}.items():
        await rig.scratch.fill(folder, file, data)
    command = ("python3", "-I", "-S", "-c", unpack._PROGRAM, form)
    wants = Resources(memory_mb=2048, disk_mb=1024, processes=64)
    order = Order(token, 1, LOW, folder.path, command, {}, wants, level="L2")
    await rig.scratch.order(folder, order)
    await rig.engine().submit(order)
    record = await rig.recorded(order)
    assert (record.exit, record.reason) == (0, ""), rig.log(order)
    return unpack._standing(f"{folder.outputs}/tree", f"{form}:x", "L2")


async def said(rig: Rig, standing: unpack.Standing, line: str) -> str:
    """What a job in it says."""
    token = secrets.token_hex(16)
    folder = await rig.scratch.make(LOW, token)
    order = Order(
        token, 1, LOW, folder.path, ("/bin/sh", "-c", line), standing.env, Resources(memory_mb=256),
        level="L2", mounts=standing.mounts, rootfs=standing.rootfs,
    )  # fmt: skip
    await rig.scratch.order(folder, order)
    await rig.engine().submit(order)
    record = await rig.recorded(order)
    assert (record.exit, record.reason) == (0, ""), rig.log(order)
    return rig.log(order)[0]


async def test_a_job_imports_its_wheels(rig: Rig) -> None:
    points = b"[console_scripts]\nspeak = p:speak\n"
    body = wheel({"p.py": b"def speak():\n    print('spoken')\n", "p-1.dist-info/entry_points.txt": points})
    standing = await tree(rig, "wheels", "environment/p-1-py3-none-any.whl", body)
    assert await said(rig, standing, "python3 -c 'import p; p.speak()'; speak; ! touch /env/x 2> /dev/null") == (
        "spoken\nspoken\n"
    )


@pytest.mark.parametrize("kind", ["archive", "sif"])
async def test_a_job_runs_in_the_root_of_its_image(rig: Rig, kind: str, tmp_path: Path) -> None:
    saved = image(tmp_path / "image.tar")
    body = saved.read_bytes() if kind == "archive" else sif(squashed(spread(saved, tmp_path / "root")))
    standing = await tree(rig, "image", "environment", body)
    line = "read whose < /etc/whose; echo $whose; test ! -e /usr/bin/python3 && ! echo > /etc/x"
    assert await said(rig, standing, f"({line}) 2> /dev/null") == "ours\n"


async def test_a_job_sees_a_tree_of_the_site_where_it_stands(rig: Rig) -> None:
    with opened_tree() as at:
        (at / "tool").write_text("#!/bin/sh\necho tool\n")
        (at / "tool").chmod(0o755)
        standing = unpack.Standing((Mount(str(at), str(at)),), "", {"PATH": f"{at}:/usr/bin:/bin"})
        assert await said(rig, standing, f"tool; ! touch {at}/x 2> /dev/null") == "tool\n"
