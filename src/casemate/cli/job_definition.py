"""`casemate job definition`: what jobs are made from, by name and revision."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.job_spec import table_of
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["definition"]

definition = Group(
    "job.definition",
    {
        "list": "job_definition:listing",
        "add": "job_definition:add",
        "show": "job_definition:show",
        "submit": "job_definition:submit",
        "retire": "job_definition:retire",
    },
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NAME = click.argument("name")
LABEL = option("--label", default="", metavar="LABEL")
WORDS = option("--word", "words", multiple=True, metavar="NAME=VALUE")


@verb("job.definition.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/job-definitions", acting=label)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("job.definition.none"))


@verb("job.definition.add", NAME, click.argument("file", type=FILE), WORDS, LABEL)
def add(talk: Talk, name: str, file: Path, words: tuple[str, ...], label: str) -> None:
    body = {"name": name, "spec": table_of(file), "parameters": _pairs(words)}
    answer = talk.client().post("/api/job-definitions", body, acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))


@verb("job.definition.show", NAME, LABEL)
def show(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().get(_at(name), acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))
    talk.out(" ".join(answer.data["spec"]["command"]))
    for line in columns(sorted(answer.data["parameters"].items())):
        talk.out(line)


@verb(
    "job.definition.submit",
    NAME,
    WORDS,
    option("--queue", default="", metavar="QUEUE"),
    option("--key", "again", default="", metavar="KEY"),
    LABEL,
)
def submit(talk: Talk, name: str, words: tuple[str, ...], queue: str, again: str, label: str) -> None:
    body = {"definition": name, "parameters": _pairs(words), "queue": queue, "key": again}
    answer = talk.client().post("/api/jobs", body, acting=label)
    talk.answer(answer)
    talk.out(answer.data["id"])


@verb("job.definition.retire", NAME, LABEL)
def retire(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.call("DELETE", _at(name), acting=label or str(client.get(_at(name)).data["label"]))
    talk.answer(answer)
    talk.out(answer.data["name"])


def _at(name: str) -> str:
    return f"/api/job-definitions/{quote(name, safe=':')}"


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if any(not name or not equals for name, equals, _ in pairs):
        raise BadInput(what=t("job.definition.word"))
    return {name: value for name, _, value in pairs}


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    return told["id"], told["mark"], t("job.definition.active" if told["active"] else "job.definition.retired")
