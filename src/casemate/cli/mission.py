"""`casemate mission`: packaged workloads of a field: installed, described, run, shown, compared, made again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.client import Client
from casemate.cli.command import Group, option, verb
from casemate.cli.mission_folder import Brought, brought, told_by
from casemate.cli.table import columns, in_line
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput
from casemate.missions.form import typed

__all__ = ["asked", "mission", "mission_at"]

mission = Group(
    "mission",
    {
        "list": "mission:listing",
        "describe": "mission:describe",
        "run": "mission_run:run",
        "runs": "mission_run:runs",
        "show": "mission_run:show",
        "ensemble": "mission_ensemble:ensemble",
        "again": "mission_run:again",
        "report": "mission_left:report",
        "table": "mission_left:table",
        "compare": "mission_left:compare",
        "finding": "mission_left:finding",
        "findings": "mission_left:findings",
        "tool": "mission_tool:tool",
        "call": "mission_tool:call",
        "install": "mission:install",
        "remove": "mission:remove",
        "watch": "mission_watch:watch",
        "notices": "mission_watch:notices",
        "new": "mission_new:new",
        "check": "mission_check:check",
    },
)
NAME = click.argument("name")
LABEL = option("--label", default="", metavar="LABEL")


@verb("mission.install", click.argument("mission"), option("--environment", default=""), LABEL)
def install(talk: Talk, mission: str, environment: str, label: str) -> None:
    found = brought(mission)
    told, client = told_by(found), talk.client()
    if not environment and found.lock:
        environment = _environment(client, found, label)
    files = {name: base64.b64encode(data).decode() for name, data in found.files.items()}
    body = {"described": told, "entry": found.entry, "files": files, "environment": environment}
    answer = client.post("/api/missions", body, label)
    talk.answer(answer)
    talk.out(answer.data["id"])
    talk.say("mission.installed", id=answer.data["id"], marking=answer.marking, digest=answer.data["digest"][:16])


def _environment(client: Client, found: Brought, label: str) -> str:
    """The environment of its lock, of wheels that the region's mirror has. Raises what names those that it has not.

    Its name holds the lock's digest: another lock is another environment, and the same lock the same.
    """
    name = f"{found.name}-{hashlib.sha256(found.lock.encode()).hexdigest()[:16]}"
    client.post("/api/environments", {"name": name, "lock": found.lock}, label)
    return f"wheels:{name}"


@verb("mission.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/missions", acting=label)
    talk.answer(answer)
    for line in columns([(one["id"], one["mark"], in_line(one["title"])) for one in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("mission.none"))


@verb("mission.describe", NAME, LABEL)
def describe(talk: Talk, name: str, label: str) -> None:
    answer = talk.client().get(mission_at(name), acting=label)
    talk.answer(answer)
    told, spoken, lines = answer.data["described"], t("mission.language"), list[str]()
    for field in told["parameters"]:
        lines.append(
            f"--set {field['name']}={_plain(field['default'])}  {field['unit']}{_range(field)}  {field[spoken]}"
        )
    for role in told["roles"]:
        lines.append(f"--input {role['name']}=SOURCE  {', '.join(role['formats'])}  {role[spoken]}")
    for one in told["stands_on"]:
        lines.append(f"{one['title']}  {one['licence']}  {one['source']}")
    for line in (f"{answer.data['id']}  {answer.data['mark']}", answer.data["title"], answer.data["about"], "", *lines):
        talk.out(in_line(line))


@verb("mission.remove", NAME, LABEL)
def remove(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    own = label or str(client.get(mission_at(name)).data["label"])
    answer = client.call("DELETE", mission_at(name), acting=own)
    talk.answer(answer)
    talk.out(answer.data["id"])


def mission_at(name: str) -> str:
    """Where a mission is asked for."""
    return f"/api/missions/{quote(name, safe='@')}"


def asked(told: Mapping[str, Any], given: Iterable[str], inputs: Iterable[str]) -> dict[str, Any]:
    """The form of `--set NAME=VALUE` and `--input ROLE=SOURCE`, as the description's types say. Raises BadInput."""
    texts = dict(each.partition("=")[::2] for each in given)
    parameters = typed(told["parameters"], texts)
    sources: dict[str, list[str]] = {}
    for each in inputs:
        role, equals, source = each.partition("=")
        if not equals:
            raise BadInput(what=t("mission.no_role", role=role))
        sources.setdefault(role, []).append(source)
    return {"parameters": parameters, "inputs": sources}


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _range(field: Mapping[str, Any]) -> str:
    if field["choices"]:
        return f" ({' | '.join(map(str, field['choices']))})"
    low, high = (("" if field[edge] is None else f"{field[edge]:g}") for edge in ("low", "high"))
    return f" ({low}..{high})" if low or high else ""
