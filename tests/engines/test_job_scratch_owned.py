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
from casemate.errors import BadInput, EngineFailed
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
async def test_what_the_user_lays_in_the_place_of_a_file_does_not_become_his(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, rename, laid = OwnedScratch(root, {LOW: "games"}), os.rename, list[str]()
    folder = await scratch.make(LOW, TOKEN)
    secret = root / "secret"
    secret.write_text("the region's own")

    def renamed(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        os.unlink(new, dir_fd=dst_dir_fd)  # he may, since the folder is his
        os.link(secret, new, dst_dir_fd=dst_dir_fd)
        laid.append(new)

    monkeypatch.setattr("os.rename", renamed)
    await scratch.order(folder, order(folder.path, LOW))
    await scratch.stop(LOW, TOKEN, "cancelled")
    assert laid == ["order.json", "stop"]
    assert secret.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
async def test_a_second_name_in_his_folders_is_neither_given_nor_written(root: Path) -> None:
    scratch = OwnedScratch(root, {LOW: "games"})
    former, folder = await scratch.make(LOW, "b" * 32), await scratch.make(LOW, TOKEN)
    secret = root / "secret"
    secret.write_text("the region's own")
    secret.chmod(0o600)
    left = Path(former.path) / "out" / "state"
    left.mkdir()
    (left / "step").write_text("7")
    os.link(secret, Path(folder.path) / "out" / "more")
    assert await scratch.carry(LOW, "b" * 32, TOKEN, "state", 1 << 20)
    games = pwd.getpwnam("games").pw_uid
    assert [(Path(folder.path) / "out" / one).stat().st_uid for one in ("state", "state/step")] == [games, games]
    os.link(secret, Path(folder.path) / "in" / "one")
    with pytest.raises(BadInput):
        await scratch.fill(folder, "one", b"x")
    told = secret.stat()
    assert (told.st_uid, told.st_mode & 0o777, secret.read_text()) == (0, 0o600, "the region's own")


async def test_a_folder_that_became_a_link_meanwhile_opens_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir, umask = os.mkdir, os.umask(0o077)
    closed = root.with_name("closed")
    closed.mkdir(mode=0o700)

    def made(name: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        mkdir(name, mode, dir_fd=dir_fd)
        if name == "work":
            os.rmdir(name, dir_fd=dir_fd)
            os.symlink(closed, name, dir_fd=dir_fd)

    monkeypatch.setattr("os.mkdir", made)
    try:
        with pytest.raises(OSError, match="work"):
            await OwnedScratch(root, {OWN: ""}).make(OWN, TOKEN)
    finally:
        os.umask(umask)
    assert closed.stat().st_mode & 0o777 == 0o700


async def test_a_user_that_the_machine_does_not_know(root: Path) -> None:
    scratch = OwnedScratch(root, {LOW: "nobody-here"})
    for domain in (LOW, HIGH):
        with pytest.raises(EngineFailed) as failed:
            await scratch.make(domain, TOKEN)
        assert failed.value.cause == "denied"
        assert await scratch.known(domain) == []
