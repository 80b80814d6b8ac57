"""`casemate guard check`: a verdict for people and for programs, and the canonical bytes as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.engines.sandbox import support
from casemate.errors import Refused
from tests.cli.running import Place

pytestmark = pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "home").mkdir()
    return Place(tmp_path, tmp_path / "home")


def test_a_file_that_crosses_is_told_and_kept(place: Place) -> None:
    (place.path / "a.txt").write_bytes(b"Hello\r\nAKIAIOSFODNN7EXAMPLE")
    ran = place.run("guard", "check", "a.txt", "--direction", "in", "--output", "b.txt", "--json")
    assert ran.code == 0
    assert ran.data["verdict"]["agrees"]
    assert ran.data["advice"] == ["aws-access-key"]
    assert (place.path / "b.txt").read_bytes() == b"Hello\nAKIAIOSFODNN7EXAMPLE"
    spoken = place.run("guard", "check", "b.txt", "--direction", "out")
    assert ran.code == 0
    assert ran.data["verdict"]["digest"] in spoken.out
    assert "aws-access-key" in spoken.err


def test_a_file_that_is_held_ends_with_the_rule(place: Place) -> None:
    (place.path / "a.pt").write_bytes(b"\x80\x04K\x01.")
    ran = place.run("guard", "check", "a.pt", "--direction", "in", "--output", "b", "--language", "fr")
    assert ran.code == Refused.exit
    assert "guard-pickle" in ran.out
    assert "safetensors" in ran.out
    assert not (place.path / "b").exists()


def test_a_table_is_looked_at_by_its_schema(place: Place) -> None:
    (place.path / "a.csv").write_bytes(b"a\n1\n")
    (place.path / "s.json").write_text('{"is":"table","columns":[{"name":"a","of":{"is":"integer"}}]}')
    (place.path / "bad.json").write_text("{}")
    (place.path / "empty.json").write_text("")
    words = ("guard", "check", "a.csv", "--direction", "out")
    assert place.run(*words).code == Refused.exit
    assert place.run(*words, "--schema", "s.json").code == 0
    assert place.run(*words, "--schema", "bad.json").code == 2
    assert place.run(*words, "--schema", "empty.json").code == 2
    assert place.run(*words[:2], "s.json", *words[3:], "--format", "csv").code == Refused.exit
