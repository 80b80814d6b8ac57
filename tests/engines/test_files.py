from __future__ import annotations

import asyncio
import errno
import os
import stat
from pathlib import Path

import pytest

from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.errors import Damaged, StorageFull, Unavailable


class Kept:
    """Blobs in a folder, and a look at the files behind them."""

    def __init__(self, folder: Path, left: int = 1 << 40) -> None:
        self.top = folder / "blobs"
        self.left = left
        self.lost: list[str] = []
        self.sealer = KeyStore(folder / "keys")
        self.blobs = self.again()

    def again(self, share: int = 0) -> FileBlobs:
        """Another process's."""
        free, kept = (lambda: self.left), (lambda _class_id: share)
        return FileBlobs(self.top, self.sealer, 1000, free, share=kept, lost=self.lost.append)

    def write(self, data: bytes) -> str:
        return asyncio.run(self.blobs.write("class_a", data))

    def read(self, name: str) -> bytes:
        return asyncio.run(self.blobs.read("class_a", name))

    def files(self) -> list[Path]:
        return sorted(path for path in self.top.rglob("*") if path.is_file())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_blob_lies_sealed_under_its_class_and_the_start_of_its_name(kept: Kept) -> None:
    name = kept.write(b"content")
    (path,) = kept.files()
    assert path == kept.top / "class_a" / name[:2] / name
    assert b"content" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)} == {0o700}


def test_every_changed_byte_is_damage_and_writing_again_heals_it(kept: Kept) -> None:
    name = kept.write(b"content")
    (path,) = kept.files()
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(Damaged):
            kept.read(name)
    assert kept.write(b"content") == name
    assert kept.read(name) == b"content"


def test_a_blob_under_another_ones_name_is_damage(kept: Kept) -> None:
    first, second = kept.write(b"first"), kept.write(b"second")
    paths = {path.name: path for path in kept.files()}
    paths[first].write_bytes(paths[second].read_bytes())
    with pytest.raises(Damaged):
        kept.read(first)


def test_a_blob_that_cannot_be_read_is_damage(kept: Kept) -> None:
    name = kept.write(b"content")
    (path,) = kept.files()
    path.unlink()
    path.mkdir()
    with pytest.raises(Damaged):
        kept.read(name)


def test_writing_the_same_again_writes_nothing(kept: Kept) -> None:
    kept.write(b"content")
    (path,) = kept.files()
    before = path.stat().st_ino
    kept.left = 0
    kept.write(b"content")
    assert path.stat().st_ino == before


def test_below_the_low_water_mark_nothing_new_is_stored_and_reading_goes_on(kept: Kept) -> None:
    name = kept.write(b"content")
    kept.left = 1006
    with pytest.raises(StorageFull):
        kept.write(b"another")
    assert kept.read(name) == b"content"


@pytest.mark.parametrize("regular", [True, False])
@pytest.mark.parametrize(
    ("number", "told"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, Unavailable)]
)
def test_a_write_that_fails_leaves_nothing_behind(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, number: int, told: type[Exception], regular: bool
) -> None:
    kept.write(b"first")
    before = kept.files()

    real = os.fsync

    def fail(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) == regular:
            raise OSError(number, "no")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(told):
        kept.write(b"second")
    monkeypatch.undo()
    assert kept.files() == before
    assert kept.read(kept.write(b"second")) == b"second"


def test_a_name_appears_only_once_its_bytes_are_synced(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order in which the file, its name and its folders become durable, as the kernel is told it."""
    kept.sealer.blind("class_a", "blob", "")  # the class has its key
    told: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        told.append("sync " + ("file" if stat.S_ISREG(os.fstat(descriptor).st_mode) else "folder"))
        real_sync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        told.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    kept.write(b"content")
    assert told == ["sync folder", "sync folder", "sync file", "rename", "sync folder"]


@pytest.mark.parametrize("share", [0, 1 << 20])
@pytest.mark.parametrize("ordinal", [1, 2, 3, 4])
def test_what_a_failed_sync_left_unpromised_no_retry_promises(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, ordinal: int, share: int
) -> None:
    """Each sync of a write fails in turn: of the folders made, of the file, of the folder behind the rename.

    The process is told to end; in one that goes on, and in another one, the next write syncs all of it anew before it
    says a word: every folder on the way, and a file with its name.
    """
    kept.sealer.blind("class_a", "blob", "")
    blobs, count, real = kept.again(share), 0, os.fsync
    if share:
        asyncio.run(blobs.used("class_a"))  # the share is set aside
    synced: list[str] = []

    def sync(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count == ordinal:
            raise OSError(errno.EIO, "no")
        regular, place = stat.S_ISREG(os.fstat(descriptor).st_mode), Path(f"/proc/self/fd/{descriptor}")
        synced.append("file" if regular else str(place.readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(Unavailable):
        asyncio.run(blobs.write("class_a", b"content"))
    assert kept.lost == ["blobs"]
    assert kept.files() == []
    name = ""
    for after in (blobs, kept.again(share)):
        synced.clear()
        name = asyncio.run(after.write("class_a", b"content"))
        shelf = kept.top / "class_a" / name[:2]
        assert synced[-1:] == [str(shelf)]
        assert ("file" in synced) == (after is blobs)
        if ordinal < 3 or after is not blobs:
            assert str(shelf.parent) in synced
    assert asyncio.run(blobs.read("class_a", name)) == b"content"
