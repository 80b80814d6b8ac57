"""`casemate principal`: who may come in. What an officer may grant is the gate's business."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.client import Answer, Client
from casemate.cli.command import Group, option, verb
from casemate.cli.failure import failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import Absent

__all__ = ["person_id", "principal"]

ROLES = ("user", "officer", "auditor", "operator", "releaser")

principal = Group(
    "principal",
    {
        "add": "principal:add",
        "list": "principal:listing",
        "grant": "principal:grant",
        "confirm": "principal:confirm",
        "bind": "bind:bind",
        "bindings": "bind:bindings",
        "unbind": "bind:unbind",
    },
)

CLEARANCE = option("--clearance", required=True, metavar="LABEL")
GRANTED = option("--role", "roles", type=click.Choice(ROLES), multiple=True, default=("user",))
NEEDS = option("--need", "needs", multiple=True, metavar="NAME")


@verb("principal.add", click.argument("name"), CLEARANCE, GRANTED, NEEDS, option("--uid", default="", metavar="NUMBER"))
def add(talk: Talk, name: str, clearance: str, roles: tuple[str, ...], needs: tuple[str, ...], uid: str) -> None:
    asked = {"name": name, "clearance": clearance, "roles": roles, "uid": uid, "needs": needs}
    _granted(talk, talk.client().post("/api/principals", asked), name)


@verb("principal.list")
def listing(talk: Talk) -> None:
    answer = talk.client().get("/api/principals")
    talk.answer(answer)
    rows = [_row(talk, person) for person in answer.data["principals"]]
    for line in columns(rows):
        talk.out(line)
    for waiting in answer.data["proposals"]:
        talk.out(t("principal.proposed", name=waiting["proposal"]["person"]["name"], id=waiting["id"]))


@verb("principal.grant", click.argument("name"), CLEARANCE, GRANTED, NEEDS)
def grant(talk: Talk, name: str, clearance: str, roles: tuple[str, ...], needs: tuple[str, ...]) -> None:
    client = talk.client()
    asked = {"name": name, "clearance": clearance, "roles": roles, "needs": needs}
    _granted(talk, client.call("PUT", f"/api/principals/{person_id(client, name)}", asked), name)


@verb("principal.confirm", click.argument("name"))
def confirm(talk: Talk, name: str) -> None:
    client = talk.client()
    _granted(talk, client.post(f"/api/principals/{person_id(client, name)}/confirm"), name)


def person_id(client: Client, name: str) -> str:
    """The id of a principal, or of the one whom a proposal would make."""
    told = client.get("/api/principals").data
    people = [*told["principals"], *({**each["proposal"]["person"], "id": each["id"]} for each in told["proposals"])]
    for person in people:
        if name in (person["name"], person["id"]):
            return str(person["id"])
    raise failed(Absent(kind="principal", id=name))


def _granted(talk: Talk, answer: Answer, name: str) -> None:
    talk.answer(answer)
    if answer.data is None:
        talk.say("principal.waits", name=name)
    else:
        talk.out("  ".join(_row(talk, answer.data)))


def _row(talk: Talk, person: dict[str, Any]) -> tuple[str, ...]:
    return person["name"], ", ".join(person["roles"]), person["id"], talk.marking(person["clearance"])
