"""The page on markings: each command in it is run, and says what the page says that it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.running import Place

PAGE = (Path(__file__).parents[2] / "docs" / "labels.md").read_text()
FILES = re.findall(r"<!-- file: (\S+) -->\n```text\n(.*?)```", PAGE, re.DOTALL)
RUNS = re.findall(r"<!-- run: casemate (.+?) -->\n```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(RUNS)))
def test_an_example_says_what_it_says(number: int, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for name, said in FILES:
        (work / name).write_text(said)
    command, said = RUNS[number]
    assert Place(work, home).run(*shlex.split(command)).out == said


def test_there_are_examples() -> None:
    assert len(FILES) == 1
    assert {command.split()[1] for command, _ in RUNS} == {"lint", "fix", "rollup", "explain"}
