"""The demonstration, as `make demo ONCE=1` runs it: the story is true, ends with 0, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from casemate.cli.scene import WIDEST
from casemate.cli.table import width
from casemate.exercise import demo_questions, documents, principals
from casemate.words import say
from tests.cli.running import CASEMATE, PATIENCE, Place, Ran, gone, until

DEMO = tuple(one.name for one in principals() if one.demo)


@pytest.fixture(scope="module")
def told(module_place: Place) -> Ran:
    ran = module_place.run("demo", "--once")
    assert ran.code == 0, ran
    assert list(module_place.path.iterdir()) == [], "it says that it removed everything"
    return ran


def acts(told: Ran) -> dict[str, str]:
    """The text of each act by its title: a line at the margin, with its indented lines below."""
    found: dict[str, str] = {}
    title = ""
    for line in told.out.splitlines():
        if line and not line.startswith(" "):
            title = line
        found[title] = found.get(title, "") + line + "\n"
    return found


def act(told: Ran, words: str) -> str:
    return next(text for title, text in acts(told).items() if words in title)


def test_it_fits_into_100_columns_and_is_plain_without_a_terminal(told: Ran) -> None:
    assert "\x1b" not in told.out + told.err
    assert [line for line in told.out.splitlines() if width(line) > WIDEST] == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_titles_fit_on_their_line(language: str) -> None:
    facts = {"name": "hidden-note.txt", "mark": "(TS//SI//NF)"}
    for title in ("cast", "scores", "hidden", "stored", "proved", "reconciled", "verified", "tokens"):
        assert width(say(f"cli.demo.{title}", language, **facts)) <= WIDEST, title


def test_four_principals_ask_the_same_three_questions(told: Ran) -> None:
    for question in demo_questions():
        table = act(told, question.text)
        assert all(f"  {name}" in table for name in DEMO)
        rows = dict(zip(DEMO, re.split(r"─{20,}", table)[1:], strict=False))
        for name in DEMO:
            for phrase in {answer.phrase for answer in question.answers} - {a.phrase for a in question.expected[name]}:
                assert phrase not in " ".join(rows[name].split()), (name, phrase)
        visitor = " ".join(rows["visitor"].split())
        assert all(answer.phrase in visitor for answer in question.expected["visitor"])
        assert "+ (" in rows["analyst"], "what differs is shown"
        assert "as above: [1]" in rows["analyst"], "what does not is only named"
        assert "[1] " in rows["visitor"].splitlines()[-2], "where it is from"


def test_all_documents_came_through_the_door(told: Ran) -> None:
    assert f"{len(documents())} documents" in told.out
    assert "house, tlp, us, nato, fr" in " ".join(told.out.split())
    assert "bare" in told.out


def test_hidden_and_never_existing_are_answered_alike(told: Ran) -> None:
    hidden = act(told, "by its id")
    above, never = re.findall(r"HTTP 404\n((?: {4}.*\n)+)", hidden)
    assert above == never
    assert "Equal, byte for byte" in hidden
    really = act(told, "as the ledger has it")
    assert "document.read: refused, no-read-up" in really
    assert "(TS//SI//NF)" in really
    assert "visitor" in really


def test_storing_below_is_refused_with_rule_and_remedy(told: Ran) -> None:
    refused = act(told, "tries to store")
    assert "no-write-down" in refused
    assert "→" in refused


def test_one_hidden_document_moves_their_score_and_not_ours(told: Ran) -> None:
    scores = act(told, "may not see")
    moved = {
        row[0].strip(): row[1:]
        for row in re.findall(r"(SQLite's FTS5|Casemate) +before ([\d.]+) +after ([\d.]+)", scores)
    }
    assert moved["Casemate"][0] == moved["Casemate"][1]
    if "SQLite's FTS5" in moved:
        assert moved["SQLite's FTS5"][0] != moved["SQLite's FTS5"][1]


def test_the_proof_holds_and_the_ledger_verifies(told: Ran) -> None:
    proved = act(told, "proved")
    one, two = re.findall(r"SHA-384 ([0-9a-f]{24})", proved)
    assert one == two
    assert "Equal, byte for byte" in proved
    verified = act(told, "verified")
    good, count = re.search(r"(\d+) of (\d+) logs ok", verified).groups()  # type: ignore[union-attr]
    assert good == count
    assert int(count) > 10
    assert "earlier state" in " ".join(verified.split())


def test_everyone_gets_a_token_and_it_says_what_it_removed(told: Ran) -> None:
    tokens = act(told, "tokens")
    assert all(re.search(rf"{name}\n +cm_\w+", tokens) for name in (*DEMO, "auditor"))
    assert "Removed " in told.err


def test_as_json_it_is_one_document_in_french_too(place: Place) -> None:
    data = place.run("demo", "--once", "--json", "--language", "fr").data
    assert len(data["questions"]) == len(demo_questions())
    assert data["hidden"]["equal"]
    assert data["proof"]["equal"]
    assert data["scores"]["same_bytes"]
    assert data["reconciled"]["entry"]["rule"] == "no-read-up"
    assert data["stored_below"]["rule"] == "no-write-down"
    assert {log["verdict"]["state"] for log in data["verified"]} == {"ok"}
    assert "Extrait" in data["questions"][0]["answers"][0]["text"]


@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_ends_it_and_removes_it(place: Place, late: bool) -> None:
    """In the middle of the story, and while the region stays up after it."""
    process = subprocess.Popen(
        [*CASEMATE, "demo"],
        cwd=place.path,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stdout is not None
    if late:
        for line in process.stderr:
            if "stays up" in line:
                break
    else:
        until(lambda: list(Path(place.path).glob("casemate-demo-*/region/door/addresses.json")))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == (0 if late else 130), (out[-500:], err)
    assert "Removed " in err
    assert "Traceback" not in err
    assert list(place.path.iterdir()) == []
    assert gone(process.pid)
