"""Shares of the disk: what a label may write depends on what lies there, to the byte, also after a crash."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.errors import ShareFull, StorageFull

SHARE = 1 << 20
PIECE = b"x" * (100 << 10)


def blobs_of(folder: Path, left: int = 1 << 40, share: int = SHARE) -> FileBlobs:
    sealer = KeyStore(folder / "keys")
    return FileBlobs(folder / "blobs", sealer, 1000, lambda: left, share=lambda _: share)


def lies(folder: Path, class_id: str) -> int:
    return sum(path.stat().st_size for path in (folder / "blobs" / class_id).rglob("*") if path.is_file())


def fill(blobs: FileBlobs, class_id: str, first: int = 0) -> list[str]:
    names: list[str] = []
    with pytest.raises(ShareFull) as error:  # noqa: PT012 - it is full at some turn or other
        for _ in range(100):
            names.append(asyncio.run(blobs.write(class_id, PIECE + b"%d" % (first + len(names)))))
    assert error.value.facts == {"share": SHARE}
    return names


def test_one_label_that_is_full_takes_nothing_from_another(tmp_path: Path) -> None:
    blobs = blobs_of(tmp_path)
    names = fill(blobs, "high")
    assert len(names) == 10
    assert asyncio.run(blobs.read("high", names[0])) == PIECE + b"0"
    assert len(fill(blobs, "low")) == 10
    assert asyncio.run(blobs.used("high")) == (lies(tmp_path, "high"), SHARE)
    asyncio.run(blobs.delete("high", names[0]))
    assert asyncio.run(blobs.used("high")) == (lies(tmp_path, "high"), SHARE)
    assert asyncio.run(blobs.write("high", PIECE + b"0")) == names[0]
    assert asyncio.run(blobs.write("high", PIECE + b"1")) == names[1]  # the same again costs nothing


def test_what_is_delivered_from_below_arrives_in_a_full_label_and_only_those_there_find_it_full(tmp_path: Path) -> None:
    blobs = blobs_of(tmp_path)
    fill(blobs, "high")
    delivered = asyncio.run(blobs.write("high", PIECE + b"from below", "low", delivered=True))
    assert asyncio.run(blobs.read("high", delivered)) == PIECE + b"from below"
    with pytest.raises(ShareFull):
        asyncio.run(blobs.write("high", PIECE + b"from here"))
    assert asyncio.run(blobs.write("low", PIECE))


def test_a_share_is_held_on_the_disk_and_a_full_disk_does_not_take_it(tmp_path: Path) -> None:
    full = blobs_of(tmp_path, left=0)
    assert asyncio.run(full.write("high", PIECE))
    reserve = tmp_path / "blobs.shares" / "high.reserve"
    assert reserve.stat().st_size == SHARE - lies(tmp_path, "high")
    assert reserve.stat().st_blocks * 512 >= reserve.stat().st_size
    with pytest.raises(StorageFull):
        asyncio.run(blobs_of(tmp_path, left=0, share=0).write("other", PIECE))


def test_many_writers_at_once_are_counted_to_the_byte(tmp_path: Path) -> None:
    several = [blobs_of(tmp_path) for _ in range(3)]

    def write(number: int) -> bool:
        try:
            asyncio.run(several[number % 3].write("high", PIECE + b"%d" % (number // 2)))
        except ShareFull:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(write, range(48)))
    assert 10 <= sum(done) <= 20
    assert asyncio.run(several[0].used("high")) == (lies(tmp_path, "high"), SHARE)
    counted = int.from_bytes((tmp_path / "blobs.shares" / "high").read_bytes(), "little")
    assert counted == lies(tmp_path, "high") <= SHARE


def test_a_draft_that_nobody_holds_is_let_go_of(tmp_path: Path) -> None:
    """As a killed writer leaves it: charged for, and half there."""
    blobs = blobs_of(tmp_path)
    asyncio.run(blobs.write("high", PIECE))
    counter, draft = tmp_path / "blobs.shares" / "high", tmp_path / "blobs" / "high" / ".dead-500000"
    counter.write_bytes((int.from_bytes(counter.read_bytes(), "little") + 500_000).to_bytes(8, "little"))
    draft.write_bytes(b"half")
    assert asyncio.run(blobs_of(tmp_path).used("high")) == (lies(tmp_path, "high"), SHARE)
    assert not draft.exists()


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.engines.test_blob_share import PIECE, blobs_of
blobs = blobs_of(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(10_000):
    asyncio.run(blobs.write("high", PIECE[: 20_000] + sys.argv[2].encode() + b"%d" % (number % 40)))
    asyncio.run(blobs.delete("high", asyncio.run(blobs.write("high", b"gone" + sys.argv[2].encode()))))
"""


def test_what_killed_writers_leave_is_charged_to_nobody(tmp_path: Path) -> None:
    for again in range(3):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(again)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        try:
            child.wait(0.15 + again * 0.1)
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    blobs = blobs_of(tmp_path)
    used, _ = asyncio.run(blobs.used("high"))
    assert used == lies(tmp_path, "high")
    assert list((tmp_path / "blobs" / "high").glob(".*")) == []
    fill(blobs, "high")
    assert SHARE - lies(tmp_path, "high") < len(PIECE) + 4096
