"""Hunting: questions over every event, each bounded, none of them beyond the events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

duckdb = pytest.importorskip("duckdb", reason="the mission's environment is older than its lock")

from casemate_cyber import hunt
from casemate_cyber.events.read import Trouble
from casemate_cyber.hunt import Answer

from .test_mission import EXERCISE, ran

EVENTS = [
    ("windows", {"SystemTime": "2026-01-02T03:04:05.5Z", "Computer": "a", "EventID": 1, "Image": "x.exe"}, 0),
    (
        "windows",
        {"SystemTime": "2026-01-02T04:00:00+01:00", "Computer": "b", "EventID": 3, "Sent": [1, {"y": None}]},
        9,
    ),
    ("auditd", {"_time": "never", "node": "c", "uid": "0", "text": "ü\n\"'"}, 12),
]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    unit = hunt.units_of(tmp_path, 0)
    unit.write_bytes(b"".join(hunt.line(source, raw, "f.jsonl", at) for source, raw, at in EVENTS))
    out = tmp_path / "events.parquet"
    hunt.parquet([unit, hunt.units_of(tmp_path, 1)], out, tmp_path)
    return out


def asked(kept: Path, *questions: str, rows: int = 100, patience: float = 60.0) -> list[Answer | Trouble]:
    paths = []
    for number, question in enumerate(questions):
        paths.append(kept.parent / f"q{number}.sql")
        paths[-1].write_text(question)
    return list(hunt.answered(paths, kept, kept.parent, rows, patience))


def test_every_event_is_there_as_it_was_read(kept: Path) -> None:
    [told] = asked(kept, "SELECT *, event->>'Image' AS image FROM events")
    assert isinstance(told, Answer)
    assert told.columns[:4] == ("source", "moment", "stamp", "host")
    assert [row[1] for row in told.rows] == ["2026-01-02 03:04:05.500000", "2026-01-02 03:00:00", None]
    assert [(row[0], row[3], row[5], row[6]) for row in told.rows] == [
        ("windows", "a", "f.jsonl", 0), ("windows", "b", "f.jsonl", 9), ("auditd", "c", "f.jsonl", 12),
    ]  # fmt: skip
    assert [json.loads(row[7]) for row in told.rows] == [raw for _, raw, _ in EVENTS]
    assert [row[8] for row in told.rows] == ["x.exe", None, None]


def test_it_aggregates_and_says_where_rows_were_left_out(kept: Path) -> None:
    many, few = asked(kept, "SELECT source, count(*) n FROM events GROUP BY 1 ORDER BY 2 DESC", "FROM range(9)", rows=5)
    assert many == Answer("q1", ("source", "n"), [("windows", 2), ("auditd", 1)], False)
    assert isinstance(few, Answer)
    assert (len(few.rows), few.more) == (5, True)


@pytest.mark.parametrize(
    "question",
    [
        "SELECT * FROM read_text('{folder}/beside')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '{folder}/other.parquet'",
        "COPY events TO '{folder}/out.csv'",
        "ATTACH '{folder}/kept.duckdb' AS k",
        "CREATE TABLE t AS SELECT 1",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "",
        "SELECT nothing FROM events",
        "SELECT * FROM glob('/etc/*')",
        "SELECT error('\x1b[0m')",
        "SELECT " + ", ".join(["1"] * 101),
    ],
)
def test_what_reaches_beyond_the_events_has_no_answer_and_the_others_go_on(kept: Path, question: str) -> None:
    (kept.parent / "beside").write_text("secret")
    (kept.parent / "other.parquet").write_bytes(kept.read_bytes())
    told, good = asked(kept, question.replace("{folder}", str(kept.parent)), "SELECT count(*) FROM events")
    assert isinstance(told, Trouble)
    assert told.what.startswith("the question has no answer: ")
    assert good == Answer("q2", ("count_star()",), [(3,)], False)
    assert not (kept.parent / "out.csv").exists()


def test_a_question_has_the_name_that_it_says_or_its_place(kept: Path) -> None:
    said = ("-- name: lone\nSELECT 1", "-- name: lone\nSELECT 2", "-- name: ../x\nSELECT 3", "-- name: q1\nSELECT 4")
    assert [one.name for one in asked(kept, *said) if isinstance(one, Answer)] == ["lone", "q2", "q3", "q4"]


def test_a_question_without_end_is_ended(kept: Path) -> None:
    told, good = asked(
        kept, "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", "SELECT 1", patience=0.2
    )
    assert isinstance(told, Trouble)
    assert "not answered within 0.2 seconds" in told.what
    assert isinstance(good, Answer)


def test_no_event_at_all_is_a_table_without_rows(tmp_path: Path) -> None:
    out = tmp_path / "events.parquet"
    hunt.parquet([], out, tmp_path)
    [told] = asked(out, "SELECT * FROM events")
    assert isinstance(told, Answer)
    assert (told.rows, len(told.columns)) == ([], 8)


def test_a_run_answers_and_keeps_its_events(tmp_path: Path) -> None:
    told, out = ran(tmp_path, "hunted", inputs={"hunts": EXERCISE / "hunts" / "rare_parents.sql"})
    figures: dict[str, Any] = told["figures"]
    count = duckdb.sql(f"SELECT count(*) FROM '{out / 'files' / 'events.parquet'}'").fetchall()[0][0]
    assert count == figures["events"]
    table = (out / "tables" / "hunt.rare_parents.csv").read_text().splitlines()
    assert table[0].endswith("parent,image,times,first,last") or "parent,image,times,first,last" in table[1]
    assert figures["rows_hunt.rare_parents"] > 0


def test_two_processes_keep_the_same_events(tmp_path: Path) -> None:
    hunts = {"hunts": EXERCISE / "hunts" / "rare_parents.sql"}
    tables = []
    for processes in (1, 3):
        _, out = ran(tmp_path, f"by{processes}", {"processes": processes}, inputs=hunts)
        tables.append((out / "tables" / "hunt.rare_parents.csv").read_text())
    assert tables[0] == tables[1]
    one, two = (tmp_path / f"out-by{processes}" / "files" / "events.parquet" for processes in (1, 3))
    query = "SELECT * FROM '{}'"
    assert duckdb.sql(query.format(one)).fetchall() == duckdb.sql(query.format(two)).fetchall()
