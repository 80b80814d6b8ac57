"""Rows 9, 16 and 17 of the list of faults, where volumes meet them: absent or whole, and every gap named."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from casemate.engines.volume_files import VolumeFile
from casemate.engines.volume_join import FOLDER, Join
from casemate.engines.volume_split import DRAFTS, split
from casemate.errors import Damaged, StorageFull
from casemate.transfer.volumes.volume import counted
from tests.engines.volumes import CARRIED, calls_of, counted_calls, joined, killed, made
from tests.laws.long import leave

KILLS, TENTH = 200, 20
SIZE = 60_000


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed takes nothing with it that the kernel has; what a power cut takes, row 17 plays."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


def whole(path: Path) -> bool:
    """Whether every byte of a volume is as it was written."""
    try:
        with VolumeFile(path) as volume:
            return sum(1 for _ in volume.frames()) == volume.head.layout.frames and not volume.faults
    except Damaged:
        return False


# ---- row 9: killed at random instants on both sides ---------------------------------------------------------------


def split_killed(folder: Path, chance: random.Random) -> int:
    """A split is killed twice, then comes through; what appeared before was whole. How often it was killed."""
    content = chance.randbytes(SIZE)
    (folder / "source").write_bytes(content)
    out = folder / "set"
    out.mkdir()

    def work() -> None:
        split(folder / "source", out, counted(SIZE, 4, 1), CARRIED)

    calls, kills = calls_of(work), 0
    shutil.rmtree(out)
    out.mkdir()
    for _ in range(2):
        kills += killed(work, chance.randrange(calls), chance.random() < 0.5)
        assert all(whole(path) for path in out.glob("*.cmv"))
    work()
    assert {path.name for path in out.iterdir()} == {path.name for path in out.glob("*.cmv")}
    assert len(list(out.iterdir())) == 4
    assert joined(folder / "back", *sorted(out.iterdir())[1:])[0] == SIZE
    assert (folder / "back").read_bytes() == content
    return kills


def join_killed(folder: Path, chance: random.Random) -> int:
    """A join of one disc after another is killed twice, then comes through; the file is absent, or whole."""
    content, cut = made(folder, 4, 1, size=SIZE, seed=chance.randrange(1 << 30))
    discs = chance.sample(cut.files, 3)
    output = folder / "back"

    def work() -> None:
        for disc in discs:
            if not output.exists():
                joined(output, disc)

    calls, kills = calls_of(work), 0
    output.unlink()
    for _ in range(2):
        kills += killed(work, chance.randrange(calls), chance.random() < 0.5)
        assert not output.exists() or output.read_bytes() == content
    work()
    assert output.read_bytes() == content
    return kills


def test_row_9_killed_at_random_instants_a_volume_and_a_file_are_absent_or_whole(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nseed {seed}: {TENTH} of {KILLS}")
    assert killed_over_and_over(tmp_path, TENTH, seed) >= TENTH


@pytest.mark.long
def test_row_9_killed_200_times_on_both_sides(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    leave("volumes_kill", seeds=KILLS, kills=killed_over_and_over(tmp_path, KILLS, seed), halves=0, seed=seed)


def killed_over_and_over(folder: Path, seeds: int, seed: int) -> int:
    kills = 0
    for number in range(seeds):
        chance, place = random.Random(seed + number), folder / str(number)
        place.mkdir()
        kills += (split_killed if number % 2 else join_killed)(place, chance)
        shutil.rmtree(place)
    return kills


def test_row_9_a_volume_of_which_half_was_read_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.engines import volume_join

    monkeypatch.setattr(volume_join, "SAVE", 1)  # a note for each frame
    content, cut = made(tmp_path, 2, 0, size=SIZE)
    frames = cut.head.layout.frames
    output = tmp_path / "back"

    def work() -> None:
        joined(output, tmp_path / "set")

    assert killed(work, calls_of(lambda: joined(tmp_path / "other", cut.files[0])) // 2)
    with Join(output) as again:
        taken = again.take([tmp_path / "set"])
        assert 0 < taken.frames[1] < frames
        assert taken.frames[2] == frames
        assert again.finish() == SIZE
    assert output.read_bytes() == content


def test_row_9_a_scratched_disc_is_read_again_where_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive says that it cannot read some places; another drive can."""
    content, cut = made(tmp_path, 2, 0, size=SIZE)
    real, bad = os.pread, cut.head.body + 4096

    def scratched(file: int, size: int, at: int) -> bytes:
        if at == bad:
            raise OSError(errno.EIO, "Input/output error")
        return real(file, size, at)

    output = tmp_path / "back"
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", scratched)
        size, faults, wanted = joined(output, tmp_path / "set")
    assert (size, wanted) == (-1, (1, 2))
    assert {(f.part, f.frame) for f in faults} == {("frame", 1)}
    with Join(output) as again:
        assert again.take([tmp_path / "set"]).frames == {1: 1, 2: 1}
        assert again.finish() == SIZE
    assert output.read_bytes() == content


def test_row_9_a_drive_that_fails_otherwise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as what it is, and what it gave until then counts."""
    content, cut = made(tmp_path, 1, 0, size=SIZE)
    real, frames = os.pread, cut.head.layout.frames
    output = tmp_path / "back"

    def gone(file: int, size: int, at: int) -> bytes:
        if at == cut.head.body + 3 * cut.head.layout.frame:
            raise OSError(errno.ENXIO, "No such device")
        return real(file, size, at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", gone)
        with pytest.raises(OSError, match="No such device"):
            joined(output, cut.files[0])
    with Join(output) as again:
        assert again.take(cut.files).frames == {1: frames - 3}
        assert again.finish() == SIZE
    assert output.read_bytes() == content


# ---- row 16: a full disk ------------------------------------------------------------------------------------------


def full_at(at: int) -> Callable[..., Any]:
    """The disk is full at that call that needs room, and from then on."""
    needs = 0

    def act(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...]) -> Any:
        nonlocal needs
        if name in ("pwrite", "fsync", "mkdir"):
            needs += 1
            if needs > at:
                raise OSError((errno.ENOSPC, errno.EDQUOT)[at % 2], "No space left on device")
        return real(*words)

    return act


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_row_16_a_full_disk_stops_it_in_so_many_words_and_keeps_what_was_read(at: int, tmp_path: Path) -> None:
    content, cut = made(tmp_path, 4, 1)
    (tmp_path / "other").mkdir()
    with pytest.raises(StorageFull), counted_calls(full_at(at % 20)):
        split(tmp_path / "source", tmp_path / "other", cut.head.layout, CARRIED)
    assert list((tmp_path / "other").iterdir()) == [], "no draft takes room from anybody"
    output = tmp_path / "back"
    try:
        with counted_calls(full_at(at)):
            joined(output, *cut.files[1:])
    except StorageFull:
        assert not output.exists()
        assert joined(output, *cut.files[1:])[0] == len(content)
    assert output.read_bytes() == content


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes. Skips where none can be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    try:
        options = ["-t", "tmpfs", "-o", f"size={2 << 20},mode=700", "tmpfs"]
        subprocess.run(["/bin/mount", *options, str(place)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    try:
        yield place
    finally:
        subprocess.run(["/bin/umount", "-l", str(place)], check=True, capture_output=True)


def test_row_16_a_disk_that_is_really_full_heals_without_losing_what_was_read(small: Path, tmp_path: Path) -> None:
    content, cut = made(tmp_path, 3, 1, size=1_400_000)
    with pytest.raises(StorageFull):
        split(tmp_path / "source", small, cut.head.layout, CARRIED)
    assert list(small.iterdir()) == []
    (small / "other").write_bytes(bytes(900_000))
    with pytest.raises(StorageFull):
        joined(small / "back", tmp_path / "set")
    assert (small / f"back{FOLDER}").is_dir()
    (small / "other").unlink()
    assert joined(small / "back", tmp_path / "set")[0] == len(content)
    assert (small / "back").read_bytes() == content


# ---- row 17: power cuts, and disks that lie about them ------------------------------------------------------


class PowerCut(BaseException):
    """The machine stops."""


class Unsynced:
    """Writes at a place in a file last only once the file was synced: the power goes at call `at`, and takes them."""

    def __init__(self, at: int) -> None:
        self.at, self.dead = at, False
        self.before: list[tuple[str, int, bytes]] = []

    def act(self, number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...]) -> Any:
        if self.dead:
            return len(words[1]) if name == "pwrite" else None
        if number == self.at:
            self.dead = True
            raise PowerCut
        if name == "pwrite":
            file = str(Path(f"/proc/self/fd/{words[0]}").readlink())
            with Path(file).open("rb") as held:
                held.seek(words[2])
                self.before.append((file, words[2], held.read(len(words[1])).ljust(len(words[1]), b"\0")))
        elif name == "fsync":
            file = str(Path(f"/proc/self/fd/{words[0]}").readlink())
            self.before = [each for each in self.before if each[0] != file]
        elif name in ("rename", "replace"):
            self.before = [(str(words[1]) if f == str(words[0]) else f, at, old) for f, at, old in self.before]
        return real(*words)

    def lose(self) -> None:
        """What was never synced is as it was before."""
        for file, at, old in reversed(self.before):
            if Path(file).exists():
                with Path(file).open("r+b") as held:
                    held.seek(at)
                    held.write(old)


def test_row_17_a_power_cut_leaves_volumes_and_files_absent_or_whole(tmp_path: Path) -> None:
    content, cut = made(tmp_path, 3, 1, size=SIZE)
    out, output = tmp_path / "again", tmp_path / "back"

    def both() -> None:
        split(tmp_path / "source", out, cut.head.layout, CARRIED)
        joined(output, *cut.files[:1])
        joined(output, *cut.files[2:])

    out.mkdir()
    calls = calls_of(both)
    for at in random.Random(17).sample(range(calls), 25):
        shutil.rmtree(out)
        shutil.rmtree(tmp_path / f"back{FOLDER}", ignore_errors=True)
        output.unlink(missing_ok=True)
        out.mkdir()
        power = Unsynced(at)
        with pytest.raises(PowerCut), counted_calls(power.act):
            both()
        power.lose()
        assert all(whole(path) for path in out.glob("*.cmv"))
        assert not output.exists() or output.read_bytes() == content
        if not output.exists():
            with Join(output) as work:
                noted = {number: int(bits.sum()) for number, bits in work.have.items()}
                work.take(cut.files)
                assert work.finish() == SIZE, noted
        assert output.read_bytes() == content


@pytest.mark.parametrize("name", ["draft", "parity-004", "table-001", "table-004", "have-001", "head"])
@pytest.mark.parametrize("how", ["zeros", "gone", "cut"])
def test_row_17_what_a_lying_disk_lost_is_read_again_and_never_adopted(name: str, how: str, tmp_path: Path) -> None:
    """It said that it had synced what was read from two discs, and it had not."""
    content, cut = made(tmp_path, 4, 1, size=SIZE)
    output = tmp_path / "back"
    assert joined(output, cut.files[0], cut.files[3])[0] == -1
    place = tmp_path / f"back{FOLDER}" / name
    raw = place.read_bytes()
    if how == "zeros":
        place.write_bytes(bytes(len(raw)))
    elif how == "cut":
        place.write_bytes(raw[: len(raw) // 3])
    else:
        place.unlink()
    if name == "head" and how != "gone":
        with pytest.raises(Damaged):
            joined(output, *cut.files)
        return
    for _ in range(3):
        if joined(output, *cut.files)[0] == SIZE:
            break
    assert output.read_bytes() == content


def finished(work: Join) -> int:
    """The size, -1 where something is missing, -2 where it is damaged."""
    try:
        return work.finish()
    except Damaged:
        return -2


def test_row_17_what_this_disk_changed_is_repaired_from_parity(tmp_path: Path) -> None:
    content, cut = made(tmp_path, 3, 1, size=SIZE)
    output = tmp_path / "back"
    layout = cut.head.layout
    with Join(output) as work:
        work.take([cut.files[2], cut.files[0]])
        with (tmp_path / f"back{FOLDER}" / "draft").open("r+b") as file:
            file.seek(layout.frame)
            file.write(b"rot")
        assert not work.missing()
        assert finished(work) == -1
        assert work.missing() == (1,) or work.missing() == (2,)
        work.take([cut.files[1]])
        assert work.finish() == SIZE
    assert output.read_bytes() == content


def test_row_17_killed_between_the_cut_to_size_and_the_name(tmp_path: Path) -> None:
    content, cut = made(tmp_path, 3, 1, size=SIZE)
    output = tmp_path / "back"

    def stop(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...]) -> Any:
        if name in ("rename", "replace") and str(words[1]) == str(output):
            raise PowerCut
        return real(*words)

    with pytest.raises(PowerCut), counted_calls(stop):
        joined(output, *cut.files)
    assert (tmp_path / f"back{FOLDER}" / "draft").stat().st_size == SIZE
    assert joined(output)[0] == SIZE, "no disc is needed again"
    assert output.read_bytes() == content


def test_a_killed_split_leaves_no_draft_behind_the_next(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(SIZE))

    def work() -> None:
        split(tmp_path / "source", tmp_path, counted(SIZE, 3, 1), CARRIED)

    assert killed(work, 10)
    assert list((tmp_path / DRAFTS).iterdir())
    work()
    assert not (tmp_path / DRAFTS).exists()
