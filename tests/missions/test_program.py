"""The shared program: it describes, asks what is needed, runs, and leaves a result that says what it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casemate.errors import BadInput
from casemate.missions.__main__ import main
from casemate.missions.program import describe, found, need, run
from casemate.reports import read

TOY = "tests.missions.toy:Toy"


def folder_of(tmp: Path, order: Any = None, **files: str) -> Path:
    """What a job would find at /in."""
    folder = tmp / "in"
    folder.mkdir()
    for name, text in files.items():
        place = folder / name.replace("__", "/").replace("_at_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    if order is not None:
        (folder / "mission.json").write_text(order if isinstance(order, str) else json.dumps(order))
    return folder


def test_a_description_is_plain_and_says_everything_in_both_languages() -> None:
    told = describe(TOY)
    assert json.loads(json.dumps(told)) == told
    assert [field["type"] for field in told["parameters"]] == ["integer", "number", "string", "boolean", "number"]
    assert told["parameters"][4]["many"] is True
    assert told["parameters"][2]["choices"] == ["plain", "deep"]
    assert [row["memory_mb"] for row in told["needs"]][:3] == [200, 201, 210]
    assert found("tests.missions.toy:toy").name == "toy"
    for wrong in ("never", "tests.missions.toy:nothing", "tests.missions.toy:absent"):
        with pytest.raises(BadInput):
            found(wrong)


def test_a_run_leaves_tables_files_a_report_and_two_digests(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, {"parameters": {"many": 3}, "seed": 7}, rows="a\nb\n", rows_at_2_at_txt="c\n", rowsx="no"
    )
    (folder / "rows.10").mkdir()
    (folder / "rows.10" / "deep").write_text("d\n")
    told = run(TOY, folder, tmp_path / "out", marking="MARKED")
    assert [one["name"] for one in told["inputs"]["rows"]] == ["rows", "rows.2.txt", "rows.10/deep"]
    assert told["figures"] == {"count": 4, "nan": None}
    assert told["tables"]["lines"]["types"] == ["int", "text", "float", "bool", "text"]
    assert (tmp_path / "out/tables/lines.csv").read_text().splitlines()[1:3] == ["0,a,0.0,true,", "1,b,0.5,false,"]
    assert (tmp_path / "out/files/note").read_text() == "none: no model answers here 7"
    assert "pytest" in told["versions"]
    assert "Nothing" not in told["versions"]
    page = (tmp_path / "out/report.html").read_text()
    assert page.count("MARKED") == 5
    assert "<script" not in page
    assert read(json.loads((tmp_path / "out/report.json").read_text())).title == "A <toy>"
    again = run(TOY, folder, tmp_path / "two")
    assert (again["digest"], again["asked"]) == (told["digest"], told["asked"])
    assert not (tmp_path / "two/report.html").exists()
    (folder / "rows").write_text("z\n")
    other = run(TOY, folder, tmp_path / "three")
    assert other["digest"] != told["digest"]
    assert other["asked"] != told["asked"]


def test_the_order_may_stand_in_the_environment_and_a_point_goes_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path, rows="a\n")
    monkeypatch.setenv("CASEMATE_MISSION", json.dumps({"parameters": {"many": 4}, "language": "fr"}))
    assert need(TOY, folder)["memory_mb"] == 400
    monkeypatch.setenv("CASEMATE_POINT", json.dumps({"many": 5}))
    assert need(TOY, folder)["memory_mb"] == 500
    told = run(TOY, folder, tmp_path / "out")
    assert told["language"] == "fr"
    row = json.loads((tmp_path / "out" / "figures.json").read_text())  # of the ensemble's table
    assert row == {**told["figures"], "digest": told["digest"]}
    monkeypatch.delenv("CASEMATE_POINT")
    run(TOY, folder, tmp_path / "alone")
    assert not (tmp_path / "alone" / "figures.json").exists()


@pytest.mark.parametrize(
    "order",
    [
        {"parameters": {"many": 10}},
        {"parameters": {"many": 1.5}},
        {"parameters": {"many": True}},
        {"parameters": {"rate": -1}},
        {"parameters": {"kind": "odd"}},
        {"parameters": {"quick": "yes"}},
        {"parameters": {"steps": 3}},
        {"parameters": {"steps": [10]}},
        {"parameters": {"never": 1}},
        {"given": {"memory_mb": 199}},
        "[",
        "[]",
    ],
)
def test_what_is_out_of_bounds_is_refused_before_it_runs(
    tmp_path: Path, order: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, order, rows="a\n")
    assert main(["run", TOY, "--in", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.strip()
    assert not (tmp_path / "out" / "result.json").exists()


def test_a_role_without_an_input_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", TOY, "--in", str(folder_of(tmp_path)), "--out", str(tmp_path / "out")]) == 2
    assert "rows" in capsys.readouterr().err


def test_the_program_says_what_it_was_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path, rows="a\n")
    assert main(["describe", TOY]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "toy"
    assert main(["need", TOY, "--in", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["memory_mb"] == 200
    assert main(["run", TOY, "--in", str(folder), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr()
    assert json.loads(out.out)["figures"]["count"] == 1
    assert out.err == "@progress 1 1 read\n"


def test_a_question_waits_for_a_whole_line_and_is_then_taken_away(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"model": "m"}, rows="a\n")
    (folder / "answers").mkdir()
    (folder / "answers" / "1.json").write_text('{"text": "yes"}\n{"text": "twice"}\n')
    run(TOY, folder, tmp_path / "out")
    assert (tmp_path / "out/files/note").read_text() == "yes 0"
    assert list((tmp_path / "out/ask").iterdir()) == []
    (folder / "answers" / "1.json").write_text('{"why": "refused"}\n')
    run(TOY, folder, tmp_path / "two")
    assert (tmp_path / "two/files/note").read_text() == "none: refused 0"


def test_the_face_stands_on_the_standard_library_alone(tmp_path: Path) -> None:
    """No site packages at all: what a mission imports is there in any environment."""
    source = Path(__file__).parents[2]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{source / 'src'}{os.pathsep}{source}"}
    code = "import casemate.missions.__main__, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert "msgspec" not in done.stdout
    assert "casemate.missions.host" not in done.stdout
