"""The sweep against those who write: what somebody is about to name never goes."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from casemate.clock import SECOND, ManualClock
from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.errors import Absent

HOUR = 3600 * SECOND


class Kept:
    """Two processes' views of one folder with a mirror, and one clock."""

    def __init__(self, folder: Path) -> None:
        self.top, self.mirror, self.clock = folder / "blobs", folder / "mirror", ManualClock()
        sealer = KeyStore(folder / "keys")
        self.one, self.two = (
            FileBlobs(self.top, sealer, 0, mirror=self.mirror, clock=self.clock, ballast=1 << 16) for _ in range(2)
        )

    def write(self, data: bytes = b"data", class_id: str = "class_a") -> str:
        """As if it had been written by the test's clock: the disk's own is another one."""
        name = asyncio.run(self.one.write(class_id, data))
        return asyncio.run(self.two.write(class_id, data)) and name

    def path(self, name: str, class_id: str = "class_a") -> Path:
        return self.top / class_id / name[:2] / name


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_what_lies_there_is_told_in_stretches(kept: Kept) -> None:
    names = sorted(kept.write(b"%d" % n) for n in range(40))
    (kept.path(names[0]).parent / ".draft").write_bytes(b"half")
    found, after = list[str](), ""
    while stretch := asyncio.run(kept.one.lying("class_a", after, 7)):
        assert len(stretch) <= 7
        found += [one.name for one in stretch]
        after = found[-1]
    assert found == names
    assert asyncio.run(kept.one.lying("class_b", "", 7)) == []


def test_only_what_is_old_is_swept(kept: Kept) -> None:
    name = kept.write()
    assert not asyncio.run(kept.one.sweep("class_a", name, HOUR))
    kept.clock.forward(3601)
    assert asyncio.run(kept.two.write("class_a", b"data")) == name  # somebody is about to name it
    assert not asyncio.run(kept.one.sweep("class_a", name, HOUR))
    kept.clock.forward(3601)
    assert asyncio.run(kept.one.sweep("class_a", name, HOUR))
    assert not asyncio.run(kept.one.sweep("class_a", name, HOUR))
    with pytest.raises(Absent):
        asyncio.run(kept.two.read("class_a", name))


def test_whoever_writes_while_it_is_swept_has_written(kept: Kept) -> None:
    """Often, at once: whatever order the two come in, what was written is there."""
    name = kept.write()
    for _ in range(150):
        kept.clock.forward(3601)
        start = threading.Barrier(2)

        def sweep(start: threading.Barrier = start) -> None:
            start.wait()
            asyncio.run(kept.one.sweep("class_a", name, HOUR))

        other = threading.Thread(target=sweep)
        other.start()
        start.wait()
        assert asyncio.run(kept.two.write("class_a", b"data")) == name
        other.join()
        assert asyncio.run(kept.two.read("class_a", name)) == b"data"


def test_a_damaged_blob_is_mended_from_the_mirror(kept: Kept) -> None:
    name = kept.write()
    assert asyncio.run(kept.one.mirrored("class_a", name))
    assert not asyncio.run(kept.one.mirrored("class_a", name))
    whole = kept.path(name).read_bytes()
    for damage in (b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], None):
        if damage is None:
            kept.path(name).unlink()
        else:
            kept.path(name).write_bytes(damage)
        assert not asyncio.run(kept.one.whole("class_a", name))
        assert asyncio.run(kept.one.mend("class_a", name))
        assert kept.path(name).read_bytes() == whole


def test_a_damaged_mirror_is_not_believed(kept: Kept) -> None:
    name, other = kept.write(), kept.write(b"other")
    assert asyncio.run(kept.one.mirrored("class_a", name))
    whole = kept.path(name).read_bytes()
    copy = kept.mirror / "class_a" / name[:2] / name
    copy.write_bytes(whole[:-1])
    kept.path(name).write_bytes(b"")
    assert not asyncio.run(kept.one.mend("class_a", name))
    assert not asyncio.run(kept.one.mend("class_a", other))


def test_on_a_full_disk_a_repair_may_use_the_ballast(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from casemate.engines import files

    name = kept.write()
    asyncio.run(kept.one.mirrored("class_a", name))
    kept.path(name).write_bytes(b"")
    ballast = kept.top.with_name("blobs.ballast")
    assert ballast.stat().st_size == 1 << 16
    real = files.publish

    def publish(*args: object, **named: object) -> None:
        if ballast.exists():
            raise OSError(errno.ENOSPC, "full")
        real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "publish", publish)
    assert asyncio.run(kept.one.mend("class_a", name))
    assert asyncio.run(kept.one.read("class_a", name)) == b"data"
    monkeypatch.undo()
    kept.write(b"there is room again")
    assert ballast.exists()


def test_what_killed_writers_left_goes_once_it_is_old(kept: Kept) -> None:
    """A process that was killed closes nothing: its draft stays under its own name, in the folder and in the mirror."""
    name = kept.write()
    asyncio.run(kept.one.mirrored("class_a", name))
    copies = kept.mirror / "class_a" / name[:2]
    drafts = [kept.path(name).parent / f".{'a' * 16}", copies / f".{'b' * 16}"]
    drafts += [kept.top / "class_a" / f".{'c' * 16}-4096"]  # of a time when there was a share
    others = [kept.path(name).parent / ".other", kept.path(name), copies / name]
    now = kept.clock.now() * 1000
    for path in (*drafts, others[0]):
        path.write_bytes(b"half")
        os.utime(path, ns=(now, now))
    asyncio.run(kept.two.tidy("class_a", HOUR))
    asyncio.run(kept.two.tidy("class_b", HOUR))
    assert all(path.exists() for path in drafts)
    kept.clock.forward(3601)
    asyncio.run(kept.two.tidy("class_a", HOUR))
    assert not any(path.exists() for path in drafts)
    assert all(path.exists() for path in others)
