"""The snapshot's file: whole or the one before, whatever happens to whoever writes it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from casemate.engines.snapshot_file import SnapshotFile
from casemate.errors import StorageFull, Unavailable
from casemate.store.snapshot import BOUND


@pytest.fixture
def file(tmp_path: Path) -> SnapshotFile:
    return SnapshotFile(tmp_path / "snapshot")


def test_nobody_has_written_yet(file: SnapshotFile) -> None:
    assert (file.newer(), file.newest(), file.previous()) == (None, b"", None)


@pytest.mark.parametrize("durable", [True, False])
def test_the_newest_and_the_one_before(tmp_path: Path, durable: bool) -> None:
    file = SnapshotFile(tmp_path / "snapshot", durable)
    for number in range(4):
        file.write(b"%d" % number)
        assert file.newest() == b"%d" % number
        assert file.previous() == (b"%d" % (number - 1) if number else None)
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot", "snapshot.previous"}
    assert (tmp_path / "snapshot").stat().st_mode & 0o777 == 0o600


def test_what_was_seen_is_not_read_again(file: SnapshotFile, tmp_path: Path) -> None:
    reader = SnapshotFile(tmp_path / "snapshot")
    file.write(b"one")
    assert (reader.newer(), reader.newer()) == (b"one", None)
    file.write(b"one")
    assert (reader.newer(), reader.newer()) == (b"one", None), "another file, though of the same bytes"


@pytest.mark.parametrize("step", ["open", "fdatasync", "link", "replace", "second replace"])
@pytest.mark.parametrize("left", ["nothing", "drafts"])
def test_a_writer_that_dies_leaves_the_old_one(
    file: SnapshotFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, left: str
) -> None:
    """A signal is an exception that nobody catches here: what lies there then is what a dead process leaves."""
    file.write(b"old")
    file.write(b"older goes")

    class Dead(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Dead

    with monkeypatch.context() as patched:
        if step.endswith("replace"):
            replace, turns = Path.replace, iter([step == "replace", True])
            patched.setattr(Path, "replace", lambda *paths: die() if next(turns) else replace(*paths))
        else:
            patched.setattr(os, step, die)
        with pytest.raises(Dead):
            file.write(b"new")
    assert file.newest() == b"older goes" or step == "open"
    again = SnapshotFile(tmp_path / "snapshot")
    assert again.newest() == b"older goes"
    assert again.previous() in (b"old", b"older goes")
    if left == "drafts":
        (tmp_path / ".snapshot.spare").unlink(missing_ok=True)
        (tmp_path / ".snapshot.draft").write_bytes(b"half")
        (tmp_path / ".snapshot.spare").write_bytes(b"half")
    again.write(b"next")
    assert (again.newest(), again.previous()) == (b"next", b"older goes")
    assert {path.name for path in tmp_path.iterdir()} == {"snapshot", "snapshot.previous"}


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, Unavailable)]
)
def test_a_disk_that_does_not_take_it(
    file: SnapshotFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    file.write(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(number, "no")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(error):
            file.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]
    assert file.newest() == b"old"


def test_what_is_no_plain_file_is_not_read(file: SnapshotFile, tmp_path: Path) -> None:
    """Neither a pipe that nobody writes to, nor a link to something else, nor a folder keeps a reader waiting."""
    place = tmp_path / "snapshot"
    (tmp_path / "secret").write_bytes(b"x")
    os.mkfifo(place)
    assert (file.newer(), file.newest()) == (None, b"")
    place.unlink()
    place.symlink_to(tmp_path / "secret")
    assert (file.newer(), file.newest()) == (None, b"")
    place.unlink()
    place.mkdir()
    assert (file.newer(), file.newest()) == (None, b"")


def test_it_reads_no_more_than_a_snapshot_may_have(file: SnapshotFile, tmp_path: Path) -> None:
    with (tmp_path / "snapshot").open("wb") as large:
        large.truncate(BOUND + 1000)
    assert len(file.newest()) == BOUND + 1


def test_a_file_that_cannot_be_read_is_none(
    file: SnapshotFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write(b"good")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdopen", fail)
        assert (file.newest(), file.newer()) == (b"", None)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert file.newer() == b"good", "it is looked at again"
    assert len(list(Path("/proc/self/fd").iterdir())) == before
