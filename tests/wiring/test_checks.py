"""What `doctor` says of a machine and a folder, good and bad."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from casemate.errors import KeyMissing
from casemate.settings import Settings, parse
from casemate.wiring import Folder, checks, examination, examine, found
from casemate.wiring.engines import vault_of

if TYPE_CHECKING:
    from casemate.store import Committer


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "region")
    asyncio.run(found(made, "r", "A", ("house",), 0, "owner", "0", "en"))
    return made


def looked(folder: Folder, model: str = "m", settings: Settings | None = None, language: str = "en") -> dict[str, Any]:
    return {check.name: check for check in checks.checks(folder, settings or folder.settings(), model, language)}


def test_a_fresh_region_is_in_order(folder: Folder) -> None:
    found = looked(folder)
    assert list(found) == ["python", "disk", "keys", "records", "sandbox", "memory", "embedder"]
    assert all(check.good for check in found.values() if check.name not in ("sandbox", "disk", "memory"))
    assert "bare" in found["keys"].said
    french = looked(folder, language="fr")
    assert all(found[name].said != french[name].said for name in ("keys", "records"))


class Usage(NamedTuple):
    total: int
    used: int
    free: int


class Version(NamedTuple):
    major: int
    minor: int
    micro: int


def test_what_is_bad_says_what_to_do(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 5 << 20))
    monkeypatch.setattr(sys, "version_info", Version(3, 9, 1))
    (folder.keys / "region.key").chmod(0o640)
    folder.records.write_bytes(b"x" * 4096)
    found = looked(folder, model="")
    assert not any(found[name].good for name in ("python", "disk", "keys", "records", "embedder"))
    assert "5 MiB" in found["disk"].said
    assert "region.key" in found["keys"].said
    assert "3.9.1" in found["python"].said
    folder.records.unlink()
    (folder.keys / "ledger.key").unlink()
    found = looked(folder)
    assert "ledger.key" in found["keys"].said
    assert "records.db" in found["records"].said


def test_a_key_that_the_records_miss_is_named_to_whoever_may_know_of_it(folder: Folder) -> None:
    one = next(path for path in (folder.keys / "classes").glob("*.key") if path.stem != "region")
    kept = one.read_bytes()
    one.unlink()
    found = {check.name: check for check in examine(folder, "en")}
    assert not found["keys"].good
    assert one.name in found["keys"].said
    told = checks.checks(folder, folder.settings(), "m", "en", seen=["another"])
    assert {check.name: check.good for check in told}["keys"]
    vault = vault_of(folder, folder.settings(), cast("Committer", None))
    for draw in (vault.sealer.blind, lambda class_id, purpose, text: vault.sealer.seal(class_id, purpose, b"", b"")):
        with pytest.raises(KeyMissing):
            draw(one.stem, "f", "x")
    assert not one.exists()
    one.write_bytes(kept)
    one.chmod(0o600)
    assert looked(folder)["keys"].good


def test_no_embedder_is_no_fault_where_none_was_wanted(folder: Folder) -> None:
    assert not looked(folder, model="")["embedder"].good
    assert looked(folder, model="", settings=parse('[knowledge]\nembedder = "none"'))["embedder"].good


def test_a_kernel_without_fences(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    class Without:
        why = "no Landlock"
        landlock = 0

    monkeypatch.setattr(checks, "support", Without)
    check = looked(folder)["sandbox"]
    assert not check.good
    assert "no Landlock" in check.said


@pytest.mark.parametrize(
    ("limit", "swaps", "good", "said"),
    [
        (-1, "Filename\n/dev/sda2 partition\n", True, "can be locked"),
        (4096 << 20, "Filename\n/dev/sda2 partition\n", True, "can be locked"),
        (8 << 20, "Filename\n", True, "no swap"),
        (8 << 20, None, True, "no swap"),
        (8 << 20, "Filename\n/dev/sda2 partition\n", False, "LimitMEMLOCK"),
    ],
)
def test_memory_that_may_be_swapped_is_told(
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    limit: int,
    swaps: str | None,
    good: bool,
    said: str,
) -> None:
    if swaps is not None:
        (tmp_path / "swaps").write_text(swaps)
    monkeypatch.setattr(checks, "SWAPS", tmp_path / "swaps")
    monkeypatch.setattr(checks, "lockable", lambda: limit)
    check = looked(folder)["memory"]
    assert check.good is good
    assert said in check.said


def test_offline_it_is_the_same_list(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "default_folder", lambda: Path("/nowhere"))
    assert [check.name for check in examine(folder, "en")] == list(looked(folder))
    assert not next(check for check in examine(folder, "en") if check.name == "embedder").good
    monkeypatch.setattr(examination, "verify", lambda home: None)
    assert next(check for check in examine(folder, "en") if check.name == "embedder").good
