"""What is carried from one attempt to the next: files and folders of the former's out, and nothing that leads away."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from casemate.engines import job_scratch
from casemate.engines.job_scratch import JobScratch
from casemate.errors import BadInput, StorageFull, TooLarge

DOMAIN, FORMER, NEXT = "dom", "a" * 32, "b" * 32
MIB = 1 << 20


@pytest.fixture
def scratch(tmp_path: Path) -> JobScratch:
    made = JobScratch(tmp_path / "jobs")
    for token in (FORMER, NEXT):
        asyncio.run(made.make(DOMAIN, token))
    return made


def out(tmp_path: Path, token: str) -> Path:
    return tmp_path / "jobs" / DOMAIN / token / "out"


def carry(scratch: JobScratch, path: str, most: int = MIB, former: str = FORMER) -> bool:
    return asyncio.run(scratch.carry(DOMAIN, former, NEXT, path, most))


def test_files_and_folders_are_there_as_they_were_left(scratch: JobScratch, tmp_path: Path) -> None:
    left = out(tmp_path, FORMER) / "deep" / "saved"
    (left / "more").mkdir(parents=True)
    (left / "state").write_bytes(b"x" * 300_000)
    (left / "more" / "run").write_text("#!/bin/sh")
    (left / "more" / "run").chmod(0o755)
    (left / "empty").write_bytes(b"")
    (left.parent / "other").write_text("stays")
    assert carry(scratch, "deep/saved")
    found = out(tmp_path, NEXT) / "deep" / "saved"
    assert (found / "state").read_bytes() == b"x" * 300_000
    assert (found / "more" / "run").stat().st_mode & 0o777 == 0o755
    assert (found / "empty").read_bytes() == b""
    assert not (found.parent / "other").exists()
    assert (left / "state").exists(), "it is copied, not moved"
    assert (found / "state").stat().st_ino != (left / "state").stat().st_ino


@pytest.mark.parametrize("path", ["one", "./one", "one/"])
def test_one_file(scratch: JobScratch, tmp_path: Path, path: str) -> None:
    (out(tmp_path, FORMER) / "one").write_text("1")
    assert carry(scratch, path)
    assert (out(tmp_path, NEXT) / "one").read_text() == "1"


def test_the_whole_folder(scratch: JobScratch, tmp_path: Path) -> None:
    (out(tmp_path, FORMER) / "one").write_text("1")
    assert carry(scratch, ".")
    assert (out(tmp_path, NEXT) / "one").read_text() == "1"


def test_where_nothing_was_left_nothing_is_carried(scratch: JobScratch, tmp_path: Path) -> None:
    (out(tmp_path, FORMER) / "file").write_text("1")
    assert not carry(scratch, "none")
    assert not carry(scratch, "none/below")
    assert not carry(scratch, "file/below")
    assert not carry(scratch, "saved", former="c" * 32)


def test_no_link_pipe_or_socket_comes_along(scratch: JobScratch, tmp_path: Path) -> None:
    """Links would have the region read its own files, or write where the next attempt was not meant to."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("the region's")
    left = out(tmp_path, FORMER) / "saved"
    left.mkdir()
    (left / "link").symlink_to(tmp_path / "secret" / "key")
    (left / "folder").symlink_to(tmp_path / "secret")
    os.mkfifo(left / "pipe")
    (left / "good").write_text("good")
    assert carry(scratch, "saved")
    assert sorted(one.name for one in (out(tmp_path, NEXT) / "saved").iterdir()) == ["good"]
    (out(tmp_path, FORMER) / "away").symlink_to(tmp_path / "secret")
    for path in ("away", "away/key", "saved/link", "saved/folder/key"):
        assert not carry(scratch, path), path


def test_a_link_in_the_place_of_the_copy_is_not_followed(scratch: JobScratch, tmp_path: Path) -> None:
    (out(tmp_path, FORMER) / "saved").mkdir()
    (out(tmp_path, FORMER) / "saved" / "key").write_text("another's")
    (tmp_path / "secret").mkdir()
    (out(tmp_path, NEXT) / "saved").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput):
        carry(scratch, "saved")
    assert list((tmp_path / "secret").iterdir()) == []


def test_what_has_no_end_is_refused(scratch: JobScratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = out(tmp_path, FORMER)
    with (left / "sparse").open("wb") as file:
        file.truncate(2 * MIB)
    with pytest.raises(TooLarge):
        carry(scratch, "sparse")
    monkeypatch.setattr(job_scratch, "_CARRIED", 3)
    (left / "many").mkdir()
    for name in "abcd":
        (left / "many" / name).touch()
    with pytest.raises(TooLarge):
        carry(scratch, "many")
    monkeypatch.setattr(job_scratch, "_CARRIED", 1000)
    at = os.open(left, os.O_RDONLY)
    for _ in range(80):
        os.mkdir("deep", dir_fd=at)
        inner = os.open("deep", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    with pytest.raises(TooLarge):
        carry(scratch, "deep")


def test_a_full_disk_is_said_so(scratch: JobScratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    (out(tmp_path, FORMER) / "one").write_text("1")
    monkeypatch.setattr(os, "sendfile", full)
    with pytest.raises(StorageFull):
        carry(scratch, "one")
