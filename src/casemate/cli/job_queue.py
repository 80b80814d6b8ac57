"""`casemate job queue`: places for jobs, each with a priority, a largest share, and shares of owners."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["queue"]

queue = Group(
    "job.queue",
    {
        "list": "job_queue:listing",
        "create": "job_queue:create",
        "show": "job_queue:show",
        "update": "job_queue:update",
        "delete": "job_queue:delete",
    },
)

NAME = click.argument("name")
LABEL = option("--label", default="", metavar="LABEL")
FIELDS = (
    option("--priority", type=int, default=None, metavar="N"),
    option("--isolation", type=click.Choice(["L1", "L2", "L3"]), default=None),
    option("--max-share", type=click.IntRange(1, 100), default=None, metavar="PERCENT"),
    option("--share", "shares", multiple=True, metavar="NAME=N"),
    option("--open/--shut", "opened", default=None),
)


@verb("job.queue.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/job-queues", acting=label)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)


@verb("job.queue.create", NAME, *FIELDS, LABEL)
def create(talk: Talk, name: str, label: str, **told: Any) -> None:
    answer = talk.client().post("/api/job-queues", {"name": name, **_asked(told)}, acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))


@verb("job.queue.show", NAME, LABEL)
def show(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().get(_at(name), acting=label)
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))
    for line in columns([(person, f"{weight:g}") for person, weight in sorted(answer.data["shares"].items())]):
        talk.out(line)


@verb("job.queue.update", NAME, *FIELDS, LABEL)
def update(talk: Talk, name: str, label: str, **told: Any) -> None:
    body = _asked(told)
    if not body:
        raise BadInput(what=t("job.queue.which"))
    client = talk.client()
    answer = client.call("PUT", _at(name), body, acting=label or str(client.get(_at(name)).data["label"]))
    talk.answer(answer)
    talk.out("  ".join(_row(answer.data)))


@verb("job.queue.delete", NAME, LABEL)
def delete(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.call("DELETE", _at(name), acting=label or str(client.get(_at(name)).data["label"]))
    talk.answer(answer)
    talk.out(answer.data["name"])


def _at(name: str) -> str:
    return f"/api/job-queues/{quote(name, safe='')}"


def _asked(told: dict[str, Any]) -> dict[str, Any]:
    """The fields of the request that were said."""
    names = {"priority": "priority", "isolation": "floor", "max_share": "max_share", "opened": "enabled"}
    body = {field: told[name] for name, field in names.items() if told[name] is not None}
    return body | ({"shares": dict(_share(each) for each in told["shares"])} if told["shares"] else {})


def _share(text: str) -> tuple[str, float]:
    name, equals, weight = text.rpartition("=")
    try:
        number = float(weight)
    except ValueError:
        number = -1.0
    if not name or not equals or not 0 <= number <= 1_000_000:
        raise BadInput(what=t("job.queue.share", text=text))
    return name, number


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    state = t("job.queue.open" if told["enabled"] else "job.queue.shut")
    share = t("job.queue.most", percent=told["max_share"]) if told["max_share"] < 100 else ""
    return told["name"], told["mark"], state, f"{told['priority']:+d}", told["floor"], share
