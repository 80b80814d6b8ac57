"""A mission's author without a region: the template passes the suite untouched, and each point of it can fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from casemate.cli.mission_check import examined
from casemate.cli.mission_folder import brought, told_by
from casemate.cli.mission_run import _shown
from casemate.cli.root import main
from casemate.cli.talk import Talk
from casemate.errors import BadInput

CODE = "src/casemate_fit.py"


@pytest.fixture
def fit(tmp_path: Path) -> Path:
    assert CliRunner().invoke(main, ["mission", "new", "fit", "--to", str(tmp_path)]).exit_code == 0
    return tmp_path / "fit"


def changed(folder: Path, old: str, new: str) -> None:
    file = folder / CODE
    text = file.read_text()
    assert old in text, old
    file.write_text(text.replace(old, new))


def failing(folder: Path) -> list[str]:
    return [point.name for point in examined(brought(str(folder)), sys.executable) if not point.good]


def test_the_template_passes_untouched(fit: Path) -> None:
    done = CliRunner().invoke(main, ["mission", "check", str(fit), "--json"])
    assert done.exit_code == 0, done.output
    points = json.loads(done.stdout.splitlines()[0])["data"]["points"]
    assert [one["name"] for one in points] == [
        "describes",
        "speaks",
        "licences",
        "runs",
        "repeats",
        "bounds",
        "needs",
        "outputs",
        "report",
    ]
    assert all(one["good"] for one in points)


def test_what_reaches_for_the_network_fails(fit: Path) -> None:
    asks = "        import socket\n\n        socket.getaddrinfo('127.0.0.1', 9)\n"
    changed(fit, "        middle =", f"{asks}        middle =")
    assert failing(fit) == ["runs"]


@pytest.mark.parametrize(
    ("old", "new", "point"),
    [
        ('en="The unit of the readings."', 'en=""', "speaks"),
        ('"PSF-2.0"', '""', "licences"),
        ('"residual": left}', '"residual": left, "id": hash("x")}', "repeats"),
        ('tables={"fitted": table}', 'tables={"fitted": table, "more": table}', "outputs"),
        ("memory_mb=256 +", "memory_mb=0 *", "needs"),
        ("            [\n                Text", "            [Text('x')] * 300 + [\n                Text", "report"),
    ],
)
def test_each_point_can_fail(fit: Path, old: str, new: str, point: str) -> None:
    changed(fit, old, new)
    assert point in failing(fit)


def test_one_of_several_tables_is_said_by_its_first_name(fit: Path) -> None:
    changed(fit, 'tables={"fitted": table}', 'tables={"fitted": table, "fitted.north": table}')
    assert failing(fit) == []


def test_bounds_that_a_mission_keeps_to_itself_are_no_bounds(fit: Path) -> None:
    """A mission whose description is not what its program holds to."""
    changed(
        fit,
        "import csv\n",
        "import csv\nimport os\n\nif 'CASEMATE_MISSION' in os.environ:\n    os.environ['CASEMATE_MISSION'] = '{}'\n",
    )
    assert {"bounds", "needs"} <= set(failing(fit))


def test_what_does_not_describe_itself_is_told_why(fit: Path) -> None:
    changed(fit, "import csv\n", "import csv\nimport msgspec\n")
    assert failing(fit) == ["describes"]
    with pytest.raises(BadInput, match="msgspec"):
        told_by(brought(str(fit)))
    assert CliRunner().invoke(main, ["mission", "check", str(fit)]).exit_code == 2


def test_without_an_exercise_nothing_runs(fit: Path) -> None:
    import shutil

    shutil.rmtree(fit / "exercise")
    assert failing(fit) == ["runs"]


def _no_project(folder: Path) -> None:
    (folder / "pyproject.toml").unlink()


def _no_toml(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[")


def _no_point(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")


def _no_code(folder: Path) -> None:
    (folder / CODE).unlink()


@pytest.mark.parametrize("breaks", [_no_project, _no_toml, _no_point, _no_code])
def test_what_is_no_folder_of_a_mission_is_told(fit: Path, breaks: Callable[[Path], None]) -> None:
    breaks(fit)
    with pytest.raises(BadInput):
        brought(str(fit))


def test_a_package_and_one_beside_its_project_are_found(fit: Path, tmp_path: Path) -> None:
    package = fit / "casemate_fit"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "x.pyc").write_bytes(b"x")
    (fit / CODE).rename(package / "__init__.py")
    (fit / "src").rmdir()
    assert set(brought(str(fit)).files) == {"casemate_fit/__init__.py"}
    assert failing(fit) == []
    with pytest.raises(BadInput):
        brought(str(tmp_path / "never"))


def test_a_name_that_is_none_and_a_folder_that_is_there_are_refused(fit: Path) -> None:
    for name, to in (("Fit", fit.parent), ("fit", fit.parent)):
        assert CliRunner().invoke(main, ["mission", "new", name, "--to", str(to)]).exit_code == 2


def test_what_a_program_left_makes_no_line_of_its_own_and_has_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    """Else a figure shows a mark beside ours, in the colours of a label."""
    mark = "\x1b[48;2;0;122;51m\x1b[38;2;255;255;255mUNCLASSIFIED\x1b[0m"
    job = {"mark": "(S)", "state": "SUCCEEDED", "reason": "", "exit": 0, "signal": 0, "open": False}
    result = {"figures": {"slope": f"2\n{mark}"}, "tables": {}, "digest": "d"}
    _shown(Talk(None), {"job": job, "mission": "fit@1", "parameters": {"note": f"a\n{mark}"}, "result": result})
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert len(said.splitlines()) == 4
