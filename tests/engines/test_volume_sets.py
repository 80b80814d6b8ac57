"""Rows 20 and 24 of the list of faults: missing, swapped, stale and mixed volumes."""

from __future__ import annotations

import os
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from casemate.engines import volume_split
from casemate.engines.volume_join import FOLDER, Join
from casemate.engines.volume_split import split
from casemate.errors import BadInput, Damaged
from casemate.transfer.volumes.parity import add_up
from casemate.transfer.volumes.volume import Carried, counted
from tests.engines.volumes import CARRIED, joined, made


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What survives a power cut is another file's business (test_volume_faults.py)."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


def test_row_20_every_subset_of_lost_volumes_and_a_stale_one_in_each_place(tmp_path: Path) -> None:
    """The last edition's volumes lie under the names of this one's (as in zarf's issue 3266)."""
    content, cut = made(tmp_path / "new", 5, 2, seed=1)
    _, old = made(tmp_path / "old", 5, 2, seed=2)
    output = tmp_path / "back"
    for lost in combinations(range(5), 2):
        disc = tmp_path / "disc"
        disc.mkdir()
        for number, path in enumerate(cut.files):
            shutil.copy(old.files[number] if number in lost else path, disc / path.name)
        with pytest.raises(BadInput) as raised:
            joined(output, disc)
        assert cut.head.set_name in str(raised.value.facts["what"])
        size, faults, _ = joined(output, disc, wanted=cut.head.set_name)
        assert size == len(content)
        assert {f.file for f in faults if f.part == "set"} == {cut.files[number].name for number in lost}
        assert output.read_bytes() == content
        output.unlink()
        shutil.rmtree(disc)


def test_row_20_a_stale_volume_of_the_same_shape_is_left_alone(tmp_path: Path) -> None:
    _, cut = made(tmp_path / "new", 4, 1, seed=1)
    _, old = made(tmp_path / "old", 4, 1, seed=2)
    with Join(tmp_path / "back") as work:
        work.take(cut.files[:1])
        taken = work.take(old.files)
        assert taken.frames == {}
        assert [(f.part, f.volume) for f in taken.faults] == [("set", number) for number in (1, 2, 3, 4)]
        assert len(work.missing()) == 2


def test_row_20_another_cut_of_the_same_bundle_is_another_set(tmp_path: Path) -> None:
    content, cut = made(tmp_path, 4, 1)
    sets = {cut.head.digest}
    for place, (n, parity, carried) in enumerate(
        (
            (4, 2, CARRIED),
            (5, 1, CARRIED),
            (4, 1, Carried(bytes(16), "SECRET")),
            (4, 1, Carried(b"1" * 16, "UNCLASSIFIED")),
        )
    ):
        (tmp_path / f"{place}").mkdir()
        other = split(tmp_path / "source", tmp_path / f"{place}", counted(len(content), n, parity), carried)
        sets.add(other.head.digest)
        with Join(tmp_path / f"back{place}") as work:
            work.take(cut.files[:1])
            assert {f.part for f in work.take(other.files).faults} == {"set"}
            assert len(work.missing()) == 2
    assert len(sets) == 5


def test_row_24_parts_of_two_sets_are_never_mixed(tmp_path: Path) -> None:
    """Frames, tables and heads of one set in the volumes of another of the same shape."""
    content, cut = made(tmp_path / "one", 4, 1, seed=1)
    _, other = made(tmp_path / "two", 4, 1, seed=2)
    head, raw, strange = cut.head, cut.files[0].read_bytes(), other.files[0].read_bytes()
    second = cut.files[1].read_bytes()
    frame = head.layout.frame
    parts = {
        "frame": (head.body, head.body + frame, strange),
        "table": (head.table, head.body, strange),
        "frames": (head.body, head.body + head.layout.own, strange),
        "table and frames": (head.table, head.body + head.layout.own, strange),
        "another volume's": (head.table, head.body + head.layout.own, second),
        "all but a frame": (0, head.body, strange),
    }
    output = tmp_path / "back"
    for name, (start, end, source) in parts.items():
        cut.files[0].write_bytes(raw[:start] + source[start:end] + raw[end:])
        size, faults, _ = joined(output, *cut.files[1:], cut.files[0], wanted=head.set_name)
        assert (size, bool(faults)) == (len(content), True), name
        assert output.read_bytes() == content, name
        output.unlink()
        size, faults, wanted = joined(output, *cut.files[:3], wanted=head.set_name)
        if size >= 0:  # its head at the end says which set it is of, and all else was whole
            assert output.read_bytes() == content, name
            output.unlink()
        else:
            assert len(wanted) == 1, name
            shutil.rmtree(tmp_path / f"back{FOLDER}")


def test_row_24_a_set_whose_parity_is_not_its_own_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes a set may lie in it: what it gives back is not what its roots say."""

    def lies(rows: Any, columns: Any, out: Any) -> None:
        add_up(rows, columns, out)
        out[0][7] ^= 1

    monkeypatch.setattr(volume_split, "add_up", lies)
    content, cut = made(tmp_path, 3, 1)
    with pytest.raises(Damaged):
        joined(tmp_path / "back", *cut.files[1:])
    assert not (tmp_path / "back").exists()
    assert joined(tmp_path / "back", *cut.files)[0] == len(content)
    assert (tmp_path / "back").read_bytes() == content
