"""`casemate project`: what usage is counted under, and for which agency."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk

__all__ = ["project"]

project = Group("project", {"add": "project:add", "list": "project:listing", "agency": "project:agency"})

LABEL = option("--label", default="", metavar="LABEL")
TITLE = option("--title", default="")


@verb("project.add", click.argument("name"), option("--agency", "owner", default="", metavar="NAME"), TITLE, LABEL)
def add(talk: Talk, name: str, owner: str, title: str, label: str) -> None:
    answer = talk.client().post("/api/projects", {"name": name, "agency": owner, "title": title}, acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data, answer.mark)))


@verb("project.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/projects", acting=label)
    talk.answer(answer)
    for line in columns([_row(each, each["mark"]) for each in answer.data]):
        talk.out(line)


@verb("project.agency", click.argument("name"), TITLE, LABEL)
def agency(talk: Talk, name: str, title: str, label: str) -> None:
    answer = talk.client().post("/api/agencies", {"name": name, "title": title}, acting=label)
    talk.answer(answer)
    talk.out(f"{answer.data['name']}  {answer.mark}")


def _row(told: dict[str, Any], mark: str) -> tuple[str, ...]:
    return told["name"], told["agency"], mark, told["title"]
