"""Bundles on the disk: whole or absent, whoever is killed; never more memory than a few frames."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import signal
from pathlib import Path

import pytest

from casemate.engines import bundle_files
from casemate.engines.bundle_files import area_of, digested, drafted, resigned
from casemate.engines.bundle_laid import laid
from casemate.errors import BadInput, Conflict
from casemate.transfer.bundle.face import signed
from tests.transfer.bundling import Made, judged, seen, signer, state


@pytest.mark.parametrize("seed", range(6))
def test_row_17_whoever_writes_a_bundle_and_is_killed_leaves_it_absent_or_whole(tmp_path: Path, seed: int) -> None:
    made = Made(tmp_path, files={"big": bytes(range(256)) * (8 << 12)})
    made.content()  # what is kept from one test to the next is made before
    child = os.fork()
    if not child:
        made.write()
        os._exit(0)
    target = random.Random(seed).randrange(10) << 20
    path = tmp_path / "1.cmb"
    while not path.exists() and written(tmp_path) < target:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            break
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if path.exists():
        assert judged(path, state()).rule == "accepted"
    made.write()
    assert judged(path, state()).rule == "accepted"


def written(folder: Path) -> int:
    """How much lies in drafts: 0 for one that has just taken its name."""
    total = 0
    for each in folder.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):
            total += each.stat().st_size
    return total


def test_row_16_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if os.fstat(descriptor).st_size > 1 << 20:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data)

    monkeypatch.setattr(bundle_files.os, "write", full)
    made = Made(tmp_path, files={"big": b"x" * (3 << 20)})
    with pytest.raises(OSError, match="full"):
        made.write()
    assert {each.suffix for each in tmp_path.iterdir()} == {".source"}


def test_a_file_that_changes_while_it_is_sealed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bundle_files.digested

    def late(path: Path, known: str = "") -> bundle_files.Source:
        found = real(path, known)
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        os.utime(path, ns=(1, 1))
        return found

    monkeypatch.setattr("tests.transfer.bundling.digested", late)
    with pytest.raises(Conflict):
        Made(tmp_path).write()
    assert not list(tmp_path.glob("*.cmb"))
    with pytest.raises((BadInput, OSError)):
        digested(tmp_path)


def test_a_digest_that_was_given_and_is_wrong_is_found_by_whoever_receives(tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(b"x")
    assert digested(source, "sha512:" + "0" * 128).digest == "sha512:" + "0" * 128
    assert digested(source).size == 1


def test_another_signature_leaves_the_frames_as_they_are(tmp_path: Path) -> None:
    path = Made(tmp_path, approvers=()).write()
    before = path.read_bytes()
    outside, _ = area_of(path)
    assert judged(path, state()).rule == "threshold"
    resigned(path, signed(outside.face, signer("bob"), "approver", outside.signatures))
    assert path.read_bytes()[bundle_files.AREA :] == before[bundle_files.AREA :]
    assert judged(path, state()).rule == "accepted"
    assert len(list(tmp_path.glob(".*"))) == 0


def test_a_draft_that_fails_leaves_nothing_and_a_folder_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with pytest.raises(RuntimeError), drafted(path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError), laid(path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    path.mkdir()
    with pytest.raises(Conflict), laid(path):
        pass


def test_what_another_cannot_open_is_sealed_to_him(tmp_path: Path) -> None:
    path = Made(tmp_path).write()
    opened = bundle_files.look(path, [])
    assert opened.facts.inside is None
    assert not opened.facts.spoiled
    from casemate.crypto import Keeper, generate_keeper

    assert bundle_files.look(path, [Keeper(generate_keeper())]).facts.inside is None
    assert seen(path).facts.inside is not None
