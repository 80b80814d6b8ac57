"""SIF images become trees: one partition, with nothing that only root may give, and refused where they lie."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.cells.unpack import sif as cell
from casemate.cells.unpack.tree import Unpackable
from tests.cells.sif import DATA, descriptor, header, laid_out, sif, squashed
from tests.cells.test_unpack import unpacked

MACHINE = os.uname().machine
SUPERBLOCK = struct.pack("<4sIIIIHHHHHHQQ", b"hsqs", 3, 0, 131072, 0, 1, 17, 0, 1, 4, 0, 0, 96).ljust(4096, b"\0")


def root(tmp_path: Path) -> Path:
    """What an image holds, and what a hostile one may hold besides."""
    at = tmp_path / "root"
    (at / "bin").mkdir(parents=True)
    (at / "bin/tool").write_bytes(b"#!/bin/sh\necho here\n")
    (at / "bin/tool").chmod(0o6777)
    os.link(at / "bin/tool", at / "bin/same")
    (at / "away").symlink_to("/etc")
    (at / "up").symlink_to("../../../../etc")
    (at / "shut").mkdir()
    (at / "shut/file").write_bytes(b"x" * 300_000)
    (at / "shut").chmod(0o1777)
    os.mkfifo(at / "pipe")
    if os.geteuid() == 0:
        os.mknod(at / "null", 0o20666, os.makedev(1, 3))
    return at


@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd"])
def test_the_primary_partition_becomes_a_tree_without_rights(tmp_path: Path, compressor: str) -> None:
    (tmp_path / "image.sif").write_bytes(sif(squashed(root(tmp_path), "-comp", compressor)))
    assert unpacked("image", tmp_path / "image.sif", tmp_path / "tree") == ""
    tree = tmp_path / "tree"
    assert (tree / "bin/tool").read_bytes() == b"#!/bin/sh\necho here\n"
    assert (tree / "bin/tool").stat().st_mode & 0o7777 == 0o755
    assert (tree / "bin/same").samefile(tree / "bin/tool")
    assert (tree / "shut").stat().st_mode & 0o7777 == 0o755
    assert (tree / "shut/file").stat().st_size == 300_000
    assert os.readlink(tree / "away") == "/etc"  # noqa: PTH115 - where it leads is looked at inside the sandbox
    places = ["dev", "in", "job", "out", "proc", "tmp"]
    assert sorted(p.name for p in tree.iterdir()) == sorted(["away", "bin", "shut", "up", *places])


def test_what_the_sandbox_mounts_on_is_made_inside_the_tree(tmp_path: Path) -> None:
    """A link called `tmp` that leads to the machine's own folder is followed as if the tree were the root."""
    at = tmp_path / "root"
    at.mkdir()
    (at / "tmp").symlink_to("/casemate-test/outside")
    (tmp_path / "image.sif").write_bytes(sif(squashed(at)))
    assert unpacked("image", tmp_path / "image.sif", tmp_path / "tree") == ""
    assert not Path("/casemate-test").exists()
    assert (tmp_path / "tree/casemate-test/outside").is_dir()


def primary(body: bytes) -> tuple[int, int]:
    return cell.primary(io.BytesIO(body), len(body), MACHINE)


WHOLE = sif(SUPERBLOCK)


def one(**changes: object) -> bytes:
    return laid_out(header(1), [descriptor(1, DATA, 4096, **changes)], SUPERBLOCK)  # type: ignore[arg-type]


def test_where_the_primary_partition_lies() -> None:
    assert primary(WHOLE) == (DATA + 4096, 4096)
    assert primary(one(arch=b"00")) == (DATA, 4096)


def block(**changes: int) -> bytes:
    told = {"inodes": 3, "major": 4, "minor": 0, "used": 96} | changes
    return struct.pack(
        "<4sIIIIHHHHHHQQ", b"hsqs", told["inodes"], 0, 131072, 0, 1, 17, 0, 1, told["major"], told["minor"], 0,
        told["used"],
    ).ljust(4096, b"\0")  # fmt: skip


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (WHOLE[:100], "ends before"),
        (laid_out(header(2, magic=b"SIF_MAGI!\0"), [], b""), "no SIF image"),
        (laid_out(header(1, version=b"02"), [descriptor(1, DATA, 4096)], SUPERBLOCK), "no SIF image"),
        (laid_out(header(4097), [], b""), "too great length"),
        (laid_out(header(-1), [], b""), "too great length"),
        (laid_out(header(1, at=-585), [], SUPERBLOCK), "ends before"),
        (laid_out(header(1, at=1 << 62), [], SUPERBLOCK), "ends before"),
        (laid_out(header(0), [], b""), "no primary partition, or several"),
        (one(used=False), "no primary partition, or several"),
        (one(part=3), "no primary partition, or several"),
        (one(type=0x4005), "no primary partition, or several"),
        (laid_out(header(2), [descriptor(n, DATA, 4096) for n in (1, 2)], SUPERBLOCK), "or several"),
        (one(fs=5), "encrypted"),
        (one(fs=2), "no squashfs"),
        (one(arch=b"11"), "no image for this machine"),
        (laid_out(header(1), [descriptor(1, 0, 4096)], SUPERBLOCK), "outside"),
        (laid_out(header(1), [descriptor(1, DATA, 4097)], SUPERBLOCK), "outside"),
        (laid_out(header(1), [descriptor(1, DATA, -1)], SUPERBLOCK), "outside"),
        (laid_out(header(1), [descriptor(1, DATA, 40)], bytes(40)), "ends before"),
        (laid_out(header(1), [descriptor(1, DATA, 4096)], bytes(4096)), "version 4"),
        (sif(block(major=3)), "version 4"),
        (sif(block(used=5000)), "version 4"),
        (sif(block(inodes=2_000_001)), "more names"),
    ],
)
def test_an_image_that_is_not_what_it_says_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(Unpackable, match=told):
        primary(body)


@settings(max_examples=300)
@given(st.binary(max_size=40), st.integers(0, 5000), st.integers(0, len(WHOLE)))
def test_spoilt_headers_are_refused_or_lead_inside_the_file(noise: bytes, at: int, end: int) -> None:
    body = (WHOLE[:at] + noise + WHOLE[at + len(noise) :])[:end]
    try:
        begins, size = primary(body)
    except Unpackable:
        return
    assert 128 <= begins < begins + size <= len(body)


def test_a_squashfs_that_is_spoilt_is_refused_in_our_own_words(tmp_path: Path) -> None:
    body = bytearray(sif(squashed(root(tmp_path))))
    body[DATA + 4096 + 96 : DATA + 4096 + 400] = bytes(304)
    (tmp_path / "image.sif").write_bytes(bytes(body))
    said = unpacked("image", tmp_path / "image.sif", tmp_path / "tree")
    assert said == "Its squashfs cannot be read, or there is no room for it.\n"


@pytest.mark.parametrize("version", ["", "unsquashfs version 4.4 (2019)", "something else"])
def test_a_machine_without_unsquashfs_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from casemate.cells.unpack import __main__ as program

    if version:
        (tmp_path / "unsquashfs").write_text(f"#!/bin/sh\necho '{version}'\n")
        (tmp_path / "unsquashfs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "image.sif").write_bytes(WHOLE)
    assert program.main("image", str(tmp_path / "image.sif"), str(tmp_path / "tree")) == cell.MISSING
    assert "install squashfs-tools" in capsys.readouterr().err


def test_a_tree_of_too_many_names_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superblock counts inodes; names of one inode are counted where they have been written."""
    (tmp_path / "image.sif").write_bytes(sif(squashed(root(tmp_path))))
    monkeypatch.setattr(cell, "_NAMES", 9)
    at = tmp_path / "root"
    for number in range(9):
        os.link(at / "bin/tool", at / "bin" / str(number))
    (tmp_path / "image.sif").write_bytes(sif(squashed(at)))
    assert "more names" in unpacked("image", tmp_path / "image.sif", tmp_path / "tree")
