"""`casemate mission run` and what stands around a run: its estimate, how far it is, and the same run once more."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.job_follow import WAIT, at, exit_of, how, why
from casemate.cli.mission import LABEL, NAME, asked, mission_at
from casemate.cli.table import in_line
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["again", "run", "run_at", "runs", "show"]


@verb(
    "mission.run",
    NAME,
    option("--set", "values", multiple=True, metavar="NAME=VALUE"),
    option("--input", "sources", multiple=True, metavar="ROLE=SOURCE"),
    option("--seed", type=int, default=0),
    option("--model", default="", metavar="MODEL"),
    option("--memory-mb", type=click.IntRange(0), default=0),
    option("--wall-s", type=click.IntRange(0), default=0),
    option("--estimate", "only", is_flag=True),
    option("--follow", "follows", is_flag=True),
    LABEL,
)
def run(
    talk: Talk,
    name: str,
    values: tuple[str, ...],
    sources: tuple[str, ...],
    seed: int,
    model: str,
    memory_mb: int,
    wall_s: int,
    only: bool,
    follows: bool,
    label: str,
) -> None:
    client = talk.client()
    told = client.get(mission_at(name), acting=label).data
    body = {**asked(told["described"], values, sources), "seed": seed, "model": model}
    body |= {"memory_mb": memory_mb, "wall_s": wall_s}
    if only:
        answer = client.post(f"{mission_at(told['id'])}/estimate", body, label)
        talk.answer(answer)
        talk.out(_takes(answer.data["resources"]))
        return
    made = client.post(f"{mission_at(told['id'])}/runs", body, label)
    _begun(talk, client, made, follows)


@verb("mission.again", click.argument("id"), option("--follow", "follows", is_flag=True), LABEL)
def again(talk: Talk, id: str, follows: bool, label: str) -> None:
    client = talk.client()
    before = client.get(run_at(id), acting=label)
    made = client.post(f"{run_at(id)}/again", {}, label or before.data["job"]["label"])
    done = _begun(talk, client, made, follows)
    result = before.data["result"]
    if done is not None and done["result"] is not None and result is not None:
        alike = done["result"]["digest"] == result["digest"]
        talk.say("mission.alike" if alike else "mission.unlike", id=id, digest=result["digest"][:16])


@verb("mission.runs", NAME, LABEL)
def runs(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().get(f"{mission_at(name)}/runs", acting=label)
    talk.answer(answer)
    for one in answer.data:
        talk.out(f"{one['id']}  {one['mark']}  {how(one)}")
    if not answer.data:
        talk.out(t("mission.no_run"))


@verb("mission.show", click.argument("id"), LABEL)
def show(talk: Talk, id: str, label: str) -> None:
    answer = talk.client().get(run_at(id), acting=label)
    talk.answer(answer)
    _shown(talk, answer.data)


def run_at(id: str) -> str:
    """Where a run is asked for."""
    return f"/api/mission-runs/{quote(id, safe=':')}"


def _begun(talk: Talk, client: Client, made: Any, follows: bool) -> dict[str, Any] | None:
    """Its id; with `follows` until it has ended, and what it found: then the command ends as the run did."""
    id = made.data["id"]
    talk.out(id)
    if not follows:
        talk.answer(made)
        talk.say("mission.submitted", id=id)
        return None
    last, job = "", made.data
    while job["open"]:
        version = str(job.get("version", ""))
        asked_for = {"wait": WAIT, "version": version} if version else {}
        job = client.get(at(id), acting=made.label, **asked_for).data
        told = client.get(run_at(id), acting=made.label).data["progress"]
        line = t("mission.progress", **told)
        if told["total"] and line != last and not talk.json:
            talk.say("mission.progress", **told)
            last = line
    done: dict[str, Any] = client.get(run_at(id), acting=made.label).data
    talk.data(done, made.label, made.marking, made.entry)
    _shown(talk, done)
    if code := exit_of(done["job"]):
        talk.end()
        raise SystemExit(code)
    return done


def _shown(talk: Talk, told: dict[str, Any]) -> None:
    job = told["job"]
    talk.out(f"{in_line(told['mission'])}  {job['mark']}  {how(job)} {why(job['reason'])}".rstrip())
    for name, value in told["parameters"].items():
        talk.out(f"  {in_line(name)} = {in_line(value)}")
    if told["result"] is None:
        return
    for name, value in told["result"].get("figures", {}).items():
        talk.out(f"{in_line(name)}  {in_line(value)}")
    for name, table in told["result"].get("tables", {}).items():
        talk.out(f"{name}  {t('mission.rows', rows=table['rows'])}")
    talk.out(t("mission.digest", digest=told["result"]["digest"][:16]))


def _takes(room: dict[str, Any]) -> str:
    return t("mission.takes", cpus=room["cpus"], memory=room["memory_mb"], wall=room["wall_s"], disk=room["disk_mb"])
