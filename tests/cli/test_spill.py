"""Lineage and spills on the command line, in a region as a stranger runs it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from tests.cli.running import Up

TEXT = "The hidden lantern burns at the northern pier until the ninth convoy has passed the outer boom."
TRUE = "house:CONFIDENTIAL"


def brought(region: Up, tmp_path: Path, name: str, text: str) -> str:
    file = tmp_path / name
    file.write_text(text)
    assert region.run("add", file, "--base", "port", "--label", "PUBLIC").code == 0
    hits = region.run("search", text, "--base", "port", "--for", "PUBLIC", "--json").data["hits"]
    return str(hits[0]["document"])


def test_lineage_as_text_data_and_picture(region: Up, tmp_path: Path) -> None:
    id = brought(region, tmp_path, "pier.txt", TEXT)
    picture = tmp_path / "lineage.svg"
    seen = region.run("lineage", id, "--down", "--svg", picture, "--for", "PUBLIC")
    assert seen.code == 0, seen
    assert "document.part" in seen.out
    assert "segment" in seen.out
    root = ET.fromstring(picture.read_text())
    assert "PUBLIC" in "".join(root.itertext())
    told = region.run("lineage", f"document/{id}", "--json", "--for", "PUBLIC").data
    assert {node["kind"] for node in told["nodes"]} >= {"document", "document.part", "segment"}
    never = region.run("lineage", "doc_never")
    assert never.code == 5
    assert 'no object "doc_never"' in never.err


def test_a_spill_is_reported_contained_and_listed(region: Up, tmp_path: Path) -> None:
    id = brought(region, tmp_path, "boom.txt", TEXT.replace("ninth", "tenth"))
    told = region.run("spill", "report", id, "--true-label", TRUE)
    assert told.code == 0, told
    assert id in told.out
    done = region.run("spill", "contain", id, "--true-label", TRUE, "--shred", "--yes", "--json").data
    assert done["state"] == "done"
    assert region.run("lineage", id, "--for", "PUBLIC").code == 5
    assert done["id"] in region.run("spill", "list").out
    assert id in region.run("spill", "show", done["id"]).out
    assert region.run("spill", "lift", "spl_never").code == region.run("spill", "show", "spl_never").code == 5


def test_a_drill_leaves_no_trace(region: Up, tmp_path: Path) -> None:
    picture, page = tmp_path / "drill.svg", tmp_path / "drill.html"
    words = ("--true-label", TRUE, "--svg", picture, "--page", page, "--json")
    seen = region.run("spill", "drill", *words)
    assert seen.code == 0, seen
    told = seen.data
    assert told["traces"] == []
    assert [each["name"] for each in told["stages"]][-2:] == ["destroy", "look"]
    assert "<svg" in page.read_text()
    assert "answer" in picture.read_text()
