"""`casemate work` against a region that answers as it is told to."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.cli.root import main
from tests.cli.test_job import LABEL, Region, region

__all__ = ["region"]


def piece(id: str = "batch_1", state: str = "RUNNING", **more: Any) -> dict[str, Any]:
    told = {
        "id": id, "kind": "batch", "name": "/v1/chat/completions", "state": state, "stage": "in_progress",
        "open": state == "RUNNING", "owner": "prn_1", "person": "ann", "created": 1, "started": 2, "ended": 0,
        "total": 8, "done": 3, "failed": 1, "ends": True, "label": LABEL, "marking": "SECRET", "mark": "(S)",
    }  # fmt: skip
    return {**told, **more}


def page(*found: dict[str, Any], after: str = "") -> dict[str, Any]:
    return {"work": list(found), "after": after}


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["work", *words])
    return int(end.value.code or 0)


def test_the_list_shows_what_is_under_way_and_goes_on(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"GET /api/work": [page(piece(), after="1/batch_1"), page(piece("base:port", kind="embedding"))]}
    assert run("list", "--label", LABEL) == 0
    shown = capsys.readouterr()
    assert "batch_1" in shown.out
    assert "3/8" in shown.out
    assert "running" in shown.out
    assert "base:port" in shown.out
    first, second = (query for _, query, _ in region.asked)
    assert first == {"open": "yes", "limit": "100"}
    assert second == {"open": "yes", "limit": "99", "after": "1/batch_1"}
    region.script = {"GET /api/work": [page(piece(), after="1/batch_1")]}
    assert run("list", "--all", "--kind", "batch", "--limit", "1") == 0
    assert region.asked[-1][1] == {"kind": "batch", "limit": "1"}
    assert "more than these 1" in capsys.readouterr().err
    region.script = {"GET /api/work": [page()]}
    assert run("list") == 0
    assert "--all" in capsys.readouterr().out
    assert run("list", "--all") == 0
    assert "no long work" in capsys.readouterr().out


def test_one_is_shown_with_how_far_it_is(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"GET /api/work/batch_1": [piece(), piece(state="SUBMITTED", total=0, done=0, failed=0, started=0)]}
    assert run("show", "batch_1") == 0
    out = capsys.readouterr().out
    assert all(words in out for words in ("/v1/chat/completions", "running", "3/8", "failed", "ann", "started"))
    assert run("show", "batch_1") == 0
    out = capsys.readouterr().out
    assert not any(words in out for words in ("failed", "started", "done"))


def test_what_is_ended_is_ended_where_it_lies(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {
        "GET /api/work/batch_1": [piece()],
        "POST /api/work/batch_1/cancel": [piece(state="CANCELLED")],
    }
    assert run("cancel", "batch_1") == 0
    assert region.asked[-1] == ("POST /api/work/batch_1/cancel", None, LABEL)
    assert "cancelled" in capsys.readouterr().out
    assert run("cancel", "batch_1", "--label", "us:TOP SECRET") == 0
    assert [name for name, _, _ in region.asked].count("GET /api/work/batch_1") == 1
