"""`casemate knowledge`: what is done with a knowledge base as a whole."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["knowledge"]

knowledge = Group(
    "knowledge",
    {
        "list": "knowledge:listing",
        "make": "knowledge:make",
        "reembed": "knowledge:reembed",
        "remove": "knowledge:remove",
        "evaluate": "evaluate:evaluate",
    },
)

ACTING = option("--for", "acting", default="", metavar="LABEL")


@verb("knowledge.list", ACTING)
def listing(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/knowledge", acting=acting)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)


@verb(
    "knowledge.make",
    click.argument("name"),
    option("--title", default=None),
    option("--granularity", type=click.Choice(["portion", "document"]), default=None),
    option("--embedder", default=None, metavar="NAME"),
    ACTING,
)
def make(talk: Talk, name: str, title: str | None, granularity: str | None, embedder: str | None, acting: str) -> None:
    asked = {"name": name, "title": title, "granularity": granularity, "embedder": embedder}
    body = {field: value for field, value in asked.items() if value is not None}
    answer = talk.client().post("/api/knowledge", body, acting=acting)
    talk.answer(answer)
    talk.out(f"{answer.data['name']}  {answer.mark}  {answer.data['granularity']}")


@verb("knowledge.reembed", click.argument("name"), click.argument("embedder"), ACTING)
def reembed(talk: Talk, name: str, embedder: str, acting: str) -> None:
    answer = talk.client().post(f"/api/knowledge/{name}/embedder", {"embedder": embedder}, acting=acting)
    talk.answer(answer)
    talk.out(t("knowledge.reembed", name=name, embedder=embedder or "-"))


@verb("knowledge.remove", click.argument("name"), ACTING)
def remove(talk: Talk, name: str, acting: str) -> None:
    answer = talk.client().call("DELETE", f"/api/knowledge/{name}", acting=acting)
    talk.answer(answer)
    talk.out(t("knowledge.removed", count=answer.data["removed"]))


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    left = t("knowledge.left", count=told["others"]) if told["others"] else ""
    counts = t("knowledge.counts", documents=told["documents"], passages=told["passages"])
    return told["name"], told["granularity"], told["embedder"] or "-", counts, left or told["title"]
