"""`casemate sweep`: a job at many points, and one table of what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.client import Client
from casemate.cli.command import Group, option, verb
from casemate.cli.job_artefact import keep
from casemate.cli.job_follow import follow, how, why
from casemate.cli.job_spec import table_of
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["sweep"]

sweep = Group("sweep", {"run": "sweep:run", "show": "sweep:show", "table": "sweep:table"})
LABEL = option("--label", default="", metavar="LABEL")


@verb(
    "sweep.run",
    click.argument("file", type=click.Path(path_type=Path)),
    option("--key", "again", default="", metavar="KEY"),
    option("--follow", "follows", is_flag=True),
    LABEL,
)
def run(talk: Talk, file: Path, again: str, follows: bool, label: str) -> None:
    if not file.is_file():
        raise BadInput(what=t("job.no_file", file=file))
    body = table_of(file)
    if again:
        body["key"] = again
    client = talk.client()
    made = client.post("/api/sweeps", body, acting=label)
    talk.out(made.data["id"])
    if not follows:
        talk.answer(made)
        talk.say("sweep.submitted", id=made.data["id"], points=made.data["points"])
        return
    done = follow(talk, client, made.data["id"], made.label)
    talk.data(done, made.label, made.marking, made.entry)
    talk.say("job.ended", id=done["id"], how=how(done), reason=why(done["reason"]))


@verb("sweep.show", click.argument("id"), LABEL)
def show(talk: Talk, id: str, label: str) -> None:
    answer = talk.client().get(_at(id), acting=label)
    talk.answer(answer)
    data: dict[str, Any] = answer.data
    talk.out(t("sweep.points", points=data["points"], names=", ".join(data["parameters"]), method=data["method"]))
    talk.out(f"{data['array']['id']}  {how(data['array'])}")
    talk.out(f"{data['id']}  {how(data)}")
    for each in data["artefacts"]:
        talk.out(f"{each['name']}  {each['size']}  {each['digest'][:16]}")


@verb(
    "sweep.table",
    click.argument("id"),
    option("--to", type=click.Path(path_type=Path), default=Path()),
    option("--replace", is_flag=True),
    LABEL,
)
def table(talk: Talk, id: str, to: Path, replace: bool, label: str) -> None:
    client: Client = talk.client()
    answer = client.get(_at(id), acting=label)
    if not answer.data["artefacts"]:
        raise BadInput(what=t("sweep.no_table", how=how(answer.data)))
    if not to.is_dir():
        raise BadInput(what=t("sweep.no_folder", folder=to))
    files: list[str] = []
    for each in answer.data["artefacts"]:
        target = to / Path(each["name"]).name
        keep(client, id, each["name"], label, each["digest"], target, replace)
        files.append(str(target))
    talk.data({"files": files}, answer.label, answer.marking, answer.entry)
    for name in files:
        talk.say("job.written", file=name, marking=talk.marking(answer.label))


def _at(id: str) -> str:
    return f"/api/sweeps/{quote(id, safe=':')}"
