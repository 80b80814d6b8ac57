"""Projects, quotas and usage on the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.cli.running import Up


def test_projects_belong_to_agencies(region: Up) -> None:
    assert region.run("project", "agency", "NAVY", "--title", "The navy", "--json").data["name"] == "NAVY"
    added = region.run("project", "add", "alpha", "--agency", "NAVY")
    assert added.out.split()[:2] == ["alpha", "NAVY"]
    assert region.run("project", "add", "beta", "--agency", "NOBODY").code == 5
    listed = region.run("project", "list")
    assert [line.split()[:2] for line in listed.out.splitlines()] == [["alpha", "NAVY"]]
    key = region.run("key", "issue", "--project", "alpha", "--json").data["key"]
    assert key["project"] == "alpha"


def test_quotas_are_set_shown_and_taken_away(region: Up) -> None:
    words = ("--tokens-per-day", "1000", "--budget-per-month", "99.50")
    made = region.run("quota", "set", "default", *words)
    assert "tokens_per_day=1000" in made.out
    assert "budget_per_month=99.5" in made.out
    [told] = region.run("quota", "show", "--json").data
    assert (told["subject"], told["bounds"]["budget_per_month"]) == ("project:default", 99_500_000)
    assert "default" in region.run("quota", "show").out
    for bad in (("default",), ("default", "--none", *words), ("default", "--budget-per-month", "many"), (*words,)):
        assert region.run("quota", "set", *bad).code == 2, bad
    assert region.run("quota", "set", "default", "--none").code == 0
    assert region.run("quota", "show", "--json").data == []


def test_usage_is_exported_with_its_marking(region: Up, tmp_path: Path) -> None:
    told = region.run("usage", "export")
    assert next(csv.reader(io.StringIO(told.out)))[0] == "BilledCost"
    file = tmp_path / "usage.json"
    assert region.run("usage", "export", "--format", "json", "--output", file, "--from", "2026-01-01").code == 0
    assert '"focus": "1.2"' in file.read_text()
    assert region.run("usage", "export", "--json").data["focus"] == "1.2"
    assert region.run("usage", "export", "--from", "soon").code == 2
    assert region.run("usage", "recount", "2026-01-01T10:00:00Z").out.strip() == "0"
