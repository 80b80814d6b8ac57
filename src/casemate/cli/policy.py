"""`casemate policy`: who could read this, and why not; and the entity model that Cedar policies are written for."""

from __future__ import annotations

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["policy"]

ROLES = ("user", "officer", "auditor", "operator", "releaser")

policy = Group("policy", {"try": "policy:attempt", "schema": "policy:entities"})


@verb(
    "policy.try",
    click.argument("label", required=False, default=""),
    option("--id", default=""),
    option("--need", default="", metavar="EXPRESSION"),
    option("--clearance", default="", metavar="LABEL"),
    option("--authorization", "needs", multiple=True, metavar="NAME"),
    option("--role", "roles", type=click.Choice(ROLES), multiple=True, default=("user",)),
    option("--action", default="document.read"),
    option("--for", "acting", default="", metavar="LABEL"),
)
def attempt(
    talk: Talk,
    label: str,
    id: str,
    need: str,
    clearance: str,
    needs: tuple[str, ...],
    roles: tuple[str, ...],
    action: str,
    acting: str,
) -> None:
    if needs and not clearance:
        raise BadInput(what="--authorization goes with --clearance.")
    asked = {
        "label": label,
        "id": id,
        "need": need,
        "action": action,
        "clearance": clearance,
        "authorizations": needs,
        "roles": roles,
    }
    answer = talk.client().post("/api/policy/try", asked, acting)
    talk.answer(answer)
    rows = []
    for each in answer.data["principals"]:
        yes = t("policy.yes") if each["reads"] else t("policy.no")
        why = "; ".join(reason["said"] for reason in each["why"])
        rows.append((each["principal"] or t("policy.imagined"), yes, each["rule"], why))
    for line in columns(rows):
        talk.out(line)


@verb("policy.schema")
def entities(talk: Talk) -> None:
    from casemate.policy.veto import schema

    talk.data({"schema": schema()})
    talk.out(schema().rstrip("\n"))
