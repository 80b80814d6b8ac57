"""A mission through a real region: made, checked, installed, run in its sandbox, shown, kept, made again, compared."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.cli.running import Up, until

READINGS = "time,value\n0,1\n1,3\n2,5\n"


@pytest.fixture(scope="module")
def ran(region: Up) -> str:
    """The id of a run of the template on a dataset of three readings."""
    pier = region.place.path / "pier" / "readings"
    pier.mkdir()
    (pier / "readings.csv").write_text(READINGS)
    assert region.run("dataset", "register", "readings", pier).code == 0
    assert region.run("mission", "new", "fit").code == 0
    installed = region.run("mission", "install", "fit", "--label", "INTERNAL", "--json")
    assert installed.data["id"] == "fit@0.1.0", installed
    assert region.run("mission", "install", "fit", "--label", "INTERNAL", "--json").data["id"] == "fit@0.1.0"
    done = region.run("mission", "run", "fit", "--input", "readings=dataset:readings", "--follow", "--json")
    assert done.data["job"]["state"] == "SUCCEEDED", done
    return str(done.data["job"]["id"])


def test_a_mission_is_told_before_it_runs(region: Up, ran: str) -> None:
    listed = region.run("mission", "list", "--json").data
    assert [(one["id"], one["title"]) for one in listed] == [("fit@0.1.0", "A line through readings")]
    told = region.run("mission", "describe", "fit").out
    assert "--set degree=1" in told
    assert "(0..1)" in told
    assert "PSF-2.0" in told
    room = region.run("mission", "run", "fit", "--input", "readings=dataset:readings", "--estimate", "--json").data[
        "resources"
    ]
    assert (room["memory_mb"], room["wall_s"]) == (264, 300)
    for wrong in ("degree=2", "degree=x", "never=1", "degree"):
        refused = region.run("mission", "run", "fit", "--input", "readings=dataset:readings", "--set", wrong)
        assert refused.code == 2, refused
    assert region.run("mission", "run", "fit").code == 2  # the role has no input
    assert region.run("mission", "run", "fit", "--input", "readings=dataset:never").code != 0


def test_what_it_found_is_shown_and_kept_with_its_marking(region: Up, ran: str) -> None:
    told = region.run("mission", "show", ran, "--json")
    assert told.data["result"]["figures"] == {"residual": 0.0, "slope": 2.0}
    assert told.data["progress"]["done"] == 1
    marking = told.json["marking"]
    assert region.run("mission", "report", ran).code == 0
    page = (region.place.path / "report.html").read_text()
    assert page.count(marking) >= 3
    assert "<script" not in page
    assert "<svg" in page
    assert region.run("mission", "report", ran).code == 2  # nothing is written over
    assert region.run("mission", "table", ran, "fitted").code == 0
    lines = (region.place.path / "fitted.csv").read_text().splitlines()
    assert lines == [f"# {marking}", "time,value,fit", "0.0,1.0,1.0", "1.0,3.0,3.0", "2.0,5.0,5.0"]
    assert region.run("mission", "table", ran, "fitted", "--format", "parquet").code == 0
    raw = (region.place.path / "fitted.parquet").read_bytes()
    assert raw[:4] == raw[-4:] == b"PAR1"
    assert marking.encode() in raw
    assert region.run("mission", "table", ran, "never", "--to", "never.csv").code != 0


def test_the_same_run_again_has_the_same_result(region: Up, ran: str) -> None:
    again = region.run("mission", "again", ran, "--follow")
    assert again.code == 0, again
    assert "same result" in again.err
    runs = [one["id"] for one in region.run("mission", "runs", "fit", "--json").data]
    assert len(runs) == 2
    same = region.run("mission", "compare", ran, runs[0], "--json").data
    assert (same["alike"], same["asked_alike"], same["figures"]) == (True, True, {})
    other = region.run(
        "mission", "run", "fit", "--input", "readings=dataset:readings", "--set", "degree=0", "--follow", "--json"
    ).data
    differs = region.run("mission", "compare", ran, other["job"]["id"], "--json").data
    assert (differs["alike"], differs["figures"]["slope"]) == (False, [2.0, 0.0])
    assert differs["asked"]["parameters"][1]["degree"] == 0


def test_an_ensemble_is_one_table_and_nothing_of_it_runs_twice(region: Up, ran: str) -> None:
    (region.place.path / "space.toml").write_text("[parameters]\ndegree = {values = [0, 1]}\n")
    form = ("--space", "space.toml", "--input", "readings=dataset:readings")
    whole = region.run("mission", "ensemble", "fit", *form, "--estimate", "--json").data["whole"]
    assert (whole["members"], whole["at_once"], whole["memory_mb"], whole["wall_s"]) == (2, 2, 528, 300)
    done = region.run("mission", "ensemble", "fit", *form, "--follow", "--json")
    assert done.data["state"] == "SUCCEEDED", done
    id = done.data["id"]
    assert region.run("sweep", "table", id).code == 0
    lines = (region.place.path / "table.csv").read_text().splitlines()
    assert lines[0] == f"# {done.json['marking']}"
    rows = [dict(zip(lines[1].split(","), line.split(","), strict=True)) for line in lines[2:]]
    assert [(row["degree"], row["slope"], row["state"]) for row in rows] == [
        ("0", "0.0", "SUCCEEDED"),
        ("1", "2.0", "SUCCEEDED"),
    ]
    assert rows[1]["digest"] == region.run("mission", "show", ran, "--json").data["result"]["digest"]
    again = region.run("mission", "ensemble", "fit", "--again", id)
    assert again.out.strip() == id, again
    assert "Nothing is missing" in again.err
    assert region.run("mission", "ensemble", "fit").code == 2
    assert region.run("mission", "ensemble", "fit", "--space", "never.toml").code == 2


def test_what_another_ensemble_has_finished_is_not_run_again(region: Up, ran: str) -> None:
    def ensemble(name: str, values: str) -> tuple[dict[str, Any], list[list[str]]]:
        (region.place.path / f"{name}.toml").write_text(f"[parameters]\ndegree = {{values = [{values}]}}\n")
        source = f"readings=job:{ran}/out/tables/fitted.csv"  # with a digest, which a dataset in place has not
        form = ("--space", f"{name}.toml", "--input", source, "--follow", "--json")
        done = region.run("mission", "ensemble", "fit", *form)
        assert done.data["state"] == "SUCCEEDED", done
        (region.place.path / name).mkdir()
        assert region.run("sweep", "table", done.data["id"], "--to", name).code == 0
        lines = (region.place.path / name / "table.csv").read_text().splitlines()
        told = region.run("sweep", "show", done.data["id"], "--json").data
        return told, [line.split(",") for line in lines[2:]]

    first, rows = ensemble("earlier", "0, 1")
    second, turned = ensemble("later", "1, 0")
    assert (first["taken"], second["taken"]) == (0, 2)
    assert [row[5:] for row in turned] == [row[5:] for row in reversed(rows)]  # point, figures and digests
    assert len(turned[0]) > 7
    children = [region.run("job", "show", f"{second['array']['id']}:{at}", "--json").data for at in (0, 1)]
    assert [child["attempts"] for child in children] == [[], []]
    assert region.run("mission", "report", children[0]["id"], "--to", "member.html").code == 0


def test_a_model_calls_it_with_the_schema_of_its_form(region: Up, ran: str) -> None:
    one = region.run("mission", "tool", "fit")
    assert one.code == 0, one
    tool = json.loads(one.out)
    assert json.loads(region.run("mission", "tool").out) == [tool]
    form = tool["function"]["parameters"]
    assert (tool["type"], tool["function"]["name"], form["required"]) == ("function", "fit", ["inputs"])
    said = json.dumps({"parameters": {"degree": 1}, "inputs": {"readings": "dataset:readings"}})
    called = region.run("mission", "call", "fit", said, "--id", "call_1", "--follow", "--json")
    assert called.code == 0, called
    turn = called.data["turn"]
    marking, told = turn["content"].split("\n")
    assert (marking, turn["role"], turn["tool_call_id"]) == (called.json["marking"], "tool", "call_1")
    answer = json.loads(told)
    assert (answer["figures"], answer["state"]) == ({"residual": 0.0, "slope": 2.0}, "SUCCEEDED")
    assert answer["tables"]["fitted"]["first"] == [["0.0", "1.0", "1.0"], ["1.0", "3.0", "3.0"], ["2.0", "5.0", "5.0"]]
    assert answer["digest"] == region.run("mission", "show", ran, "--json").data["result"]["digest"]
    assert region.run("mission", "call", "fit", said, "--id", "call_1").out == f"{turn['content']}\n"  # the same run
    wrong = region.run("mission", "call", "fit", '{"parameters": {"degree": 2}}')
    assert (wrong.code, json.loads(wrong.out.splitlines()[1])["error"]) == (2, "malformed")
    unseen = region.run("mission", "call", "fit", said.replace("readings", "never"))
    assert unseen.code == 2, unseen
    assert json.loads(region.run("mission", "tool", "--label", "house:PUBLIC").out) == []


def test_a_run_with_too_little_memory_says_so_and_ends_as_it_did(region: Up, ran: str) -> None:
    short = region.run(
        "mission", "run", "fit", "--input", "readings=dataset:readings", "--memory-mb", "64", "--follow", "--json"
    )
    assert short.code == 2, short
    assert short.json["data"]["result"] is None
    said = region.run("job", "logs", short.json["data"]["job"]["id"])
    assert "it was given 64" in said.err


def test_below_its_label_nothing_of_it_is_there(region: Up, ran: str) -> None:
    low = ("--label", "house:PUBLIC")
    assert region.run("mission", "list", "--json", *low).data == []
    for words in (("show", ran), ("report", ran, "--to", "low.html"), ("describe", "fit"), ("runs", "fit")):
        hidden = region.run("mission", *words, *low)
        never = region.run("mission", *(word.replace(ran, "job_never").replace("fit", "never") for word in words), *low)
        assert hidden.code == never.code != 0, (words, hidden, never)
    assert not (region.place.path / "low.html").exists()


def test_a_watch_runs_it_and_its_notice_reaches_the_sink_that_may_have_it(region: Up, ran: str) -> None:
    pier = region.place.path / "pier" / "known"
    pier.mkdir()
    (pier / "readings.csv").write_text(READINGS)
    assert region.run("dataset", "register", "known", pier, "--label", "INTERNAL").code == 0
    when = ("--when", "slope > 1", "--sink", "desk", "--role", "readings", "--json")
    at_low = ("--source", "dataset:known", "--label", "INTERNAL")
    low = region.run("mission", "watch", "add", "fit", *when, *at_low).data
    high = region.run("mission", "watch", "add", "fit", "--name", "high", *when, "--source", "dataset:readings").data
    assert (low["every_s"], low["most"], low["runs"]) == (0, 50, 0)

    def told() -> list[Any]:
        return list(region.run("mission", "notices", "--json").data)

    until(lambda: len([one for one in told() if one["sinks"]["desk"]]) == 2)
    by_watch = {one["watch"]: one for one in told()}
    assert by_watch[low["id"]]["figures"] == {"slope": 2.0}
    assert {id: one["sinks"]["desk"] for id, one in by_watch.items()} == {
        low["id"]: "sent",
        high["id"]: "accreditation",
    }
    [file] = (region.place.path / "alerts").iterdir()
    assert json.loads(file.read_text())["run"] == by_watch[low["id"]]["run"]
    shown = region.run("mission", "watch", "show", low["id"], "--json").data
    assert (shown["runs"], shown["last"], shown["job"], shown["why"]) == (1, by_watch[low["id"]]["run"], "", "")
    assert "slope > 1" in region.run("mission", "watch", "show", low["id"]).out
    assert low["id"] in region.run("mission", "watch", "list").out
    assert by_watch[high["id"]]["id"] in region.run("mission", "notices").out
    assert high["id"] not in region.run("mission", "watch", "list", "--label", "INTERNAL").out
    for one in (low, high):
        assert region.run("mission", "watch", "remove", one["id"]).code == 0
    assert region.run("mission", "watch", "list").out.strip() == "No watch."
    late = region.run("mission", "watch", "add", "fit", "--every", "1s", "--input", "readings=dataset:readings")
    assert late.code == 2
    (region.place.path / "alerts" / file.name).unlink()


def test_removed_it_is_gone_and_its_runs_stay(region: Up, ran: str) -> None:
    shutil.rmtree(region.place.path / "fit")
    assert region.run("mission", "new", "second").code == 0
    assert region.run("mission", "new", "second").code == 2
    lock = region.place.path / "second" / "requirements.txt"
    empty = lock.read_text()
    lock.write_text(f"nowhere==1 --hash=sha256:{'0' * 64}\nneither==2 --hash=sha256:{'0' * 64}\n")
    lacks = region.run("mission", "install", "second")
    assert (lacks.code, "nowhere==1" in lacks.err, "neither==2" in lacks.err) == (2, True, True), lacks
    assert region.run("mission", "describe", "second").code != 0
    lock.write_text(empty)
    assert region.run("mission", "install", "second").code == 0
    assert region.run("mission", "remove", "second").code == 0
    assert region.run("mission", "describe", "second").code != 0
    assert region.run("mission", "show", ran).code == 0
