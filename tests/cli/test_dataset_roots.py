"""Roots of datasets as the settings name them: one that leads into another is no root."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import Place

ROOTS = """
[datasets.roots.low]
path = "{low}"
label = "INTERNAL"
[datasets.roots.high]
path = "{high}"
label = "CONFIDENTIAL"
"""


def test_a_root_that_a_link_leads_into_another_keeps_the_region_from_starting(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    place = Place(tmp_path, home).init()
    high, low = tmp_path / "high", tmp_path / "low"
    (high / "inner").mkdir(parents=True)
    low.symlink_to(high / "inner")
    settings = place.region / "casemate.toml"
    settings.write_text(settings.read_text() + ROOTS.format(low=low, high=high))
    up = place.run("up")
    assert up.code == 15, up
    assert "datasets.roots.low.path" in up.err
    assert "leads into datasets.roots.high" in up.err
