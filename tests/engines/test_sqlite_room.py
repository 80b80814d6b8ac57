from __future__ import annotations

import os
from pathlib import Path

import pytest

from casemate.engines.sqlite_room import Room, free_bytes


class Disk:
    """A disk with as much room as the test says."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self) -> int:
        return self.left


def test_ballast_is_laid_where_there_is_room_and_comes_back_after_it_was_dropped(tmp_path: Path) -> None:
    disk = Disk(1_000_000)
    room = Room(tmp_path, low_water=1000, ballast=8192, free=disk)
    assert not room.low()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 8192
    assert room.drop()
    assert not room.drop()
    disk.left = 5000
    assert not room.low()
    assert not (tmp_path / "ballast").exists()
    disk.left = 999
    assert room.low()
    disk.left = 1_000_000
    assert not room.low()
    assert (tmp_path / "ballast").exists()


def test_a_file_system_that_cannot_reserve_does_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    room = Room(tmp_path, low_water=0, ballast=8192)
    assert not room.low()
    assert list(tmp_path.iterdir()) == []


def test_the_room_left_is_what_the_file_system_says(tmp_path: Path) -> None:
    assert 0 < free_bytes(tmp_path) < 1 << 62
