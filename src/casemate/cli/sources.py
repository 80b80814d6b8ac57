"""`casemate source`: places outside from which files come by themselves."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["source"]

source = Group("source", {"add": "sources:add", "list": "sources:listing", "remove": "sources:remove"})

ACTING = option("--for", "acting", default="", metavar="LABEL")


@verb(
    "source.add",
    click.argument("place"),
    option("--base", default="default"),
    option("--under", default="", metavar="FOLDER"),
    option("--label", default="", metavar="LABEL"),
    option("--marks", type=click.Choice(["read", "text"]), default="read"),
    option("--every", type=click.IntRange(10, 86_400), default=60, metavar="SECONDS"),
    ACTING,
)
def add(talk: Talk, place: str, acting: str, **said: Any) -> None:
    answer = talk.client().post("/api/sources", {"place": place, **said}, acting=acting)
    talk.answer(answer)
    talk.out("  ".join((answer.data["id"], answer.mark, place, answer.data["base"])))


@verb("source.list", ACTING)
def listing(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/sources", acting=acting)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data["sources"]]):
        talk.out(line)
    if not answer.data["sources"]:
        names = ", ".join(place["name"] for place in answer.data["places"])
        talk.out(t("source.places", names=names) if names else t("source.none"))


@verb("source.remove", click.argument("id"), ACTING)
def remove(talk: Talk, id: str, acting: str) -> None:
    answer = talk.client().call("DELETE", f"/api/sources/{id}", acting=acting)
    talk.answer(answer)
    talk.out(t("source.removed", id=id, files=answer.data["files"]))


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    stands = told["told"]
    said = t("source.waiting")
    if stands is not None:
        said = t("source.stands", files=stands["files"], failed=stands["failed"], problem=stands["problem"] or "-")
    where = told["place"] + (f"/{told['under']}" if told["under"] else "")
    return told["id"], told["mark"], where, told["base"], told["by"], said
