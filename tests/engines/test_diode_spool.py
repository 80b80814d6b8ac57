"""The spool of the high side: blocks outlive a killed process, and an object appears whole or not at all."""

from __future__ import annotations

import errno
import os
import random
import signal
from pathlib import Path

import pytest

from casemate.engines import diode_spool
from casemate.engines.diode_spool import FolderSpool
from casemate.errors import StorageFull, Unavailable
from casemate.transfer import diode
from casemate.transfer.diode import BLOCK, Arriving, Manifest
from tests.transfer.diode.sim import Bytes, Faults, Link, manifest_of

DATA = Bytes(random.Random(1).randbytes(2 * BLOCK + 77))
MANIFEST = manifest_of(DATA, 4)
BLOCKS = [diode.block_of(DATA.read, DATA.length, index, BLOCK) for index in range(MANIFEST.blocks)]


def arriving(spool: FolderSpool, told: list[str] | None = None) -> Arriving:
    found = Arriving(MANIFEST, b"low1", spool, lambda what, _: (told if told is not None else []).append(what))
    found.begin(0)
    return found


def seen(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "arrived").iterdir()}


def test_blocks_in_any_order_become_the_object_and_nothing_is_seen_before(tmp_path: Path) -> None:
    spool = FolderSpool(tmp_path, reserve=0)
    one = arriving(spool)
    for index in (2, 0):
        one.write(index, BLOCKS[index], 0)
        one.write(index, BLOCKS[index], 0)
    assert seen(tmp_path) == {}
    spool.close()
    spool = FolderSpool(tmp_path, reserve=0)
    again = arriving(spool)
    assert again.gaps() == [1]
    again.write(1, BLOCKS[1], 0)
    while again.verify(1, 0):
        pass
    assert again.published
    assert seen(tmp_path) == {MANIFEST.id.hex(): DATA.data}
    assert list(spool.known()) == [(MANIFEST.id, b"low1", 4)]
    assert list(FolderSpool(tmp_path).known()) == [(MANIFEST.id, b"low1", 4)]
    assert sorted(each.name for each in (tmp_path / ".spool").iterdir()) == ["done"]


def test_what_is_not_the_object_is_received_anew_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    one = arriving(FolderSpool(tmp_path, reserve=0), told)
    for index, block in enumerate(BLOCKS):
        one.write(index, block if index != 1 else bytes(BLOCK), 0)
    one.verify(9, 0)
    assert (told, one.missing, seen(tmp_path)) == (["mismatch"], MANIFEST.blocks, {})
    for index, block in enumerate(BLOCKS):
        one.write(index, block, 0)
    one.verify(9, 0)
    assert seen(tmp_path) == {MANIFEST.id.hex(): DATA.data}


def test_a_half_written_entry_is_a_block_that_is_not_there(tmp_path: Path) -> None:
    spool = FolderSpool(tmp_path, reserve=0)
    arriving(spool).write(0, BLOCKS[0], 0)
    spool.close()
    entries = tmp_path / ".spool" / MANIFEST.id.hex() / "blocks"
    entries.write_bytes(entries.read_bytes() + b"\0\0\0\1\xff" + b"")
    spool = FolderSpool(tmp_path, reserve=0)
    assert arriving(spool).gaps() == [1, 2]
    arriving(spool).write(2, BLOCKS[2], 0)
    entries.write_bytes(
        entries.read_bytes() + bytes(8) + (999).to_bytes(4, "big") + (999 ^ 0xFFFFFFFF).to_bytes(4, "big")
    )
    assert arriving(spool).gaps() == [1]


def test_blocks_of_another_object_of_that_id_do_not_count(tmp_path: Path) -> None:
    spool = FolderSpool(tmp_path, reserve=0)
    arriving(spool).write(0, BLOCKS[0], 0)
    other = Manifest(MANIFEST.id, 5, 0, MANIFEST.size, bytes(64), False)
    assert spool.begin(other).count(1) == 0


def test_sessions_are_remembered(tmp_path: Path) -> None:
    spool = FolderSpool(tmp_path)
    assert list(spool.sessions()) == []
    spool.remember([bytes(16), bytes(range(16))])
    assert list(FolderSpool(tmp_path).sessions()) == [bytes(16), bytes(range(16))]


def test_many_objects_are_open_at_once_with_few_files(tmp_path: Path) -> None:
    spool = FolderSpool(tmp_path, reserve=0)
    manifests = [manifest_of(Bytes(bytes([number])), number + 1) for number in range(40)]
    before = len(list(Path("/proc/self/fd").iterdir()))
    for manifest in manifests:
        spool.begin(manifest)
        spool.write(manifest, 0, bytes(64))
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 64
    assert all(spool.read(manifest, 0) == bytes(64) for manifest in manifests)
    spool.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, Unavailable), (errno.EIO, Unavailable)],
)
def test_row_16_a_disk_that_fails_stops_that_transfer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Unavailable]
) -> None:
    told: list[str] = []
    spool = FolderSpool(tmp_path, reserve=0)
    one = arriving(spool, told)

    def fails(*_: object) -> int:
        raise OSError(number, "made up")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", fails)
        one.write(0, BLOCKS[0], 0)
    assert (one.stopped, told, one.missing) == (error.slug, [error.slug], MANIFEST.blocks)
    one.again(diode_retry())
    assert one.stopped == ""
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fails)
        for index, block in enumerate(BLOCKS):
            one.write(index, block, 0)
        one.verify(9, 0)
    assert one.stopped == error.slug
    assert seen(tmp_path) == {}


def diode_retry() -> int:
    from casemate.transfer.diode.arriving import RETRY

    return RETRY


def test_row_16_an_object_for_which_there_is_no_room_is_not_begun(tmp_path: Path) -> None:
    told: list[str] = []
    one = arriving(FolderSpool(tmp_path, reserve=1 << 60), told)
    assert (one.stopped, told) == ("storage-full", ["storage-full"])


@pytest.mark.parametrize("at", ["done", "truncated", "renamed"])
def test_row_17_a_process_killed_while_it_publishes_leaves_nothing_or_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    spool = FolderSpool(tmp_path, reserve=0)
    one = arriving(spool)
    for index, block in enumerate(BLOCKS):
        one.write(index, block, 0)

    class Killed(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Killed

    target = {"done": (os, "ftruncate"), "truncated": (Path, "rename"), "renamed": (diode_spool, "sync_folder")}[at]
    with monkeypatch.context() as broken:
        broken.setattr(*target, dies)
        with pytest.raises(Killed):
            one.verify(9, 0)
    assert seen(tmp_path) in ({}, {MANIFEST.id.hex(): DATA.data})
    FolderSpool(tmp_path)
    assert seen(tmp_path) == {MANIFEST.id.hex(): DATA.data}


def received_until_killed(folder: Path, seed: int, stop: int) -> int:
    """A receiver over a real folder, killed by itself after so many datagrams; how the child ended."""
    child = os.fork()
    if child == 0:
        try:
            found = Link(seed, Faults(loss=0.02), spool=FolderSpool(folder, reserve=0))  # type: ignore[arg-type]
            found.offer(DATA.data)
            found.offer(b"small" * 9)
            found.run(lambda: found.receiver.counts["datagrams"] >= stop, 30)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_often(folder: Path, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(draw.randrange(1, 4)):
        assert received_until_killed(folder, seed, draw.randrange(1, 420)) == -signal.SIGKILL
        assert set(seen(folder).values()) <= {DATA.data, b"small" * 9}
    found = Link(seed, Faults(), spool=FolderSpool(folder, reserve=0))  # type: ignore[arg-type]
    for _ in range(3):
        found.start_sender()
    found.offer(DATA.data)
    found.offer(b"small" * 9)
    found.run()
    assert sorted(seen(folder).values()) == sorted([DATA.data, b"small" * 9])


@pytest.mark.parametrize("seed", range(3))
def test_row_09_kill_9_at_any_moment(tmp_path: Path, seed: int) -> None:
    killed_often(tmp_path, seed)
