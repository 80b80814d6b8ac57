"""`casemate ledger witness`: keys and heads to carry away, other regions' logs to watch, heads on paper."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

import click
import msgspec

from casemate.cli.command import Group, option, verb
from casemate.cli.ledger_heads import heads_in, key_in
from casemate.cli.ledger_verify import EXITS, FILE
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.clock import iso
from casemate.ledger import Head, print_paper, read_paper

__all__ = ["witness"]

VERBS = ("key", "notes", "list", "add", "cosign", "paper", "typed")
witness = Group("ledger.witness", {name: f"ledger_witness:{name}_" for name in VERBS})
ACTING = option("--for", "acting", default="", metavar="LABEL")


@verb("ledger.witness.key")
def key_(talk: Talk) -> None:
    answer = talk.client().get("/api/ledger/key")
    talk.answer(answer)
    talk.out(msgspec.json.encode(answer.data).decode())


@verb("ledger.witness.notes")
def notes_(talk: Talk) -> None:
    answer = talk.client().get("/api/ledger/notes")
    talk.answer(answer)
    for note in answer.data:
        talk.out(note)


@verb("ledger.witness.list", ACTING)
def list_(talk: Talk, acting: str) -> None:
    client = talk.client()
    known = client.get("/api/ledger/witnesses", acting=acting)
    given = client.get("/api/ledger/cosignatures", acting=acting)
    told = {"witnessed": known.data, "cosignatures": given.data}
    talk.data(told, given.label, given.marking, given.entry)
    names = {each["key_id"]: each["name"] for each in known.data}
    for line in columns([(each["name"], each["key_id"]) for each in known.data]):
        talk.out(line)
    for line in columns([_row(each, names) for each in given.data]):
        talk.out(line)
    if not known.data and not given.data:
        talk.out(t("ledger.no_witnesses"))


def _row(given: dict[str, str], names: dict[str, str]) -> tuple[str, ...]:
    return iso(int(given["at"]))[:19] + "Z", names.get(given["of"], given["of"]), given["log"], str(given["size"])


@verb("ledger.witness.add", click.argument("name"), option("--key", "keyfile", type=FILE, required=True), ACTING)
def add_(talk: Talk, name: str, keyfile: Path, acting: str) -> None:
    body = {"name": name, "public": key_in(keyfile).hex()}
    answer = talk.client().post("/api/ledger/witnesses", body, acting)
    talk.answer(answer)
    talk.say("ledger.watched", name=name, key=answer.data["key_id"])


@verb("ledger.witness.cosign", click.argument("name"), click.argument("file", type=FILE), ACTING)
def cosign_(talk: Talk, name: str, file: Path, acting: str) -> None:
    body = {"export": file.read_bytes().decode(errors="replace")}
    answer = talk.client().post(f"/api/ledger/witnesses/{name}/cosign", body, acting)
    talk.answer(answer)
    verdict, given = answer.data["verdict"], answer.data["cosignature"]
    if given is not None:
        talk.out(msgspec.json.encode(given).decode())
        talk.say("ledger.cosigned", log=given["log"], size=given["size"])
        return
    state = verdict["state"] if verdict["state"] != "ok" else "incomplete"  # nothing in it was signed
    talk.say("ledger.not_cosigned", state=state, why=verdict["why"] or "unproved")
    raise SystemExit(EXITS[state])


@verb(
    "ledger.witness.paper",
    option("--head", "heads", type=FILE, default=None),
    option("--output", type=click.Path(path_type=Path), default=None),
)
def paper_(talk: Talk, heads: Path | None, output: Path | None) -> None:
    marking = ""
    if heads is not None:
        found = heads_in(heads)
    else:
        answer = talk.client().get("/api/ledger/heads")
        found, marking = msgspec.convert(answer.data, list[Head]), answer.marking
    papers = [print_paper(head) for head in found]
    talk.data([{"head": paper.head, "lines": paper.lines} for paper in papers], marking=marking)
    lines = [marking, t("ledger.paper"), ""] if marking else [t("ledger.paper"), ""]
    for paper in papers:
        lines += [t("ledger.paper_head", log=paper.head.log, size=paper.head.size), *paper.lines, ""]
    lines += [marking] if marking else []
    if output is None:
        talk.out("\n".join(lines))
        return
    text = "\n".join(lines) + "\n"
    page = (
        f'<!doctype html>\n<html lang="{language()}"><meta charset="utf-8"><title>{escape(t("ledger.paper"))}</title>\n'
    )
    page += f'<pre style="font: 11pt/1.6 monospace">\n{escape(text)}</pre></html>\n'
    output.write_text(page if output.suffix in (".html", ".htm") else text, encoding="utf-8")
    talk.say("ledger.exported", file=output)


@verb("ledger.witness.typed", click.argument("file", type=FILE, required=False))
def typed_(talk: Talk, file: Path | None) -> None:
    lines = file.read_text(encoding="utf-8").splitlines() if file is not None else sys.stdin.read().splitlines()
    head = read_paper(lines)
    talk.data([head])
    talk.out(msgspec.json.encode(head).decode())
