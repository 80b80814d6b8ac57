"""`casemate ledger`: read the record, check it, carry its heads away."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.command import Group, option, verb
from casemate.cli.failure import Failed, failed
from casemate.cli.passphrase import passphrase
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.clock import iso
from casemate.errors import BadInput, Damaged, NotRunning, Tampered
from casemate.ledger import Head

__all__ = ["ledger", "verdict_line"]

VERBS = ("list", "show", "open", "verify", "heads", "export")
ledger = Group("ledger", {name: f"ledger:{'listing' if name == 'list' else f'{name}_'}" for name in VERBS})


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


@verb("ledger.export", click.argument("log"), option("--output", type=click.Path(path_type=Path), default=None))
def export_(talk: Talk, log: str, output: Path | None) -> None:
    answer = talk.client().get(f"/api/ledger/logs/{log}")
    if output is not None:
        output.write_bytes(answer.raw)
        talk.say("ledger.exported", file=output)
    lines = answer.raw.decode().splitlines()
    file = str(output) if output is not None else ""
    talk.data({"log": log, "file": file, "lines": [] if file else lines}, answer.label, answer.marking, answer.entry)
    for line in lines if output is None else ():
        talk.out(line)


@verb(
    "ledger.verify",
    option("--head", "heads", type=click.Path(exists=True, path_type=Path, dir_okay=False), multiple=True),
)
def verify_(talk: Talk, heads: tuple[Path, ...]) -> None:
    remembered = [head for file in heads for head in _heads(file)]
    logs, label, marking, entry, offline = _verified(talk, remembered)
    talk.data({"logs": logs, "offline": offline, "witnessed": bool(remembered)}, label, marking, entry)
    for log in logs:
        talk.out(verdict_line(talk, log))
    if offline:
        talk.say("ledger.offline")
    talk.say("ledger.unwitnessed" if not remembered else "ledger.witnessed", count=len(remembered))
    bad = [log["verdict"] for log in logs if log["verdict"]["state"] in ("tampered", "forked", "incomplete")]
    if bad:
        raise SystemExit(Tampered.exit if bad[0]["state"] != "incomplete" else Damaged.exit)


def _verified(talk: Talk, remembered: list[Head]) -> tuple[list[dict[str, Any]], str, str, str, bool]:
    """The verdicts from the region, or from its folder where it does not run."""
    home = talk.region()
    try:
        answer = talk.client().post("/api/ledger/verify", {"heads": remembered})
        return answer.data, answer.label, answer.marking, answer.entry, False
    except Failed as failure:
        if failure.problem.slug != NotRunning.slug:
            raise
    from casemate.wiring import verdicts

    found = asyncio.run(verdicts(home, remembered, language(), passphrase))
    logs = [{"verdict": asdict(log.verdict), "label": log.label, "marking": log.marking} for log in found.logs]
    talk.marked(found.marking)
    return logs, found.label, found.marking, "", True


def _heads(file: Path) -> list[Head]:
    """Heads as `ledger heads` printed them: one per line, or the document of --json."""
    try:
        raw = file.read_bytes()
        if raw.lstrip().startswith(b'{"schema"'):
            return msgspec.convert(msgspec.json.decode(raw)["data"], list[Head])
        return [msgspec.json.decode(line, type=Head) for line in raw.splitlines() if line.strip()]
    except (OSError, KeyError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise failed(BadInput(what=t("ledger.no_head", file=file, why=error))) from None


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
