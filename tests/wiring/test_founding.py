"""A region is made whole or not at all, also where whoever makes it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casemate.errors import Misconfigured, Occupied, StorageFull
from casemate.wiring import Folder, found, founding

MAKE = """
import asyncio, sys
from pathlib import Path
from casemate.wiring import Folder, found
asyncio.run(found(Folder(Path(sys.argv[1])), "r", "A", ("house",), 0, "owner", "0", "en"))
"""


def make(path: Path, **other: object) -> founding.Founded:
    policies = other.get("policies", ("house",))
    return asyncio.run(found(Folder(path), "r", "A", policies, 0, "owner", "0", "fr"))  # type: ignore[arg-type]


def test_it_says_what_was_made(tmp_path: Path) -> None:
    told = make(tmp_path / "region")
    assert (told.owner, told.floor, told.ceiling) == ("owner", "agency=A", "agency=A + house:RESTRICTED")
    assert (told.floor_marking, told.ceiling_marking) == ("PUBLIC", "RESTREINT")
    assert "bare" in told.keys
    with pytest.raises(Occupied):
        make(tmp_path / "region")


def test_what_cannot_be_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        make(tmp_path / "region", policies=("atlantis",))
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured):
        make(tmp_path / "file" / "region")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("number", "error"), [(28, StorageFull), (122, StorageFull), (5, Misconfigured)])
def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    async def fails(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(founding, "_made", fails)
    with pytest.raises(error):
        make(tmp_path / "region")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [0.05, 0.15, 0.25, 0.3, 0.35, 0.4])
def test_killed_half_way_there_is_a_region_or_none(tmp_path: Path, after: float) -> None:
    region = tmp_path / "region"
    process = subprocess.Popen([sys.executable, "-c", MAKE, region])
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not region.exists():
        make(region)
    opened = subprocess.run(
        [sys.executable, "-m", "casemate.cli", "ledger", "verify", "--folder", region, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "LANG": "en"},
        check=False,
    )
    assert opened.returncode == 0 or os.getuid() != 0, opened.stderr
