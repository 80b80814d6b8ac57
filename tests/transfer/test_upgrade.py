"""Casemate itself: a release that a bundle brings runs, or what ran before does, and nothing is fetched."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.upgrade_slots import Slots
from casemate.errors import Absent, BadInput, Conflict
from casemate.transfer.upgrade import order_of, read_description
from casemate.wiring.upgrading import home_of, roll_back
from tests.transfer.releases import Carried, a_wheel, of_the_tree, run

ORDERED = ("0.9", "1.0.dev1", "1.0.dev2", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "2")
STEPS = ("wheel", "unpacked", "tried", "switched")


@pytest.fixture
def carried(tmp_path: Path) -> Carried:
    return Carried(tmp_path)


def upgraded(carried: Carried, bundle: Path, *more: str, code: int = 0) -> str:
    return run("upgrade", "--bundle", bundle, "--into", carried.home, *more, code=code).output


def test_a_release_runs_the_former_is_kept_and_runs_again(carried: Carried) -> None:
    assert "casemate 1.0 runs" in upgraded(carried, carried.stub("1.0"))
    assert carried.runs() == "1.0"
    assert "casemate 1.0 is kept" in upgraded(carried, carried.stub("1.1"))
    assert carried.runs() == "1.1"
    told = json.loads(run("upgrade", "--rollback", "--into", carried.home, "--json").stdout)["data"]
    assert (told["version"], told["former"], carried.runs()) == ("1.0", "1.1", "1.0")
    assert (carried.home / "bin" / "casemate").resolve() == (carried.home / "current/bin/casemate").resolve()
    run("upgrade", "--rollback", "--into", carried.home, code=5)  # nothing ran before that
    assert home_of((carried.home / "current").resolve()) == carried.home
    assert sorted(path.name for path in (carried.home / "versions").iterdir()) == ["1.0-1", "1.1-2"]


def test_an_old_release_is_taken_by_no_bundle_unless_somebody_says_so(carried: Carried) -> None:
    first = carried.stub("2.0")
    upgraded(carried, first)
    assert "rollback" in upgraded(carried, first, code=3) or "seen" in upgraded(carried, first, code=3)
    older = carried.stub("1.9")
    assert "older than the installed one" in upgraded(carried, older, code=3)
    assert carried.runs() == "2.0"
    upgraded(carried, older, "--rollback")
    assert carried.runs() == "1.9"


@pytest.mark.parametrize(
    "wrong", ["says", "lacks", "needs", "sum", "record", "path", "link", "twice", "none", "changed"]
)
def test_what_is_no_release_changes_nothing(carried: Carried, wrong: str) -> None:
    upgraded(carried, carried.stub("1.0"))
    before = sorted(path.name for path in (carried.home / "versions").iterdir())
    at, code = carried.at, 2
    files: dict[str, str | bytes] = {"casemate/__init__.py": ""}
    if wrong in ("says", "lacks", "needs"):
        bundle, code = carried.stub("1.1", says="1.2" if wrong == "says" else "", lacks=wrong), 10
    elif wrong == "none":
        bundle = carried.folder(a_wheel(at, "other", "1.0", files))
    elif wrong == "changed":
        bundle, code = carried.stub("1.1"), 3
        raw = bytearray(bundle.read_bytes())
        raw[-5] ^= 1
        bundle.write_bytes(raw)
    else:
        files |= {"../out.py": "x"} if wrong == "path" else {}
        wheel = a_wheel(at, "casemate", "1.1", files, lie="casemate/__init__.py" if wrong == "record" else "")
        if wrong == "link":
            linked = zipfile.ZipInfo("casemate/link.py")
            linked.external_attr = 0o120777 << 16
            with zipfile.ZipFile(wheel, "a") as made:
                made.writestr(linked, "/etc/passwd")
        both = (wheel, a_wheel(at, "again", "1.0", files)) if wrong == "twice" else (wheel,)
        bundle = carried.wheels(*both, version="1.1", sums="0" * 64 if wrong == "sum" else "")
    upgraded(carried, bundle, code=code)
    assert carried.runs() == "1.0"
    assert sorted(path.name for path in (carried.home / "versions").iterdir()) == before
    assert not (carried.home / "versions" / "out.py").exists()


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_the_old_one_or_the_new_one_runs(carried: Carried, step: str) -> None:
    upgraded(carried, carried.stub("1.0"))
    bundle = carried.stub("1.1")
    assert carried.killed(bundle, step) == -9
    assert carried.runs() == ("1.1" if step == "switched" else "1.0")
    upgraded(carried, bundle)  # the same bundle goes on from there
    assert carried.runs() == "1.1"
    assert not list(carried.home.glob("**/.*.part"))
    run("upgrade", "--rollback", "--into", carried.home)
    assert carried.runs() == "1.0"


def test_one_upgrade_at_a_time_and_none_from_nowhere(carried: Carried) -> None:
    with Slots(carried.home).alone(), pytest.raises(Conflict), Slots(carried.home).alone():
        pass
    with pytest.raises(Absent):
        roll_back(Slots(carried.home))
    with pytest.raises(BadInput):
        home_of(Path("/usr"))
    run("upgrade", "--into", carried.home, code=2)


def test_versions_stand_in_their_order() -> None:
    assert sorted(ORDERED, key=order_of) == list(ORDERED)
    assert order_of("1.0.0") == order_of("1")
    with pytest.raises(BadInput):
        order_of("one")


LEADS = b'{"casemate":1,"version":"1","wheels":{"../a.whl":"0"}}'


@given(st.binary(max_size=200) | st.sampled_from([LEADS, b"x" * (2 << 20)]))
def test_what_is_no_description_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        read_description(raw)


@pytest.mark.long
def test_the_release_of_this_tree_runs_with_all_that_it_needs(carried: Carried) -> None:
    upgraded(carried, carried.stub("0.0.1"))
    version, wheels = of_the_tree(carried.at)
    assert f"casemate {version} runs" in upgraded(carried, carried.wheels(*wheels, version=version))
    assert carried.runs() == version
    program = carried.home / "bin" / "casemate"
    folder = carried.at / "region"
    _ran(program, "init", "--policy", "house", "--agency", "TEST", "--folder", folder)
    said = _ran(program, "doctor", "--folder", folder, exits=(0, 7))  # 7: no model for embeddings is installed
    assert {line.split()[1] for line in said.splitlines() if line.startswith("good")} >= {"python", "keys", "records"}
    less = carried.wheels(*(each for each in wheels if not each.name.startswith("numpy")), version="999")
    upgraded(carried, less, code=10)
    assert carried.runs() == version


def _ran(*words: object, exits: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode in exits, done.stdout + done.stderr
    return done.stdout
