"""`casemate dataset`: trees of files recorded where they lie, and found to have changed when they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import FileChanged

__all__ = ["dataset"]

dataset = Group(
    "dataset",
    {
        "register": "datasets:register",
        "list": "datasets:listing",
        "show": "datasets:show",
        "verify": "datasets:verify",
        "digest": "datasets:digest",
        "remove": "datasets:remove",
    },
)

NAME = click.argument("name")
LABEL = option("--label", default="", metavar="LABEL")


@verb(
    "dataset.register",
    NAME,
    click.argument("path", type=click.Path(path_type=Path)),
    option("--title", default=""),
    LABEL,
)
def register(talk: Talk, name: str, path: Path, title: str, label: str) -> None:
    body = {"name": name, "path": str(path.absolute()), "title": title}
    answer = talk.client().post("/api/datasets", body, acting=label)
    talk.answer(answer)
    if answer.data["links"]:
        talk.say("dataset.links", count=answer.data["links"])
    talk.out("  ".join(_row(answer.data)))


@verb("dataset.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/datasets", acting=label)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("dataset.none"))


@verb("dataset.show", NAME, LABEL)
def show(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().get(_at(name), acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))
    _others(talk, answer.data["changed"], answer.data["changes"])


@verb("dataset.verify", NAME, LABEL)
def verify(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().post(f"{_at(name)}/verify", None, acting=label)
    talk.answer(answer)
    _others(talk, answer.data["named"], answer.data["wrong"])
    if answer.data["wrong"]:
        raise SystemExit(FileChanged.exit)
    talk.out(t("dataset.as_recorded", files=answer.data["files"]))


@verb("dataset.digest", NAME, LABEL)
def digest(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().post(f"{_at(name)}/digest", None, acting=label or _label(talk, name))
    talk.answer(answer)
    talk.say("dataset.digesting")
    talk.out("  ".join(_row(answer.data)))


@verb("dataset.remove", NAME, LABEL)
def remove(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().call("DELETE", _at(name), acting=label or _label(talk, name))
    talk.answer(answer)
    talk.out(answer.data["name"])


def _label(talk: Talk, name: str) -> str:
    """Where it lies: what changes it acts there, and whoever names no label means the one that he sees."""
    return str(talk.client().get(_at(name)).data["label"])


def _at(name: str) -> str:
    return f"/api/datasets/{quote(name, safe='')}"


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    place = "/".join(part for part in (told["root"], told["under"]) if part)
    many = t("dataset.files", files=told["files"], size=told["size"])
    slug = "dataset.running" if told["running"] else "dataset.digested"
    return told["name"], told["mark"], place, many, t(slug, **told)


def _others(talk: Talk, named: list[dict[str, str]], many: int) -> None:
    """The files that are not as they were recorded."""
    for each in named:
        talk.out(f"{each['path']}  {t('dataset.why.' + each['why'])}")
    if many > len(named):
        talk.out(t("dataset.more", count=many - len(named)))
