"""What goes where: data, talk, marking and colour, on a terminal and off it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from casemate.cli.failure import Failed, no_region
from casemate.cli.table import columns, width, wrapped
from casemate.cli.talk import Talk
from casemate.words import Problem

PROBLEM = Problem(slug="refused", status=403, exit=3, title="Refused", detail="No.", remedy="Ask.", entry="ent_1")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, Terminal]:
    """Inside the test, since pytest puts its own streams back between a fixture and its test."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    return out, err


def test_the_marking_is_said_first_and_last_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = terminal(monkeypatch)
    talk = Talk(None)
    talk.marked("SECRET")
    talk.marked("SECRET")
    talk.out("data")
    talk.say("up.stopped")
    talk.end()
    assert err.getvalue().splitlines() == ["SECRET", "The region has stopped.", "SECRET"]
    assert out.getvalue() == "data\n"


def test_without_a_terminal_no_marking_is_talked(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(None)
    talk.marked("SECRET")
    talk.end()
    assert capsys.readouterr() == ("", "")


def test_json_is_alone_on_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = terminal(monkeypatch)
    talk = Talk(None, json=True)
    talk.marked("SECRET")
    talk.out("data")
    talk.piece("piece")
    talk.say("up.stopped")
    talk.data({"a": 1}, "us:SECRET", "SECRET", "ent_1")
    talk.end()
    assert err.getvalue() == ""
    told = json.loads(out.getvalue())
    assert told == {"schema": 1, "data": {"a": 1}, "label": "us:SECRET", "marking": "SECRET", "entry": "ent_1"}


def test_a_problem_says_what_happened_what_to_do_and_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = terminal(monkeypatch)
    Talk(None, plain=True).fail(Failed(PROBLEM, "SECRET"))
    assert err.getvalue().splitlines() == ["SECRET", "Refused", "No.", "→ Ask.", "Ledger entry ent_1", "SECRET"]
    Talk(None, json=True).fail(Failed(PROBLEM, "SECRET"))
    assert json.loads(out.getvalue())["problem"]["slug"] == "refused"


@pytest.mark.parametrize(
    ("environ", "plain", "coloured"),
    [({}, False, True), ({}, True, False), ({"NO_COLOR": ""}, False, False), ({"TERM": "dumb"}, False, False)],
)
def test_colour_is_declined_in_three_ways(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], plain: bool, coloured: bool
) -> None:
    terminal(monkeypatch)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    talk = Talk(None, plain=plain)
    for told in (talk.bold("x"), talk.dim("x"), talk.lit("x")):
        assert ("\x1b[" in told) is coloured
        assert "x" in told


def test_a_mark_keeps_its_text_whatever_its_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    (tmp_path / "casemate.toml").write_text('[region]\npolicies = ["us"]\n')
    talk = Talk(tmp_path)
    red = talk.mark("(S//NF)", "us:SECRET//REL=USA")
    assert "(S//NF)" in red
    assert red != talk.mark("(S//NF)", "us:CONFIDENTIAL")
    assert talk.mark("(?)", "us:NO SUCH LEVEL") == "(?)"
    assert Talk(tmp_path / "nowhere").mark("(S)", "us:SECRET") == "(S)"
    assert talk.mark("", "us:SECRET") == ""
    assert talk.marking("us:SECRET//REL=USA") == "SECRET//NOFORN"
    assert talk.marking("ceiling") == "ceiling"


def test_no_region_names_both_ways_out() -> None:
    problem = no_region("/tmp/x").problem
    assert problem.exit == 8
    assert "casemate init" in problem.remedy
    assert "--folder" in problem.remedy


def test_columns_stand_under_each_other_whatever_is_in_them() -> None:
    lines = columns([("a", "\x1b[1mbb\x1b[0m", "end"), ("名前", "b", "end"), ("e\u0301", "", "")])
    assert [width(line[: line.index("end")]) for line in lines[:2]] == [10, 10]
    assert lines[2] == "e\u0301"
    assert columns([]) == []
    far = columns([("x" * 300, "end"), ("a", "end"), ("bbb", "end")])
    assert far[1:] == ["a    end", "bbb  end"], "one long marking pushes nobody else out of sight"


def test_text_is_broken_between_words() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("extraordinary a", 5) == ["extraordinary", "a"]
    assert wrapped("", 5) == [""]
