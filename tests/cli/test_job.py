"""`casemate job` against a region that answers as it is told to: what is shown, written and given back as exit code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from casemate.cli.client import Answer
from casemate.cli.job_follow import exit_of, show
from casemate.cli.root import main
from casemate.cli.talk import Talk

LABEL = "us:SECRET"
USAGE = {"cpu_us": 2_500_000, "wall_us": 4_000_000, "rss_kb": 20480, "gpu_s": 0, "energy_j": 0}


def job(state: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    told = {
        "id": "job_1", "name": "count", "state": state, "open": state in ("RUNNABLE", "RUNNING"), "queue": "default",
        "owner": "prn_1", "person": "ann", "created": 1, "started": 2, "ended": 0, "reason": "", "exit": None,
        "signal": 0, "tried": 0, "parent": "", "index": -1, "size": 0, "counts": {}, "label": LABEL,
        "marking": "SECRET", "mark": "(S)", "version": 1, "cancel": "", "attempts": [], "artefacts": [],
        "usage": dict.fromkeys(USAGE, 0), "spec": None, "service": None,
    }  # fmt: skip
    return {**told, **more}


@dataclass
class Region:
    """Gives what is scripted for a method and path: the next of a list, and its last one again and again."""

    script: dict[str, list[Any]]
    asked: list[tuple[str, Any, str]] = field(default_factory=list)
    raw: bytes = b""

    def _answer(self, name: str, said: Any, acting: str) -> Answer:
        self.asked.append((name, said, acting))
        answers = self.script[name]
        data = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(data, BaseException):
            raise data
        return Answer(200, data, LABEL, "SECRET", "(S)", "ent_1", b"", ())

    def get(self, path: str, acting: str = "", **query: str) -> Answer:
        return self._answer(f"GET {path}", query, acting)

    def post(self, path: str, body: Any = None, acting: str = "", **query: str) -> Answer:
        return self._answer(f"POST {path}", body, acting)

    def into(self, path: str, take: Callable[[bytes], None], acting: str = "") -> Answer:
        for at in range(0, len(self.raw), 3):
            take(self.raw[at : at + 3])
        return self._answer(f"GET {path}", None, acting)


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Region:
    found = Region({})
    monkeypatch.setattr(Talk, "client", lambda self: found)
    monkeypatch.setattr(Talk, "marking", lambda self, label: label)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CASEMATE_LANGUAGE", "en")
    return found


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["job", *words])
    return int(end.value.code or 0)


def said(text: str = "", stream: str = "out", at: str = "0.0", ended: bool = False) -> dict[str, Any]:
    pieces = [{"stream": stream, "text": text}] if text else []
    return {"pieces": pieces, "at": at, "whole": ended, **job("SUCCEEDED" if ended else "RUNNING")}


def test_run_shows_what_a_job_says_and_ends_as_it_ends(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {
        "POST /api/jobs": [job("RUNNABLE")],
        "GET /api/jobs/job_1": [job("RUNNING"), job("RUNNING"), job("FAILED", exit=3, reason="exit 3", version=2)],
        "GET /api/jobs/job_1/logs": [said("hi\n", at="3.0"), said("no\n", "err", "3.3"), said(at="3.3", ended=True)],
    }
    assert run("run", "--label", LABEL, "--", "sh", "-c", "exit 3") == 3
    shown = capsys.readouterr()
    assert shown.out == "hi\n"
    assert "job_1" in shown.err
    assert "no\n" in shown.err
    assert "failed (exit 3)" in shown.err
    assert shown.err.count("exit 3") == 1
    name, body, acting = region.asked[0]
    assert (name, acting, body["spec"]["command"]) == ("POST /api/jobs", LABEL, ["sh", "-c", "exit 3"])
    places = [query["at"] for path, query, _ in region.asked if path.endswith("/logs")]
    assert places == ["", "3.0", "3.3"]


def test_run_as_json_is_one_document_with_the_job(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"POST /api/jobs": [job("RUNNABLE")], "GET /api/jobs/job_1": [job(exit=0)]}
    assert run("run", "--json", "--", "true") == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert (told["data"]["state"], told["label"], shown.err) == ("SUCCEEDED", LABEL, "")


def test_whoever_leaves_is_told_that_the_job_goes_on(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"POST /api/jobs": [job("RUNNABLE")], "GET /api/jobs/job_1": [KeyboardInterrupt()]}
    assert run("run", "--", "sleep", "9") == 130
    assert "casemate job cancel job_1" in capsys.readouterr().err


def test_submit_says_ids_and_follows_where_it_is_told_to(
    region: Region, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "many.json"
    file.write_text('{"jobs": [{"command": ["a"]}, {"command": ["b"]}]}')
    region.script = {"POST /api/jobs": [{"jobs": [job(), job(id="job_2")]}]}
    assert run("submit", str(file)) == 0
    assert capsys.readouterr().out == "job_1\njob_2\n"
    assert run("run", str(file)) == 2
    assert run("submit", "--follow", str(file)) == 2
    counts = {"SUCCEEDED": 3, "FAILED": 1}
    region.script = {
        "POST /api/jobs": [job("RUNNABLE", size=4)],
        "GET /api/jobs/job_1": [job("RUNNING", size=4), job("FAILED", size=4, counts=counts)],
    }
    capsys.readouterr()
    assert run("submit", "--follow", "--array", "4", "--", "true") == 0
    shown = capsys.readouterr()
    assert (shown.out, "failed" in shown.err) == ("job_1\n", True)


def test_the_list_goes_page_by_page_to_its_limit(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {
        "GET /api/jobs": [
            {"jobs": [job("RUNNING")], "after": "c/1"},
            {"jobs": [job("RUNNABLE", id="job_2", size=3, counts={"SUCCEEDED": 1})], "after": "c/2"},
        ]
    }
    assert run("list", "--limit", "2", "--mine", "--queue", "default") == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ["job_1", "job_2"]
    assert "3: 1 succeeded" in shown.out
    assert "--limit" in shown.err
    first, second = (query for _, query, _ in region.asked)
    assert first == {"queue": "default", "owner": "me", "open": "yes", "limit": "2"}
    assert second["after"] == "c/1"
    region.script = {"GET /api/jobs": [{"jobs": [], "after": ""}]}
    assert run("list") == run("list", "--all") == run("list", "--state", "failed") == 0
    assert region.asked[-1][1] == {"state": "FAILED", "limit": "100"}
    assert capsys.readouterr().out.count("No job") == 3


def test_one_job_with_its_attempts_and_what_came_out(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    attempt = {
        "n": 1, "state": "ended", "engine": "process", "node": "here", "begun": 1, "started": 1_000_000,
        "ended": 3_500_000, "exit": 1, "signal": 0, "reason": "exit", "level": "L2", "usage": USAGE,
    }  # fmt: skip
    lost = {**attempt, "n": 2, "state": "lost", "exit": None, "signal": 9, "started": 0}
    artefact = {"name": "out/a", "size": 2, "digest": "ab" * 48, "place": ""}
    told = job(
        "FAILED",
        signal=9,
        attempts=[attempt, lost],
        artefacts=[artefact],
        usage=USAGE,
        reason="lost",
        cancel="why",
        parent="job_0",
        index=3,
        size=2,
        ended=9,
    )
    region.script = {"GET /api/jobs/job_1": [told]}
    assert run("show", "job_1") == 0
    shown = capsys.readouterr().out
    for words in ("count", "signal 9", "exit 1", "L2", "2.5 s", "process/here", "out/a", "job_0 [3]", "why", "20 MiB"):
        assert words in shown


def test_logs_say_what_there_is_or_that_there_is_nothing(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"GET /api/jobs/job_1/logs": [said("half", at="4"), said(at="4")]}
    assert run("logs", "job_1", "--stream", "out") == 0
    assert capsys.readouterr().out == "half"
    region.script = {"GET /api/jobs/job_1/logs": [said(ended=True)]}
    assert run("logs", "-f", "job_1") == 0
    assert "nothing" in capsys.readouterr().err
    region.script = {"GET /api/jobs/job_1/logs": [said("a", at="1.0"), said("b", "err", "1.1", ended=True)]}
    assert run("logs", "-f", "job_1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["data"]["text"] == {"out": "a", "err": "b"}


def test_what_a_job_says_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(None)
    show(talk, "out", "10%\r20%\r\n\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J")
    show(talk, "err", "\x9b2J")
    shown = capsys.readouterr()
    assert shown.out.startswith("10%\n20%\nred\ufffd]0;title\ufffd")
    assert "\x1b" not in shown.out
    assert shown.err == "\ufffd2J"


def test_cancel_and_retry_act_where_the_job_lies(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {
        "GET /api/jobs/job_1": [job("RUNNING")],
        "POST /api/jobs/job_1/cancel": [job("CANCELLED")],
        "POST /api/jobs/job_1/retry": [job("SUBMITTED")],
    }
    assert run("cancel", "job_1", "--reason", "law") == 0
    assert region.asked[-1] == ("POST /api/jobs/job_1/cancel", {"reason": "law"}, LABEL)
    assert run("retry", "--label", "us:TOP SECRET", "job_1") == 0
    assert region.asked[-1][2] == "us:TOP SECRET"
    assert capsys.readouterr().out == "job_1  cancelled\njob_1  submitted\n"


def test_an_array_with_its_children_in_order(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    children = [job("FAILED", id=f"job_{n}", index=n, exit=1) for n in (1, 0)]
    region.script = {
        "GET /api/jobs/job_9": [job("RUNNING", id="job_9", size=2), job("FAILED", id="job_9", size=2)],
        "GET /api/jobs": [{"jobs": children[:1], "after": "c/1"}, {"jobs": children[1:], "after": ""}],
    }
    assert run("array", "job_9", "-f") == 1
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["[0]", "[1]"]


def test_top_tells_what_it_is_told(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"states": {"RUNNING": 2}, "queues": {"default": 2}, "slots": {"process": 4, "slurm": 0}}
    region.script = {"GET /api/jobs/top": [told, {"states": {}, "queues": {}, "slots": {}}]}
    assert run("top") == 0
    shown = [line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert shown == [["running", "2"], ["in queue default", "2"], ["slots of process", "4"]]
    assert run("top") == 0
    assert "No job is open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (job(), 0),
        (job("FAILED", exit=7), 7),
        (job("FAILED", exit=None), 1),
        (job("FAILED", exit=0), 1),
        (job("FAILED", exit=None, signal=9), 137),
        (job("CANCELLED"), 1),
        (job("FAILED", exit=256), 1),
    ],
)
def test_exit_codes_are_a_shells(told: dict[str, Any], code: int) -> None:
    assert exit_of(told) == code


def artefacts(region: Region, raw: bytes, digest: str = "") -> None:
    region.raw = raw
    one = {"name": "out/a", "size": len(raw), "digest": digest or hashlib.sha384(raw).hexdigest(), "place": ""}
    region.script = {"GET /api/jobs/job_1/artefacts": [[one]], "GET /api/jobs/job_1/artefacts/out/a": [None]}


def test_what_came_out_is_written_and_never_written_over(
    region: Region, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    artefacts(region, b"\x00bytes")
    assert run("artefact", "job_1") == 0
    assert b"out/a" in capsysbinary.readouterr().out
    assert run("artefact", "job_1", "out/a") == 0
    assert (tmp_path / "a").read_bytes() == b"\x00bytes"
    assert LABEL.encode() in capsysbinary.readouterr().err
    artefacts(region, b"others")
    assert run("artefact", "job_1", "out/a") == 2
    assert (tmp_path / "a").read_bytes() == b"\x00bytes"
    assert run("artefact", "job_1", "out/a", "--replace") == 0
    assert (tmp_path / "a").read_bytes() == b"others"
    (tmp_path / "folder").mkdir()
    assert run("artefact", "job_1", "out/a", "--to", "folder") == 0
    capsysbinary.readouterr()
    assert run("artefact", "job_1", "out/a", "--to", "-") == 0
    assert capsysbinary.readouterr().out == b"others"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "folder"]


def test_a_file_that_came_to_stand_there_meanwhile_stays(
    region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefacts(region, b"ours")
    before = region.into

    def meanwhile(*args: Any) -> Answer:
        (tmp_path / "a").write_bytes(b"theirs")
        return before(*args)

    monkeypatch.setattr(region, "into", meanwhile)
    assert run("artefact", "job_1", "out/a") == 2
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"theirs"]


def test_bytes_that_are_others_than_were_recorded_are_not_kept(region: Region, tmp_path: Path) -> None:
    artefacts(region, b"changed", "00" * 48)
    assert run("artefact", "job_1", "out/a") == 10
    assert list(tmp_path.iterdir()) == []


def test_nothing_came_out(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.script = {"GET /api/jobs/job_1/artefacts": [[]]}
    assert run("artefact", "job_1") == 0
    assert "Nothing" in capsys.readouterr().err


def test_nodes_are_listed_and_what_was_done_to_one_is_recorded(
    region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {
        "name": "n1", "engine": "hpc", "given": False, "state": "held", "since": 1_700_000_000_000_000, "steps": [],
        "label": LABEL, "marking": "SECRET", "mark": "(S)",
    }  # fmt: skip
    two, three = {**one, "name": "n2", "given": True, "state": "new", "since": 0}, {**one, "state": "clean"}
    path = "/api/job-nodes/hpc/n1/sanitise"
    region.script = {"GET /api/job-nodes": [[one, two], []], f"POST {path}": [one, three]}
    assert run("node", "list") == 0
    shown = capsys.readouterr().out.splitlines()
    assert [("to be sanitised" in line, "nothing has run" in line) for line in shown] == [(True, False), (False, True)]
    assert "2023-11-14 22:13:20Z" in shown[0]
    assert run("node", "list", "--label", LABEL) == 0
    assert "No node" in capsys.readouterr().out
    words = ["node", "sanitise", "n1", "--engine", "hpc", "--label", LABEL, "--evidence", "mkfs"]
    assert run(*words) == 2
    capsys.readouterr()
    assert run(*words, "--step", "scratch") == 0
    assert "still counts" in capsys.readouterr().err
    assert run(*words, "--step", "gpu-memory", "--step", "reboot") == 0
    assert "is clean" in capsys.readouterr().err
    assert region.asked[-1] == (f"POST {path}", {"steps": ["gpu-memory", "reboot"], "evidence": "mkfs"}, LABEL)
