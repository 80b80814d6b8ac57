"""`casemate mission watch`: missions that run by themselves, and the notices of their runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.job_spec import duration
from casemate.cli.mission import LABEL, NAME, asked, mission_at
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["notices", "watch"]

watch = Group(
    "mission.watch",
    {
        "add": "mission_watch:add",
        "list": "mission_watch:listing",
        "show": "mission_watch:show",
        "pause": "mission_watch:pause",
        "resume": "mission_watch:resume",
        "remove": "mission_watch:remove",
    },
)
ID = click.argument("id")
MOST = 50


@verb(
    "mission.watch.add",
    NAME,
    option("--name", "title", default="", metavar="NAME"),
    option("--source", default="", metavar="SOURCE"),
    option("--role", default="", metavar="ROLE"),
    option("--every", default="", metavar="TIME"),
    option("--cron", default="", metavar="LINE"),
    option("--clear", is_flag=True),
    option("--most", type=click.IntRange(1), default=None, metavar="N"),
    option("--whole", is_flag=True),
    option("--set", "values", multiple=True, metavar="NAME=VALUE"),
    option("--input", "sources", multiple=True, metavar="ROLE=SOURCE"),
    option("--seed", type=int, default=0),
    option("--model", default="", metavar="MODEL"),
    option("--when", "conditions", multiple=True, metavar="CONDITION"),
    option("--sink", "sinks", multiple=True, metavar="NAME"),
    LABEL,
)
def add(talk: Talk, name: str, label: str, **given: Any) -> None:
    client = talk.client()
    told = client.get(mission_at(name), acting=label).data
    form = asked(told["described"], given["values"], given["sources"])
    roles = {role["name"]: role for role in told["described"]["roles"]}
    single = given["role"] in roles and not roles[given["role"]]["many"]
    body = {
        "name": given["title"] or told["name"],
        "mission": told["id"],
        "source": given["source"],
        "role": given["role"],
        "every_s": duration(given["every"], "every") if given["every"] else 0,
        "cron": given["cron"],
        "clear": given["clear"],
        "most": given["most"] or (1 if single else min(MOST, 90 - len(given["sources"]))),
        "whole": given["whole"],
        "when": given["conditions"],
        "sinks": given["sinks"],
        "run": {**form, "seed": given["seed"], "model": given["model"]},
    }
    answer = client.post("/api/mission-watches", body, label)
    talk.answer(answer)
    talk.out(answer.data["id"])
    talk.say("mission.watched", id=answer.data["id"], marking=answer.marking)


@verb("mission.watch.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/mission-watches", acting=label)
    talk.answer(answer)
    for line in columns([_row(one) for one in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("mission.no_watch"))


@verb("mission.watch.show", ID, LABEL)
def show(talk: Talk, id: str, label: str) -> None:
    answer = talk.client().get(_at(id), acting=label)
    talk.answer(answer)
    one = answer.data
    talk.out("  ".join(_row(one)))
    talk.out(t("mission.watching", runs=one["runs"], job=one["job"] or "-", last=one["last"] or "-"))
    if one["paused"]:
        talk.out(t("mission.watch_paused"))
    if one["due"]:
        talk.out(t("mission.watch_due", at=iso(one["due"])))
    if one["why"]:
        talk.out(t("mission.watch_why", why=one["why"]))
    for condition in one["when"]:
        talk.out(f"  {condition}")


@verb("mission.watch.pause", ID, LABEL)
def pause(talk: Talk, id: str, label: str) -> None:
    _stand(talk, id, label, True)


@verb("mission.watch.resume", ID, LABEL)
def resume(talk: Talk, id: str, label: str) -> None:
    _stand(talk, id, label, False)


@verb("mission.watch.remove", ID, LABEL)
def remove(talk: Talk, id: str, label: str) -> None:
    client = talk.client()
    answer = client.call("DELETE", _at(id), acting=label or str(client.get(_at(id)).data["label"]))
    talk.answer(answer)
    talk.out(answer.data["id"])


@verb("mission.notices", LABEL)
def notices(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/mission-notices", acting=label)
    talk.answer(answer)
    for one in answer.data:
        figures = ", ".join(f"{name} = {value}" for name, value in one["figures"].items())
        talk.out(f"{one['id']}  {one['mark']}  {iso(one['at'])}  {one['name']}  {one['run']}  {figures}")
    if not answer.data:
        talk.out(t("mission.no_notice"))


def _stand(talk: Talk, id: str, label: str, paused: bool) -> None:
    client = talk.client()
    acting = label or str(client.get(_at(id)).data["label"])
    answer = client.post(f"{_at(id)}/pause", {"paused": paused}, acting)
    talk.answer(answer)
    talk.out(answer.data["id"])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (one["id"], one["mark"], one["name"], one["mission"], one["source"] or "-", one["why"])


def _at(id: str) -> str:
    return f"/api/mission-watches/{quote(id, safe='')}"
