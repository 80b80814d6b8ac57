"""The watched folder: regular files below it, and nothing that a link, a step or a swap leads to."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from casemate.engines import connect_folder
from casemate.engines.connect_folder import FolderConnector, folder_connector
from casemate.errors import BadInput, Unavailable
from casemate.knowledge import Listed, Place
from casemate.labels import make_label


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with files, and beside it what nobody may read."""
    folder = tmp_path / "press"
    (folder / "in" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"one")
    (folder / "in" / "b.txt").write_bytes(b"two")
    (folder / "in" / "deep" / "c.txt").write_bytes(b"three")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_bytes(b"key")
    return folder


def reads(root: Path, under: str = "") -> FolderConnector:
    return FolderConnector(root, under, "class")


async def keys(root: Path, under: str = "") -> list[str]:
    return [each.key for each in await reads(root, under).list()]


async def test_what_lies_there_is_listed_with_its_version_and_had(root: Path) -> None:
    found = await reads(root).list()
    assert [(each.key, each.size) for each in found] == [("a.txt", 3), ("in/b.txt", 3), ("in/deep/c.txt", 5)]
    assert [await reads(root).fetch(each.key) for each in found] == [b"one", b"two", b"three"]
    assert (await keys(root, "in"), await reads(root, "in").fetch("deep/c.txt")) == (["b.txt", "deep/c.txt"], b"three")
    (root / "a.txt").write_bytes(b"other")
    assert (await reads(root).list())[0].version != found[0].version
    place = Place("press", "folder", make_label({}), {"path": str(root)})
    assert [each.key for each in await folder_connector(place, "in/deep", "class").list()] == ["c.txt"]


async def test_no_link_is_followed(root: Path) -> None:
    (root / "file.txt").symlink_to(root.parent / "secret" / "key.txt")
    (root / "folder").symlink_to(root.parent / "secret")
    assert await keys(root) == ["a.txt", "in/b.txt", "in/deep/c.txt"]
    for key in ("file.txt", "folder/key.txt"):
        with pytest.raises(Unavailable):
            await reads(root).fetch(key)
    for under in ("folder", "never"):
        with pytest.raises(Unavailable):
            await reads(root, under).list()


@pytest.mark.parametrize("path", ["..", "../secret", "in/../../secret", "/etc", "in//deep", "in/", ".hidden", "a\x00b"])
async def test_no_step_leads_out(root: Path, path: str) -> None:
    with pytest.raises(BadInput):
        reads(root, path)
    with pytest.raises(BadInput):
        await reads(root).fetch(f"{path}/key.txt")


async def test_what_is_no_file_is_none(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / ".hidden").write_bytes(b"x")
    (root / "line\nbreak.txt").write_bytes(b"x")
    assert await keys(root) == ["a.txt", "in/b.txt", "in/deep/c.txt"]
    for key in ("pipe", "in"):
        with pytest.raises((BadInput, Unavailable)):
            await reads(root).fetch(key)
    with pytest.raises(Unavailable):
        await reads(root).fetch("never.txt")
    with pytest.raises(Unavailable):
        await reads(root).fetch("")


async def test_a_folder_that_is_gone_is_told(root: Path) -> None:
    with pytest.raises(Unavailable):
        await reads(root / "gone").list()


async def test_a_folder_swapped_for_a_link_while_it_is_walked_leads_nowhere(root: Path) -> None:
    opened = os.open

    def swapped(path: object, *args: object, **named: object) -> int:
        if path == "deep":
            (root / "in" / "deep" / "c.txt").unlink()
            (root / "in" / "deep").rmdir()
            (root / "in" / "deep").symlink_to(root.parent / "secret")
        return opened(path, *args, **named)  # type: ignore[arg-type]

    with patch.object(connect_folder.os, "open", swapped):
        assert await keys(root) == ["a.txt", "in/b.txt"]


async def test_bounds(root: Path) -> None:
    with patch.object(connect_folder, "FILES", 2):
        assert await keys(root) == ["a.txt", "in/b.txt"]
    with patch.object(connect_folder, "DEPTH", 1):
        assert await keys(root) == ["a.txt", "in/b.txt"]
    with patch.object(connect_folder, "SIZE", 2), pytest.raises(BadInput):
        await reads(root).fetch("a.txt")


async def test_a_file_that_is_being_written_is_left_for_later(root: Path) -> None:
    told = os.fstat
    seen: list[int] = []

    def grows(file: int) -> os.stat_result:
        found = told(file)
        seen.append(file)
        if len(seen) == 1:
            with (root / "a.txt").open("ab") as more:
                more.write(b"more")
        return found

    with patch.object(connect_folder.os, "fstat", grows), pytest.raises(Unavailable):
        await reads(root).fetch("a.txt")


def test_a_listed_file_is_a_plain_value() -> None:
    assert Listed("a", "1", 2) == Listed("a", "1", 2)
