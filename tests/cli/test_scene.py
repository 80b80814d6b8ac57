"""What the demonstration says where something is wrong: a leak is called one, and what is missing is named."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from casemate.cli.scene import Scene
from casemate.cli.story import Hidden, Scores, Story
from casemate.cli.talk import Talk
from casemate.words import Problem


class Answer:
    def __init__(self, data: Any = None, raw: bytes = b"", status: int = 200) -> None:
        self.data, self.raw, self.status = data, raw, status
        self.headers, self.entry, self.label, self.marking = (), "ent_x", "", ""


class Region:
    """A client of a region that leaks and forgets."""

    def get(self, path: str, **query: str) -> Answer:
        del query
        return Answer([] if path == "/api/ledger" else {})

    def post(self, path: str, body: Any = None, **query: str) -> Answer:
        del path, body, query
        return Answer({})


class Addresses:
    wires = console = "http://127.0.0.1:1"


def test_a_leak_is_called_a_leak(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(Talk(None))
    scene.hidden(Hidden("doc_1", "note", "(S)", "HTTP 404\n\nabove", "HTTP 404\n\nnever", False, "ent_1"))
    scene.stored(None)
    scene.scores(Scores("text", (), (1.0, 2.0), False))
    scene.reconciled({})
    verdict = {"state": "tampered", "log": "l", "entries": 0, "at": None, "seq": 3, "why": "leaf", "beyond": 0}
    scene.verified([{"verdict": {**verdict, "interrupted": []}, "marking": "SECRET"}])
    told = capsys.readouterr().out
    assert told.count("this is a leak") == 2
    assert "moved: he can tell" in told
    assert "no FTS5" in told
    assert "not been told yet" in told
    assert "TAMPERED at entry 3" in told
    assert "0 of 1 logs ok" in told


def test_without_an_embedder_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    loaded = {"documents": 1, "passages": 2, "labels": 3, "policies": ["us"], "seconds": 1, "embedder": ""}
    Scene(Talk(None)).loaded(loaded)
    assert "full text alone" in capsys.readouterr().out


def test_progress_moves_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for stream, moves in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        scene = Scene(Talk(None))
        scene.progress(1, 2)
        scene.progress(2, 2)
        assert (stream.getvalue().count("\r") == 2) is moves


def test_a_region_that_never_reconciles_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.cli import story as room

    monkeypatch.setattr(room, "PATIENCE", 0.0)
    told = Story(Region(), Addresses(), lambda: False)  # type: ignore[arg-type]
    told.players = {"auditor": type("P", (), {"client": Region()})(), "analyst": type("P", (), {"client": Region()})()}
    hidden = Hidden("doc_1", "n", "(S)", "", "", True, "ent_1")
    assert told.reconciled(hidden) == {}
    assert told.store_below() is None, "it was stored"
    monkeypatch.setattr(room, "PATIENCE", 60.0)
    over = Story(Region(), Addresses(), lambda: True)  # type: ignore[arg-type]
    over.players = told.players
    assert over.reconciled(hidden) == {}


def test_a_refusal_is_told_with_rule_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(slug="refused", status=403, exit=3, title="Refused", detail="d", remedy="r", rule="no-write-down")
    Scene(Talk(None)).stored(problem)
    told = capsys.readouterr().out
    assert "no-write-down" in told
    assert "→ r" in told
