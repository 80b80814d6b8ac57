"""Jobs as they stand: the list, one of them with its attempts, an array with its children, and how full it is."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.job_follow import at, exit_of, how, watch, why
from casemate.cli.service import replicas
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["array", "listing", "show", "top"]

LABEL = option("--label", default="", metavar="LABEL")
STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED")
PAGE = 1000


@verb(
    "job.list",
    option("--all", "whole", is_flag=True),
    option("--mine", is_flag=True),
    option("--state", type=click.Choice(STATES, case_sensitive=False), multiple=True),
    option("--queue", default="", metavar="QUEUE"),
    option("--limit", type=click.IntRange(1, 100_000), default=100, metavar="N"),
    LABEL,
)
def listing(talk: Talk, whole: bool, mine: bool, state: tuple[str, ...], queue: str, limit: int, label: str) -> None:
    query = {"queue": queue, "owner": "me" if mine else "", "state": ",".join(state)}
    query["open"] = "" if whole or state else "yes"
    found, more = _pages(talk, query, limit, label)
    for line in columns([_row(each) for each in found]):
        talk.out(line)
    if more:
        talk.say("job.more", limit=limit)
    if not found:
        talk.out(t("job.none" if whole or state else "job.none_open"))


def _pages(talk: Talk, query: dict[str, str], limit: int, label: str) -> tuple[list[dict[str, Any]], bool]:
    """At most so many jobs, and whether there are more."""
    client, found, after = talk.client(), list[dict[str, Any]](), ""
    asked = {name: value for name, value in query.items() if value}
    while True:
        size = {"limit": str(min(PAGE, limit - len(found)))} | ({"after": after} if after else {})
        answer = client.get("/api/jobs", acting=label, **asked, **size)
        found += answer.data["jobs"]
        after = answer.data["after"]
        if not after or len(found) >= limit:
            talk.data(found, answer.label, answer.marking, answer.entry)
            return found, bool(after)


@verb("job.show", click.argument("id"), LABEL)
def show(talk: Talk, id: str, label: str) -> None:
    answer = talk.client().get(at(id), acting=label)
    told = answer.data
    talk.answer(answer)
    rows = [(t("job.fact.state"), how(told)), (t("job.fact.queue"), told["queue"]), (t("job.fact.by"), told["person"])]
    rows += [(t(f"job.fact.{name}"), _moment(told[name])) for name in ("created", "started", "ended") if told[name]]
    rows += [(t("job.fact.reason"), why(told["reason"]))] if why(told["reason"]) else []
    rows += [(t("job.fact.cancel"), told["cancel"])] if told["cancel"] not in ("", told["reason"]) else []
    rows += [(t("job.fact.parent"), f"{told['parent']} [{told['index']}]")] if told["parent"] else []
    rows += [(t("job.fact.array"), _counts(told))] if told["size"] else []
    rows += [(t("job.fact.walls"), walls)] if (walls := _walls(told["spec"])) else []
    rows += [(t("job.fact.usage"), _usage(told["usage"]))] if told["usage"]["wall_us"] else []
    talk.out(f"{talk.mark(told['mark'], told['label'])} {talk.bold(told['name'] or told['id'])}")
    for line in columns([(f"  {name}", value) for name, value in rows]):
        talk.out(line)
    if told["service"] is not None:
        replicas(talk, told)
    _tables(talk, told)


def _walls(spec: dict[str, Any] | None) -> str:
    """Of a job with ranks: what stands between them and others."""
    asked = spec["resources"] if spec else {}
    nodes, tasks = asked.get("nodes", 1), asked.get("tasks", 1)
    if nodes * tasks == 1:
        return ""
    network = asked.get("network", "none") == "host"
    told = "job.walls.across" if nodes > 1 and network else "job.walls.apart" if nodes > 1 else "job.walls.one"
    return t(told, nodes=nodes, tasks=tasks)


def _usage(used: dict[str, int]) -> str:
    facts = {"cpu": f"{used['cpu_us'] / 1e6:.1f}", "wall": f"{used['wall_us'] / 1e6:.1f}", "mb": used["rss_kb"] >> 10}
    words = [t("job.used", **facts)]
    words += [t("job.used_gpu", gpu=used["gpu_s"])] if used["gpu_s"] else []
    words += [t("job.used_energy", energy=used["energy_j"])] if used["energy_j"] else []
    return ", ".join(words)


def _tables(talk: Talk, told: dict[str, Any]) -> None:
    """Its attempts, and what came out."""
    if told["attempts"]:
        talk.out(f"  {t('job.fact.attempts')}")
        for line in columns([_attempt(each) for each in told["attempts"]]):
            talk.out(f"    {line}")
    if told["artefacts"]:
        talk.out(f"  {t('job.fact.artefacts')}")
        for line in columns([(each["name"], str(each["size"]), each["digest"][:16]) for each in told["artefacts"]]):
            talk.out(f"    {line}")


def _attempt(told: dict[str, Any]) -> tuple[str, ...]:
    ended = "" if told["exit"] is None else t("job.with_exit", exit=told["exit"])
    ended = t("job.by_signal", signal=told["signal"]) if told["signal"] else ended
    span = f"{(told['ended'] - told['started']) / 1e6:.1f} s" if told["started"] and told["ended"] else ""
    place = "/".join(part for part in (told["engine"], told["node"]) if part)
    words = " ".join(part for part in (ended, why(told["reason"])) if part)
    return f"{told['n']}", t(f"job.attempt.{told['state']}"), _moment(told["begun"]), span, told["level"], place, words


@verb("job.array", click.argument("id"), option("--follow", "-f", "follows", is_flag=True), LABEL)
def array(talk: Talk, id: str, follows: bool, label: str) -> None:
    client = talk.client()
    told = client.get(at(id), acting=label).data
    if follows and told["size"]:
        told = watch(talk, client, told, label)
    children = _children(client, id, label)
    talk.data({**told, "children": children}, told["label"], told["marking"])
    talk.out(f"{told['id']}  {_counts(told)}")
    for line in columns([(f"[{each['index']}]", each["id"], how(each), why(each["reason"])) for each in children]):
        talk.out(line)
    if follows:
        raise SystemExit(exit_of(told))


def _children(client: Client, id: str, label: str) -> list[dict[str, Any]]:
    found, after = list[dict[str, Any]](), ""
    while True:
        query = {"parent": id, "limit": str(PAGE)} | ({"after": after} if after else {})
        data = client.get("/api/jobs", acting=label, **query).data
        found += data["jobs"]
        after = data["after"]
        if not after:
            return sorted(found, key=lambda each: int(each["index"]))


@verb("job.top", LABEL)
def top(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/jobs/top", acting=label)
    talk.answer(answer)
    told = answer.data
    rows = [(t(f"job.state.{name}"), str(told["states"][name])) for name in STATES if told["states"].get(name)]
    rows += [(t("job.in_queue", queue=name), str(count)) for name, count in sorted(told["queues"].items())]
    rows += [(t("job.slots", engine=name), str(count)) for name, count in sorted(told["slots"].items()) if count]
    if not told["states"]:
        talk.out(t("job.none_open"))
    for line in columns(rows):
        talk.out(line)


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    many = f" ({_counts(told)})" if told["size"] else ""
    return (
        told["id"],
        told["mark"],
        how(told),
        told["queue"],
        told["person"],
        _moment(told["created"]),
        told["name"] + many,
    )


def _counts(told: dict[str, Any]) -> str:
    """How many children stand in which state, in the order of a job's life."""
    parts = [f"{told['counts'][name]} {t(f'job.state.{name}')}" for name in STATES if told["counts"].get(name)]
    return t("job.of", size=told["size"], counts=", ".join(parts)) if parts else t("job.size_of", size=told["size"])


def _moment(at: int) -> str:
    return iso(at)[:19].replace("T", " ") + "Z"
