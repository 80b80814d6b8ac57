"""Control's door: any user of the machine may knock, and nothing else of the region is open to him."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from casemate.wiring import Folder
from casemate.wiring.local import OPEN, answers, doorway, listen
from tests.cli.running import Place, running

STRANGER = 65534
root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

LOOK = """
import json, os, sys
from pathlib import Path
region = Path(sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
told = {}
for path in ["", "door", "data", "keys", "run", "data/records.db", "data/snapshot", "keys/region.key", "casemate.toml"]:
    try:
        found = region / path
        told[path] = sorted(os.listdir(found)) if found.is_dir() else found.read_bytes()[:8].hex()
    except PermissionError:
        told[path] = None
for path in ("door/x", "x"):
    try:
        (region / path).write_text("x")
        told[path] = "written"
    except PermissionError:
        told[path] = None
print(json.dumps(told))
"""
AS_STRANGER = """
import importlib, os, pkgutil, sys
import casemate.cli, casemate.wiring
from casemate.words import sentences
for each in pkgutil.iter_modules(casemate.cli.__path__, "casemate.cli."):  # what he could not read after this
    if not each.name.endswith("__main__"):
        importlib.import_module(each.name)
for name in casemate.wiring.__all__:
    getattr(casemate.wiring, name)
for language in ("en", "fr"):
    sentences(language)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
casemate.cli.main()
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A region whose folders above let others pass, as its operator must see to; the tests' own are 0700."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    work.chmod(0o755)  # whatever umask an earlier test of this process has left
    return Place(work, home)


def as_stranger(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    measured = ("COV", "COVERAGE")  # a stranger can write into no file of ours, not even what was measured
    return subprocess.run(
        [sys.executable, "-c", AS_STRANGER, *words],
        cwd=place.path,
        env={name: value for name, value in place.environment.items() if not name.startswith(measured)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_doorway_is_passed_and_not_listed(tmp_path: Path) -> None:
    doorway(tmp_path / "door")
    doorway(tmp_path / "door")
    assert (tmp_path / "door").stat().st_mode & 0o777 == 0o711
    with listen(tmp_path / "door" / "a.sock", mode=OPEN), listen(tmp_path / "b.sock"):
        assert (tmp_path / "door" / "a.sock").stat().st_mode & 0o777 == 0o666
        assert (tmp_path / "b.sock").stat().st_mode & 0o777 == 0o600
        assert answers(tmp_path / "door" / "a.sock")


@root
@pytest.mark.parametrize("form", ["all", "split"])
def test_another_user_is_who_the_kernel_says_and_sees_nothing_else(place: Place, form: str) -> None:
    """He is nobody until an officer makes him a principal; then he is that principal, by his number alone."""
    place.init(processes=form)
    with running(place):
        asked = as_stranger(place, "key", "list", "--json")
        assert json.loads(asked.stdout)["problem"]["slug"] == "unauthenticated", asked
        added = place.run("principal", "add", "nora", "--clearance", "INTERNAL", "--uid", str(STRANGER))
        assert added.code == 0, added
        asked = as_stranger(place, "key", "issue", "--json")
        assert asked.returncode == 0, asked
        told = json.loads(asked.stdout)["data"]
        assert told["key"]["owner_name"] == "nora"
        assert told["environment"]["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
        looked = subprocess.run(
            [sys.executable, "-c", LOOK, str(place.region)], capture_output=True, text=True, check=True
        )
        assert set(json.loads(looked.stdout).values()) == {None}
        folder = Folder(place.region)
        assert {path.name for path in folder.door.iterdir()} == {"control.sock", "addresses.json"}
        for path in folder.run.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path
    assert list(folder.door.iterdir()) == []
