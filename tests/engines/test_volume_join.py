"""Any K of N volumes give the file back; every changed byte is named, and repaired or refused."""

from __future__ import annotations

import os
import random
from itertools import combinations
from pathlib import Path

import pytest

from casemate.crypto import KeySigner, generate
from casemate.engines.volume_files import VolumeFile, found
from casemate.engines.volume_join import FOLDER, Join
from casemate.engines.volume_split import DRAFTS, split
from casemate.errors import BadInput, Conflict, Damaged, Occupied, TooLarge
from casemate.transfer.volumes.volume import DIGEST, LEAST_FRAME, PAGE, Layout, counted
from tests.engines.volumes import CARRIED, fine, joined, made
from tests.laws.long import leave


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What survives a power cut is another file's business (test_volume_faults.py)."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.mark.parametrize("n", range(1, 8))
def test_every_subset_of_k_volumes_restores(n: int, tmp_path: Path) -> None:
    for k in range(1, n + 1):
        content, cut = made(tmp_path / str(k), n, n - k, size=9_000 * k, seed=n)
        assert len(cut.files) == n
        for chosen in combinations(cut.files, k):
            output = tmp_path / "back"
            assert joined(output, *reversed(chosen)) == (len(content), [], ())
            assert output.read_bytes() == content
            output.unlink()
        for chosen in combinations(cut.files, k - 1):
            if chosen:
                size, _, wanted = joined(tmp_path / "back", *chosen)
                assert (size, len(wanted)) == (-1, 1)
                assert not (tmp_path / "back").exists()
                for each in (tmp_path / f"back{FOLDER}").iterdir():
                    each.unlink()


@pytest.mark.parametrize("size", [0, 1, LEAST_FRAME, 3 * LEAST_FRAME - 8, 3 * LEAST_FRAME - 7, 100_001])
def test_any_size_comes_back(size: int, tmp_path: Path) -> None:
    content, cut = made(tmp_path, 5, 2, size=size)
    assert joined(tmp_path / "back", *cut.files[2:])[0] == size
    assert (tmp_path / "back").read_bytes() == content
    assert len({each.stat().st_size for each in cut.files}) == 1
    assert not (tmp_path / "set" / DRAFTS).exists()
    assert not (tmp_path / f"back{FOLDER}").exists()


def test_a_set_of_several_pages_and_large_frames(tmp_path: Path) -> None:
    """More frames than a page has digests, and frames of 128 KiB: every place is found again."""
    layout, size = fine(PAGE + 3, 3, 1)
    content = random.Random(1).randbytes(size)
    (tmp_path / "source").write_bytes(content)
    for number, each in enumerate((layout, Layout(2, 3, 128 << 10, 33))):
        (tmp_path / str(number)).mkdir()
        cut = split(tmp_path / "source", tmp_path / str(number), each, CARRIED)
        assert joined(tmp_path / "back", *cut.files[1:])[0] == size
        assert (tmp_path / "back").read_bytes() == content
        (tmp_path / "back").unlink()
    assert counted(64 << 20, 10, 2).frame > LEAST_FRAME


# ---- a single byte changed anywhere -----------------------------------------------------------------------------


def flipped(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        [byte] = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << at % 8]))


def told_of(path: Path) -> list[tuple[str, int, int]]:
    with VolumeFile(path) as volume:
        for _ in volume.frames():
            pass
        return [(fault.part, fault.volume, fault.frame) for fault in volume.faults]


def part_of(path: Path, at: int) -> tuple[str, int]:
    """What lies there, by the sizes that its head tells: the part, and the frame where one is told."""
    with VolumeFile(path) as volume:
        head = volume.head
    if at < head.table:
        return "head", -1
    if at < head.body:
        return "table", (at - head.table) // DIGEST // PAGE * PAGE
    place = (at - head.body) // head.layout.frame
    return ("frame", place) if place < head.layout.frames else ("copy", -1)


@pytest.mark.parametrize("which", [0, pytest.param(2, marks=pytest.mark.long)])
def test_every_changed_byte_of_a_volume_is_named(which: int, tmp_path: Path) -> None:
    _, cut = made(tmp_path, 3, 1, size=4000)
    path = cut.files[which]
    whole = path.read_bytes()
    assert told_of(path) == []
    for at in range(len(whole)):
        part, frame = part_of(path, at)
        flipped(path, at)
        assert (part, which + 1, frame) in told_of(path), at
        path.write_bytes(whole)


def repaired_or_refused(folder: Path, positions: int | None, seed: int) -> int:
    """Flip bytes of a set of two and one of parity, and of a set without parity; how many were tried."""
    content, cut = made(folder, 3, 1, size=2 * LEAST_FRAME)
    bare = made(folder / "bare", 2, 0, size=2 * LEAST_FRAME)[1]
    every = [(path, at) for path in cut.files for at in range(path.stat().st_size)]
    chosen = every if positions is None else random.Random(seed).sample(every, positions)
    output = folder / "back"
    for path, at in chosen:
        whole = path.read_bytes()
        part, _ = part_of(path, at)
        flipped(path, at)
        size, faults, _ = joined(output, *cut.files)
        parity = path == cut.files[2]  # not read where all data is whole; its head is, in any case
        assert parity or any(f.part == part and f.file == path.name for f in faults), (path.name, at)
        assert size == len(content)
        assert output.read_bytes() == content
        output.unlink()
        path.write_bytes(whole)
        alone = bare.files[at % 2]
        whole = alone.read_bytes()
        place = at % len(whole)
        part, _ = part_of(alone, place)
        flipped(alone, place)
        size, faults, wanted = joined(output, *bare.files)
        assert any(f.part == part and f.file == alone.name for f in faults), (alone.name, place)
        if part in ("frame", "table"):
            assert size == -1
            assert wanted == (at % 2 + 1,)
            assert not output.exists()
            for each in output.with_name(output.name + FOLDER).iterdir():
                each.unlink()
        else:  # the head is there twice
            assert output.read_bytes() == content
            output.unlink()
        alone.write_bytes(whole)
    return len(chosen)


def test_a_changed_byte_is_repaired_or_refused_never_adopted(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nseed {seed}")
    repaired_or_refused(tmp_path, 60, seed)


@pytest.mark.long
def test_every_changed_byte_is_repaired_or_refused_never_adopted(tmp_path: Path) -> None:
    leave("volumes_bytes", positions=repaired_or_refused(tmp_path, None, 0), adopted_altered=0)


def test_a_volume_without_any_head_is_named_and_made_up_for(tmp_path: Path) -> None:
    content, cut = made(tmp_path, 3, 1)
    size = cut.head.size
    raw = cut.files[0].read_bytes()
    cut.files[0].write_bytes(b"x" * size + raw[size:-size] + b"x" * size)
    total, faults, _ = joined(tmp_path / "back", tmp_path / "set")
    assert [(f.file, f.part) for f in faults] == [(cut.files[0].name, "head")]
    assert total == len(content)
    assert (tmp_path / "back").read_bytes() == content


def test_damaged_frames_of_several_volumes_make_up_for_each_other(tmp_path: Path) -> None:
    """Each volume has another bad frame: none of them is whole, and together they suffice."""
    layout, size = fine(6, 4, 1)
    (tmp_path / "source").write_bytes(content := random.Random(2).randbytes(size))
    (tmp_path / "set").mkdir()
    cut = split(tmp_path / "source", tmp_path / "set", layout, CARRIED)
    for frame, path in enumerate(cut.files):
        flipped(path, cut.head.body + frame * layout.frame + 5)
    total, faults, _ = joined(tmp_path / "back", tmp_path / "set")
    assert sorted((f.part, f.volume, f.frame) for f in faults) == [("frame", i + 1, i) for i in range(4)]
    assert total == size
    assert (tmp_path / "back").read_bytes() == content


def test_what_stands_behind_a_volume_is_told(tmp_path: Path) -> None:
    content, cut = made(tmp_path, 2, 0)
    with cut.files[0].open("ab") as file:
        file.write(b"more")
    assert told_of(cut.files[0]) == [("size", 1, -1)]
    assert joined(tmp_path / "back", tmp_path / "set")[0] == len(content)


# ---- what is asked of it, and of the folders ---------------------------------------------------------------------


def test_row_19_links_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    _, cut = made(tmp_path, 2, 0)
    disc = tmp_path / "disc"
    disc.mkdir()
    (disc / "a.cmv").symlink_to(cut.files[0])
    (disc / "b.cmv").mkdir()
    os.mkfifo(disc / "c.cmv")
    (disc / "readme.txt").write_text("not ours")
    files, faults = found([disc])
    assert files == []
    assert [(f.file, f.part) for f in faults] == [("a.cmv", "link"), ("b.cmv", "link"), ("c.cmv", "link")]
    for name in ("a.cmv", "c.cmv"):
        with pytest.raises(BadInput):
            VolumeFile(disc / name)
    assert joined(tmp_path / "back", disc)[0] == -1
    assert not (tmp_path / f"back{FOLDER}").exists(), "nothing came, so nothing is kept"


def test_a_folder_of_too_many_files_is_not_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.engines import volume_files

    monkeypatch.setattr(volume_files, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.cmv").touch()
    with pytest.raises(TooLarge):
        found([tmp_path])


def test_bytes_that_are_no_volume_are_damaged(tmp_path: Path) -> None:
    for number, raw in enumerate((b"", b"CMVOL\0\0\1", b"CMVOL\0\0\1" + b"\xff" * 100, bytes(5000))):
        (tmp_path / f"{number}.cmv").write_bytes(raw)
        with pytest.raises(Damaged):
            VolumeFile(tmp_path / f"{number}.cmv")
    _, faults, _ = joined(tmp_path / "back", tmp_path)
    assert [f.part for f in faults] == ["head"] * 4


def test_the_file_is_never_written_over(tmp_path: Path) -> None:
    _, cut = made(tmp_path, 1, 0)
    (tmp_path / "back").symlink_to("nowhere")
    with pytest.raises(Conflict):
        joined(tmp_path / "back", *cut.files)


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    _, cut = made(tmp_path, 1, 0)
    with Join(tmp_path / "back") as work:
        work.take(cut.files)
        (tmp_path / "back").write_text("another's")
        with pytest.raises(Conflict):
            work.finish()
    assert (tmp_path / "back").read_text() == "another's"


def test_one_at_a_time(tmp_path: Path) -> None:
    _, cut = made(tmp_path, 1, 0)
    with Join(tmp_path / "back") as work:
        with pytest.raises(Occupied):
            Join(tmp_path / "back").__enter__()
        with pytest.raises(BadInput):
            work.missing()
        work.take(cut.files)


def test_a_medium_that_is_changed_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at its head and the reading of it somebody puts another disc in."""
    from casemate.engines import volume_join

    content, cut = made(tmp_path / "one", 2, 0, seed=1)
    _, other = made(tmp_path / "two", 2, 0, seed=2)
    disc, spare = tmp_path / "disc.cmv", tmp_path / "spare"
    disc.write_bytes(cut.files[0].read_bytes())
    real = volume_join._looked_at

    def swapped(*said: object) -> object:
        seen = real(*said)  # type: ignore[arg-type]
        disc.replace(spare)
        disc.write_bytes(other.files[0].read_bytes())
        return seen

    with monkeypatch.context() as patched:
        patched.setattr(volume_join, "_looked_at", swapped)
        with pytest.raises(Conflict):
            joined(tmp_path / "back", disc)
        assert joined(tmp_path / "back", cut.files[1])[0] == -1
        spare.replace(disc)
        size, faults, wanted = joined(tmp_path / "back", disc)
    assert (size, [f.part for f in faults], wanted) == (-1, ["set"], (1,))
    assert joined(tmp_path / "back", *cut.files)[0] == len(content)


def test_a_set_signed_by_another_is_not_taken(tmp_path: Path) -> None:
    signer, other = KeySigner(generate("hybrid")), KeySigner(generate())
    content, cut = made(tmp_path, 2, 1, signer=signer)
    assert joined(tmp_path / "back", tmp_path / "set", believed=other.public)[0] == -1
    assert joined(tmp_path / "back", tmp_path / "set", believed=signer.public)[0] == len(content)
    (tmp_path / "back").unlink()
    with Join(tmp_path / "back") as work:
        work.take(cut.files)
        with pytest.raises(BadInput):
            work.take(cut.files, believed=other.public)


# ---- splitting ---------------------------------------------------------------------------------------------------


def test_a_lost_volume_is_made_again_from_the_same_file_alone(tmp_path: Path) -> None:
    _, cut = made(tmp_path, 5, 2)
    raw = {path: path.read_bytes() for path in cut.files}
    for number in (2, 5):
        cut.files[number - 1].unlink()
    again = split(
        tmp_path / "source", tmp_path / "set", cut.head.layout, CARRIED, only=(2, 5), expect=cut.head.set_id[:5]
    )
    assert [path.name for path in again.files] == [cut.files[1].name, cut.files[4].name]
    assert {path: path.read_bytes() for path in cut.files} == raw
    (tmp_path / "source").write_bytes(b"another")
    cut.files[1].unlink()
    with pytest.raises(BadInput):
        split(tmp_path / "source", tmp_path / "set", cut.head.layout, CARRIED, only=(2,), expect=cut.head.set_id[:5])
    assert not cut.files[1].exists()
    assert not (tmp_path / "set" / DRAFTS).exists()


@pytest.mark.parametrize("how", ["longer", "cut"])
def test_a_file_that_changes_meanwhile_makes_no_volume(how: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(50_000))

    def change(done: int, of: int) -> None:
        if done == 1:
            with (tmp_path / "source").open("r+b") as file:
                file.truncate(70_000 if how == "longer" else 10)

    with pytest.raises(Conflict):
        split(tmp_path / "source", tmp_path, counted(50_000, 3, 1), CARRIED, told=change)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_two_cannot_write_into_a_folder_at_once(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(50_000))

    def again(done: int, of: int) -> None:
        with pytest.raises(Occupied):
            split(tmp_path / "source", tmp_path, counted(50_000, 3, 1), CARRIED)

    assert len(split(tmp_path / "source", tmp_path, counted(50_000, 3, 1), CARRIED, told=again).files) == 3


def test_the_outside_tells_no_name_and_no_exact_size(tmp_path: Path) -> None:
    """Two files of other sizes and names: their volumes differ in digests alone."""
    seen = []
    for number, size in enumerate((60_001, 60_002)):
        _, cut = made(tmp_path / f"{number}", 3, 1, size=size)
        head, raw = cut.head, cut.files[0].read_bytes()
        assert b"source" not in raw
        seen.append((head.layout, head.carried, len(raw)))
    assert seen[0] == seen[1]
