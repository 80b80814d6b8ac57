"""A mission as a tool of a model: its definition, and what a model wrote handed to the region."""

from __future__ import annotations

import json
import secrets

import click

from casemate.cli.command import option, verb
from casemate.cli.mission import LABEL, mission_at
from casemate.cli.talk import Talk

__all__ = ["call", "tool"]

WAIT = 20


@verb("mission.tool", click.argument("name", default=""), LABEL)
def tool(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.get(f"{mission_at(name)}/tool" if name else "/api/mission-tools", acting=label)
    talk.answer(answer)
    talk.out(json.dumps(answer.data["tool"] if name else answer.data, ensure_ascii=False, indent=2))


@verb(
    "mission.call",
    click.argument("name"),
    click.argument("arguments", default="{}"),
    option("--id", default="", metavar="ID"),
    option("--follow", "follows", is_flag=True),
    LABEL,
)
def call(talk: Talk, name: str, arguments: str, id: str, follows: bool, label: str) -> None:
    client = talk.client()
    body = {"arguments": arguments, "id": id or f"call_{secrets.token_hex(12)}", "wait_s": WAIT if follows else 0}
    answer = client.post(f"{mission_at(name)}/calls", body, label)
    while follows and answer.data["open"]:
        answer = client.post(f"{mission_at(name)}/calls", body, label)
    talk.answer(answer)
    talk.out(answer.data["turn"]["content"])
    if answer.data["error"]:
        talk.end()
        raise SystemExit(2)
