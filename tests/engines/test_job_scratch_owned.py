"""Folders on a cluster belong to the user of their label; another label's user does not even see their names."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.engines.job_scratch_owned import OwnedScratch
from casemate.errors import EngineFailed
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources

TOKEN = "a" * 32
LOW, HIGH, OWN = "class_low", "class_high", "class_own"


@pytest.fixture
def root() -> Iterator[Path]:
    """Where other users can go."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "jobs"


def order(folder: str, domain: str) -> Order:
    return Order(TOKEN, 1, domain, folder, ("true",), {}, Resources())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
async def test_a_folder_belongs_to_the_user_of_its_label(root: Path) -> None:
    scratch = OwnedScratch(root, {LOW: "games", HIGH: "news", OWN: ""})
    low, high, own = [await scratch.make(domain, TOKEN) for domain in (LOW, HIGH, OWN)]
    for folder, domain in ((low, LOW), (high, HIGH), (own, OWN)):
        await scratch.order(folder, order(folder.path, domain))
        await scratch.fill(folder, "data/one", b"x")
        await scratch.stop(domain, TOKEN, "cancelled")
    games = pwd.getpwnam("games")
    for name in ("", "in", "work", "out", "log", "order.json", "stop"):
        found = (Path(low.path) / name).stat()
        assert (found.st_uid, found.st_gid) == (games.pw_uid, games.pw_gid), name
        assert not found.st_mode & 0o022, name
    assert (Path(own.path) / "order.json").stat().st_uid == 0

    def asked(user: str, *words: str) -> int:
        told = {"user": user, "group": user, "extra_groups": [], "cwd": "/"}
        return subprocess.run(words, check=False, capture_output=True, **told).returncode

    assert asked("games", "cat", f"{low.path}/order.json", f"{low.path}/in/data/one") == 0
    assert asked("games", "touch", f"{low.path}/out/x") == 0
    for path in (str(root), f"{root}/{HIGH}", high.path, f"{high.path}/order.json", f"{own.path}/order.json"):
        assert asked("games", "cat" if path.endswith("json") else "ls", path) != 0, path
    await scratch.fence(LOW, TOKEN)
    assert (await scratch.collected(LOW, TOKEN)).claimed
    await scratch.remove(LOW, TOKEN)
    assert await scratch.known(LOW) == []


async def test_a_user_that_the_machine_does_not_know(root: Path) -> None:
    scratch = OwnedScratch(root, {LOW: "nobody-here"})
    for domain in (LOW, HIGH):
        with pytest.raises(EngineFailed) as failed:
            await scratch.make(domain, TOKEN)
        assert failed.value.cause == "denied"
        assert await scratch.known(domain) == []
