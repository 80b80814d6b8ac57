"""`casemate usage`: what was used, as a FOCUS dataset, and an hour of it counted again from the ledger."""

from __future__ import annotations

import json
from pathlib import Path

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.talk import Talk

__all__ = ["usage"]

usage = Group("usage", {"export": "usage:export", "recount": "usage:recount"})

LABEL = option("--label", default="", metavar="LABEL")


@verb(
    "usage.export",
    LABEL,
    option("--from", "start", default="", metavar="DAY"),
    option("--to", "end", default="", metavar="DAY"),
    option("--format", "form", type=click.Choice(["csv", "json"]), default="csv"),
    option("--output", type=click.Path(path_type=Path), default=None),
)
def export(talk: Talk, label: str, start: str, end: str, form: str, output: Path | None) -> None:
    asked = {"from": start, "to": end, "format": "json" if talk.json else form}
    answer = talk.client().call("GET", "/api/usage", acting=label, query={n: v for n, v in asked.items() if v})
    talk.answer(answer)
    text = answer.raw.decode() if asked["format"] == "csv" else json.dumps(json.loads(answer.raw), indent=1) + "\n"
    if output is not None:
        output.write_text(text, encoding="utf-8", newline="")
        talk.say("ledger.exported", file=output)
    else:
        talk.piece(text)


@verb("usage.recount", click.argument("hour"), LABEL)
def recount(talk: Talk, hour: str, label: str) -> None:
    answer = talk.client().post("/api/usage/recount", {"hour": hour}, acting=label)
    talk.answer(answer)
    talk.out(str(answer.data["records"]))
