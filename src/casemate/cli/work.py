"""`casemate work`: your long work that is no job: batches, files brought together, bases with other vectors."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["work"]

work = Group("work", {"list": "work:listing", "show": "work:show", "cancel": "work:cancel"})

LABEL = option("--label", default="", metavar="LABEL")
PAGE = 1000


@verb(
    "work.list",
    option("--all", "whole", is_flag=True),
    option("--kind", default="", metavar="KIND"),
    option("--limit", type=click.IntRange(1, 100_000), default=100, metavar="N"),
    LABEL,
)
def listing(talk: Talk, whole: bool, kind: str, limit: int, label: str) -> None:
    asked = {"kind": kind, "open": "" if whole else "yes"}
    found, more = _pages(talk, {name: value for name, value in asked.items() if value}, limit, label)
    for line in columns([_row(each) for each in found]):
        talk.out(line)
    if more:
        talk.say("work.more", limit=limit)
    if not found:
        talk.out(t("work.none" if whole else "work.none_open"))


def _pages(talk: Talk, asked: dict[str, str], limit: int, label: str) -> tuple[list[dict[str, Any]], bool]:
    """At most so many, and whether there are more."""
    client, found, after = talk.client(), list[dict[str, Any]](), ""
    while True:
        size = {"limit": str(min(PAGE, limit - len(found)))} | ({"after": after} if after else {})
        answer = client.get("/api/work", acting=label, **asked, **size)
        found += answer.data["work"]
        after = answer.data["after"]
        if not after or len(found) >= limit:
            talk.data(found, answer.label, answer.marking, answer.entry)
            return found, bool(after)


@verb("work.show", click.argument("id"), LABEL)
def show(talk: Talk, id: str, label: str) -> None:
    answer = talk.client().get(_at(id), acting=label)
    talk.answer(answer)
    told = answer.data
    rows = [(t("work.fact.kind"), t(f"work.kind.{told['kind']}")), (t("work.fact.state"), _state(told))]
    rows += [(t("work.fact.progress"), _progress(told))] if told["total"] else []
    rows += [(t("work.fact.failed"), str(told["failed"]))] if told["failed"] else []
    rows += [(t("work.fact.by"), told["person"])]
    rows += [(t(f"work.fact.{name}"), _moment(told[name])) for name in ("created", "started", "ended") if told[name]]
    talk.out(f"{talk.mark(told['mark'], told['label'])} {talk.bold(told['name'] or told['id'])}")
    for line in columns([(f"  {name}", value) for name, value in rows]):
        talk.out(line)


@verb("work.cancel", click.argument("ids", nargs=-1, required=True, metavar="ID..."), LABEL)
def cancel(talk: Talk, ids: tuple[str, ...], label: str) -> None:
    client = talk.client()
    for id in ids:
        acting = label or str(client.get(_at(id)).data["label"])
        answer = client.post(f"{_at(id)}/cancel", acting=acting)
        talk.answer(answer)
        talk.out("  ".join(_row(answer.data)))


def _at(id: str) -> str:
    return f"/api/work/{quote(id, safe='')}"


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    kind = t(f"work.kind.{told['kind']}")
    return told["id"], told["mark"], kind, _state(told), _progress(told), _moment(told["created"]), told["name"]


def _state(told: dict[str, Any]) -> str:
    return t(f"job.state.{told['state']}")


def _progress(told: dict[str, Any]) -> str:
    return f"{told['done']}/{told['total']}" if told["total"] else ""


def _moment(at: int) -> str:
    return iso(at)[:19].replace("T", " ") + "Z"
