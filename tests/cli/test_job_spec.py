"""What a job is to be, from words and from files: the same JSON, and a sentence for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.cli.job_spec import asked, duration, memory
from casemate.errors import BadInput
from casemate.jobs.job import Spec

NOTHING: dict[str, Any] = {
    "name": "", "queue": "", "inputs": (), "outputs": (), "places": (), "env": (), "nodes": None, "tasks": None,
    "cpus": None, "memory": "", "disk": "", "gpus": None, "wall": "", "deadline": "", "network": False, "after": (),
    "array": "",
    "retry": None, "priority": None, "isolation": None, "environment": "", "again": "",
}  # fmt: skip


def spec_of(body: dict[str, Any]) -> Spec:
    return msgspec.convert(body["spec"], Spec)


def test_a_command_alone_keeps_all_that_it_leaves() -> None:
    body = asked(("echo", "hi"), NOTHING)
    found = spec_of(body)
    assert (found.command, body["key"]) == (("echo", "hi"), "")
    assert [(each.name, each.path, each.keep) for each in found.outputs] == [("out", "", "seal")]
    assert found.resources == Spec(("x",)).resources


def test_every_word_becomes_its_field() -> None:
    told = NOTHING | {
        "name": "count", "queue": "night", "inputs": ("corpus=dataset:corpus", "old=job:job_1/out/a=b"),
        "outputs": ("table=t.csv",), "places": ("scene=scene",), "env": ("A=1", "B=x=y"), "nodes": 2, "tasks": 3,
        "cpus": 4, "memory": "8G", "disk": "512M", "gpus": 1, "wall": "2h", "deadline": "1d", "network": True,
        "after": ("job_1", "afterany:job_2"), "array": "10%3", "retry": 2, "priority": 5, "isolation": "L2",
        "environment": "site:python", "again": "k",
    }  # fmt: skip
    body = asked(("python3", "a.py"), told)
    found = spec_of(body)
    assert body["key"] == "k"
    assert [(each.name, each.source) for each in found.inputs] == [
        ("corpus", "dataset:corpus"),
        ("old", "job:job_1/out/a=b"),
    ]
    assert [(each.name, each.path, each.keep) for each in found.outputs] == [
        ("table", "t.csv", "seal"),
        ("scene", "scene", "place"),
    ]
    assert found.env == {"A": "1", "B": "x=y"}
    given = found.resources
    assert (given.nodes, given.tasks, given.cpus, given.memory_mb, given.gpus) == (2, 3, 4, 8192, 1)
    assert given.disk_mb == 512
    assert (given.wall_s, given.network, found.deadline_s) == (7200, "host", 86400)
    assert [(each.job, each.when) for each in found.after] == [("job_1", "afterok"), ("job_2", "afterany")]
    assert (found.array.size, found.array.parallel, found.retry.attempts) == (10, 3, 3)
    assert (found.priority, found.floor, found.environment, found.queue) == (5, "L2", "site:python", "night")


TOML = """
command = ["python3", "train.py"]
name = "train"
key = "once"
[resources]
cpus = 2
memory_mb = 2048
[env]
SEED = "1"
EPOCHS = "3"
"""


def test_a_file_says_the_same_and_words_beside_it_win(tmp_path: Path) -> None:
    file = tmp_path / "train.toml"
    file.write_text(TOML)
    body = asked((str(file),), NOTHING | {"env": ("SEED=7",), "cpus": 8})
    found = spec_of(body)
    assert body["key"] == "once"
    assert found.env == {"SEED": "7", "EPOCHS": "3"}
    assert (found.resources.cpus, found.resources.memory_mb, found.outputs) == (8, 2048, ())
    again = tmp_path / "train.json"
    again.write_text(json.dumps(asked((str(file),), NOTHING)["spec"]))
    assert asked((str(again),), NOTHING)["spec"] == asked((str(file),), NOTHING)["spec"]


def test_many_jobs_of_one_file(tmp_path: Path) -> None:
    file = tmp_path / "many.toml"
    file.write_text('[[jobs]]\ncommand = ["a"]\nkey = "one"\n[[jobs]]\ncommand = ["b"]\n')
    body = asked((str(file),), NOTHING | {"queue": "night"})
    assert [(each["key"], each["spec"]["command"], each["spec"]["queue"]) for each in body["jobs"]] == [
        ("one", ["a"], "night"),
        ("", ["b"], "night"),
    ]
    with pytest.raises(BadInput):
        asked((str(file),), NOTHING | {"again": "k"})
    file.write_text('name = "x"\n[[jobs]]\ncommand = ["a"]\n')
    with pytest.raises(BadInput):
        asked((str(file),), NOTHING)


@pytest.mark.parametrize(
    "said",
    [
        {"memory": "much"},
        {"disk": "-1"},
        {"wall": "soon"},
        {"wall": "1w"},
        {"deadline": "1.5h"},
        {"env": ("A",)},
        {"env": ("=1",)},
        {"inputs": ("corpus",)},
        {"outputs": ("=",)},
        {"after": ("later:job_1",)},
        {"array": "many"},
        {"array": "10%x"},
        {"array": "9" * 12},
    ],
)
def test_what_cannot_be_read_is_named(said: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as told:
        asked(("a",), NOTHING | said)
    assert str(told.value.facts["what"])


@pytest.mark.parametrize("text", ["[", "[1]", '"text"', '{"jobs": 1}', '{"jobs": [1]}'])
def test_a_file_that_is_no_job_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "job.json"
    file.write_text(text)
    with pytest.raises(BadInput):
        asked((str(file),), NOTHING)


def test_a_file_that_is_not_there_or_no_text_and_a_file_beside_a_command(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        asked((str(tmp_path / "no.toml"),), NOTHING)
    file = tmp_path / "job.toml"
    file.write_bytes(b'command = ["\xff"]')
    with pytest.raises(BadInput):
        asked((str(file),), NOTHING)
    file.write_text('command = ["a"]')
    with pytest.raises(BadInput):
        asked((str(file), "more"), NOTHING)


@given(st.integers(1, 10**6), st.sampled_from(["M", "G", "m", "MiB", "GB"]))
def test_sizes_are_mebibytes(many: int, unit: str) -> None:
    assert memory(f"{many}{unit}", "memory") == many * (1024 if unit[0] in "Gg" else 1)
    assert memory(str(many), "memory") == many


def test_the_least_size_is_one_mebibyte_and_times_are_seconds() -> None:
    assert memory("1K", "memory") == 1
    assert memory("2T", "memory") == 2 << 20
    assert [duration(text, "wall") for text in ("90", "90s", "15m", "2h", "1d")] == [90, 90, 900, 7200, 86400]
