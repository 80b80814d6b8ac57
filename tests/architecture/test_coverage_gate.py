"""The coverage gate fails for the right room, for the right reason, and for no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.coverage_gate import WHOLE, main, rooms, verdict


def measured(covered: int = 10, **rooms_lines: int) -> dict[str, Any]:
    """A report in which each room named has one file, with so many lines run of ten."""
    lines = {**dict.fromkeys(WHOLE, covered), **rooms_lines}
    return {
        "meta": {"branch_coverage": True},
        "files": {f"src/casemate/{room}/a.py": file(ran) for room, ran in lines.items()},
    }


def file(ran: int) -> dict[str, Any]:
    summary = {"covered_lines": ran, "covered_branches": 0, "num_statements": 10, "num_branches": 0}
    return {"summary": summary, "missing_lines": list(range(ran + 1, 11)), "missing_branches": []}


def test_all_covered_passes() -> None:
    assert verdict(rooms(measured(store=10))) == []


@pytest.mark.parametrize("room", sorted(WHOLE))
def test_one_line_short_in_a_room_that_decides_fails(room: str) -> None:
    (told,) = verdict(rooms(measured(**{room: 9})))
    assert told.startswith(f"{room}: 90.00 %")
    assert f"src/casemate/{room}/a.py:10" in told


def test_a_branch_never_taken_counts() -> None:
    report = measured()
    report["files"]["src/casemate/policy/a.py"] = {
        "summary": {"covered_lines": 10, "covered_branches": 1, "num_statements": 10, "num_branches": 2},
        "missing_lines": [],
        "missing_branches": [[3, 7]],
    }
    (told,) = verdict(rooms(report))
    assert "src/casemate/policy/a.py:3->7" in told


def test_another_room_needs_95_percent_of_its_own() -> None:
    report = measured(store=10)
    report["files"]["src/casemate/store/b.py"] = file(9)
    assert verdict(rooms(report)) == []
    report["files"]["src/casemate/store/c.py"] = file(9)
    (told,) = verdict(rooms(report))
    assert told.startswith("store: 93.33 %")


def test_a_room_that_decides_and_was_not_measured_fails() -> None:
    report = measured()
    del report["files"]["src/casemate/access/a.py"]
    assert verdict(rooms(report)) == ["access: not measured at all"]


def test_a_report_without_branches_is_refused() -> None:
    with pytest.raises(SystemExit, match="without branches"):
        rooms({"meta": {"branch_coverage": False}, "files": {}})


def test_the_command_prints_the_table_and_ends_with_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "coverage.json"
    report.write_text(json.dumps(measured(store=9)))
    assert main(str(report)) == 1
    printed = capsys.readouterr().out
    assert "store         90.00 %" in printed
    report.write_text(json.dumps(measured(store=10)))
    assert main(str(report)) == 0
