"""`casemate bucket`: named places for objects. Objects themselves come and go through the S3 wire."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["bucket"]

VERBS = {"list": "listing", "make": "make", "drop": "drop", "ls": "ls"}
bucket = Group("bucket", {name: f"bucket:{verb}" for name, verb in VERBS.items()})

ACTING = option("--for", "acting", default="", metavar="LABEL")


@verb("bucket.list", ACTING)
def listing(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/buckets", acting=acting)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("bucket.none"))


@verb("bucket.make", click.argument("name"), option("--ceiling", default="", metavar="LABEL"), ACTING)
def make(talk: Talk, name: str, ceiling: str, acting: str) -> None:
    answer = talk.client().post("/api/buckets", {"name": name, "ceiling": ceiling}, acting=acting)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))


@verb("bucket.drop", click.argument("name"), ACTING)
def drop(talk: Talk, name: str, acting: str) -> None:
    answer = talk.client().call("DELETE", f"/api/buckets/{name}", acting=acting)
    talk.answer(answer)
    talk.out(t("bucket.dropped", name=name))


@verb("bucket.ls", click.argument("place"), option("--all", "whole", is_flag=True), ACTING)
def ls(talk: Talk, place: str, whole: bool, acting: str) -> None:
    name, _, prefix = place.removeprefix("s3://").partition("/")
    after, rows = "", list[tuple[str, ...]]()
    while True:
        asked = {"prefix": prefix, "delimiter": "" if whole else "/", "after": after, "limit": "1000"}
        answer = talk.client().get(f"/api/buckets/{name}/objects", acting=acting, **asked)
        found: dict[str, tuple[str, ...]] = {each: ("", "", each) for each in answer.data["prefixes"]}
        found |= {each["key"]: _object(each) for each in answer.data["objects"]}
        rows += [found[key] for key in sorted(found)]
        after = answer.data["after"]
        if not after:
            break
    talk.answer(answer)
    for line in columns(rows):
        talk.out(line)
    if not rows:
        talk.out(t("bucket.nothing"))


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    dropped = (t("bucket.gone"),) if told["dropped"] else ()
    return told["name"], told["mark"], f"- {told['ceiling_mark']}", *dropped


def _object(told: dict[str, Any]) -> tuple[str, ...]:
    return " ".join([told["mark"], *told["others"]]), str(told["size"]), told["key"]
