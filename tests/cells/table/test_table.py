"""A table of what programs of strangers left: nothing is believed, every point keeps its row, all of it is marked."""

from __future__ import annotations

import csv
import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.cells.table.__main__ import main
from casemate.cells.table.plot import plot
from casemate.cells.table.rows import FIELDS, LARGEST, Cell, Column, columns, result, spoken
from tests.cells.table.test_parquet import read

MARKING = "SECRET//<NOFORN> & more"


def told(many: int, **more: Any) -> dict[str, Any]:
    rows = [
        {"index": at, "job": f"job_a:{at}", "state": "SUCCEEDED", "exit": 0, "point": {"rate": at / 2}, "result": ""}
        for at in range(many)
    ]
    return {
        "sweep": "job_a", "label": "us:SECRET", "marking": MARKING, "parameters": ["rate"], "logs": [],
        "plot": None, "rows": rows, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 9000, "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[1]", "not an object"),
        (b"null", "not an object"),
        (b'{"a": {"b": 1}}', "not flat"),
        (b'{"a": [1]}', "not flat"),
        (b'{"a\\nb": 1}', "bad name"),
        (b'{"": 1}', "bad name"),
        (b'{"\\ud800": 1}', "bad name"),
        (b'{"a": "\\udfff"}', "bad text"),
        (b'{"a": "' + b"x" * 4097 + b'"}', "bad text"),
        (b'{"' + b"x" * 129 + b'": 1}', "bad name"),
        (b" " * (LARGEST + 1), "too large"),
        (json.dumps({str(at): at for at in range(FIELDS + 1)}).encode(), "too many fields"),
    ],
)
def test_what_is_no_result_is_said(raw: bytes, why: str) -> None:
    assert result(raw) == ({}, why)


def test_numbers_that_are_none_are_numbers() -> None:
    fields, why = result(b'{"a": NaN, "b": -Infinity, "c": 1e999, "d": null, "e": "x\\ny", "f": true}')
    assert why == ""
    assert (spoken(fields["a"]), fields["b"], fields["c"]) == ("NaN", -math.inf, math.inf)
    assert (fields["d"], fields["e"], fields["f"]) == (None, "x\ny", True)


def test_a_cell_is_said_as_other_programs_read_it() -> None:
    said = [spoken(cell) for cell in (None, True, False, math.inf, -math.inf, 1e-7, 3, "a")]
    assert said == ["", "true", "false", "Infinity", "-Infinity", "1e-07", "3", "a"]


def made(*results: dict[str, Cell]) -> dict[str, tuple[str, list[Cell]]]:
    found = columns(told(len(results)), [(fields, "") for fields in results])
    return {name: (kind, cells) for name, kind, cells in found}


def test_a_column_has_the_narrowest_type_that_holds_it() -> None:
    found = made({"i": 1, "f": 1, "b": True, "t": 1, "w": 1 << 70, "m": True}, {"f": 0.5, "t": "x", "w": 0.5, "m": 1})
    assert found["i"] == ("int", [1, None])
    assert found["f"] == ("float", [1.0, 0.5])
    assert found["b"] == ("bool", [True, None])
    assert found["t"] == ("text", ["1", "x"])
    assert found["w"] == ("text", [str(1 << 70), "0.5"])  # as a float it would be another number
    assert found["m"] == ("text", ["true", "1"])
    assert found["rate"] == ("float", [0.0, 0.5])


def test_no_field_takes_the_place_of_another_column() -> None:
    found = made({"state": "GOOD", "rate": "mine", "result.state": 1})
    assert found["state"] == ("text", ["SUCCEEDED"])
    assert (found["result.state"], found["result.rate"]) == (("text", ["GOOD"]), ("text", ["mine"]))
    assert found["result.result.state"] == ("int", [1])


def test_many_names_of_many_results_are_bounded() -> None:
    results: list[dict[str, Cell]] = [{f"{at}.{field}": 1 for field in range(200)} for at in range(3)]
    found = made(*results)
    assert found["problem"] == ("text", ["", "too many fields", "too many fields"])
    assert len(found) == 6 + 200


def written(place: Path, given_: dict[str, Any], results: dict[int, bytes]) -> tuple[int, Path]:
    (place / "in" / "results").mkdir(parents=True)
    (place / "out").mkdir()
    (place / "in" / "sweep.json").write_text(json.dumps(given_))
    for at, raw in results.items():
        (place / "in" / "results" / str(at)).write_bytes(raw)
    return main(place / "in", place / "out"), place / "out"


def test_every_point_has_its_row_and_all_files_their_marking(tmp_path: Path) -> None:
    asked = told(4, plot={"x": "rate", "y": "loss", "colour": "kind"}, logs=["rate"])
    asked["rows"][3] |= {"state": "FAILED", "exit": 9, "result": "no result"}
    results = {0: b'{"loss": 1, "kind": "=cmd()"}', 1: b"{", 2: b'{"loss": NaN, "kind": "<b>"}'}
    code, out = written(tmp_path, asked, results)
    assert code == 0
    first, _, rest = (out / "table.csv").read_text().partition("\n")
    assert first == f"# {MARKING}"
    rows = list(csv.DictReader(rest.splitlines()))
    assert [row["problem"] for row in rows] == ["", "not JSON", "", "no result"]
    assert [row["loss"] for row in rows] == ["1.0", "", "NaN", ""]
    assert (rows[3]["state"], rows[3]["exit"], rows[3]["job"]) == ("FAILED", "9", "job_a:3")
    table, pairs = read((out / "table.parquet").read_bytes())
    assert pairs == {"casemate.label": "us:SECRET", "casemate.marking": MARKING, "casemate.sweep": "job_a"}
    assert [name for name, _, _ in table] == list(rows[0])
    picture = (out / "plot.svg").read_text()
    assert "1 / 4" in picture
    assert picture.count("SECRET//&lt;NOFORN&gt; &amp; more") == 3


def test_a_marking_of_two_lines_stays_in_the_first(tmp_path: Path) -> None:
    _, out = written(tmp_path, told(2, marking="SECRET\nindex,job"), {0: b"{}", 1: b"{}"})
    assert (out / "table.csv").read_text().splitlines()[:2] == [
        "# SECRET index,job",
        "index,job,state,exit,problem,rate",
    ]
    assert not (out / "plot.svg").exists()


def test_a_plot_of_no_column_is_told_and_the_tables_stand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = written(tmp_path, told(2, plot={"x": "rate", "y": "los", "colour": ""}), {0: b"{}", 1: b"{}"})
    assert (code, (out / "table.parquet").exists(), (out / "plot.svg").exists()) == (1, True, False)
    assert "'los'" in capsys.readouterr().err


def drawn(
    x: list[Cell], y: list[Cell], kind: str = "float", colour: list[Cell] | None = None, log: bool = False
) -> str:
    table: list[Column] = [("x", kind, x), ("y", "float", y), ("c", "text", colour or [])]
    text = plot(table, "x", "y", "c" if colour else "", ["x"] if log else [], "SECRET")
    assert _whole(text)
    return text


def _whole(text: str) -> bool:
    """Whether it is well-formed, whatever stood in the results."""
    try:
        ET.fromstring(text)
    except ET.ParseError:
        return False
    return True


def places(text: str) -> list[tuple[float, float]]:
    root = ET.fromstring(text)
    found = [one.attrib for one in root.iter("{http://www.w3.org/2000/svg}circle")]
    return [(float(one["cx"]), float(one["cy"])) for one in found]


def test_points_stand_where_their_numbers_are() -> None:
    (a, top), (b, middle), (c, foot) = places(drawn([1.0, 2.0, 3.0], [9.0, 5.0, 1.0]))
    assert b - a == pytest.approx(c - b, abs=0.2)
    assert foot - middle == pytest.approx(middle - top, abs=0.2)
    (a, _), (b, _), (c, _) = places(drawn([1.0, 10.0, 100.0], [1.0, 1.0, 1.0], log=True))
    assert b - a == pytest.approx(c - b, abs=0.2)
    words = drawn(["b", "a", "b"], [1.0, 2.0, 3.0], "text")
    (a, _), (b, _), (c, _) = places(words)
    assert a == c < b
    assert ">a</text>" in words


def test_colours_are_of_words_or_between_two() -> None:
    few = drawn([1.0, 2.0], [1.0, 2.0], colour=["<b>", None])
    assert "&lt;b&gt;" in few
    many = drawn([float(at) for at in range(12)], [1.0] * 12, colour=[str(at) for at in range(12)])
    assert "…" in many
    table: list[Column] = [("x", "int", list(range(12)))]
    assert "#440154" in plot(table, "x", "x", "x", [], "S")
    assert "#2aa16b" in plot(table, "x", "x", "x", [], "S")


@given(
    st.lists(st.tuples(st.none() | st.floats(), st.none() | st.floats(), st.text(max_size=30)), max_size=30),
    st.booleans(),
)
def test_any_points_are_drawn_within_the_picture(rows: list[tuple[Cell, Cell, str]], log: bool) -> None:
    text = drawn([row[0] for row in rows], [row[1] for row in rows], log=log)
    for x, y in places(text):
        assert 80 <= x <= 545
        assert 55 <= y <= 405
    drawn([row[2] for row in rows], [row[1] for row in rows], "text", [row[2] for row in rows])
