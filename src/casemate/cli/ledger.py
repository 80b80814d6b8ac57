"""`casemate ledger`: read the record, carry it and its heads away, destroy what was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["ledger", "verdict_line"]

VERBS = ("show", "open", "heads", "export", "redact")
ledger = Group(
    "ledger",
    {
        "list": "ledger:listing",
        **{name: f"ledger:{name}_" for name in VERBS},
        "verify": "ledger_verify:verify",
        "prove": "ledger_prove:prove",
        "witness": "ledger_witness:witness",
    },
)


@verb("ledger.list", option("--limit", type=click.IntRange(1, 1000), default=20))
def listing(talk: Talk, limit: int) -> None:
    answer = talk.client().get("/api/ledger", limit=str(limit))
    talk.answer(answer)
    for line in columns([_row(talk, seen) for seen in answer.data]):
        talk.out(line)


def _row(talk: Talk, seen: dict[str, Any]) -> tuple[str, ...]:
    entry = seen["entry"]
    what = entry["outcome"] + (f" ({entry['rule']})" if entry["rule"] else "")
    mark = talk.mark(seen["mark"], seen["label"])
    return iso(entry["at"])[:19] + "Z", entry["id"], entry["principal"], entry["action"], what, mark


@verb("ledger.show", click.argument("id"))
def show_(talk: Talk, id: str) -> None:
    answer = talk.client().get(f"/api/ledger/{id}")
    talk.answer(answer)
    seen = answer.data
    rows = [(name, _said(name, value)) for name, value in seen["entry"].items() if value not in ("", [], {})]
    for line in columns([("mark", seen["mark"]), ("seq", str(seen["seq"])), *rows]):
        talk.out(line)


def _said(name: str, value: Any) -> str:
    if name == "at":
        return iso(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={told}" for key, told in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@verb("ledger.open", click.argument("id"), option("--reason", required=True))
def open_(talk: Talk, id: str, reason: str) -> None:
    answer = talk.client().post(f"/api/ledger/{id}/open", {"reason": reason})
    talk.answer(answer)
    talk.out(answer.data["content"] if answer.data["content"] is not None else t("ledger.forgotten"))


@verb("ledger.heads")
def heads_(talk: Talk) -> None:
    answer = talk.client().get("/api/ledger/heads")
    talk.answer(answer)
    for head in answer.data:
        talk.out(msgspec.json.encode(head).decode())


@verb(
    "ledger.export",
    click.argument("log"),
    option("--from", "start", type=click.IntRange(0), default=None),
    option("--to", "stop", type=click.IntRange(1), default=None),
    option("--profile", type=click.Choice(["sha384", "sha256"]), default=None),
    option("--output", type=click.Path(path_type=Path), default=None),
)
def export_(
    talk: Talk, log: str, start: int | None, stop: int | None, profile: str | None, output: Path | None
) -> None:
    asked = {"from": start, "to": stop, "profile": profile}
    query = {name: str(value) for name, value in asked.items() if value is not None}
    answer = talk.client().get(f"/api/ledger/logs/{log}", **query)
    if output is not None:
        output.write_bytes(answer.raw)
        talk.say("ledger.exported", file=output)
    lines = answer.raw.decode().splitlines()
    file = str(output) if output is not None else ""
    talk.data({"log": log, "file": file, "lines": [] if file else lines}, answer.label, answer.marking, answer.entry)
    for line in lines if output is None else ():
        talk.out(line)


@verb(
    "ledger.redact",
    click.argument("id"),
    option("--reason", required=True),
    option("--for", "acting", default="", metavar="LABEL"),
)
def redact_(talk: Talk, id: str, reason: str, acting: str) -> None:
    answer = talk.client().post(f"/api/ledger/{id}/redact", {"reason": reason}, acting)
    talk.answer(answer)
    told = "waits" if answer.data["waits"] else "redacted" if answer.data["redacted"] else "forgotten"
    talk.out(t(f"ledger.{told}"))


def verdict_line(talk: Talk, log: dict[str, Any]) -> str:
    """`ok up to entry N at time T`, or what is wrong and where."""
    verdict = log["verdict"]
    slug = f"ledger.state.{verdict['state']}"
    at = iso(verdict["at"]) if verdict["at"] is not None else "-"
    place = verdict["seq"] if verdict["seq"] is not None else "-"
    said = t(slug, entries=verdict["entries"], at=at, seq=place, why=verdict["why"], count=len(verdict["interrupted"]))
    said = talk.bold(said) if verdict["state"] != "ok" else said
    beyond = t("ledger.beyond", count=verdict["beyond"]) if verdict["beyond"] else ""
    return f"{verdict['log']}  {said}{beyond}  {log['marking']}"
