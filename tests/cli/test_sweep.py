"""`casemate sweep` against a region that answers as it is told to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from casemate.cli.root import main
from tests.cli.test_job import LABEL, Region, job, region

__all__ = ["region"]

FILE = """
key = "own"
[job]
command = ["run", "{rate}"]
[parameters]
rate = {from = 1, to = 4, steps = 4}
"""


def sweep(*left: str, raw: bytes = b"") -> dict[str, Any]:
    digest = hashlib.sha384(raw).hexdigest()
    artefacts = [{"name": f"table/{name}", "size": len(raw), "digest": digest, "place": ""} for name in left]
    array = job("RUNNING", id="job_0", size=4, counts={"RUNNING": 1, "SUCCEEDED": 3})
    told = {"array": array, "points": 4, "parameters": ["rate"], "method": "grid", "artefacts": artefacts}
    return job("PENDING" if not left else "SUCCEEDED", **told)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["sweep", *words])
    return int(end.value.code or 0)


def test_a_file_is_sent_and_the_id_is_said(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rates.toml").write_text(FILE)
    region.script = {"POST /api/sweeps": [sweep()]}
    assert run("run", "rates.toml", "--label", LABEL) == 0
    shown = capsys.readouterr()
    assert (shown.out.strip(), "4 points" in shown.err) == ("job_1", True)
    [(_, body, acting)] = region.asked
    assert (body["key"], body["job"]["command"], acting) == ("own", ["run", "{rate}"], LABEL)
    assert run("run", "rates.toml", "--key", "other") == 0
    assert region.asked[-1][1]["key"] == "other"


def test_what_cannot_be_read_is_told(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", "never.toml") == 2
    Path("bad.toml").write_text("[job")
    assert run("run", "bad.toml") == 2
    assert "never.toml" in capsys.readouterr().err
    assert region.asked == []


def test_it_is_followed_until_its_table_is_made(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rates.toml").write_text(FILE)
    logs = {"pieces": [], "at": "0.0", "whole": True, **job()}
    region.script = {
        "POST /api/sweeps": [sweep()],
        "GET /api/jobs/job_1": [job("PENDING"), job("SUCCEEDED", version=2)],
        "GET /api/jobs/job_1/logs": [logs],
    }
    assert run("run", "rates.toml", "--follow") == 0
    assert "succeeded" in capsys.readouterr().err


def test_its_points_are_shown_by_state(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"GET /api/sweeps/job_1": [sweep("table.csv")]}
    assert run("show", "job_1") == 0
    shown = capsys.readouterr().out
    assert "4 points of rate (grid)" in shown
    assert "job_0" in shown
    assert "table/table.csv" in shown


def test_its_table_is_written_once(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.raw = b"index,loss\n"
    region.script = {
        "GET /api/sweeps/job_1": [sweep("table.csv", raw=region.raw)],
        "GET /api/jobs/job_1/artefacts/table/table.csv": [None],
    }
    assert run("table", "job_1", "--to", "never") == 2
    Path("there").mkdir()
    assert run("table", "job_1", "--to", "there") == 0
    assert Path("there/table.csv").read_bytes() == region.raw
    assert run("table", "job_1", "--to", "there") == 2
    assert run("table", "job_1", "--to", "there", "--replace") == 0
    region.script["GET /api/sweeps/job_1"] = [sweep()]
    assert run("table", "job_1") == 2
    assert "no table yet" in capsys.readouterr().err
