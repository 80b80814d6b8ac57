from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from casemate.engines.tile_files import TileFiles
from casemate.errors import BadInput, StorageFull, Unavailable


def test_files_are_whole_and_read_back(tmp_path: Path) -> None:
    tiles = TileFiles(tmp_path / "ledger")
    assert tiles.read("log", "checkpoint") is None
    assert tiles.held("log") == frozenset()
    files = {"tile/0/x001/000.p/5": b"five", "tile/entries/000": b"", "checkpoint": b"note"}
    tiles.write("log", files)
    assert {path: tiles.read("log", path) for path in files} == files
    assert tiles.held("log") == files.keys()
    tiles.write("log", {"checkpoint": b"newer"})
    assert tiles.read("log", "checkpoint") == b"newer"
    assert {oct(each.stat().st_mode & 0o777) for each in (tmp_path / "ledger").rglob("*")} == {"0o600", "0o700"}
    tiles.remove("log", ["tile/0/x001/000.p/5", "tile/0/001"])
    assert not (tmp_path / "ledger" / "log" / "tile" / "0" / "x001" / "000.p").exists()
    assert tiles.held("log") == {"tile/entries/000", "checkpoint"}


@pytest.mark.parametrize(
    "path", ["", "../x", "tile/0/../1", "tile/0/1", "/etc/passwd", "tile/0/000.p/1234", "checkpoint/x", ".x"]
)
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    tiles = TileFiles(tmp_path)
    for log in ("log", "../log", ""):
        with pytest.raises(BadInput):
            tiles.read(log, path)
    with pytest.raises(BadInput):
        tiles.write("log", {path: b""})
    with pytest.raises(BadInput):
        tiles.held("../log")


def test_a_link_is_no_tile(tmp_path: Path) -> None:
    tiles = TileFiles(tmp_path)
    tiles.write("log", {"tile/0/000": b"x"})
    (tmp_path / "log" / "checkpoint").symlink_to("/etc/hostname")
    with pytest.raises(Unavailable):
        tiles.read("log", "checkpoint")


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, StorageFull), (errno.EIO, Unavailable)])
def test_a_disk_that_does_not_write_is_said_and_the_old_file_stands(
    tmp_path: Path, number: int, told: type[Exception]
) -> None:
    tiles = TileFiles(tmp_path)
    tiles.write("log", {"checkpoint": b"old"})
    with patch.object(os, "fdatasync", side_effect=OSError(number, "no")), pytest.raises(told):
        tiles.write("log", {"checkpoint": b"new"})
    assert tiles.read("log", "checkpoint") == b"old"
    assert tiles.held("log") == {"checkpoint"}


def test_a_law_waits_for_no_disk(tmp_path: Path) -> None:
    with (
        patch.object(os, "fdatasync", side_effect=AssertionError),
        patch.object(os, "fsync", side_effect=AssertionError),
    ):
        TileFiles(tmp_path, durable=False).write("log", {"checkpoint": b"x"})
