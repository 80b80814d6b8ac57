"""`casemate add`: what comes in, what is asked once, what is left out and why; again and again with the same end."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import pytest

from casemate.cli.files import Skipped, files
from tests.cli.running import CASEMATE, PATIENCE, Place, Up, running

CONTRADICTS = "SECRET//NOFORN\n\n(TS) The door is open.\n\nSECRET//NOFORN\n"
NATO = "NATO SECRET\n\n(NS) The exercise begins.\n\nNATO SECRET\n"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Two unmarked texts, one that is marked, one that contradicts itself, and what nobody reads."""
    folder = tmp_path / "papers"
    (folder / "below" / ".git").mkdir(parents=True)
    name = tmp_path.name.replace("_", " ")
    (folder / "a.txt").write_text(f"The orchard of {name} opens at nine.\n")
    (folder / "below" / "b.md").write_text(f"# Notes on {name}\n\nThe gate closes at ten.\n")
    (folder / "marked.txt").write_text(f"INTERNAL\n\n(INTERNAL) The well of {name} is deep.\n\nINTERNAL\n")
    (folder / "broken.txt").write_text(CONTRADICTS + name)
    (folder / "film.mp4").write_bytes(b"\xff\xd8")
    (folder / "empty.txt").write_bytes(b"")
    (folder / ".hidden.txt").write_text("never")
    (folder / "below" / ".git" / "x.txt").write_text("never")
    return folder


def test_the_walk_takes_each_file_once_and_says_what_it_leaves(papers: Path) -> None:
    (papers / "again.txt").symlink_to(papers / "a.txt")
    (papers / "round").symlink_to(papers, target_is_directory=True)
    (papers / "gone.txt").symlink_to(papers / "nowhere")
    found = list(files((papers, papers / "a.txt")))
    taken = [item.name for item in found if isinstance(item, Path)]
    assert sorted(taken) == ["a.txt", "b.md", "broken.txt", "marked.txt"]
    left = {Path(item.path).name: item.reason for item in found if isinstance(item, Skipped)}
    assert left.keys() == {"film.mp4", "empty.txt", "gone.txt"}
    assert all(left.values())


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(65 << 20)
    [skipped] = files((tmp_path,))
    assert isinstance(skipped, Skipped)
    assert "64 MiB" in skipped.reason


def test_what_bears_no_mark_waits_and_the_summary_says_how_to_answer(region: Up, papers: Path) -> None:
    added = region.run("add", papers, "--base", "one")
    assert added.code == 0, added
    assert "Added: 1 files" in added.out
    assert re.search(r"broken.txt: .*\(TS\).*SECRET//NOFORN", added.out)
    assert "film.mp4: files of the kind .mp4 are not read" in added.out
    assert "empty.txt: it is empty" in added.out
    assert f"casemate add {papers} --base one --label LABEL" in added.out
    document = region.run("add", papers, "--base", "one", "--json").data
    assert sorted(document["unmarked"]) == ["a.txt", "b.md"]
    assert document["known"] == 1
    answered = region.run("add", papers, "--base", "one", "--label", "INTERNAL", "--json").data
    assert (answered["added"], answered["unmarked"], answered["known"]) == (2, [], 1)
    assert [item["name"] for item in answered["quarantined"]] == ["broken.txt"]
    again = region.run("add", papers, "--base", "one", "--label", "INTERNAL", "--json").data
    assert (again["added"], again["known"]) == (0, 3)
    asked = region.run("ask", "When does the orchard open?", "--base", "one")
    assert asked.out.startswith("(INTERNAL) ")
    assert "nine" in asked.out


def test_a_label_that_cannot_be_is_told_and_nothing_is_labelled(region: Up, papers: Path) -> None:
    wrong = region.run("add", papers / "a.txt", "--base", "two", "--label", "COSMIC PURPLE")
    assert wrong.code == 2
    assert "COSMIC PURPLE" in wrong.err
    assert region.run("add", papers / "a.txt", "--base", "two", "--json").data["unmarked"] == ["a.txt"]


def test_marks_may_be_text(region: Up, papers: Path) -> None:
    assert region.run("add", papers, "--marks", "text").code == 2
    words = ("--base", "three", "--marks", "text", "--label", "INTERNAL", "--json")
    added = region.run("add", papers / "broken.txt", *words)
    assert (added.data["added"], added.data["quarantined"]) == (1, [])
    asked = region.run("ask", "Which door is open?", "--base", "three")
    assert "INTERNAL" in asked.out


def test_a_mark_of_an_unlisted_policy_names_the_command_that_lists_it(place: Place) -> None:
    place.init()
    (place.path / "n.txt").write_text(NATO)
    with running(place) as up:
        added = up.run("add", "n.txt")
        assert "casemate config policies add nato" in added.out
        listed = up.run("config", "policies", "add", "nato")
        assert listed.code == 0
        assert "casemate up" in listed.err
        assert up.run("config", "policies", "add", "atlantis").code == 2
    with running(place) as up:
        added = up.run("add", "n.txt", "--json").data
        assert (added["added"], added["quarantined"]) == (1, []), "the same file, read again"
        asked = up.run("ask", "Which exercise begins?", "--json").json
        assert [rung["mark"] for rung in asked["data"]["rungs"]] == ["(NS)"]


def terminal(up: Up, *words: str | Path, answer: str = "") -> tuple[int, str]:
    """A command at a terminal, where somebody answers its question; everything that the terminal showed."""
    parent, child = pty.openpty()
    env = {**up.place.environment, "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [*CASEMATE, *map(str, words)]
    process = subprocess.Popen(command, cwd=up.place.path, env=env, stdin=child, stdout=child, stderr=child)
    os.close(child)
    shown = b""
    answered = False
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([parent], [], [], 0.1)[0]:
            try:
                shown += os.read(parent, 65536)
            except OSError:  # Linux: the other side is closed
                break
        if answer and not answered and b"[Y/n/" in shown:
            os.write(parent, answer.encode() + b"\n")
            answered = True
    os.close(parent)
    return process.wait(PATIENCE), shown.decode()


@pytest.mark.parametrize(("answer", "left"), [("", 0), ("n", 2), ("RESTRICTED", 0)])
def test_at_a_terminal_it_is_one_question(region: Up, papers: Path, answer: str, left: int) -> None:
    base = f"t{answer.lower()}"
    code, shown = terminal(region, "add", papers, "--base", base, answer=answer or "y")
    assert code == 0, shown
    assert "2 documents bear no marking. Label all as INTERNAL?" in shown
    assert len(region.run("add", papers, "--base", base, "--json").data["unmarked"]) == left
    if answer == "RESTRICTED":
        assert "(RESTRICTED)" in region.run("ask", "When does the orchard open?", "--base", base).out


def test_at_a_terminal_the_marking_is_the_first_and_the_last_line(region: Up) -> None:
    code, shown = terminal(region, "ask", "When does the convoy leave?", "--for", "us:SECRET//NOFORN")
    lines = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "").split("\n") if line]
    assert code == 0
    assert lines[0] == lines[-1] == "SECRET//NOFORN"
    assert "\x1b[48;2;" in shown, "the portion mark has its colours"
    code, shown = terminal(region, "ask", "When does the convoy leave?", "--plain")
    assert "\x1b[" not in shown


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "words", "question", "said", "documents"),
    [
        (
            "labels/capco-2016/CAPCO-2016.pdf",
            ("--label", "UNCLASSIFIED//FOUO", "--marks", "text"),
            "Who may grant a waiver from portion marking?",
            "ISOO",
            1,
        ),
        (
            "frus/frus1934v04.xml",
            ("--label", "UNCLASSIFIED"),
            "What did Bolivia and Paraguay decide about the Chaco armistice?",
            "armistice",
            702,
        ),
    ],
)
def test_real_documents_load_in_one_command_each(
    place: Place, real_documents: Path, file: str, words: tuple[str, ...], question: str, said: str, documents: int
) -> None:
    place.init("--policy", "us")
    with running(place) as up:
        added = up.run("add", real_documents / file, *words, "--json").data
        assert (added["added"], added["documents"]) == (1, documents)
        answer = up.run("ask", question).out
        assert answer.startswith("(U")
        assert said in answer
        assert up.run("add", real_documents / file, *words, "--json").data["added"] == 0
