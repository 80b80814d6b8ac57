"""The outbox of the low side: what lies there is announced as it was, and withdrawn where it changes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from casemate.engines.diode_drop import DropFolder
from casemate.engines.diode_outbox import Outbox
from casemate.errors import BadInput, Conflict, Damaged, Misconfigured, StorageFull, Unavailable
from casemate.transfer import diode
from tests.transfer.diode.sim import Bytes


def never() -> bool:
    return False


def test_what_lies_there_urgent_first_and_nothing_that_is_no_file(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    (box.out / "b").write_bytes(b"b")
    (box.out / "a").write_bytes(b"a")
    (box.out / ".draft").write_bytes(b"x")
    (box.out / "link").symlink_to(tmp_path / ".state")
    os.mkfifo(box.out / "pipe")
    (box.out / "urgent" / "z").write_bytes(b"z")
    assert [(each.path.name, each.urgent) for each in box.lying()] == [("z", True), ("a", False), ("b", False)]


def test_an_object_keeps_its_number_and_a_run_gets_a_new_one(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    (box.out / "a").write_bytes(b"one")
    (box.out / "b").write_bytes(b"two")
    a, b = box.lying()
    digests = [box.measured(each, never) for each in (a, b)]
    assert digests[0] is not None
    assert digests[1] is not None
    whole = diode.block_of(Bytes(b"one").read, 3, 0, diode.BLOCK)
    assert digests[0] == hashlib.sha512(whole).digest()
    manifests = [box.manifest(a, digests[0], "M"), box.manifest(b, digests[1], "M")]
    assert [each.sequence for each in manifests] == [1, 2]
    assert (box.started(), box.started()) == (1, 2)
    again = Outbox(tmp_path)
    assert (again.sender, again.started()) == (box.sender, 3)
    assert again.manifest(a, digests[0], "M") == manifests[0]
    assert box.measured(a, lambda: True) is None


def test_an_object_is_read_where_it_went_and_not_where_it_changed(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    (box.out / "a").write_bytes(b"one")
    [lying] = box.lying()
    file = box.file(lying)
    assert file.read(1, 9) == b"ne"
    box.finished(lying, 1)
    box.finished(lying, 1)
    assert (file.read(0, 3), list(box.out.glob("a")), box.lying()) == (b"one", [], [])
    (box.sent / "a").write_bytes(b"other")
    with pytest.raises(Conflict):
        file.read(0, 3)
    with pytest.raises(Conflict):
        box.measured(lying, never)


def test_what_an_earlier_run_has_sent_is_laid_back(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    (box.out / "a").write_bytes(b"one")
    [lying] = box.lying()
    box.finished(lying, 7)
    again = Outbox(tmp_path)
    assert (again.again(6), again.again(7), again.again(7)) == (False, True, False)
    assert [each.path.name for each in again.lying()] == ["a"]


def test_codes_are_read_once(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    box.hear("7.3.ABC")
    (box.gaps / ".draft").write_text("no")
    (box.gaps / "zz").write_bytes(b"\xff" * 5000)
    assert [len(code) for code in box.codes()] in ([7, 1000], [1000, 7])
    assert list(box.codes()) == []


def test_a_state_that_is_none_is_told(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    box.started()
    (tmp_path / ".state" / "outbox").write_bytes(b"{")
    with pytest.raises(Damaged):
        Outbox(tmp_path)


# ---- a drop directory ----------------------------------------------------------------------------------------------


def test_a_drop_directory_shows_whole_files_alone(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path)

    def pieces() -> list[bytes]:
        assert drop.names() == [], "seen before it is whole"
        return [b"one", b"two"]

    drop.put("a.cmo", (piece for piece in pieces()))
    (tmp_path / ".partial").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("a.cmo")
    assert drop.names() == ["a.cmo"]
    assert (drop.size("a.cmo"), drop.size("b"), b"".join(drop.pieces("a.cmo", 2))) == (6, 0, b"etwo")
    drop.remove("a.cmo")
    drop.remove("a.cmo")
    assert drop.names() == []


def test_what_goes_wrong_in_a_drop_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Misconfigured):
        DropFolder(tmp_path / "nowhere")
    drop = DropFolder(tmp_path)
    for name in ("", "..", "a/b", "a\0b"):
        with pytest.raises(BadInput):
            drop.remove(name)
    (tmp_path / "link").symlink_to("/etc/hostname")
    for name in ("absent", "link"):
        with pytest.raises(Unavailable):
            next(drop.pieces(name))

    def full() -> bytes:
        raise OSError(28, "full")

    with pytest.raises(StorageFull):
        drop.put("a", (full() for _ in range(1)))

    def broken() -> bytes:
        raise OSError(5, "broken")

    with pytest.raises(Unavailable):
        drop.put("a", (broken() for _ in range(1)))
    assert not list(tmp_path.glob("a"))
    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(os, "pread", lambda *_: broken())
    with pytest.raises(Unavailable):
        next(drop.pieces("a"))
    monkeypatch.setattr(os, "scandir", lambda *_: broken())
    with pytest.raises(Unavailable):
        drop.names()
