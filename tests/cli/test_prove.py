"""`casemate prove --all` and `--verify` against a region that runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import Up

QUESTIONS = "When does convoy LK-7 leave Port Sable?\nxyzzy quux\n"


def test_everybody_is_counted_saved_and_verified_offline(region: Up, tmp_path: Path) -> None:
    asked, saved = tmp_path / "asked.txt", tmp_path / "tally.json"
    asked.write_text(QUESTIONS)
    ran = region.run("prove", "--all", asked, "--reason", "The yearly look", "--save", saved)
    assert ran.code == 0, ran
    assert "2 questions each: 0 unequal" in ran.out
    assert "2 of 2 equal" in ran.out
    found = region.run("prove", "--verify", saved)
    assert found.code == 0, found
    assert "The signature stands: a tally of" in found.out
    told = json.loads(saved.read_text())
    told["tally"]["questions"] = 900
    saved.write_text(json.dumps(told))
    changed = region.run("prove", "--verify", saved)
    assert changed.code == 11
    assert "DOES NOT STAND" in changed.out


def test_a_proof_of_one_question_is_verified_too(region: Up, tmp_path: Path) -> None:
    saved = tmp_path / "proof.json"
    assert region.run("prove", "When does the garden open?", "--save", saved).code == 0
    assert region.run("prove", "--verify", saved, "--json").data["kind"] == "proof"
    assert region.run("prove", "--verify", saved, "--public", "00" * 32).code == 11


def test_what_does_not_go_together(region: Up, tmp_path: Path) -> None:
    asked = tmp_path / "asked.txt"
    asked.write_text(QUESTIONS)
    assert region.run("prove", "x", "--all", asked, "--reason", "r").code == 2
    assert region.run("prove", "--all", asked).code == 2
    assert region.run("prove", "--verify", asked).code == 2
