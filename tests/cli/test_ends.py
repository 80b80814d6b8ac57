"""How a run ends that is neither done nor refused: interrupted, a pipe that closed, a file that cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from casemate.cli import add as adding
from casemate.cli.client import Answer
from casemate.cli.failure import Failed, no_region, usage
from casemate.cli.talk import Talk
from casemate.errors import SandboxMissing
from tests.cli.running import CASEMATE, PATIENCE, Place, Up, until


def answer(data: Any) -> Answer:
    return Answer(200, data, "", "", "", "", b"", ())


class Region:
    """A client with answers that were agreed on."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def get(self, path: str, **query: str) -> Answer:
        self.asked.append(path)
        found = self.answers[path.rsplit("/", 1)[-1] + ("_waiting" if query.get("only") else "")]
        if isinstance(found, BaseException):
            raise found
        return answer(found.pop(0) if isinstance(found, list) and path.endswith("documents") else found)

    def post(self, path: str, body: Any = None, **query: str) -> Answer:
        self.asked.append(path)
        found = self.answers["posted"]
        if isinstance(found, BaseException):
            raise found
        return answer(found)


def problem(slug: str) -> Failed:
    told = no_region("x").problem
    return Failed(type(told)(slug=slug, status=400, exit=2, title="t", detail="why", remedy="r"))


def test_where_nothing_can_be_parsed_nothing_is_sent(tmp_path: Path) -> None:
    region = Region(doctor=[{"name": "sandbox", "good": False, "said": "no Landlock"}])
    with pytest.raises(SandboxMissing):
        adding._fenced(region)  # type: ignore[arg-type]
    assert region.asked == ["/api/doctor"]


def test_one_bad_file_is_its_own_reason_and_a_bad_region_ends_the_run(tmp_path: Path) -> None:
    good = tmp_path / "a.txt"
    good.write_text("x")
    brought = adding.Brought()
    adding.bring(Region(posted=problem("malformed")), brought, [good, tmp_path / "gone.txt"], "b")  # type: ignore[arg-type]
    assert [(Path(item.path).name, bool(item.reason)) for item in brought.skipped] == [
        ("a.txt", True),
        ("gone.txt", True),
    ]
    with pytest.raises(Failed):
        adding.bring(Region(posted=problem("storage-full")), brought, [good], "b")  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.cli.files import Skipped, files

    def walk(top: Path, onerror: Any) -> Any:
        onerror(PermissionError(13, "Permission denied", str(top / "closed")))
        yield str(top), [], []

    monkeypatch.setattr(os, "walk", walk)
    [skipped] = files((tmp_path,))
    assert isinstance(skipped, Skipped)
    assert "Permission denied" in skipped.reason


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    from casemate.cli.files import Skipped, files

    os.mkfifo(tmp_path / "pipe.txt")
    [skipped] = files((tmp_path / "pipe.txt",))
    assert isinstance(skipped, Skipped)


def test_a_proof_that_cannot_be_saved_is_told(region: Up, tmp_path: Path) -> None:
    ran = region.run("prove", "When does the garden open?", "--save", tmp_path / "no" / "such" / "folder")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert "no/such/folder" in ran.err


def test_a_reader_that_leaves_is_no_defect(region: Up) -> None:
    place = region.place
    process = subprocess.Popen(
        [*CASEMATE, "ledger", "list", "--limit", "1000"],
        cwd=place.path,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(PATIENCE) in (0, 1)
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_ctrl_c_while_it_reads_leaves_the_rest_to_the_region(region: Up, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(300):
        (folder / f"{n}.txt").write_text(f"INTERNAL\n\n(INTERNAL) Paper {tmp_path.name} {n}.\n\nINTERNAL\n")
    place: Place = region.place
    before = len(list((place.region / "data" / "blobs").rglob("*")))
    # Whoever starts the tests in the background hands an ignored Ctrl-C down to everything below.
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *CASEMATE, "add", folder, "--base", "left"],
        cwd=place.path,
        env=place.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    blobs = place.region / "data" / "blobs"
    until(lambda: len(list(blobs.rglob("*"))) > before + 60)  # the first of them have long been taken
    children = region.children()
    serving = children.get("control", children.get("all", 0))
    os.kill(serving, signal.SIGSTOP)  # however fast it is, it has not settled all of them yet
    process.send_signal(signal.SIGINT)
    try:
        err = process.communicate(timeout=PATIENCE)[1]
    finally:
        os.kill(serving, signal.SIGCONT)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    again = region.run("add", folder, "--base", "left", "--json").data
    assert again["added"] + again["known"] == 300
    assert again["known"] > 0


def test_errors_of_the_parser_that_have_no_words_of_ours_keep_their_own() -> None:
    assert "odd" in usage(click.UsageError("odd")).problem.detail
    told = usage(click.BadParameter("why not"))
    assert "?" in told.problem.detail
    assert told.problem.exit == 2


def test_up_without_a_principal_says_that_there_is_no_token(monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    from casemate.cli import up as upping

    class Addresses:
        console = wires = "http://127.0.0.1:1"

    class Closed(Region):
        def close(self) -> None:
            pass

    monkeypatch.setattr(Talk, "client", lambda self: Closed(session=problem("unauthenticated")))
    upping._ready(Talk(tmp_path), Addresses())  # type: ignore[arg-type]
    told = capsys.readouterr()
    assert "No sign-in token: why" in told.err
    assert "Console   http://127.0.0.1:1" in told.out
    assert "Sign in" not in told.out


def test_what_died_is_told_in_a_line(capsys: Any, tmp_path: Path) -> None:
    from casemate.cli.up import _died
    from casemate.wiring import Died

    talk = Talk(tmp_path)
    _died(talk, Died("writer", -9))
    _died(talk, Died("writer", 0, "damaged"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "The writer process ended (-9) and is being started again."
    assert "cannot start: damaged" in lines[1]
