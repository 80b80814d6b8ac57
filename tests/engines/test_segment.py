"""The journal of one worker: shares, bounds, a disk that is full or broken, rotation."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest

from casemate.engines import segment_file
from casemate.engines.segment import SegmentJournal, SegmentLimits
from casemate.engines.segment_file import SegmentFile, finished
from casemate.engines.segment_format import HEAD, Group, read_group, read_head
from casemate.errors import BadInput, StorageFull, Unavailable
from casemate.store import ClassRow, EntryRow
from tests.contracts.stores import entry

A, B = ClassRow("class_a", b"label a"), ClassRow("class_b", b"label b")


async def nothing() -> None:
    return


def journal(folder: Path, limits: SegmentLimits | None = None) -> SegmentJournal:
    return SegmentJournal(folder, nothing, limits)


def groups(path: Path) -> list[Group]:
    file = os.open(path, os.O_RDONLY)
    id, at, found = read_head(file), HEAD, []
    while id is not None and isinstance(group := read_group(file, id, at), Group):
        found.append(group)
        at = group.end
    os.close(file)
    return found


def written(folder: Path) -> list[str]:
    return [row.id for path in sorted(folder.glob("*.seg")) for group in groups(path) for row in group.entries]


class Held:
    """Keeps the disk from writing until it is let go; says when somebody has come to write."""

    def __init__(self, patched: pytest.MonkeyPatch, calls: str = "fdatasync") -> None:
        self.come, self.go = threading.Event(), threading.Event()
        right = getattr(os, calls)

        def wait(descriptor: int) -> None:
            self.come.set()
            assert self.go.wait(30)
            right(descriptor)

        patched.setattr(os, calls, wait)


def test_many_share_a_sync_and_nobody_is_told_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def trial() -> None:
        made = journal(tmp_path)
        held = Held(monkeypatch)
        first = made.append(entry("ent_0"), A, "class_a")
        await asyncio.to_thread(held.come.wait, 30)
        rest = [made.append(entry(f"ent_{n}"), A, "class_a") for n in range(1, 50)]
        await asyncio.sleep(0)
        assert not first.done()
        held.go.set()
        await asyncio.gather(first, *rest)
        made.close()

    asyncio.run(trial())
    [path] = tmp_path.glob("*.seg")
    assert [len(group.entries) for group in groups(path)] == [1, 49]
    assert [len(group.classes) for group in groups(path)] == [1, 0]


def test_a_full_queue_refuses_its_own_domain_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def trial() -> None:
        made = journal(tmp_path, SegmentLimits(bound=3))
        held = Held(monkeypatch)
        first = made.append(entry("ent_0"), A, "class_a")
        await asyncio.to_thread(held.come.wait, 30)
        queued = [made.append(entry(f"ent_{n}"), A, "class_a") for n in range(1, 4)]
        with pytest.raises(Unavailable):
            await made.append(entry("ent_4"), A, "class_a")
        other = made.append(entry("ent_5", "class_b"), B, "class_b")
        held.go.set()
        await asyncio.gather(first, *queued, other)
        made.close()

    asyncio.run(trial())
    assert sorted(written(tmp_path)) == ["ent_0", "ent_1", "ent_2", "ent_3", "ent_5"]


def test_a_flood_of_one_domain_keeps_no_other_from_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trial() -> None:
        made = journal(tmp_path, SegmentLimits(group=4, stretch=1000))
        held = Held(monkeypatch)
        first = made.append(entry("ent_0"), A, "class_a")
        await asyncio.to_thread(held.come.wait, 30)
        flood = [made.append(entry(f"many_{n}"), A, "class_a") for n in range(9)]
        large = [made.append(entry(f"large_{n}", content=bytes(1500)), A, "large") for n in range(2)]
        other = made.append(entry("ent_1", "class_b"), B, "class_b")
        held.go.set()
        await asyncio.gather(first, *flood, *large, other)
        made.close()

    asyncio.run(trial())
    [path] = tmp_path.glob("*.seg")
    second = [row.id for row in groups(path)[1].entries]
    assert second == ["many_0", "many_1", "many_2", "many_3", "large_0", "ent_1"]


def test_a_share_that_lies_unfolded_refuses_its_own_domain_until_it_is_folded(tmp_path: Path) -> None:
    async def trial() -> None:
        made = journal(tmp_path, SegmentLimits(share=3000, size=1, pace=0))
        await made.append(entry("ent_0", content=bytes(2000)), A, "class_a")
        with pytest.raises(StorageFull):
            await made.append(entry("ent_1", content=bytes(2000)), A, "class_a")
        await made.append(entry("ent_2", "class_b", bytes(2000)), B, "class_b")
        for path in sorted(tmp_path.glob("*.seg")):  # noqa: ASYNC240 - a test
            path.unlink()  # as a sequencer does
        for _ in range(2000):
            try:
                await made.append(entry("ent_3", content=bytes(2000)), A, "class_a")
                break
            except StorageFull:
                await asyncio.sleep(0.01)
        else:
            raise AssertionError("the share was never given back")
        made.close()

    asyncio.run(trial())


def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        right(descriptor, bytes(data)[:10], offset)
        raise OSError(errno.ENOSPC, "full")

    async def trial() -> None:
        made = journal(tmp_path)
        await made.append(entry("ent_0"), A, "class_a")
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            with pytest.raises(StorageFull):
                await made.append(entry("ent_1"), A, "class_a")
        assert not made.broken
        await made.append(entry("ent_2"), A, "class_a")
        made.close()

    asyncio.run(trial())
    assert written(tmp_path) == ["ent_0", "ent_2"]


def test_a_full_disk_where_a_segment_should_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.EDQUOT, "full")

    async def trial() -> None:
        made = journal(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            with pytest.raises(StorageFull):
                await made.append(entry("ent_1"), A, "class_a")
        await made.append(entry("ent_2"), A, "class_a")
        made.close()

    asyncio.run(trial())
    assert written(tmp_path) == ["ent_2"]


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_disk_that_does_not_say_what_it_wrote_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "broken")

    async def trial() -> None:
        made = journal(tmp_path)
        await made.append(entry("ent_0"), A, "class_a")
        with monkeypatch.context() as patched:
            patched.setattr(os, call, broken)
            with pytest.raises(Unavailable):
                await made.append(entry("ent_1"), A, "class_a")
        assert made.broken
        with pytest.raises(Unavailable):
            await made.append(entry("ent_2"), A, "class_a")
        made.close()

    asyncio.run(trial())
    assert "ent_2" not in written(tmp_path)


def test_those_who_wait_when_the_disk_breaks_are_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def trial() -> None:
        made = journal(tmp_path)
        held = Held(monkeypatch)
        first = made.append(entry("ent_0"), A, "class_a")
        await asyncio.to_thread(held.come.wait, 30)
        second = made.append(entry("ent_1"), A, "class_a")
        made.broken = True
        held.go.set()
        await first
        with pytest.raises(Unavailable):
            await second
        made.close()

    asyncio.run(trial())


def test_a_segment_ends_when_it_is_large_or_old(tmp_path: Path) -> None:
    async def trial() -> None:
        large = journal(tmp_path / "large", SegmentLimits(size=500, pace=0))
        old = journal(tmp_path / "old", SegmentLimits(age=0.0, pace=0))
        for number in range(3):
            for made in (large, old):
                await made.append(entry(f"ent_{number}", content=bytes(500)), A, "class_a")
        large.close()
        old.close()

    asyncio.run(trial())
    for name in ("large", "old"):
        assert len(list((tmp_path / name).glob("*.seg"))) == 3
        assert written(tmp_path / name) == ["ent_0", "ent_1", "ent_2"]


def test_an_idle_segment_grows_old_too(tmp_path: Path) -> None:
    async def trial() -> None:
        made = journal(tmp_path, SegmentLimits(age=0.05))
        await made.append(entry("ent_0"), A, "class_a")
        [path] = tmp_path.glob("*.seg")  # noqa: ASYNC240 - a test
        file = os.open(path, os.O_RDONLY)
        while not finished(file):  # noqa: ASYNC110 - the lock is looked at
            await asyncio.sleep(0.01)
        os.close(file)
        made.close()

    asyncio.run(asyncio.wait_for(trial(), 30))


def test_a_segment_that_is_written_is_held_and_one_that_is_not_is_finished(tmp_path: Path) -> None:
    made = SegmentFile(tmp_path / "x.seg")
    file = os.open(tmp_path / "x.seg", os.O_RDONLY)
    assert not finished(file)
    assert (tmp_path / "x.seg").stat().st_mode & 0o777 == 0o600
    made.release()
    assert finished(file)
    os.close(file)


def test_after_its_end_nothing_is_taken(tmp_path: Path) -> None:
    async def trial() -> None:
        made = journal(tmp_path)
        waiting = made.append(entry("ent_0"), A, "class_a")
        made.close()
        made.close()
        await waiting
        with pytest.raises(Unavailable):
            await made.append(entry("ent_1"), A, "class_a")

    asyncio.run(trial())
    assert written(tmp_path) == ["ent_0"]


def test_a_leaf_that_no_tree_takes_is_refused_at_once(tmp_path: Path) -> None:
    async def trial() -> None:
        made = journal(tmp_path)
        with pytest.raises(BadInput):
            made.append(EntryRow("class_a", "ent_1", b"short", b"sealed"), A, "class_a")
        made.close()

    asyncio.run(trial())


def test_a_loop_that_has_gone_keeps_nobody_else_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = journal(tmp_path)
    held = Held(monkeypatch)

    async def leave() -> None:
        made.append(entry("ent_0"), A, "class_a")
        await asyncio.to_thread(held.come.wait, 30)

    asyncio.run(leave())
    held.go.set()

    async def stay() -> None:
        await made.append(entry("ent_1"), A, "class_a")

    asyncio.run(stay())
    made.close()
    assert written(tmp_path) == ["ent_0", "ent_1"]


def test_a_disk_that_writes_little_by_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = os.pwrite
    monkeypatch.setattr(segment_file.os, "pwrite", lambda file, data, at: right(file, bytes(data)[:7], at))

    async def trial() -> None:
        made = journal(tmp_path)
        await made.append(entry("ent_0"), A, "class_a")
        await made.fold()
        made.close()

    asyncio.run(trial())
    assert written(tmp_path) == ["ent_0"]
