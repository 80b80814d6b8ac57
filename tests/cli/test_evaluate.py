"""`casemate knowledge evaluate`: what is asked of a region, what is told of its answers, and a region that is real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from casemate.cli import evaluate as room
from casemate.cli.client import Answer
from casemate.cli.evaluate import evaluate
from casemate.cli.knowledge import knowledge
from casemate.cli.talk import Talk
from tests.cli.running import PATIENCE, Place, running

QUESTIONS = """
[[question]]
id = "closed"
text = "Until when is the harbour closed?"
answers = [{ phrase = "closed until Friday", document = "harbour.txt" }]
[[question]]
id = "leaves"
text = "When does the convoy leave?"
language = "fr"
answers = [{ phrase = "on Thursday at 0400", document = "never.txt" }]
[[question]]
id = "opera"
text = "Who sings?"
"""
DOCUMENTS = {
    "documents": [{"id": "doc_1", "name": "harbour.txt", "title": "Harbour"}],
    "parts": [{"id": "doc_2", "title": ""}],
}
HITS = [
    {"document": "doc_2", "text": "The port is closed until Friday."},
    {"document": "doc_1", "text": "It is closed until Friday."},
    {"document": "doc_3", "text": "It leaves on Thursday at 0400."},
]


class Region:
    """A client that finds the same passages whatever is asked, and remembers what that was."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, str]] = []

    def get(self, path: str, acting: str = "", **query: str) -> Answer:
        self.asked.append((path, query, acting))
        return self._answer(DOCUMENTS)

    def post(self, path: str, body: Mapping[str, Any], acting: str = "") -> Answer:
        self.asked.append((path, body, acting))
        if path == "/api/search":
            return self._answer({"hits": HITS[: body["k"]]})
        return self._answer({"finish": "stop" if "convoy" in body["question"] else "abstain"})

    def _answer(self, data: Any) -> Answer:
        return Answer(200, data, "house:INTERNAL", "INTERNAL", "", "", b"", ())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "questions.toml"
    made.write_text(QUESTIONS, encoding="utf-8")
    return made


def invoke(monkeypatch: pytest.MonkeyPatch, region: Region, *words: str | Path) -> Result:
    monkeypatch.setattr(Talk, "client", lambda self: region)
    return CliRunner().invoke(evaluate, [str(word) for word in words], catch_exceptions=False)


def test_each_question_is_asked_as_the_caller_wants(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    region = Region()
    done = invoke(monkeypatch, region, file, "--base", "intel,papers", "-k", "2", "--method", "text", "--for", "SECRET")
    assert done.exit_code == 0, done.output
    assert [path for path, _, _ in region.asked] == ["/api/documents", *["/api/search"] * 3]
    assert {acting for _, _, acting in region.asked} == {"SECRET"}
    assert region.asked[1][1] == {
        "question": "Until when is the harbour closed?",
        "bases": ["intel", "papers"],
        "k": 2,
        "method": "text",
    }


def test_an_answer_counts_in_its_document_and_by_phrase_where_none_is_seen(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    """The first passage says it too, and is another document's; `never.txt` is the name of nothing here."""
    done = invoke(monkeypatch, Region(), file, "--json")
    told = json.loads(done.stdout)
    assert (told["label"], told["marking"]) == ("house:INTERNAL", "INTERNAL")
    data = told["data"]
    assert [(each["id"], each["rank"]) for each in data["questions"]] == [("closed", 2), ("leaves", 3), ("opera", 0)]
    assert (data["k"], data["unknown"], data["hit"]["value"]) == (5, 1, 1.0)
    assert data["mrr"]["value"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert data["abstained"] is data["wrongly"] is None
    shallow = json.loads(invoke(monkeypatch, Region(), file, "-k", "2", "--json").stdout)["data"]
    assert (shallow["hit"]["value"], shallow["hit"]["count"]) == (0.5, 2)


def test_a_person_reads_lines_with_intervals(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    done = invoke(monkeypatch, Region(), file, "--ask", "--plain")
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "hit@5",
        "MRR@5",
        "nDCG@5",
        "abstained, where nothing answers",
        "abstained, where something answers",
    ]
    assert lines[0].split() == ["hit@5", "1.000", "[0.342,", "1.000]", "n", "=", "2"]
    assert "0.500" in lines[4]
    assert "3 questions, 2 of them with an answer; base all, method hybrid" in done.stderr
    assert "1 of the documents" in done.stderr


def test_where_every_name_is_seen_nothing_is_said_of_names(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text(QUESTIONS.replace("never.txt", "doc_2"), encoding="utf-8")
    done = invoke(monkeypatch, Region(), file, "--plain")
    assert "of the documents" not in done.stderr
    assert "0.500" in done.stdout.splitlines()[0]


def test_the_reader_is_asked_in_the_language_of_the_question(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    region = Region()
    invoke(monkeypatch, region, file, "--ask", "--base", "intel")
    asked = [body for path, body, _ in region.asked if path == "/api/ask"]
    assert [body["language"] for body in asked] == ["en", "fr", "en"]
    assert {body["knowledge"] for body in asked} == {"intel"}


@pytest.mark.parametrize(
    ("raw", "says"), [(b"\xff", "UTF-8"), (b"x" * 65, "at most 0 MiB"), (b"", "1 to 10000 tables")]
)
def test_what_is_no_file_of_questions_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raw: bytes, says: str
) -> None:
    monkeypatch.setattr(room, "FILE_LIMIT", 64)
    file = tmp_path / "questions.toml"
    file.write_bytes(raw)
    region = Region()
    done = invoke(monkeypatch, region, file)
    assert (done.exit_code, region.asked) == (2, [])
    assert says in done.stderr


def test_the_verb_stands_under_its_noun() -> None:
    assert knowledge.list_commands(None) >= ["evaluate"]  # type: ignore[arg-type]
    assert knowledge.get_command(None, "evaluate") is evaluate  # type: ignore[arg-type]


def test_a_region_that_runs_is_measured(place: Place) -> None:
    place.init("--policy", "house,us")
    paper = place.path / "harbour.txt"
    paper.write_text("INTERNAL\n\n(INTERNAL) The harbour is closed until Friday.\n\nINTERNAL\n")
    questions = place.path / "questions.toml"
    questions.write_text(QUESTIONS)
    program = "import sys; from casemate.cli.evaluate import evaluate; evaluate.main(sys.argv[1:])"
    with running(place) as up:
        assert up.run("add", paper, "--base", "intel", "--json").data["added"] == 1
        done = subprocess.run(
            [sys.executable, "-c", program, str(questions), "--ask", "--json"],
            cwd=place.path,
            env=place.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)["data"]
    assert [each["rank"] for each in data["questions"]] == [1, 0, 0]
    assert data["questions"][2]["abstained"] is True
    assert data["unknown"] == 1
