"""`casemate environment`: what jobs run in: wheels by a lock, an image, or a tree of the site as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["environment"]

environment = Group(
    "environment",
    {
        "add": "environment:add",
        "list": "environment:listing",
        "show": "environment:show",
        "remove": "environment:remove",
    },
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NAME = click.argument("name")
LABEL = option("--label", default="", metavar="LABEL")


@verb(
    "environment.add",
    NAME,
    click.argument("file", type=FILE, required=False, default=None),
    option("--lock", type=FILE, default=None, metavar="FILE"),
    option("--image", type=FILE, default=None, metavar="FILE"),
    LABEL,
)
def add(talk: Talk, name: str, file: Path | None, lock: Path | None, image: Path | None, label: str) -> None:
    if file is not None and image is not None:
        raise BadInput(what=t("environment.one_of"))
    image = image or file
    if lock is not None and image is None:
        try:
            text = lock.read_text("utf-8")
        except UnicodeDecodeError:
            raise BadInput(what=t("environment.text", file=lock.name)) from None
        answer = talk.client().post("/api/environments", {"name": name, "lock": text}, label)
    elif image is not None and lock is None:
        with image.open("rb") as body:
            answer = talk.client().call("PUT", _at(name), body, label)
    else:
        raise BadInput(what=t("environment.one_of"))
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))


@verb("environment.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/environments", acting=label)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("environment.none"))


@verb("environment.show", NAME, LABEL)
def show(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().get(_at(name), acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))
    for line in columns([(one["name"], str(one["size"]), one["sha384"]) for one in answer.data["listed"]]):
        talk.out(line)


@verb("environment.remove", NAME, LABEL)
def remove(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.call("DELETE", _at(name), acting=label or str(client.get(_at(name)).data["label"]))
    talk.answer(answer)
    talk.out(answer.data["name"])


def _at(name: str) -> str:
    return f"/api/environments/{quote(name, safe='')}"


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    if told["form"] == "site":
        return f"site:{told['name']}", told["mark"], told["path"], ""
    many = t("environment.files", files=told["files"], size=told["size"])
    return f"{told['form']}:{told['name']}", told["mark"], many, told["digest"]
